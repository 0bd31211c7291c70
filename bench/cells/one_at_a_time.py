"""Whether an estimator predicts a window alone as it does among others."""

from __future__ import annotations

from typing import Any

import numpy as np

# Probabilities of a window that differ less do so by the order of sums in float32.
_TOLERANCE = 0.01
# Each window whose probabilities are averaged with its neighbours' shows it, but few of their classes do.
_ASKED, _ASKED_FOR_CLASSES = 8, 32


def alike_alone(
    estimator: Any,
    X: np.ndarray,
    y_pred: np.ndarray,
    probabilities: np.ndarray | None,
    *,
    by_probability: bool = False,
) -> bool:
    """Ask a fitted estimator for some windows one at a time, and compare with what it said of all at once.

    Parameters
    ----------
    estimator : object
        Fitted; with `probabilities` it has ``predict_proba``.
    X : ndarray of shape (n_windows, n_channels, n_timepoints)
    y_pred : ndarray of shape (n_windows,), str
        What it predicted of all of them.
    probabilities : ndarray of shape (n_windows, n_classes), or None
        Likewise.
    by_probability : bool, default False
        Whether its class is the most probable one, so that ``predict`` need not be asked.

    Returns
    -------
    bool
        False where a window's probabilities differ by more than .01, or its class where there are none.
    """
    if probabilities is not None:
        few = range(min(_ASKED, len(X)))
        alone = np.concatenate([np.asarray(estimator.predict_proba(X[k : k + 1])) for k in few])
        if alone.shape != probabilities[: len(few)].shape or not np.allclose(
            alone, probabilities[: len(few)], rtol=0, atol=_TOLERANCE, equal_nan=True
        ):
            return False
        if by_probability:
            return True
    few = range(min(_ASKED_FOR_CLASSES, len(X)))
    classes = np.concatenate([np.asarray(estimator.predict(X[k : k + 1])).astype(str) for k in few])
    return bool((classes == y_pred[: len(few)]).all())
