"""Protocols that hold out each subject, or each stimulus, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import ProtocolError
from bench.registry import register_protocol
from bench.splits.holdout import hash_of
from bench.splits.protocols._base import Protocol, Rows, at_least_two

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
        return int(X[self.column].nunique())

    def split(self, X: pd.DataFrame, y: np.ndarray, groups: object = None) -> Rows:
        """Yield the training and the test rows of each division, in the order of the values held out."""
        values, y = X[self.column].to_numpy(), np.asarray(y)
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
        distinct = at_least_two(self.column, values)
        if self.folds is None:
            return [[value] for value in distinct]
        if self.folds > len(distinct):
            raise ProtocolError(
                f"folds={self.folds}, but there are {len(distinct)} different values of {self.column}"
            )
        # Each to the part that has the fewest windows so far: the parts are of nearly equal size.
        sizes = dict(zip(*np.unique(values, return_counts=True), strict=True))
        parts: list[list[Any]] = [[] for _ in range(self.folds)]
        windows = [0] * self.folds
        for value in sorted(distinct, key=lambda v: hash_of(self.seed, f"{self.column} {v}")):
            smallest = min(range(self.folds), key=lambda k: (windows[k], k))
            parts[smallest].append(value)
            windows[smallest] += int(sizes[value])
        return parts


@register_protocol("loso", promises="clean")
class LeaveOneSubjectOut(_LeaveOneOut):
    """Leave one subject out: a division a subject. With `folds`, several subjects at a time."""

    column = "subject"


@register_protocol("leave-one-stimulus-out", promises="clean")
class LeaveOneStimulusOut(_LeaveOneOut):
    """Leave one stimulus out, for everybody who met it. With `folds`, several stimuli at a time."""

    column = "stimulus"
