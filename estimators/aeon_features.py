"""QUANT, catch22, RDST and r-STSF: quantiles, characteristics, shapelets and intervals, computed by the package aeon."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.estimators._ridge_on_features import RidgeOnFeatures
from bench.registry import register_estimator

_AEON = "pip install 'mlstm-bench[aeon]'"


@register_estimator(
    "quant",
    family="interval",
    cost="15 min",
    requires=("torch", "aeon.transformations.collection.interval_based"),
    install="pip install 'mlstm-bench[aeon,torch]'",
    most_probable=True,
)
def quant(
    *,
    interval_depth: int = 6,
    quantile_divisor: int = 4,
    n_estimators: int = 200,
    random_state: int,
    n_jobs: int,
) -> ForestOnFeatures:
    """QUANT: quantiles of halves, quarters, eighths of each channel, and extremely randomised trees (Dempster et al. 2024).

    Of the channel, its first and second differences and its spectrum; the features of all channels stand side by
    side, as aeon's ``QUANTClassifier`` has them. Of torch for the CPU see `bench.estimators.aeon_convolution.hydra`.

    Parameters
    ----------
    interval_depth : int, default 6
        Levels: intervals are as short as a window's length / 2 ** (interval_depth - 1).
    quantile_divisor : int, default 4
        An interval of m samples gives 1 + (m - 1) // quantile_divisor quantiles.
    n_estimators : int, default 200
        Trees. Each node chooses among a tenth of the features, by entropy.
    random_state : int
        Seed of the trees.
    n_jobs : int
        Threads of the trees; below 0 for all cores.

    Returns
    -------
    ForestOnFeatures
        ``fit(X, y)``, ``predict(X)`` and ``predict_proba(X)`` on `X` of shape (n_windows, n_channels,
        n_timepoints).

    References
    ----------
    A. Dempster, D. F. Schmidt, G. I. Webb, "QUANT: a minimalist interval method for time series
    classification", Data Mining and Knowledge Discovery 38, 2024, section 3.
    """
    from aeon.transformations.collection.interval_based import QUANTTransformer
    from sklearn.ensemble import ExtraTreesClassifier

    forest = ExtraTreesClassifier(
        n_estimators, criterion="entropy", max_features=0.1, random_state=random_state, n_jobs=n_jobs
    )
    return ForestOnFeatures(QUANTTransformer(interval_depth, quantile_divisor), forest)


@register_estimator(
    "catch22",
    family="features",
    cost="40 s",
    requires=("numba", "aeon.transformations.collection.feature_based"),
    install=_AEON,
    compiled=True,
    most_probable=True,
    level_blind=True,
)
def catch22(*, n_estimators: int = 200, random_state: int, n_jobs: int) -> ForestOnFeatures:
    """catch22: twenty-two characteristics of the shape of each channel, and a random forest (Lubba et al. 2019).

    Each channel of each window is standardised first, as in the paper: thresholds and bins of several
    characteristics are in standard deviations. aeon's ``Catch22Classifier`` takes windows as they are, and adds means
    and deviations, which `moments-forest` stands for here; the forest is the same.

    Parameters
    ----------
    n_estimators : int, default 200
        Trees.
    random_state : int
        Seed of the trees.
    n_jobs : int
        Threads; below 0 for all cores.

    Returns
    -------
    ForestOnFeatures
        As for `quant`.

    References
    ----------
    C. H. Lubba, S. S. Sethi, P. Knaute, S. R. Schultz, B. D. Fulcher, N. S. Jones, "catch22: CAnonical
    Time-series CHaracteristics", Data Mining and Knowledge Discovery 33, 2019.
    """
    from aeon.transformations.collection.feature_based import Catch22
    from sklearn.ensemble import RandomForestClassifier

    features = Catch22(outlier_norm=False, replace_nans=True, n_jobs=n_jobs)
    forest = RandomForestClassifier(n_estimators, random_state=random_state, n_jobs=n_jobs)
    return ForestOnFeatures(features, forest, standardised=True)


@register_estimator(
    "rdst",
    family="shapelet",
    cost="30 min",
    requires=("numba", "aeon.transformations.collection.shapelet_based"),
    install=_AEON,
    compiled=True,
)
def rdst(*, max_shapelets: int = 10_000, random_state: int, n_jobs: int) -> RidgeOnShapelets:
    """RDST: random pieces of training windows, dilated, sought in each window, and a ridge classifier (Guillaume et al. 2022).

    A shapelet of a window of several channels has all of them. Four fifths of the shapelets are standardised, and
    with them what they are compared with; the others see levels. Where windows are so few and so short that they do not
    hold as many shapelets, aeon warns that "invalid values were converted to zeros": the features of shapelets that it
    did not find are zero for every window, and change no prediction.

    Parameters
    ----------
    max_shapelets : int, default 10_000
        Shapelets of 11 samples; fewer, where windows are short and few, so that they do not repeat each other.
        Each gives three features: the least distance, its place, and the number of places that come close.
    random_state : int
        Seed of the shapelets.
    n_jobs : int
        Threads; below 0 for all cores.

    Returns
    -------
    RidgeOnShapelets
        ``fit(X, y)`` and ``predict(X)`` on `X` of shape (n_windows, n_channels, n_timepoints).

    References
    ----------
    A. Guillaume, C. Vrain, W. Elloumi, "Random dilated shapelet transform: a new approach for time series
    shapelets", ICPRAI 2022, section 3.
    """
    return RidgeOnShapelets(max_shapelets, random_state, n_jobs)


@register_estimator(
    "rstsf",
    family="interval",
    cost="20 min",
    requires=("numba", "statsmodels", "aeon.classification.interval_based"),
    install=_AEON,
    compiled=True,
    most_probable=True,
)
def rstsf(*, n_estimators: int = 200, n_intervals: int = 50, random_state: int, n_jobs: int) -> Any:
    """r-STSF: intervals that tell the classes apart, chosen in part at random, and extremely randomised trees (Cabello et al. 2024).

    Of the channel, its first differences, its spectrum and the coefficients of an autoregression. The method was
    published for one channel; aeon searches each channel by itself and puts the features of all side by side.
    Classes weigh the same, whatever their size.

    Parameters
    ----------
    n_estimators : int, default 200
        Trees.
    n_intervals : int, default 50
        Searches of each channel for intervals.
    random_state : int
        Seed of the searches and of the trees.
    n_jobs : int
        Threads; below 0 for all cores.

    Returns
    -------
    aeon.classification.interval_based.RSTSF
        ``fit(X, y)``, ``predict(X)`` and ``predict_proba(X)`` on `X` of shape (n_windows, n_channels,
        n_timepoints).

    References
    ----------
    N. Cabello, E. Naghizade, J. Qi, L. Kulik, "Fast, accurate and explainable time series classification
    through randomization", Data Mining and Knowledge Discovery 38, 2024.
    """
    from aeon.classification.interval_based import RSTSF

    return RSTSF(n_estimators, n_intervals, random_state=random_state, n_jobs=n_jobs)


class ForestOnFeatures:
    """A forest on features of each window.

    Parameters
    ----------
    transform : aeon transformer
        Makes a row of features of each window, without having to be fitted to several.
    forest : scikit-learn classifier
        Learns from them.
    standardised : bool, default False
        Whether each channel of each window is brought to mean 0 and deviation 1 first, a constant one to 0.
    """

    def __init__(self, transform: Any, forest: Any, *, standardised: bool = False) -> None:
        self.transform = transform
        self.forest = forest
        self.standardised = standardised

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> ForestOnFeatures:
        """Fit to `X` of shape (n_windows, n_channels, n_timepoints) and `y` of shape (n_windows,).

        `sample_weight` of shape (n_windows,) weighs windows in every split of every tree.
        """
        self.transform.fit(X)
        self.forest.fit(self._features(X), y, sample_weight)
        self.classes_ = self.forest.classes_
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the label of each window: ndarray of shape (n_windows,)."""
        return np.asarray(self.forest.predict(self._features(X)))

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the mean over the trees for each class, as in `classes_`: ndarray of shape (n_windows, n_classes)."""
        return np.asarray(self.forest.predict_proba(self._features(X)))

    def _features(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(self.transform.transform(standardise(X) if self.standardised else X))


def standardise(X: np.ndarray) -> np.ndarray:
    """Bring each channel of each window to mean 0 and deviation 1 (ddof 0), a constant one to 0.

    Parameters
    ----------
    X : ndarray of shape (n_windows, n_channels, n_timepoints)

    Returns
    -------
    ndarray of the shape of `X`, float64
    """
    centred = X - X.mean(axis=2, keepdims=True, dtype=np.float64)
    deviation = centred.std(axis=2, keepdims=True)
    return np.asarray(np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 1e-12))


class RidgeOnShapelets(RidgeOnFeatures):  # type: ignore[misc]  # what plugins import of each other has no types
    """What aeon's ``RDSTClassifier`` does, without its probabilities, which are 0 or 1.

    Parameters
    ----------
    max_shapelets, random_state, n_jobs
        As for `rdst`.
    """

    def __init__(self, max_shapelets: int, random_state: int, n_jobs: int) -> None:
        from aeon.transformations.collection.shapelet_based import RandomDilatedShapeletTransform

        shapelets = RandomDilatedShapeletTransform(max_shapelets, random_state=random_state, n_jobs=n_jobs)
        super().__init__(shapelets, np.logspace(-4, 4, 20))  # the penalties of RDST's authors

    def _fitted_features(self, X: np.ndarray, y: np.ndarray) -> np.ndarray:
        self.transform.fit(_copied(X), y)  # a shapelet comes close to those of its own class
        return self._features(X)

    def _features(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(self.transform.transform(_copied(X)))


def _copied(X: np.ndarray) -> np.ndarray:
    # numba compiles once for each type of array, read-only ones apart, and the shapelets take minutes.
    return np.array(X, np.float64)
