"""Protocols that hold out each subject, or each stimulus, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import ProtocolError
from bench.registry import register_protocol
from bench.splits.protocols._base import Protocol, Rows, at_least_two, check_classes, parts_of
from bench.splits.together import kept_together

if TYPE_CHECKING:
    import pandas as pd


class _LeaveOneOut(Protocol):
    """Shared by the protocols that hold out each value of a column once.

    Parameters
    ----------
    seed : int
        Matters only with `folds`: who is held out together.
    folds : int, optional
        Hold several out at a time, so that there are so many divisions; by default one at a time.
    """

    column: str

    def __init__(self, seed: int = 0, folds: int | None = None) -> None:
        super().__init__(seed)
        if folds is not None and (not isinstance(folds, int) or folds < 2):
            raise ProtocolError(f"folds={folds}: has to be a whole number of at least 2")
        self.folds = folds

    def get_n_splits(self, X: pd.DataFrame | None = None, y: object = None, groups: object = None) -> int:
        """Return the number of divisions; `X` is needed unless `folds` is set."""
        if self.folds is not None:
            return self.folds
        if X is None:
            raise ValueError("X is needed: a division for each value of its column " + self.column)
        return int(np.unique(self._values(X)).size)

    def _values(self, X: pd.DataFrame) -> np.ndarray:
        if self.column not in X:
            raise ProtocolError(f"the data set does not know the {self.column} of its trials")
        return X[self.column].to_numpy()

    def split(self, X: pd.DataFrame, y: np.ndarray, groups: object = None) -> Rows:
        """Yield the training and the test rows of each division, in the order of the values held out."""
        values, y = self._values(X), np.asarray(y)
        for out in self._parts(values):
            held = np.isin(values, out)
            lost = sorted(set(y) - set(y[~held]))
            if lost:
                raise ProtocolError(
                    f"holding out {self.column} {', '.join(map(str, out))} leaves class '{lost[0]}' "
                    "without a training window: no other has it"
                )
            yield np.flatnonzero(~held), np.flatnonzero(held)

    def _parts(self, values: np.ndarray) -> list[list[Any]]:
        if self.folds is not None:
            return parts_of(values, self.folds, self.seed, self.column)
        return [[value] for value in at_least_two(self.column, values)]


@register_protocol("loso", promises="clean")
class LeaveOneSubjectOut(_LeaveOneOut):
    """Leave one subject out: a division a subject. With `folds`, several; with `calibrate`, but for first trials.

    Parameters
    ----------
    seed, folds
        As of all that leave one out.
    calibrate : int, default 0
        So many trials of each subject who is held out, the first of the session, go to training: what a product
        would know of a stranger who has rated a few. The first by ``order`` where the data set knows it, else by
        ``trial``. One whose stimulus or recording the subject meets again is left out instead.
    """

    column = "subject"

    def __init__(self, seed: int = 0, folds: int | None = None, calibrate: int = 0) -> None:
        super().__init__(seed, folds)
        if not isinstance(calibrate, int) or calibrate < 0:
            raise ProtocolError(f"calibrate={calibrate}: has to be a whole number, 0 or more")
        self.calibrate = calibrate

    def split(self, X: pd.DataFrame, y: np.ndarray, groups: object = None) -> Rows:
        """Yield the training and the test rows of each division, in the order of the subjects held out."""
        if not self.calibrate:
            yield from super().split(X, y, groups)
            return
        first, y = self._first(X), np.asarray(y)
        together = kept_together(X)
        for out in self._parts(X["subject"].to_numpy()):
            theirs = np.isin(X["subject"], out)
            held = theirs & ~first
            trained = ~held & ~(theirs & np.isin(together, together[held]))
            check_classes(X, y, ~trained)
            yield np.flatnonzero(trained), np.flatnonzero(held)

    def _first(self, X: pd.DataFrame) -> np.ndarray:
        """Return which rows are of the first trials of their subject, bool."""
        by = ["order", "trial"] if "order" in X else ["trial"]
        trials = X[["subject", *by]].drop_duplicates(["subject", "trial"]).sort_values(["subject", *by])
        counts = trials["subject"].value_counts()
        if (counts <= self.calibrate).any():
            raise ProtocolError(
                f"subject {counts.idxmin()} has {counts.min()} trials: with calibrate={self.calibrate} none is "
                "left to test"
            )
        place = trials.groupby("subject").cumcount().to_numpy()
        first = trials[place < self.calibrate].set_index(["subject", "trial"]).index
        return np.asarray(X.set_index(["subject", "trial"]).index.isin(first))


@register_protocol("leave-one-stimulus-out", promises="clean")
class LeaveOneStimulusOut(_LeaveOneOut):
    """Leave one stimulus out, for everybody who met it. With `folds`, several stimuli at a time."""

    column = "stimulus"


@register_protocol("leave-one-site-out", promises="clean")
class LeaveOneSiteOut(_LeaveOneOut):
    """Leave one site out: train where some were recorded, test where the others were. With `folds`, several."""

    column = "site"
