"""Nearest neighbour under dynamic time warping."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.registry import register_estimator


@register_estimator(
    "dtw-knn",
    family="distance",
    requires=("numba", "sktime.classification.distance_based"),
    compiled=True,
    most_probable=True,
)
def dtw_knn(*, n_neighbors: int = 1, window: float = 0.1, segments: int | None = None) -> ShortenedFirst:
    """Nearest neighbours under dependent dynamic time warping, DTW_D (Shokoohi-Yekta et al. 2017).

    All channels are warped together. Every test window is compared with every training window, in
    one thread; the time grows with the square of the window's length, so long windows need
    `segments`.

    Parameters
    ----------
    n_neighbors : int, default 1
        Neighbours that vote, each with the same weight.
    window : float, default 0.1
        Largest warping, as a share of the window's length (Sakoe-Chiba band).
    segments : int, optional
        Replace each channel by the means of this many segments first (`piecewise_means`).

    Returns
    -------
    ShortenedFirst
        ``fit(X, y)``, ``predict(X)`` and ``predict_proba(X)`` (shares of the votes) on `X` of shape
        (n_windows, n_channels, n_timepoints).

    References
    ----------
    M. Shokoohi-Yekta, B. Hu, H. Jin, J. Wang, E. Keogh, "Generalizing DTW to the multi-dimensional case
    requires an adaptive approach", Data Mining and Knowledge Discovery 31, 2017.
    """
    from sktime.classification.distance_based import KNeighborsTimeSeriesClassifier

    return ShortenedFirst(
        KNeighborsTimeSeriesClassifier(n_neighbors, distance="dtw", distance_params={"window": window}),
        segments,
    )


class ShortenedFirst:
    """A classifier that sees every window through `piecewise_means`.

    Parameters
    ----------
    classifier : object
        With ``fit``, ``predict`` and ``predict_proba``.
    segments : int or None
        As in `piecewise_means`.
    """

    def __init__(self, classifier: Any, segments: int | None) -> None:
        self.classifier = classifier
        self.segments = segments

    def fit(self, X: np.ndarray, y: np.ndarray) -> ShortenedFirst:
        """Fit to `X` of shape (n_windows, n_channels, n_timepoints) and `y` of shape (n_windows,)."""
        self.classifier.fit(piecewise_means(X, self.segments), y)
        self.classes_ = self.classifier.classes_
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the label of each window: ndarray of shape (n_windows,)."""
        return np.asarray(self.classifier.predict(piecewise_means(X, self.segments)))

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the share of each class, as in `classes_`: ndarray of shape (n_windows, n_classes)."""
        return np.asarray(self.classifier.predict_proba(piecewise_means(X, self.segments)))


def piecewise_means(X: np.ndarray, segments: int | None) -> np.ndarray:
    """Piecewise aggregate approximation: the mean of each of `segments` stretches of time.

    Where the length is no multiple of `segments`, the stretches differ by one time point at most.

    Parameters
    ----------
    X : ndarray of shape (n_windows, n_channels, n_timepoints)
        Windows.
    segments : int or None
        Stretches a window, at least 1; None, or at least n_timepoints, leaves `X` as it is.

    Returns
    -------
    ndarray of shape (n_windows, n_channels, min(segments, n_timepoints)), dtype of `X`
        The means.

    Raises
    ------
    ValueError
        If `segments` is less than 1.

    References
    ----------
    E. Keogh, K. Chakrabarti, M. Pazzani, S. Mehrotra, "Dimensionality reduction for fast similarity
    search in large time series databases", Knowledge and Information Systems 3, 2001.
    """
    if segments is None or segments >= X.shape[-1]:
        return X
    if segments < 1:
        raise ValueError(f"segments is {segments}; at least 1 is needed")
    bounds = np.arange(segments + 1) * X.shape[-1] // segments
    sums = np.add.reduceat(X, bounds[:-1], axis=-1)
    return (sums / np.diff(bounds)).astype(X.dtype)
