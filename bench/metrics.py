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
    (counts,) = confusion_by(np.zeros(len(y_true), dtype=np.int64), y_true, y_pred, classes).values()
    return counts


def confusion_by(
    groups: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray, classes: Sequence[str]
) -> dict[int, np.ndarray]:
    """Count what was predicted for what in each group of windows.

    Parameters
    ----------
    groups : ndarray of shape (n_windows,), int
        At least one window.
    y_true, y_pred, classes
        As `confusion`, and the same error.

    Returns
    -------
    dict
        ``group -> counts``, each as `confusion` returns them.
    """
    place = {name: number for number, name in enumerate(classes)}
    try:
        codes = [
            np.fromiter(map(place.__getitem__, labels.tolist()), np.int64, len(labels))
            for labels in (y_true, y_pred)
        ]
    except KeyError as error:
        raise ValueError(f"label '{error.args[0]}' is none of the classes {', '.join(classes)}") from None
    names, group = np.unique(groups, return_inverse=True)
    k = len(classes)
    flat = np.bincount((group * k + codes[0]) * k + codes[1], minlength=len(names) * k * k)
    return dict(zip(names.tolist(), flat.reshape(-1, k, k), strict=True))


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
