"""Protocols that hold out whole trials of every subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.registry import register_protocol
from bench.splits.protocols._base import HoldOut, Rows

if TYPE_CHECKING:
    import pandas as pd


@register_protocol("subject-stratified", promises="clean")
class SubjectStratified(HoldOut):
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
        held = self.by_units(X, y, ["subject", "trial"])
        yield np.flatnonzero(~held), np.flatnonzero(held)
