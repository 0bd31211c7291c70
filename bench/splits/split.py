"""A `Split` is one audited division of the windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.errors import BenchError
from bench.splits.audit import Audit


class LeakError(BenchError):
    """A split of a protocol that promises to be clean leaks."""


@dataclass(frozen=True, eq=False)
class Split:
    """One division of a panel.

    Attributes
    ----------
    train, test : ndarray of int
        Rows of the panel; a row given twice is a window and its copy.
    scaler_rows, resampler_rows : ndarray of int
        What the scaler and the resampler are fitted on: `train`, unless a leaky protocol says otherwise.
    audit : Audit
        Before any resampling of the cell.
    must_be_clean : bool
        Whether the protocol promises it.
    fingerprint : str
        A digest of all this.
    """

    train: np.ndarray
    test: np.ndarray
    scaler_rows: np.ndarray
    resampler_rows: np.ndarray
    audit: Audit
    must_be_clean: bool
    fingerprint: str
