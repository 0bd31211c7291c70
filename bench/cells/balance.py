"""Balancing the classes of the training windows of a split, with the parents of each made window.

imbalanced-learn is given the identity matrix in place of the windows, and a search for neighbours that
looks at the windows themselves: a row of what it returns then holds the weights with which a made
window is mixed from given ones. So the parents are known exactly, whatever the sampler.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.registry import get


@dataclass(frozen=True, eq=False)
class Balanced:
    """What a resampler made of windows.

    Attributes
    ----------
    X : ndarray of shape (n_made, n_channels, n_timepoints), float32
        The made windows, without the given ones.
    y : ndarray of shape (n_made,), str
    parents : ndarray of shape (n_made, 2), int
        Indices of the two given windows that each was mixed from; twice the same for a copy.
    sample_weight : ndarray of shape (n_given,) or None
        A weight for each given window, from a resampler that makes none.
    """

    X: np.ndarray
    y: np.ndarray
    parents: np.ndarray
    sample_weight: np.ndarray | None = None


def balance(name: str, X: np.ndarray, y: np.ndarray, random_state: int) -> Balanced:
    """Balance windows: make new ones, or weigh those that are there.

    Parameters
    ----------
    name : str
        A registered resampler.
    X : ndarray of shape (n_windows, n_channels, n_timepoints), float32
    y : ndarray of shape (n_windows,), str
    random_state : int

    Raises
    ------
    ValueError
        If a class is too small for the neighbours that the resampler wants, or as imbalanced-learn says.
    """
    from scipy.sparse import identity

    from bench.cells.neighbors import WindowNeighbors

    plugin = get("resampler", name)
    nothing = np.zeros(0, dtype=np.intp)
    if plugin.about["weighs"]:
        return Balanced(X[nothing], y[nothing], nothing.reshape(0, 2), plugin.factory(y))
    sampler = plugin.factory(random_state)
    flat = X.reshape(len(X), -1)
    for key, value in sampler.get_params(deep=False).items():
        if key in ("k_neighbors", "n_neighbors"):
            sampler.set_params(**{key: WindowNeighbors(flat, y, n_neighbors=value + 1)})
    mixed, labels = sampler.fit_resample(identity(len(X), format="csr"), y)
    made = mixed.tocsr()[len(X) :].astype(np.float32)
    made.sort_indices()
    first = made.indices[made.indptr[:-1]]
    last = made.indices[made.indptr[1:] - 1]
    return Balanced(
        (made @ flat).reshape(-1, *X.shape[1:]), labels[len(X) :], np.stack([first, last], axis=1)
    )
