"""Scores of a row: predictions of all folds of a seed together, scored once a seed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.cells.metrics import probability_scores, scores, within_people
from bench.cells.stored_cell import Predicted, StoredCell
from bench.report.intervals import Counts

# Columns of `RowScores.by_seed`. `trial_balanced_accuracy`: the windows of a trial vote with their mean probability.
SCORES = (
    "accuracy", "balanced_accuracy", "f1_macro", "within_people", "trial_balanced_accuracy",
    "auroc", "mcc", "log_loss", "calibration_error",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class RowScores:
    """What the cells of a row score.

    Attributes
    ----------
    counts : Counts
        ``seed -> person -> confusion matrix``, windows summed over the folds of the seed.
    by_seed : DataFrame with the columns `SCORES`
        A row a seed. A fold by itself is never scored: one that tests one class only would score the
        recall of that class.
    n_trials : int
        Tested a seed, the median over seeds.
    """

    counts: Counts
    by_seed: pd.DataFrame
    n_trials: int


def score_row(cells: Sequence[StoredCell]) -> RowScores:
    """Score the cells of a row, all of which have predictions.

    Raises
    ------
    DataError
        If a stored prediction file is damaged.
    """
    counts: dict[int, dict[int, np.ndarray]] = {}
    lines: dict[int, dict[str, float]] = {}
    tested = []
    for seed, own in _by_seed(cells).items():
        parts = [cell.predicted() for cell in own]
        counts[seed] = _summed(part.counts for part in parts)
        trials = total(_summed(part.trial_counts for part in parts))
        tested.append(trials.sum())
        lines[seed] = {
            **scores(total(counts[seed])),
            "within_people": within_people(counts[seed]),
            "trial_balanced_accuracy": scores(trials)["balanced_accuracy"],
            **_of_probabilities(parts),
        }
    by_seed = pd.DataFrame.from_dict(lines, orient="index").reindex(columns=list(SCORES))
    return RowScores(counts, by_seed, int(np.median(tested)))


def counts_by_seed(cells: Iterable[StoredCell]) -> Counts:
    """Return ``seed -> person -> confusion matrix``, windows summed over the folds of the seed."""
    return {seed: _summed(cell.counts for cell in own) for seed, own in _by_seed(cells).items()}


def total(counts: Mapping[int, np.ndarray]) -> np.ndarray:
    """Return the confusion matrix of all people together."""
    return np.asarray(np.sum(list(counts.values()), axis=0))


def _by_seed(cells: Iterable[StoredCell]) -> dict[int, list[StoredCell]]:
    found: dict[int, list[StoredCell]] = {}
    for cell in cells:
        found.setdefault(cell.place[0], []).append(cell)
    return dict(sorted(found.items()))


def _summed(parts: Iterable[dict[int, np.ndarray]]) -> dict[int, np.ndarray]:
    summed: dict[int, np.ndarray] = {}
    for part in parts:
        for person, own in part.items():
            summed[person] = summed[person] + own if person in summed else own
    return summed


def _of_probabilities(parts: list[Predicted]) -> dict[str, float]:
    given = [part.probabilities for part in parts if part.probabilities is not None]
    if len(given) < len(parts):
        return {}
    return probability_scores(np.concatenate([part.true for part in parts]), np.concatenate(given))
