"""MultiROCKET, Hydra and both together: the convolutions of the package aeon and a ridge classifier."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.estimators._ridge import fit_ridge
from bench.estimators._ridge_on_features import RidgeOnFeatures
from bench.registry import register_estimator

_AEON = "aeon.transformations.collection.convolution_based"
_WITH_TORCH = "pip install 'mlstm-bench[aeon,torch]'"
_WINDOWS = 256  # that Hydra convolves at a time, as its authors' code does


@register_estimator(
    "multirocket",
    family="convolution",
    cost="10 min",
    requires=("numba", _AEON),
    install="pip install 'mlstm-bench[aeon]'",
    compiled=True,
)
def multirocket(*, num_kernels: int = 6_250, random_state: int, n_jobs: int) -> RidgeOnFeatures:
    """MultiROCKET: MiniROCKET's kernels on windows and their differences, four features each (Tan et al. 2022).

    The multivariate version: each kernel at each dilation sees a random subset of at most nine channels.

    Parameters
    ----------
    num_kernels : int, default 6_250
        Kernels with their biases, on the windows and as many on their first differences; rounded down to a
        multiple of 84. Each gives four features. At least 84.
    random_state : int
        Seed of the channel subsets and of the windows that the biases are taken from.
    n_jobs : int
        Threads of the transform; below 1 for all cores.

    Returns
    -------
    RidgeOnFeatures
        As for `bench.estimators.rocket.minirocket`, with n_timepoints >= 10: the differences need nine.

    References
    ----------
    C. W. Tan, A. Dempster, C. Bergmeir, G. I. Webb, "MultiRocket: multiple pooling operators and
    transformations for fast and effective time series classification", Data Mining and Knowledge Discovery
    36, 2022, section 3.
    """
    return RidgeOnFeatures(_multirocket(num_kernels, random_state, n_jobs))


@register_estimator(
    "hydra", family="convolution", cost="8 min", requires=("torch", _AEON), install=_WITH_TORCH
)
def hydra(*, num_kernels: int = 8, num_groups: int = 64, random_state: int, n_jobs: int) -> RidgeOnHydra:
    """Hydra: groups of random kernels that compete at each time point, counted, and a ridge classifier (Dempster et al. 2023).

    Each group sees the sum of a few random channels, half of the groups that of their first differences. It
    runs on the CPU. PyPI's builds of torch for Linux bring CUDA, and no extra can ask for another: install
    the CPU build first, with ``pip install torch --index-url https://download.pytorch.org/whl/cpu``, or, where
    no index is to be named, everything with ``uv pip install --torch-backend cpu 'mlstm-bench[aeon,torch]'``.

    Parameters
    ----------
    num_kernels : int, default 8
        Kernels of a group.
    num_groups : int, default 64
        Groups at each dilation.
    random_state : int
        Seed of the kernels and of the channels.
    n_jobs : int
        Threads; below 0 for all cores.

    Returns
    -------
    RidgeOnHydra
        ``fit(X, y)`` and ``predict(X)`` on `X` of shape (n_windows, n_channels, n_timepoints), with
        n_timepoints >= 9. It has no ``predict_proba``: ridge regression gives no probabilities.

    References
    ----------
    A. Dempster, D. F. Schmidt, G. I. Webb, "Hydra: competing convolutional kernels for fast and accurate
    time series classification", Data Mining and Knowledge Discovery 37, 2023, section 3.
    """
    return RidgeOnHydra(_hydra(num_kernels, num_groups, random_state, n_jobs))


@register_estimator(
    "multirocket-hydra",
    family="convolution",
    cost="16 min",
    requires=("numba", "torch", _AEON),
    install=_WITH_TORCH,
    compiled=True,
)
def multirocket_hydra(
    *, num_kernels: int = 8, num_groups: int = 64, random_state: int, n_jobs: int
) -> RidgeOnHydra:
    """Hydra and MultiROCKET: the features of both side by side, and a ridge classifier (Dempster et al. 2023).

    Parameters
    ----------
    num_kernels, num_groups, random_state, n_jobs
        As for `hydra`; MultiROCKET has its 6,250 kernels.

    Returns
    -------
    RidgeOnHydra
        As for `hydra`, with n_timepoints >= 10.

    References
    ----------
    As for `hydra`.
    """
    return RidgeOnHydra(
        _hydra(num_kernels, num_groups, random_state, n_jobs), _multirocket(6_250, random_state, n_jobs)
    )


def _multirocket(num_kernels: int, random_state: int, n_jobs: int) -> Any:
    from aeon.transformations.collection.convolution_based import MultiRocket

    return MultiRocket(num_kernels, random_state=random_state, n_jobs=n_jobs)


def _hydra(num_kernels: int, num_groups: int, random_state: int, n_jobs: int) -> Any:
    from aeon.transformations.collection.convolution_based import HydraTransformer

    return HydraTransformer(
        num_kernels, num_groups, random_state=random_state, n_jobs=n_jobs, output_type="numpy"
    )


class RidgeOnHydra:
    """A ridge classifier, its penalty chosen by leave-one-out, on Hydra's features and perhaps others.

    The features and their scaling are those of aeon's ``HydraClassifier`` and ``MultiRocketHydraClassifier``. These
    convolve all windows at once, which takes gigabytes for a thousand windows, take no weights, and give
    probabilities that are 0 or 1.

    Parameters
    ----------
    hydra : HydraTransformer
        Makes counts of each window.
    other : aeon transformer, optional
        Makes more features of each window.
    """

    def __init__(self, hydra: Any, other: Any = None) -> None:
        self.hydra = hydra
        self.other = other

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> RidgeOnHydra:
        """Fit to `X` of shape (n_windows, n_channels, n_timepoints) and `y` of shape (n_windows,).

        `sample_weight` of shape (n_windows,) weighs windows in the ridge regression.
        """
        from sklearn.preprocessing import StandardScaler

        self.hydra.fit(X)
        if self.other is not None:
            self.other.fit(X)
        features = self._features(X)
        self.scalers_ = [
            scaler.fit(part)
            for scaler, part in zip((SparseScaler(), StandardScaler()), features, strict=False)
        ]
        self.ridge_ = fit_ridge(self._scaled(features), y, sample_weight)
        self.classes_ = self.ridge_.classes_
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the label of each window: ndarray of shape (n_windows,)."""
        return np.asarray(self.ridge_.predict(self._scaled(self._features(X))))

    def _features(self, X: np.ndarray) -> list[np.ndarray]:
        blocks = [self.hydra.transform(X[start : start + _WINDOWS]) for start in range(0, len(X), _WINDOWS)]
        counts = np.concatenate(blocks)
        return [counts] if self.other is None else [counts, self.other.transform(X)]

    def _scaled(self, features: list[np.ndarray]) -> np.ndarray:
        parts = [scaler.transform(part) for scaler, part in zip(self.scalers_, features, strict=True)]
        return np.concatenate(parts, axis=1)


class SparseScaler:
    """Bring square roots of counts to mean 0 and deviation 1, leave zeros zero, and damp what is mostly zero.

    References
    ----------
    As for `hydra`, in its authors' code: the deviation of a feature is increased by the fourth power of its share
    of zeros.
    """

    def fit(self, counts: np.ndarray) -> SparseScaler:
        """Learn the means and deviations (ddof 1) of `counts`, of shape (n_windows, n_features)."""
        roots = np.sqrt(counts.clip(0))
        self.mean_ = roots.mean(axis=0)
        self.deviation_ = roots.std(axis=0, ddof=1) + (roots == 0).mean(axis=0) ** 4 + 1e-8
        return self

    def transform(self, counts: np.ndarray) -> np.ndarray:
        """Return scaled counts: ndarray of the shape of `counts`, float32."""
        roots = np.sqrt(counts.clip(0))
        return np.asarray((roots - self.mean_) * (roots != 0) / self.deviation_, np.float32)
