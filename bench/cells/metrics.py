"""Scores computed from stored predictions; every column of a table that says how well is made here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

_BINS = 10  # of the calibration error


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


def trial_confusion_by(
    groups: np.ndarray,
    trials: np.ndarray,
    true: np.ndarray,
    predicted: np.ndarray,
    probabilities: np.ndarray | None,
    n_classes: int,
) -> dict[int, np.ndarray]:
    """Count what trials were predicted to be: the windows of a trial vote with their mean probability.

    Parameters
    ----------
    groups, trials : ndarray of shape (n_windows,), int
        A trial's number is its own within its group only.
    true, predicted : ndarray of shape (n_windows,), int
        As `codes` gives them; a trial has one true class.
    probabilities : ndarray of shape (n_windows, n_classes) or None
        Without them each window votes for the class that was predicted for it.
    n_classes : int

    Returns
    -------
    dict
        ``group -> counts``, as `confusion_by` returns them, of trials. Of equal votes the first class wins.
    """
    votes = np.eye(n_classes)[predicted] if probabilities is None else probabilities
    names, first, trial = np.unique(
        np.stack([groups, trials]), axis=1, return_index=True, return_inverse=True
    )
    total = np.zeros((names.shape[1], n_classes))
    np.add.at(total, trial.reshape(-1), votes)
    return confusion_by(names[0], true[first], total.argmax(axis=1), n_classes)


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
        ``f1_macro``, the mean F1 of the classes that occur as true or as predicted ones; ``mcc``, Matthews'
        correlation coefficient, 0 where only one class is true or only one is predicted.
    """
    hits, true, predicted = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    occurs = true + predicted > 0
    n = float(counts.sum())
    spread = (n**2 - float(true @ true)) * (n**2 - float(predicted @ predicted))
    return {
        "accuracy": float(hits.sum() / n),
        "balanced_accuracy": float((hits[true > 0] / true[true > 0]).mean()),
        "f1_macro": float((2 * hits[occurs] / (true + predicted)[occurs]).mean()),
        "mcc": (n * float(hits.sum()) - float(true @ predicted)) / np.sqrt(spread) if spread > 0 else 0.0,
    }


def within_people(counts: Mapping[int, np.ndarray]) -> float:
    """Return the balanced accuracy of each person, averaged; NaN if nobody counts.

    Of people who were tested on one class only, it would be the recall of that class: they do not count.

    Parameters
    ----------
    counts : mapping
        ``person -> counts``, as `confusion_by` returns them.
    """
    own = [one for one in counts.values() if (one.sum(axis=1) > 0).sum() > 1]
    return float(np.mean([scores(one)["balanced_accuracy"] for one in own])) if own else float("nan")


def probability_scores(true: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Return the scores of predicted probabilities.

    Parameters
    ----------
    true : ndarray of shape (n_windows,), int
        As `codes` gives them.
    probabilities : ndarray of shape (n_windows, n_classes)

    Returns
    -------
    dict
        ``auroc``: area under the ROC curve; of more than two classes the mean, over those that occur, of each
        against the rest; NaN if one class only occurs. ``log_loss``, in nats, with probabilities kept from 0
        and 1 by the resolution of the type, as scikit-learn has it. ``calibration_error``: how far the
        probability of the most probable class is from how often it is right, in ten bins of equal width (the
        expected calibration error of Guo et al. 2017, section 2).
    """
    from sklearn.metrics import log_loss, roc_auc_score

    probabilities = probabilities.astype(np.float64)
    probabilities = probabilities / probabilities.sum(axis=1, keepdims=True)
    n_classes = probabilities.shape[1]
    occur = [c for c in range(n_classes) if 0 < (true == c).sum() < len(true)]
    wanted = occur[-1:] if n_classes == 2 else occur
    areas = [roc_auc_score(true == c, probabilities[:, c]) for c in wanted]
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == true
    which = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    gaps = np.bincount(which, weights=right - sure, minlength=_BINS)
    return {
        "auroc": float(np.mean(areas)) if areas else float("nan"),
        "log_loss": float(log_loss(true, probabilities, labels=list(range(n_classes)))),
        "calibration_error": float(np.abs(gaps).sum() / len(true)),
    }
