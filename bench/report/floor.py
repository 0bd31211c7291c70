"""The floor: the best score without any signal, and how far a row stands above it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.cells.stored_cell import StoredCell
from bench.report.intervals import Counts, Estimate, balanced_accuracy, difference
from bench.report.scores import counts_by_seed, total

# In words, what the distance of a row from its floor says.
ABOVE, LEVEL, BELOW = "above the floor", "not told apart from the floor", "below the floor"
UNTOLD = "without an interval"


@dataclass(frozen=True, eq=False)
class Floor:
    """The best of the estimators without signals on the splits of a row.

    Attributes
    ----------
    estimator : str
    score : float
        Balanced accuracy, pooled by seed, the mean over seeds.
    counts : Counts
    """

    estimator: str
    score: float
    counts: Counts


def floor_of(cells: Sequence[StoredCell], signal_free: Mapping[str, Sequence[StoredCell]]) -> Floor | None:
    """Return the floor under a row.

    Parameters
    ----------
    cells : sequence of StoredCell
        Of the row, with predictions.
    signal_free : mapping
        ``estimator -> cells`` under the row's protocol; those that lack one of the row's splits do not count.

    Returns
    -------
    Floor or None
        None if no estimator without signals has been tested on these splits.
    """
    splits = {cell.place: cell.result["identity"]["split"] for cell in cells}
    found = []
    for estimator, theirs in signal_free.items():
        own = [c for c in theirs if c.ok and splits.get(c.place) == c.result["identity"]["split"]]
        if splits and len(own) == len(splits):
            counts = counts_by_seed(own)
            scores = [balanced_accuracy(total(people)) for people in counts.values()]
            found.append(Floor(estimator, float(np.mean(scores)), counts))
    if not found:
        return None
    # Where leaving a person or stimulus out takes more of its own class along, what is left in training points the
    # wrong way, and all of these are below what the same answer everywhere scores.
    constant = counts_by_seed(cells)
    one_answer = {
        seed: {who: _first_always(own) for who, own in people.items()} for seed, people in constant.items()
    }
    scores = [balanced_accuracy(total(people)) for people in one_answer.values()]
    found.append(Floor("one answer", float(np.mean(scores)), one_answer))
    return max(found, key=lambda floor: floor.score)


def _first_always(counts: np.ndarray) -> np.ndarray:
    return np.pad(counts.sum(axis=1, keepdims=True), ((0, 0), (0, len(counts) - 1)))


def above(counts: Counts, floor: Floor) -> tuple[Estimate, str]:
    """Return a row's distance above its floor, paired by person, and in words what that says.

    A row is above the floor if the interval is; below it if the distance, in points with one decimal, is below 0; otherwise the two are not
    told apart, or, without an interval, nothing is said.
    """
    distance = difference(counts, floor.counts)
    if distance.low > 0:
        return distance, ABOVE
    if round(100 * distance.value, 1) < 0:  # to the digit that tables show
        return distance, BELOW
    return distance, UNTOLD if np.isnan(distance.low) else LEVEL
