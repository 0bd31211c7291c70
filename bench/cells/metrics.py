"""Scores computed from stored predictions; every column of a table that says how well is made here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def confusion(y_true: np.ndarray, y_pred: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Count what was predicted for what.

    Parameters
    ----------
    y_true, y_pred : ndarray of shape (n_windows,), str
    classes : sequence of str
        All classes that can occur, in the order wanted.

    Returns
    -------
    ndarray of shape (n_classes, n_classes), int64
        Rows are true, columns predicted.

    Raises
    ------
    ValueError
        If a label is none of the classes.
    """
    true, predicted = codes(y_true, classes), codes(y_pred, classes)
    (counts,) = confusion_by(np.zeros_like(true), true, predicted, len(classes)).values()
    return counts


def codes(labels: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Return the place of each label among the classes, int64; ValueError if one is none of them."""
    place = {name: number for number, name in enumerate(classes)}
    try:
        return np.fromiter(map(place.__getitem__, labels.tolist()), np.int64, len(labels))
    except KeyError as error:
        raise ValueError(f"label '{error.args[0]}' is none of the classes {', '.join(classes)}") from None


def confusion_by(
    groups: np.ndarray, true: np.ndarray, predicted: np.ndarray, n_classes: int
) -> dict[int, np.ndarray]:
    """Count what was predicted for what in each group of windows.

    Parameters
    ----------
    groups : ndarray of shape (n_windows,), int
        At least one window.
    true, predicted : ndarray of shape (n_windows,), int
        As `codes` gives them.
    n_classes : int

    Returns
    -------
    dict
        ``group -> counts``, each as `confusion` returns them.
    """
    names, group = np.unique(groups, return_inverse=True)
    cell = (group * n_classes + true) * n_classes + predicted
    flat = np.bincount(cell, minlength=len(names) * n_classes**2)
    return dict(zip(names.tolist(), flat.reshape(-1, n_classes, n_classes), strict=True))


def scores(counts: np.ndarray) -> dict[str, float]:
    """Return the scores of a confusion matrix, as scikit-learn defines them.

    Parameters
    ----------
    counts : ndarray of shape (n_classes, n_classes), int
        Rows are true, columns predicted; at least one window.

    Returns
    -------
    dict
        ``accuracy``; ``balanced_accuracy``, the mean recall of the classes that occur as true ones;
        ``f1_macro``, the mean F1 of the classes that occur as true or as predicted ones.
    """
    hits, true, predicted = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    occurs = true + predicted > 0
    return {
        "accuracy": float(hits.sum() / counts.sum()),
        "balanced_accuracy": float((hits[true > 0] / true[true > 0]).mean()),
        "f1_macro": float((2 * hits[occurs] / (true + predicted)[occurs]).mean()),
    }
