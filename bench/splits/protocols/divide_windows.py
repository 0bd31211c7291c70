"""Leaky protocols, as published work has them: windows are divided, whatever trial they are from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.errors import ProtocolError
from bench.registry import register_protocol
from bench.splits.holdout import hash_of
from bench.splits.protocols._base import HoldOut, Rows, Side, check_classes

if TYPE_CHECKING:
    import pandas as pd


_WINDOW = ["subject", "trial", "start"]


class _Windows(HoldOut):
    """Shared by the leaky protocols that divide windows, whatever trial they are from.

    Parameters
    ----------
    seed : int
    test_size : float, default 0.3
    scaler : {"train", "all"}
        Windows that the scaler is fitted on.
    stratify : bool, default True
        Whether the share is taken of each subject and class; otherwise of all windows together, as
        scikit-learn's ``train_test_split`` does unless it is told to stratify.
    """

    def __init__(
        self, seed: int = 0, test_size: float = 0.3, scaler: Side = "train", stratify: bool = True
    ) -> None:
        super().__init__(seed, test_size)
        if scaler not in ("train", "all"):
            raise ProtocolError(f"scaler={scaler}: has to be train or all")
        if not isinstance(stratify, bool):
            raise ProtocolError(f"stratify={stratify}: has to be true or false")
        self.scaler, self.stratify = scaler, stratify

    def held_out(self, X: pd.DataFrame, y: np.ndarray, unit: list[str]) -> np.ndarray:
        """Return which rows, each a unit of its own, are held out: bool of shape (n_rows,)."""
        y = np.asarray(y)
        if self.stratify:
            return self.by_units(X, y, unit)
        if len(X) < 2:
            raise ProtocolError("there is one window only: training and test need one each")
        ranks = [hash_of(self.seed, key) for key in _keys(X, unit)]
        n_held = min(max(int(self.test_size * len(X) + 0.5), 1), len(X) - 1)
        held = np.zeros(len(X), dtype=bool)
        held[sorted(range(len(X)), key=ranks.__getitem__)[:n_held]] = True
        check_classes(X, y, held)
        return held


@register_protocol("random-windows", promises="leaks")
class RandomWindows(_Windows):
    """70/30 of the windows, of each subject and class unless stratify=false: a trial is on both sides."""

    def split(self, X: pd.DataFrame, y: np.ndarray, groups: object = None) -> Rows:
        """Yield the training and the test rows; see `SubjectStratified.split`."""
        held = self.held_out(X, y, _WINDOW)
        yield np.flatnonzero(~held), np.flatnonzero(held)


@register_protocol("split-then-oversample", promises="leaks")
class SplitThenOversample(_Windows):
    """Windows divided at random, then each side balanced by copies of its own windows; scaled before."""

    def __init__(
        self, seed: int = 0, test_size: float = 0.3, scaler: Side = "all", stratify: bool = True
    ) -> None:
        super().__init__(seed, test_size, scaler, stratify)

    def split(self, X: pd.DataFrame, y: np.ndarray, groups: object = None) -> Rows:
        """Yield the training and the test rows, copies as repeated rows after the others."""
        held = self.held_out(X, y, _WINDOW)
        ids, labels = _keys(X, _WINDOW), np.asarray(y)
        train, test = (_oversampled(np.flatnonzero(side), ids, labels, self.seed) for side in (~held, held))
        yield train, test


@register_protocol("oversample-then-split", promises="leaks")
class OversampleThenSplit(_Windows):
    """Classes balanced by copies of windows, then windows and copies divided at random; scaled before."""

    resampler: Side = "all"

    def __init__(
        self, seed: int = 0, test_size: float = 0.3, scaler: Side = "all", stratify: bool = True
    ) -> None:
        super().__init__(seed, test_size, scaler, stratify)

    def split(self, X: pd.DataFrame, y: np.ndarray, groups: object = None) -> Rows:
        """Yield the training and the test rows: one window may be on both sides, and several times."""
        import pandas as pd

        rows = _oversampled(np.arange(len(X)), _keys(X, _WINDOW), np.asarray(y), self.seed)
        copies = X.iloc[rows].reset_index(drop=True)
        copies["copy"] = pd.Series(rows).groupby(rows).cumcount()
        held = self.held_out(copies, np.asarray(y)[rows], [*_WINDOW, "copy"])
        yield rows[~held], rows[held]


def _keys(X: pd.DataFrame, unit: list[str]) -> np.ndarray:
    return X[unit].astype(str).agg("|".join, axis=1).to_numpy()


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
