"""Resamplers that balance the classes of the training windows of a split, with the parents of each made one.

imbalanced-learn is given the identity matrix in place of the windows, and a search for neighbours that
looks at the windows themselves: a row of what it returns then holds the weights with which a made
window is mixed from given ones. So the parents are known exactly, whatever the sampler.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.registry import get, register_resampler


@register_resampler("ros")
def random_over_sampler(random_state: int) -> Any:
    """Repeat windows of the smaller classes at random until all are as large as the largest."""
    from imblearn.over_sampling import RandomOverSampler

    return RandomOverSampler(random_state=random_state)


@register_resampler("smote")
def smote(random_state: int) -> Any:
    """SMOTE (Chawla et al. 2002): new windows on lines between a window and one of its 5 neighbours."""
    from imblearn.over_sampling import SMOTE

    return SMOTE(random_state=random_state)


@register_resampler("adasyn")
def adasyn(random_state: int) -> Any:
    """ADASYN (He et al. 2008): as SMOTE, more where the classes mix."""
    from imblearn.over_sampling import ADASYN

    return ADASYN(random_state=random_state)


@register_resampler("class-weight", weighs=True)
def class_weight(y: np.ndarray) -> np.ndarray:
    """Make no window; weigh each by n_windows / (n_classes * n_windows_of_its_class)."""
    from sklearn.utils.class_weight import compute_sample_weight

    return compute_sample_weight("balanced", y)


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

    from bench.neighbors import WindowNeighbors

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
