"""A ridge classifier on what a transform makes of each window, for the families of ROCKET."""

from __future__ import annotations

from typing import Any

import numpy as np


class RidgeOnFeatures:
    """A ridge classifier, its penalty chosen by leave-one-out, on standardised features of each window.

    This is what the papers do and what sktime's ``RocketClassifier`` does. It is put together here
    because the latter spends seconds on every call checking 20,000 columns, and because a
    scikit-learn ``Pipeline`` (1.9) cannot fit a step that comes from sktime.

    Parameters
    ----------
    transform : sktime or aeon transformer
        Makes a row of features of each window.
    """

    def __init__(self, transform: Any) -> None:
        self.transform = transform

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> RidgeOnFeatures:
        """Fit to `X` of shape (n_windows, n_channels, n_timepoints) and `y` of shape (n_windows,).

        `sample_weight` of shape (n_windows,) weighs windows in the ridge regression.
        """
        from sklearn.linear_model import RidgeClassifierCV
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        features = self.transform.fit(X).transform(X)
        ridge = RidgeClassifierCV(alphas=np.logspace(-3, 3, 10))
        self.ridge_ = make_pipeline(StandardScaler(with_mean=False), ridge).fit(
            np.asarray(features), y, ridgeclassifiercv__sample_weight=sample_weight
        )
        self.classes_ = self.ridge_.classes_
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the label of each window: ndarray of shape (n_windows,)."""
        return np.asarray(self.ridge_.predict(np.asarray(self.transform.transform(X))))
