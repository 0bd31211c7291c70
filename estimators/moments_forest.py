"""Extremely randomised trees on a handful of moments of each channel."""

from __future__ import annotations

from typing import Literal

import numpy as np

from bench.registry import register_estimator

_WINDOWS = 1000  # that are float64 at a time


@register_estimator(
    "moments-forest", family="features", cost="15 s", requires=("sklearn.ensemble",), most_probable=True
)
def moments_forest(
    *,
    n_estimators: int = 500,
    class_weight: Literal["balanced"] | None = None,
    random_state: int,
    n_jobs: int,
) -> MomentsForest:
    """Extremely randomised trees on mean, deviation, slope and range of each channel (Geurts et al. 2006).

    What a window tells by its level, spread and drift alone, and no shape: a classifier of shapes has to do
    better than this to have found one.

    Parameters
    ----------
    n_estimators : int, default 500
        Trees. Each is grown on all windows until its leaves are pure.
    class_weight : {"balanced"}, optional
        Weigh each class by the inverse of its number of windows; by default all windows weigh the same.
    random_state : int
        Seed of the trees.
    n_jobs : int
        Threads; below 0 for all cores.

    Returns
    -------
    MomentsForest
        ``fit(X, y)``, ``predict(X)`` and ``predict_proba(X)`` (means over the trees) on `X` of shape
        (n_windows, n_channels, n_timepoints).

    References
    ----------
    P. Geurts, D. Ernst, L. Wehenkel, "Extremely randomized trees", Machine Learning 63(1), 2006.
    """
    return MomentsForest(n_estimators, class_weight, random_state, n_jobs)


class MomentsForest:
    """Extremely randomised trees that see every window through `moments`.

    Parameters
    ----------
    n_estimators, class_weight, random_state, n_jobs
        As for `moments_forest`.
    """

    def __init__(
        self, n_estimators: int, class_weight: Literal["balanced"] | None, random_state: int, n_jobs: int
    ) -> None:
        self.n_estimators = n_estimators
        self.class_weight = class_weight
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> MomentsForest:
        """Fit to `X` of shape (n_windows, n_channels, n_timepoints) and `y` of shape (n_windows,).

        `sample_weight` of shape (n_windows,) weighs windows in every split of every tree.
        """
        from sklearn.ensemble import ExtraTreesClassifier

        self.forest_ = ExtraTreesClassifier(
            self.n_estimators,
            # All features at each node: of twelve moments nine may tell nothing, and a choice among three
            # random ones then often is one among those (on HKU956 arousal, random windows: .74 against .66).
            max_features=None,
            class_weight=self.class_weight,
            random_state=self.random_state,
            n_jobs=self.n_jobs,
        ).fit(moments(X), y, sample_weight)
        self.classes_ = self.forest_.classes_
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the label of each window: ndarray of shape (n_windows,)."""
        return np.asarray(self.forest_.predict(moments(X)))

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the probability of each class, as in `classes_`: ndarray of shape (n_windows, n_classes)."""
        return np.asarray(self.forest_.predict_proba(moments(X)))


def moments(X: np.ndarray) -> np.ndarray:
    """Mean, standard deviation, slope and range of each channel of each window.

    Parameters
    ----------
    X : ndarray of shape (n_windows, n_channels, n_timepoints)
        Windows. What shorter ones are filled up with counts like any other sample.

    Returns
    -------
    ndarray of shape (n_windows, 4 * n_channels), float64
        The means of all channels, then their deviations (ddof 0), the slopes of the least-squares lines
        (per time point; 0 for a single one) and the ranges, highest minus lowest sample.
    """
    # In parts: the whole in float64 would take twice the memory that the windows do.
    return np.concatenate([_moments(X[start : start + _WINDOWS]) for start in range(0, len(X), _WINDOWS)])


def _moments(X: np.ndarray) -> np.ndarray:
    X = X.astype(np.float64)
    time = np.arange(X.shape[2]) - (X.shape[2] - 1) / 2
    slope = X @ time / max(time @ time, 1.0)
    return np.concatenate([X.mean(axis=2), X.std(axis=2), slope, np.ptp(X, axis=2)], axis=1)
