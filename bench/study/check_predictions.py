"""What an estimator's predictions have to be: one class a window, and probabilities whose columns are named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from bench.cells.one_at_a_time import alike_alone
from bench.study.check_lines import Check, attempt
from bench.study.check_trial import CLASSES, OnTrial

LABELS = "predicts one of the classes for each window"

_SURE, _UNSURE = 0.9, 0.5  # share of windows that an order of the columns fits

_COLUMNS = "let fit set self.classes_ = np.unique(y) and give the columns of predict_proba in that order"


def check_predictions(trial: OnTrial, estimator: Any) -> Iterator[Check]:
    """Ask a fitted estimator for classes and probabilities, in all the ways that a cell asks."""
    yield Check(
        LABELS,
        attempt(lambda: label_fault(estimator.predict(trial.X.copy()), len(trial.X))),
        "return an array of shape (n_windows,) with the very labels that fit was given, here str",
    )
    yield Check(
        "predicts a single window",
        attempt(lambda: label_fault(estimator.predict(trial.X[:1].copy()), 1)),
        "let no step drop the first axis of a single window (squeeze, ravel)",
    )
    yield Check(
        "predicts windows among which a class is missing",
        attempt(lambda: _some(trial, estimator)),
        "take the classes from fit (self.classes_), never from what is to be predicted",
    )
    if not trial.plugin.signal_free:
        yield Check(
            "predicts a window alone as among others",
            attempt(lambda: _alone(trial, estimator)),
            "compute what is learnt (means, ranges, normalisation) in fit, and each window by itself in predict",
        )
    if hasattr(estimator, "predict_proba"):
        yield Check(
            "gives probabilities in the order of classes_, which is sorted",
            attempt(lambda: _probabilities(trial, estimator)),
            _COLUMNS,
        )
    if trial.plugin.about["most_probable"]:
        yield Check(
            "predicts the most probable class",
            attempt(lambda: _most_probable(trial, estimator)),
            "predict classes_[predict_proba(X).argmax(axis=1)], or register it without most_probable=True",
        )


def label_fault(predicted: Any, n: int, classes: tuple[str, ...] = CLASSES) -> str:
    """Say what is wrong with predicted labels of `n` windows, ``""`` for nothing."""
    predicted = np.asarray(predicted)
    if predicted.shape != (n,):
        return f"predict gave shape {predicted.shape} for {n} windows"
    strange = sorted(set(predicted.astype(str).tolist()) - set(classes))
    if not strange:
        return ""
    of_type = "" if predicted.dtype.kind in "UO" else f" of type {predicted.dtype}"
    return f"predict gave {strange[0]!r}{of_type}, which is no class"


def probability_fault(given: Any, n: int, n_classes: int) -> str:
    """Say what is wrong with the probabilities of `n` windows, ``""`` for nothing."""
    given = np.asarray(given)
    if given.shape != (n, n_classes):
        return f"predict_proba gave shape {given.shape}, expected ({n}, {n_classes})"
    if given.dtype.kind not in "fiu":
        return f"predict_proba gave {given.dtype}, expected floating-point numbers"
    if not np.allclose(given.sum(axis=1), 1, atol=1e-4) or (given < 0).any():
        return "predict_proba gave rows that are no probabilities: they do not add up to 1"
    return ""


def _some(trial: OnTrial, estimator: Any) -> str:
    few = trial.X[trial.y == "low"]
    said = trial.ask(estimator, few)
    fault = label_fault(said.labels, len(few))
    if not fault and said.probabilities is not None:
        fault = probability_fault(said.probabilities, len(few), len(CLASSES))
    return fault


def _alone(trial: OnTrial, estimator: Any) -> str:
    said = trial.ask(estimator, trial.X)
    alike = alike_alone(estimator, trial.X.copy(), said.labels, said.probabilities)
    return "" if alike else "it says otherwise of a window alone: it looks at the windows that come with it"


def _probabilities(trial: OnTrial, estimator: Any) -> str:
    classes = [str(label) for label in getattr(estimator, "classes_", ())]
    if sorted(classes) != list(CLASSES):
        return f"classes_ has to name the classes that fit has seen; it is {classes}"
    said = trial.ask(estimator, trial.X)
    assert said.probabilities is not None
    fault = probability_fault(said.probabilities, len(trial.X), len(CLASSES))
    if fault:
        return fault
    first = said.probabilities.argmax(axis=1)
    for named, by in ((trial.y, "windows of the class"), (said.labels, "windows that predict calls")):
        fits = _column_of(named, first, classes)
        if fits and fits != classes:
            place = next(k for k in range(len(classes)) if fits[k] != classes[k])
            return f"column {place} is highest for {by} {fits[place]!r}, but classes_[{place}] is {classes[place]!r}"
    return "" if classes == sorted(classes) else f"classes_ is {classes}, not sorted"


def _column_of(labels: np.ndarray, first: np.ndarray, classes: list[str]) -> list[str]:
    """Return the class that each column plainly stands for, by the windows for which it is highest; [] if none does.

    A classifier that has learnt little does not tell, nor does one that says the same of all windows.
    """
    from scipy.optimize import linear_sum_assignment

    counts = np.array([[np.sum((first == k) & (labels == c)) for c in classes] for k in range(len(classes))])
    rows, columns = linear_sum_assignment(-counts)
    plain = counts[rows, columns].sum() >= _SURE * len(labels) and np.count_nonzero(counts.sum(axis=0)) > 1
    if not plain or np.trace(counts) > _UNSURE * len(labels):
        return []
    return [classes[column] for column in columns]


def _most_probable(trial: OnTrial, estimator: Any) -> str:
    said = trial.ask(estimator, trial.X)
    most = np.asarray(estimator.classes_).astype(str)[np.asarray(said.probabilities).argmax(axis=1)]
    return "" if (most == said.labels).all() else "predict gives another class than predict_proba"
