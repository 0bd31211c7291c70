"""What protocols share: holding out a share of units, and checks of what is left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bench.errors import ProtocolError
from bench.splits.holdout import hold_out

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

    def by_units(self, X: pd.DataFrame, y: np.ndarray, unit: list[str]) -> np.ndarray:
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
        check_classes(X, y, held)
        return held


def check_classes(X: pd.DataFrame, y: np.ndarray, held: np.ndarray) -> None:
    """Raise ProtocolError if a class has no training window once the rows `held`, bool, are held out."""
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
