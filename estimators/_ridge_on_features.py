"""A ridge classifier on what a transform makes of each window, for the families of ROCKET."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.estimators._ridge import PENALTIES, fit_ridge

_WINDOWS = 2_048  # whose features' deviations are taken at a time: scikit-learn makes float64 copies


class RidgeOnFeatures:
    """A ridge classifier, its penalty chosen by leave-one-out, on standardised features of each window.

    This is what the papers do and what sktime's ``RocketClassifier`` does. It is put together here
    because the latter spends seconds on every call checking 20,000 columns, and because a
    scikit-learn ``Pipeline`` (1.9) cannot fit a step that comes from sktime.

    Parameters
    ----------
    transform : sktime or aeon transformer
        Makes a row of features of each window.
    penalties : ndarray of shape (n_penalties,)
        Of the ridge regression, in ascending order; those of ROCKET's paper by default.
    """

    def __init__(self, transform: Any, penalties: np.ndarray = PENALTIES) -> None:
        self.transform = transform
        self.penalties = penalties

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> RidgeOnFeatures:
        """Fit to `X` of shape (n_windows, n_channels, n_timepoints) and `y` of shape (n_windows,).

        `sample_weight` of shape (n_windows,) weighs windows in the ridge regression.
        """
        from sklearn.preprocessing import StandardScaler

        features = self._fitted_features(X, y)
        self.scaler_ = StandardScaler(with_mean=False, copy=False)
        for start in range(0, len(features), _WINDOWS):
            self.scaler_.partial_fit(features[start : start + _WINDOWS])
        self.ridge_ = fit_ridge(self.scaler_.transform(features), y, sample_weight, self.penalties)
        self.classes_ = self.ridge_.classes_
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the label of each window: ndarray of shape (n_windows,)."""
        return np.asarray(self.ridge_.predict(self.scaler_.transform(self._features(X))))

    def _fitted_features(self, X: np.ndarray, y: np.ndarray) -> np.ndarray:
        self.transform.fit(X)
        return self._features(X)

    def _features(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(self.transform.transform(X))
