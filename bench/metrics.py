"""Scores computed from stored predictions; every column of a table that says how well is made here."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, f1_score


def scores(y_true: np.ndarray, y_pred: np.ndarray) -> dict[str, float]:
    """Return the scores of one cell.

    Parameters
    ----------
    y_true, y_pred : ndarray of shape (n_windows,), str

    Returns
    -------
    dict
        ``accuracy``; ``balanced_accuracy``, the mean recall of the classes present in `y_true`;
        ``f1_macro``, the mean F1 over the classes present in either, 0 where undefined.
    """
    return {
        "accuracy": float(accuracy_score(y_true, y_pred)),
        "balanced_accuracy": float(balanced_accuracy_score(y_true, y_pred)),
        "f1_macro": float(f1_score(y_true, y_pred, average="macro", zero_division=0)),
    }


def confusion(y_true: np.ndarray, y_pred: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    """Return the counts, int of shape (n_classes, n_classes): rows are true, columns predicted."""
    return confusion_matrix(y_true, y_pred, labels=list(classes))
