"""Nearest neighbours among windows, for samplers that are given the identity matrix in their place."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors


class WindowNeighbors(NearestNeighbors):  # type: ignore[misc]  # scikit-learn has no types
    """Nearest neighbours among windows, asked by rows of the identity matrix.

    Parameters
    ----------
    windows : ndarray of shape (n_windows, n_channels * n_timepoints)
    labels : ndarray of shape (n_windows,), str
        Their classes, named where one is too small.
    n_neighbors : int
        A window itself counts as one.
    """

    def __init__(self, windows: np.ndarray, labels: np.ndarray, *, n_neighbors: int) -> None:
        super().__init__(n_neighbors=n_neighbors)
        self.windows = windows
        self.labels = labels

    def __sklearn_clone__(self) -> WindowNeighbors:
        # imbalanced-learn clones it, which would copy the windows.
        return WindowNeighbors(self.windows, self.labels, n_neighbors=self.n_neighbors)

    def fit(self, X: Any, y: Any = None) -> WindowNeighbors:
        """Fit to the windows that `X`, rows of the identity matrix (sparse), picks."""
        rows = X.tocsr().indices
        if len(rows) < self.n_neighbors:
            raise ValueError(
                f"class '{self.labels[rows[0]]}' has {len(rows)} training windows: too few for "
                f"{self.n_neighbors - 1} neighbours of each"
            )
        super().fit(self.windows[rows])
        return self

    def kneighbors(self, X: Any = None, n_neighbors: int | None = None, return_distance: bool = True) -> Any:
        """Return the neighbours of the windows that `X` picks, as scikit-learn does of points."""
        return super().kneighbors(self.windows[X.tocsr().indices], n_neighbors, return_distance)
