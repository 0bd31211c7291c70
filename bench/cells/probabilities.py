"""How probabilities are stored: in half precision, so that a study of many classes fits into a small file."""

from __future__ import annotations

import numpy as np

# IEEE 754 half precision: 11 bits, and the smallest number above 0 that it has.
STORED = np.float16
SMALLEST = float(np.finfo(STORED).smallest_subnormal)


def as_stored(probabilities: np.ndarray) -> np.ndarray:
    """Return probabilities as they are stored, and as every score is computed from them.

    Parameters
    ----------
    probabilities : ndarray of shape (n_windows, n_classes)

    Returns
    -------
    ndarray of shape (n_windows, n_classes), float16
        To 11 bits, so that a row adds up to 1 but for some .0005 a class. What was above 0 is so still, 6e-8 at least: an
        estimator that was sure of the wrong class is not told to have been impossible.
    """
    stored = np.asarray(probabilities).astype(STORED)
    return np.where((stored == 0) & (np.asarray(probabilities) > 0), STORED(SMALLEST), stored)
