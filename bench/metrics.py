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
    known = np.sort(np.asarray(classes, dtype=str))
    order = np.array([np.searchsorted(known, name) for name in classes])
    codes = []
    for labels in (y_true, y_pred):
        labels = np.asarray(labels, dtype=str)
        code = np.minimum(np.searchsorted(known, labels), len(known) - 1)
        if (known[code] != labels).any():
            strange = labels[known[code] != labels][0]
            raise ValueError(f"label '{strange}' is none of the classes {', '.join(classes)}")
        codes.append(code)
    flat = np.bincount(codes[0] * len(known) + codes[1], minlength=len(known) ** 2)
    return flat.reshape(len(known), len(known))[np.ix_(order, order)]


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
