"""Bootstrap over subjects: how far a score would move with other people."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from bench.cells.stored_cell import StoredCell

DRAWS = 2000
Counts = dict[int, np.ndarray]


def count_by_subject(cells: Iterable[StoredCell]) -> Counts:
    """Return each subject's confusion matrix, summed over cells: int64 (n_classes, n_classes)."""
    counts: Counts = {}
    for cell in cells:
        for subject, own in cell.counts.items():
            counts[subject] = counts.get(subject, 0) + own
    return counts


def balanced_accuracy(counts: np.ndarray) -> np.ndarray:
    """Return the mean recall of the classes that occur, for confusion matrices on the last two axes.

    NaN where no class does: nobody of a draw was tested.
    """
    true = counts.sum(axis=-1)
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    recall = np.divide(hits, true, out=np.zeros(hits.shape), where=true > 0)
    occurs = (true > 0).sum(axis=-1)
    mean: np.ndarray = np.divide(
        recall.sum(axis=-1), occurs, out=np.full(occurs.shape, np.nan), where=occurs > 0
    )
    return mean


class SubjectBootstrap:
    """The same draws of subjects for every score of a table, so that differences are paired.

    Parameters
    ----------
    subjects : iterable of int
        All who are tested anywhere in the table.
    draws : int, default `DRAWS`
        Each draws as many subjects as there are, with replacement.
    """

    def __init__(self, subjects: Iterable[int], draws: int = DRAWS) -> None:
        self.subjects = sorted(set(subjects))
        n = len(self.subjects)
        self._weights = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=draws)

    def scores(self, counts: Counts) -> tuple[float, np.ndarray]:
        """Return the balanced accuracy of all, and that of each draw (float64 of shape (draws,))."""
        one = next(iter(counts.values()))
        stacked = np.stack([counts.get(subject, np.zeros_like(one)) for subject in self.subjects])
        drawn = np.tensordot(self._weights, stacked, axes=1)
        return float(balanced_accuracy(stacked.sum(axis=0))), balanced_accuracy(drawn)


def interval(draws: np.ndarray) -> tuple[float, float]:
    """Return the 95 % percentile interval; NaN draws (nobody tested) are left out."""
    if np.isnan(draws).all():
        return np.nan, np.nan
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    return float(low), float(high)
