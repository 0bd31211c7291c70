"""Protocols: how the windows of a data set are divided into training and test.

Each is a small class with the scikit-learn splitter interface; `split` takes the table of window ids
(``subject``, ``trial``, ``stimulus``, ``start``) and the classes, and yields rows. A row that occurs
twice is a window and its copy. Who goes where is decided by a hash of seed and ids, not by a random
number generator: the same seed gives the same split whatever the order of the rows, the machine or the
version of numpy.

Two attributes say what may be fitted on what: `scaler` and `resampler` are ``"train"``, or, where a
leaky protocol imitates work that did so, ``"all"`` for both sides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import numpy as np

from bench.errors import BenchError
from bench.holdout import hash_of, hold_out
from bench.registry import register_protocol

if TYPE_CHECKING:
    import pandas as pd

Side = Literal["train", "all"]
Rows = Iterator[tuple[np.ndarray, np.ndarray]]

# So many draws of subjects are compared for the one that divides the classes most evenly.
_DRAWS = 64


class ProtocolError(BenchError):
    """The windows cannot be divided as the protocol asks."""


class _Protocol:
    """What protocols share: one division a seed, scaler and resampler fitted on the training side."""

    scaler: Side = "train"
    resampler: Side = "train"

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def get_n_splits(self, X: pd.DataFrame | None = None, y: object = None, groups: object = None) -> int:
        """Return how many divisions `split` yields."""
        return 1


class _Holdout(_Protocol):
    """Shared by the protocols that hold a share of something out once.

    Parameters
    ----------
    seed : int
    test_size : float, default 0.3
        Share of the units (trials, windows or subjects) that is held out.
    """

    def __init__(self, seed: int = 0, test_size: float = 0.3) -> None:
        super().__init__(seed)
        if not isinstance(test_size, int | float) or not 0 < test_size < 1:
            raise ProtocolError(f"test_size={test_size}: has to lie between 0 and 1")
        self.test_size = test_size

    def _by_units(self, X: pd.DataFrame, y: np.ndarray, unit: list[str]) -> np.ndarray:
        """Return which rows are held out when `unit` is what stays together."""
        y = np.asarray(y)
        number = X.groupby(unit, sort=False).ngroup().to_numpy()
        first = np.unique(number, return_index=True)[1]
        mixed = y != y[first][number]
        if mixed.any():
            where = X[unit].iloc[int(mixed.argmax())].to_dict()
            raise ProtocolError(f"{where} has windows of more than one class")
        units = X[unit].iloc[first].assign(label=y[first])
        counts = units.subject.value_counts()
        if (counts < 2).any():
            raise ProtocolError(
                f"subject {counts.idxmin()} has {counts.min()} {unit[-1]} only: training and test need one each"
            )
        held = hold_out(units, unit, self.seed, self.test_size)[number]
        _check_classes(X, y, held)
        return held


def _check_classes(X: pd.DataFrame, y: np.ndarray, held: np.ndarray) -> None:
    lost = sorted(set(y) - set(y[~held]))
    if lost:
        subjects = sorted(set(X["subject"].to_numpy()[y == lost[0]].tolist()))
        of = f"subject {subjects[0]}" if len(subjects) == 1 else f"subjects {', '.join(map(str, subjects))}"
        raise ProtocolError(
            f"class '{lost[0]}' has no training window: all its trials, of {of}, were held out"
        )


@register_protocol("subject-stratified", promises="clean")
class SubjectStratified(_Holdout):
    """70/30 of the trials of each subject, stratified by class; all windows of a trial stay together."""

    def split(self, X: pd.DataFrame, y: np.ndarray, groups: object = None) -> Rows:
        """Yield the training and the test rows.

        Parameters
        ----------
        X : DataFrame of n_windows rows
            Columns ``subject``, ``trial``, ``stimulus``, ``start``.
        y : array of shape (n_windows,)
            Classes; all windows of a trial have the same.

        Raises
        ------
        ProtocolError
            If a subject has fewer than two trials, a trial has two classes, or a class would have no
            training window.
        """
        held = self._by_units(X, y, ["subject", "trial"])
        yield np.flatnonzero(~held), np.flatnonzero(held)


@register_protocol("subject-independent", promises="clean")
class SubjectIndependent(_Holdout):
    """70/30 of the subjects: nobody is on both sides; of many draws the one with the evenest classes."""

    def split(self, X: pd.DataFrame, y: np.ndarray, groups: object = None) -> Rows:
        """Yield the training and the test rows; see `SubjectStratified.split`."""
        import pandas as pd

        subject = X["subject"].to_numpy()
        y = np.asarray(y)
        subjects = _at_least_two("subject", subject)
        counts = pd.crosstab(subject, y).loc[subjects]
        held = min(max(int(self.test_size * len(subjects) + 0.5), 1), len(subjects) - 1)
        best: tuple[float, list[int]] | None = None
        for draw in range(_DRAWS):
            ranked = sorted(subjects, key=lambda s: hash_of(self.seed, f"draw {draw} subject {s}"))
            test = counts.loc[ranked[:held]].sum()
            if (test == counts.sum()).any():
                continue
            uneven = float((test / counts.sum() - self.test_size).abs().max())
            if best is None or uneven < best[0]:
                best = uneven, ranked[:held]
        if best is None:
            # No draw trains on every class: say which one only the held-out have.
            rare = str((counts > 0).sum().idxmin())
            only = counts.index[counts[rare] > 0].tolist()
            raise ProtocolError(
                f"class '{rare}' occurs in subject {', '.join(map(str, only))} only: "
                "whole subjects cannot be held out"
            )
        out = np.isin(subject, best[1])
        yield np.flatnonzero(~out), np.flatnonzero(out)


class _LeaveOneOut(_Protocol):
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

    def _parts(self, values: np.ndarray) -> list[list]:
        distinct = _at_least_two(self.column, values)
        if self.folds is None:
            return [[value] for value in distinct]
        if self.folds > len(distinct):
            raise ProtocolError(
                f"folds={self.folds}, but there are {len(distinct)} different values of {self.column}"
            )
        # Each to the part that has the fewest windows so far: the parts are of nearly equal size.
        sizes = dict(zip(*np.unique(values, return_counts=True), strict=True))
        parts: list[list] = [[] for _ in range(self.folds)]
        windows = [0] * self.folds
        for value in sorted(distinct, key=lambda v: hash_of(self.seed, f"{self.column} {v}")):
            smallest = min(range(self.folds), key=lambda k: (windows[k], k))
            parts[smallest].append(value)
            windows[smallest] += int(sizes[value])
        return parts


def _at_least_two(column: str, values: np.ndarray) -> list:
    distinct = np.unique(values).tolist()
    if len(distinct) < 2:
        raise ProtocolError(
            f"there is one {column} only, {distinct[0]}: holding it out leaves nobody to train on"
        )
    return distinct


@register_protocol("loso", promises="clean")
class LeaveOneSubjectOut(_LeaveOneOut):
    """Leave one subject out: a division a subject. With `folds`, several subjects at a time."""

    column = "subject"


@register_protocol("leave-one-stimulus-out", promises="clean")
class LeaveOneStimulusOut(_LeaveOneOut):
    """Leave one stimulus out, for everybody who met it. With `folds`, several stimuli at a time."""

    column = "stimulus"


class _Windows(_Holdout):
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
        held = self._by_units(X, y, ["subject", "trial", "start"])
        yield np.flatnonzero(~held), np.flatnonzero(held)


@register_protocol("split-then-oversample", promises="leaks")
class SplitThenOversample(_Windows):
    """Windows divided at random, then each side balanced by copies of its own windows; scaled before."""

    def __init__(self, seed: int = 0, test_size: float = 0.3, scaler: Side = "all") -> None:
        super().__init__(seed, test_size, scaler)

    def split(self, X: pd.DataFrame, y: np.ndarray, groups: object = None) -> Rows:
        """Yield the training and the test rows, copies as repeated rows after the others."""
        held = self._by_units(X, y, ["subject", "trial", "start"])
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
        held = self._by_units(copies, np.asarray(y)[rows], ["subject", "trial", "start", "copy"])
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


@register_protocol("predefined", promises="clean")
class Predefined(_Protocol):
    """The division that the data set brings (column ``split``); a seed changes the estimator only."""

    def split(self, X: pd.DataFrame, y: object = None, groups: object = None) -> Rows:
        """Yield the rows marked ``train`` and those marked ``test``."""
        if "split" not in X:
            raise ProtocolError(
                "predefined: the data set brings no division into training and test of its own"
            )
        yield np.flatnonzero(X["split"] == "train"), np.flatnonzero(X["split"] == "test")
