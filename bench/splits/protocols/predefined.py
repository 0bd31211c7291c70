"""The division that a data set brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.errors import ProtocolError
from bench.registry import register_protocol
from bench.splits.protocols._base import Protocol, Rows, check_classes

if TYPE_CHECKING:
    import pandas as pd


@register_protocol("predefined", promises="nothing")
class Predefined(Protocol):
    """The division that the data set brings (column ``split``); a seed changes the estimator only."""

    def split(self, X: pd.DataFrame, y: np.ndarray, groups: object = None) -> Rows:
        """Yield the rows marked ``train`` and those marked ``test``.

        Raises
        ------
        ProtocolError
            If the data set brings no division, or a class has no training window in it.
        """
        if "split" not in X:
            raise ProtocolError(
                "predefined: the data set brings no division into training and test of its own"
            )
        trained = (X["split"] == "train").to_numpy()
        if trained.any():
            check_classes(X, np.asarray(y), ~trained)
        yield np.flatnonzero(trained), np.flatnonzero(X["split"] == "test")
