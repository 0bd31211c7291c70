"""The division that a data set brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.errors import ProtocolError
from bench.registry import register_protocol
from bench.splits.protocols._base import Protocol, Rows

if TYPE_CHECKING:
    import pandas as pd


@register_protocol("predefined", promises="nothing")
class Predefined(Protocol):
    """The division that the data set brings (column ``split``); a seed changes the estimator only."""

    def split(self, X: pd.DataFrame, y: object = None, groups: object = None) -> Rows:
        """Yield the rows marked ``train`` and those marked ``test``."""
        if "split" not in X:
            raise ProtocolError(
                "predefined: the data set brings no division into training and test of its own"
            )
        yield np.flatnonzero(X["split"] == "train"), np.flatnonzero(X["split"] == "test")
