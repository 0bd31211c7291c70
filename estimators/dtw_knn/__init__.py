"""Nearest neighbours, under dynamic time warping and without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.registry import register_estimator

if TYPE_CHECKING:
    from bench.estimators.dtw_knn.search import Neighbours


@register_estimator(
    "dtw-knn",
    family="distance",
    cost="1 min",
    requires=("numba", "sktime.dists_kernels"),
    compiled=True,
    most_probable=True,
)
def dtw_knn(*, n_neighbors: int = 1, window: float = 0.1, n_jobs: int) -> NearestNeighbours:
    """Nearest neighbours under dependent dynamic time warping, DTW_D (Shokoohi-Yekta et al. 2017).

    All channels are warped together. The search is exact: neighbours and distances are those of sktime's
    ``KNeighborsTimeSeriesClassifier``, but most pairs are told apart by lower bounds
    (`bench.estimators.dtw_knn.search`). It gains most where windows differ by their levels and least on noise,
    where no bound tells anything.

    Parameters
    ----------
    n_neighbors : int, default 1
        Neighbours that vote, each with the same weight; of equally distant ones, those that come first in training.
    window : float, default 0.1
        Largest warping, 0 to 1, as a share of the window's length (Sakoe-Chiba band).
    n_jobs : int
        Threads.

    Returns
    -------
    NearestNeighbours
        ``fit(X, y)``, ``predict(X)`` and ``predict_proba(X)`` (shares of the votes) on `X` of shape
        (n_windows, n_channels, n_timepoints).

    References
    ----------
    M. Shokoohi-Yekta, B. Hu, H. Jin, J. Wang, E. Keogh, "Generalizing DTW to the multi-dimensional case
    requires an adaptive approach", Data Mining and Knowledge Discovery 31, 2017.
    """
    return NearestNeighbours(n_neighbors, window, n_jobs)


@register_estimator(
    "euclidean-knn", family="distance", cost="10 s", requires=("sklearn.neighbors",), most_probable=True
)
def euclidean_knn(*, n_neighbors: int = 1, n_jobs: int) -> Flattened:
    """Nearest neighbours under the Euclidean distance of all time points of all channels.

    Parameters
    ----------
    n_neighbors : int, default 1
        Neighbours that vote, each with the same weight.
    n_jobs : int
        Threads.

    Returns
    -------
    Flattened
        As for `dtw_knn`.
    """
    return Flattened(n_neighbors, n_jobs)


class NearestNeighbours:
    """A vote of the nearest training windows under DTW_D.

    Attributes
    ----------
    searched_ : Neighbours
        What the last prediction found, with the number of pairs that were not told apart by a bound.
    classes_ : ndarray of shape (n_classes,)
    """

    searched_: Neighbours

    def __init__(self, n_neighbors: int, window: float, n_jobs: int) -> None:
        self.n_neighbors = n_neighbors
        self.window = window
        self.n_jobs = n_jobs

    def fit(self, X: np.ndarray, y: np.ndarray) -> NearestNeighbours:
        """Keep `X` of shape (n_windows, n_channels, n_timepoints), its envelopes, and `y` of shape (n_windows,).

        Raises
        ------
        ValueError
            If there are fewer windows than neighbours, or `window` is no share.
        """
        from bench.estimators.dtw_knn.search import NearestByDTW

        if not 1 <= self.n_neighbors <= len(X):
            raise ValueError(f"n_neighbors is {self.n_neighbors}, of {len(X)} training windows")
        if not 0 <= self.window <= 1:
            raise ValueError(f"window is {self.window}, and has to be a share from 0 to 1")
        self.search_ = NearestByDTW(X, self.window)
        self.classes_, self.y_ = np.unique(y, return_inverse=True)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the share of each class, as in `classes_`: ndarray of shape (n_windows, n_classes)."""
        self.searched_ = self.search_.nearest(X, self.n_neighbors, self.n_jobs)
        votes = np.eye(len(self.classes_))[self.y_[self.searched_.index]]
        return np.asarray(votes.mean(axis=1))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the label of each window, the first of those with most votes: ndarray of shape (n_windows,)."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])


class Flattened:
    """scikit-learn's nearest neighbours on windows laid out in one row."""

    def __init__(self, n_neighbors: int, n_jobs: int) -> None:
        self.n_neighbors = n_neighbors
        self.n_jobs = n_jobs

    def fit(self, X: np.ndarray, y: np.ndarray) -> Flattened:
        """Fit to `X` of shape (n_windows, n_channels, n_timepoints) and `y` of shape (n_windows,)."""
        from sklearn.neighbors import KNeighborsClassifier

        self.neighbours_ = KNeighborsClassifier(self.n_neighbors, algorithm="brute", n_jobs=self.n_jobs)
        self.neighbours_.fit(X.reshape(len(X), -1), y)
        self.classes_ = self.neighbours_.classes_
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the label of each window: ndarray of shape (n_windows,)."""
        return np.asarray(self.neighbours_.predict(X.reshape(len(X), -1)))

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the share of each class, as in `classes_`: ndarray of shape (n_windows, n_classes)."""
        return np.asarray(self.neighbours_.predict_proba(X.reshape(len(X), -1)))
