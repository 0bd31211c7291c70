"""Classifiers of tables, as those of scikit-learn, for windows: each window becomes a row.

`flattened` gives the classifier the samples themselves, `with_features` four numbers a channel. Import them in the function
that is registered: this module imports scikit-learn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import has_fit_parameter

__all__ = ["ClassifierOfWindows", "flattened", "with_features"]

_WINDOWS = 1000  # that are float64 at a time


def flattened(classifier: Any) -> ClassifierOfWindows:
    """Let a classifier of tables see the samples of each window as a row, channels one after the other.

    Parameters
    ----------
    classifier : scikit-learn classifier
        Or a pipeline that ends with one, such as ``make_pipeline(StandardScaler(), LogisticRegression())``. It is cloned, not
        fitted itself.

    Returns
    -------
    ClassifierOfWindows
        Clonable and, if the classifier is, picklable; its ``fit`` takes ``sample_weight`` if the classifier's does.
    """
    return _adapted(classifier, "samples")


def with_features(classifier: Any) -> ClassifierOfWindows:
    """Let a classifier of tables see mean, standard deviation, slope and range of each channel of a window.

    Parameters
    ----------
    classifier : scikit-learn classifier
        As for `flattened`.

    Returns
    -------
    ClassifierOfWindows
        As of `flattened`.
    """
    return _adapted(classifier, "features")


def _adapted(classifier: Any, sees: Literal["samples", "features"]) -> ClassifierOfWindows:
    kind = WeighedClassifierOfWindows if _weights_of(classifier) else ClassifierOfWindows
    return kind(classifier, sees)


def _gives_probabilities(adapted: ClassifierOfWindows) -> bool:
    return hasattr(getattr(adapted, "classifier_", adapted.classifier), "predict_proba")


class ClassifierOfWindows(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of tables that is given windows.

    Parameters
    ----------
    classifier : scikit-learn classifier
    sees : {"samples", "features"}
        What stands in a window's row.

    Attributes
    ----------
    classifier_ : scikit-learn classifier
        A clone of `classifier`, fitted.
    classes_ : ndarray of shape (n_classes,)
        The columns of `predict_proba`.
    """

    def __init__(self, classifier: Any, sees: Literal["samples", "features"] = "samples") -> None:
        self.classifier = classifier
        self.sees = sees

    def fit(self, X: np.ndarray, y: np.ndarray) -> Self:
        """Fit a clone of the classifier to the rows of `X`, of shape (n_windows, n_channels, n_timepoints)."""
        return self._fit(X, y)

    def _fit(self, X: np.ndarray, y: np.ndarray, **extras: Any) -> Self:
        self.classifier_ = clone(self.classifier).fit(_ROWS[self.sees](X), y, **extras)
        self.classes_ = self.classifier_.classes_
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the class of each window: ndarray of shape (n_windows,)."""
        return np.asarray(self.classifier_.predict(_ROWS[self.sees](X)))

    @available_if(_gives_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the probability of each class, as in `classes_`: ndarray of shape (n_windows, n_classes)."""
        return np.asarray(self.classifier_.predict_proba(_ROWS[self.sees](X)))


class WeighedClassifierOfWindows(ClassifierOfWindows):
    """One whose classifier takes weights of windows."""

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Self:
        """Fit as `ClassifierOfWindows`, with weights of shape (n_windows,) if there are any."""
        extras = {} if sample_weight is None else {_weights_of(self.classifier): sample_weight}
        return self._fit(X, y, **extras)


def _weights_of(classifier: Any) -> str:
    """Return what ``fit`` calls the weights of windows, ``""`` if it takes none; in a pipeline they are its last step's."""
    name, last = getattr(classifier, "steps", [("", classifier)])[-1]
    if not has_fit_parameter(last, "sample_weight"):
        return ""
    return f"{name}__sample_weight" if name else "sample_weight"


def _samples(X: np.ndarray) -> np.ndarray:
    """Return each window as a row: ndarray of shape (n_windows, n_channels * n_timepoints)."""
    return np.asarray(X).reshape(len(X), -1)


def _features(X: np.ndarray) -> np.ndarray:
    """Return means, deviations, slopes and ranges: ndarray of shape (n_windows, 4 * n_channels), float64.

    The means of all channels come first, then their deviations (ddof 0), the slopes of the least-squares lines (a time
    point) and the ranges, highest less lowest sample.
    """
    # In parts: the whole in float64 would take twice the memory that the windows do.
    starts = range(0, len(X), _WINDOWS)
    return np.concatenate([_moments(np.asarray(X[start : start + _WINDOWS], np.float64)) for start in starts])


def _moments(X: np.ndarray) -> np.ndarray:
    time = np.arange(X.shape[2]) - (X.shape[2] - 1) / 2
    slope = X @ time / max(time @ time, 1.0)
    return np.concatenate([X.mean(axis=2), X.std(axis=2), slope, np.ptp(X, axis=2)], axis=1)


_ROWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"samples": _samples, "features": _features}
