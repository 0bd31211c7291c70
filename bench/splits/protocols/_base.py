"""What protocols share: holding out a share of units, and checks of what is left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bench.errors import ProtocolError
from bench.splits.holdout import hash_of, hold_out

if TYPE_CHECKING:
    import pandas as pd

Side = Literal["train", "all"]
Rows = Iterator[tuple[np.ndarray, np.ndarray]]


class Protocol:
    """What protocols share: one division a seed, scaler and resampler fitted on the training side."""

    scaler: Side = "train"
    resampler: Side = "train"

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def get_n_splits(self, X: pd.DataFrame | None = None, y: object = None, groups: object = None) -> int:
        """Return how many divisions `split` yields."""
        return 1


class HoldOut(Protocol):
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

    def units(self, X: pd.DataFrame, y: np.ndarray, unit: list[str]) -> tuple[np.ndarray, pd.DataFrame]:
        """Return the number of each row's unit, and a row a unit: its ids, ``label`` and ``row``, its first in X."""
        number = X.groupby(unit, sort=False).ngroup().to_numpy()
        first = np.unique(number, return_index=True)[1]
        mixed = y != y[first][number]
        if mixed.any():
            where = X[unit].iloc[int(mixed.argmax())].to_dict()
            raise ProtocolError(f"{where} has windows of more than one class")
        return number, X[unit].iloc[first].assign(label=y[first], row=first).reset_index(drop=True)

    def by_units(
        self, X: pd.DataFrame, y: np.ndarray, unit: list[str], together: np.ndarray | None = None
    ) -> np.ndarray:
        """Return which rows are held out when `unit` is what stays together.

        With `together`, a number for each row, units of the same number stay together too: they are held out as
        one that bears the ids of the first of them and, where they differ, all their classes as a class of its own.
        """
        y = np.asarray(y)
        number, units = self.units(X, y, unit)
        if together is not None:
            units["together"] = together[units["row"]]
            number = together
            units = units.sort_values(unit)
            units["label"] = units.groupby("together")["label"].transform(
                lambda own: "|".join(sorted(set(own)))
            )
            units = units.drop_duplicates("together").sort_values("together")
        else:
            units["together"] = np.arange(len(units))
        counts = units.subject.value_counts()
        if (counts < 2).any():
            raise ProtocolError(
                f"subject {counts.idxmin()} has {counts.min()} {unit[-1]} only: training and test need one each"
            )
        held_units = units["together"].to_numpy()[hold_out(units, unit, self.seed, self.test_size)]
        held = np.isin(number, held_units)
        check_classes(X, y, held)
        return held


def check_classes(X: pd.DataFrame, y: np.ndarray, held: np.ndarray) -> None:
    """Raise ProtocolError if a class has no training window once the rows `held`, bool, are not trained on."""
    lost = sorted(set(y) - set(y[~held]))
    if lost:
        subjects = sorted(set(X["subject"].to_numpy()[y == lost[0]].tolist()))
        of = f"subject {subjects[0]}" if len(subjects) == 1 else f"subjects {', '.join(map(str, subjects))}"
        raise ProtocolError(
            f"class '{lost[0]}' has no training window: all its trials, of {of}, were held out"
        )


def at_least_two(column: str, values: np.ndarray) -> list[Any]:
    """Return the distinct values of a column, ascending; ProtocolError if there is one only."""
    distinct: list[Any] = np.unique(values).tolist()
    if len(distinct) < 2:
        raise ProtocolError(
            f"there is one {column} only, {distinct[0]}: holding it out leaves nobody to train on"
        )
    return distinct


def parts_of(values: np.ndarray, folds: int, seed: int, column: str) -> list[list[Any]]:
    """Divide the distinct values of a column into parts of about equally many rows, by the hash of a seed."""
    distinct = at_least_two(column, values)
    if folds > len(distinct):
        raise ProtocolError(f"folds={folds}, but there are {len(distinct)} different values of {column}")
    # Each to the part that has the fewest windows so far: the parts are of nearly equal size.
    sizes = dict(zip(*np.unique(values, return_counts=True), strict=True))
    parts: list[list[Any]] = [[] for _ in range(folds)]
    windows = [0] * folds
    for value in sorted(distinct, key=lambda v: hash_of(seed, f"{column} {v}")):
        smallest = min(range(folds), key=lambda k: (windows[k], k))
        parts[smallest].append(value)
        windows[smallest] += int(sizes[value])
    return parts
