"""ROCKET and MiniROCKET: thousands of random convolutions and a ridge classifier."""

from __future__ import annotations

from bench.estimators._ridge_on_features import RidgeOnFeatures
from bench.registry import register_estimator

_REQUIRES = ("numba", "sktime.transformations.rocket")


@register_estimator(
    "rocket", family="convolution", cost="32 min", requires=_REQUIRES, compiled=True, level_blind=True
)
def rocket(*, num_kernels: int = 10_000, random_state: int, n_jobs: int) -> RidgeOnFeatures:
    """ROCKET: random kernels, two features each, and a ridge classifier (Dempster et al. 2020).

    Each channel of each window is standardised first; a kernel sees a random subset of the channels.

    Parameters
    ----------
    num_kernels : int, default 10_000
        Random kernels; each gives two features (largest value and share of positive values).
    random_state : int
        Seed of the kernels.
    n_jobs : int
        Threads of the transform; below 1 for all cores.

    Returns
    -------
    RidgeOnFeatures
        ``fit(X, y)`` and ``predict(X)`` on `X` of shape (n_windows, n_channels, n_timepoints). It has
        no ``predict_proba``: ridge regression gives no probabilities.

    References
    ----------
    A. Dempster, F. Petitjean, G. I. Webb, "ROCKET: exceptionally fast and accurate time series
    classification using random convolutional kernels", Data Mining and Knowledge Discovery 34, 2020,
    section 3.
    """
    from sktime.transformations.rocket import Rocket

    return RidgeOnFeatures(Rocket(num_kernels, random_state=random_state, n_jobs=n_jobs))


@register_estimator("minirocket", family="convolution", cost="2 min", requires=_REQUIRES, compiled=True)
def minirocket(*, num_kernels: int = 10_000, random_state: int, n_jobs: int) -> RidgeOnFeatures:
    """MiniROCKET: a fixed set of kernels, almost deterministic, and a ridge classifier (Dempster et al. 2021).

    The multivariate version: each kernel at each dilation sees a random subset of the channels.

    Parameters
    ----------
    num_kernels : int, default 10_000
        Features, each the share of positive values of a convolution; rounded down to a multiple of
        84, the number of kernels. At least 84.
    random_state : int
        Seed of the channel subsets and of the windows that the biases are taken from.
    n_jobs : int
        Threads of the transform; below 1 for all cores.

    Returns
    -------
    RidgeOnFeatures
        ``fit(X, y)`` and ``predict(X)`` on `X` of shape (n_windows, n_channels, n_timepoints), with
        n_timepoints >= 9 (ValueError otherwise). It has no ``predict_proba``: ridge regression
        gives no probabilities.

    References
    ----------
    A. Dempster, D. F. Schmidt, G. I. Webb, "MiniRocket: a very fast (almost) deterministic transform
    for time series classification", KDD 2021, section 3.
    """
    from sktime.transformations.rocket import MiniRocketMultivariate

    return RidgeOnFeatures(MiniRocketMultivariate(num_kernels, random_state=random_state, n_jobs=n_jobs))
