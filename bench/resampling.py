"""Resamplers that balance the classes of the training windows of a split, and of nothing else."""

from __future__ import annotations

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


def resample(name: str, X: np.ndarray, y: np.ndarray, random_state: int) -> tuple[np.ndarray, np.ndarray]:
    """Balance training windows.

    Parameters
    ----------
    name : str
        A registered resampler.
    X : ndarray of shape (n_windows, n_channels, n_timepoints), float32
    y : ndarray of shape (n_windows,), str
    random_state : int

    Returns
    -------
    X, y
        With the made windows after the given ones; float32.

    Raises
    ------
    ValueError
        As the resampler says, e.g. where a class is too small for its neighbours.
    """
    flat, labels = get("resampler", name).factory(random_state).fit_resample(X.reshape(len(X), -1), y)
    return flat.reshape(-1, *X.shape[1:]).astype(np.float32, copy=False), labels
