"""Leaky protocols, as published work has them: windows are divided, whatever trial they are from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.errors import ProtocolError
from bench.registry import register_protocol
from bench.splits.holdout import hash_of
from bench.splits.protocols._base import HoldOut, Rows, Side

if TYPE_CHECKING:
    import pandas as pd


class _Windows(HoldOut):
    """Shared by the leaky protocols that divide windows, whatever trial they are from."""

    def __init__(self, seed: int = 0, test_size: float = 0.3, scaler: Side = "train") -> None:
        super().__init__(seed, test_size)
        if scaler not in ("train", "all"):
            raise ProtocolError(f"scaler={scaler}: has to be train or all")
        self.scaler = scaler


@register_protocol("random-windows", promises="leaks")
class RandomWindows(_Windows):
    """70/30 of the windows of each subject, stratified by class: windows of a trial on both sides."""

    def split(self, X: pd.DataFrame, y: np.ndarray, groups: object = None) -> Rows:
        """Yield the training and the test rows; see `SubjectStratified.split`."""
        held = self.by_units(X, y, ["subject", "trial", "start"])
        yield np.flatnonzero(~held), np.flatnonzero(held)


@register_protocol("split-then-oversample", promises="leaks")
class SplitThenOversample(_Windows):
    """Windows divided at random, then each side balanced by copies of its own windows; scaled before."""

    def __init__(self, seed: int = 0, test_size: float = 0.3, scaler: Side = "all") -> None:
        super().__init__(seed, test_size, scaler)

    def split(self, X: pd.DataFrame, y: np.ndarray, groups: object = None) -> Rows:
        """Yield the training and the test rows, copies as repeated rows after the others."""
        held = self.by_units(X, y, ["subject", "trial", "start"])
        ids, labels = _keys(X), np.asarray(y)
        train, test = (_oversampled(np.flatnonzero(side), ids, labels, self.seed) for side in (~held, held))
        yield train, test


@register_protocol("oversample-then-split", promises="leaks")
class OversampleThenSplit(_Windows):
    """Classes balanced by copies of windows, then windows and copies divided at random; scaled before."""

    resampler: Side = "all"

    def __init__(self, seed: int = 0, test_size: float = 0.3, scaler: Side = "all") -> None:
        super().__init__(seed, test_size, scaler)

    def split(self, X: pd.DataFrame, y: np.ndarray, groups: object = None) -> Rows:
        """Yield the training and the test rows: one window may be on both sides, and several times."""
        import pandas as pd

        rows = _oversampled(np.arange(len(X)), _keys(X), np.asarray(y), self.seed)
        copies = X.iloc[rows].reset_index(drop=True)
        copies["copy"] = pd.Series(rows).groupby(rows).cumcount()
        held = self.by_units(copies, np.asarray(y)[rows], ["subject", "trial", "start", "copy"])
        yield rows[~held], rows[held]


def _keys(X: pd.DataFrame) -> np.ndarray:
    return X[["subject", "trial", "start"]].astype(str).agg("|".join, axis=1).to_numpy()


def _oversampled(rows: np.ndarray, ids: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
    """Add copies, drawn with replacement, until all classes are as large as the largest."""
    own = labels[rows]
    largest = max(int((own == label).sum()) for label in np.unique(own))
    added = []
    for label in np.unique(own):
        there = rows[own == label]
        there = there[np.argsort(ids[there])]
        draws = (hash_of(seed, f"copy {k} of {label}") for k in range(largest - len(there)))
        added.append(there[[int.from_bytes(draw) % len(there) for draw in draws]])
    return np.concatenate([rows, *added])
