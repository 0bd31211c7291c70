"""A ridge classifier whose penalty is chosen by leaving one window out, also for many windows of many features."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

PENALTIES = np.logspace(-3, 3, 10)  # as in ROCKET's paper
LARGE = 2_000  # windows and features beyond which `LargeRidge` takes scikit-learn's place
_ROWS = 2_048  # windows, or features, that stand in float64 at a time


def fit_ridge(
    features: np.ndarray,
    y: np.ndarray,
    sample_weight: np.ndarray | None = None,
    penalties: np.ndarray = PENALTIES,
) -> Any:
    """Fit a ridge classifier whose penalty is chosen by leave-one-out.

    Parameters
    ----------
    features : ndarray of shape (n_windows, n_features), float32 or float64
    y : ndarray of shape (n_windows,)
    sample_weight : ndarray of shape (n_windows,), optional
        Weighs windows in the regression and in the choice.
    penalties : ndarray of shape (n_penalties,)
        To choose from, in ascending order.

    Returns
    -------
    RidgeClassifierCV or LargeRidge
        With ``predict(features)`` and ``classes_``.
    """
    from sklearn.linear_model import RidgeClassifierCV

    small = min(features.shape) <= LARGE
    ridge = RidgeClassifierCV(alphas=penalties) if small else LargeRidge(penalties)
    return ridge.fit(features, y, sample_weight)


class LargeRidge:
    """scikit-learn's ``RidgeClassifierCV`` by a Cholesky decomposition for each penalty, the largest first.

    That takes the eigenvalues of a matrix of min(n_windows, n_features) rows and several float64 copies of the features.
    This reads the features in parts, and does not try penalties below the first at which the error is no smaller than
    at the one before: where the error has several minima, it takes that of the largest penalty.

    Parameters
    ----------
    penalties : ndarray of shape (n_penalties,)
        To choose from, in ascending order.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    alpha_ : float
        The penalty that was chosen.
    errors_ : dict of float to float
        Mean squared error of the windows left out, by penalty.
    coef_ : ndarray of shape (n_features, n_targets)
        Of the type of the features; one target for two classes, else one a class.
    intercept_ : ndarray of shape (n_targets,)

    References
    ----------
    R. Rifkin, R. Lippert, "Notes on regularized least squares", MIT-CSAIL-TR-2007-025, 2007, section 4, in the form
    that scikit-learn's ``_RidgeGCV`` documents, for weights and an intercept.
    """

    def __init__(self, penalties: np.ndarray = PENALTIES) -> None:
        self.penalties = penalties

    def fit(self, features: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> LargeRidge:
        """Fit to `features` of shape (n_windows, n_features) and `y` of shape (n_windows,).

        Raises
        ------
        ValueError
            If a feature is not finite.
        """
        from sklearn.preprocessing import LabelBinarizer

        weights = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, np.float64)
        binarizer = LabelBinarizer(neg_label=-1)
        targets = np.asarray(binarizer.fit_transform(y), np.float64)
        self.classes_ = binarizer.classes_
        target_mean = np.average(targets, axis=0, weights=weights)
        design = _Centred(features, weights)
        if not np.isfinite(design.mean).all():
            raise ValueError("the transform gave features that are not finite")
        system = (_MoreWindows if len(features) > features.shape[1] else _MoreFeatures)(
            design, (targets - target_mean) * design.roots[:, None]
        )
        self.errors_: dict[float, float] = {}
        best = np.inf
        for penalty in self.penalties[::-1]:
            error, coef = system.solve(float(penalty))
            self.errors_[float(penalty)] = error
            if error >= best:
                break
            best, self.alpha_ = error, float(penalty)
            self.coef_ = coef.astype(features.dtype)
            self.intercept_ = (target_mean - design.mean @ coef).astype(features.dtype)
        return self

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the label of each window: ndarray of shape (n_windows,)."""
        decision = features @ self.coef_ + self.intercept_
        chosen = (decision[:, 0] > 0).astype(int) if decision.shape[1] == 1 else decision.argmax(axis=1)
        return np.asarray(self.classes_[chosen])


class _Centred:
    """Features less their weighted mean, times the square root of each window's weight, some at a time in float64."""

    def __init__(self, features: np.ndarray, weights: np.ndarray) -> None:
        self.features = features
        self.roots = np.sqrt(weights)
        self.shares = weights / weights.sum()
        self.mean = np.zeros(features.shape[1])
        for rows in _slices(len(features)):
            self.mean += self.shares[rows] @ features[rows].astype(np.float64)

    def windows(self) -> Iterator[tuple[slice, np.ndarray]]:
        for rows in _slices(len(self.features)):
            yield rows, (self.features[rows] - self.mean) * self.roots[rows, None]

    def columns(self) -> Iterator[np.ndarray]:
        for some in _slices(self.features.shape[1]):
            yield (self.features[:, some] - self.mean[some]) * self.roots[:, None]


class _MoreWindows:
    """Left-out errors and coefficients by the Cholesky factor of X' X + penalty, with X of more rows than columns."""

    def __init__(self, design: _Centred, targets: np.ndarray) -> None:
        from scipy.linalg.blas import dsyrk

        n = design.features.shape[1]
        self.design, self.targets = design, targets
        self.products, self.sums = np.zeros((n, n), order="F"), np.zeros((n, targets.shape[1]))
        for rows, X in design.windows():
            self.products = dsyrk(1.0, X.T, beta=1.0, c=self.products, lower=1, overwrite_c=1)
            self.sums += X.T @ targets[rows]

    def solve(self, penalty: float) -> tuple[float, np.ndarray]:
        from scipy.linalg import solve_triangular
        from scipy.linalg.lapack import dpotrs

        factor = _factor(self.products, penalty)
        coef, _ = dpotrs(factor, self.sums, lower=1)
        # A leverage is off by about epsilon times the factor's condition, at most the root of trace / penalty.
        condition = np.sqrt(np.trace(self.products) / penalty + 1)
        accurate = condition * np.finfo(np.float32).eps < 1e-4
        factor = factor.astype(np.float32 if accurate else np.float64, copy=False)
        squares = 0.0
        for rows, X in self.design.windows():
            residuals = self.targets[rows] - X @ coef
            X = X.astype(factor.dtype, copy=False)
            halves = solve_triangular(factor, X.T, lower=True, overwrite_b=True, check_finite=False)
            leverages = np.einsum("ij,ij->j", halves, halves, dtype=np.float64) + self.design.shares[rows]
            squares += float(((residuals / (1 - leverages)[:, None]) ** 2).sum())
        return squares / self.targets.size, coef


class _MoreFeatures:
    """The same by the Cholesky factor of X X' + penalty, with X of more columns than rows."""

    def __init__(self, design: _Centred, targets: np.ndarray) -> None:
        from scipy.linalg.blas import dsyrk

        n = len(design.features)
        self.design, self.targets = design, targets
        self.products = np.zeros((n, n), order="F")
        for X in design.columns():
            self.products = dsyrk(1.0, X.T, beta=1.0, c=self.products, trans=1, lower=1, overwrite_c=1)

    def solve(self, penalty: float) -> tuple[float, np.ndarray]:
        from scipy.linalg.lapack import dpotrs, dtrtri

        factor = _factor(self.products, penalty)
        dual, _ = dpotrs(factor, self.targets, lower=1)
        inverse, _ = dtrtri(factor, lower=1, overwrite_c=1)  # zero above its diagonal, as the factor is
        diagonal = np.einsum("ij,ij->j", inverse, inverse) - self.design.shares / penalty
        error = float(((dual / diagonal[:, None]) ** 2).mean())
        return error, sum(X.T @ dual[rows] for rows, X in self.design.windows())


def _factor(products: np.ndarray, penalty: float) -> np.ndarray:
    """Return the lower Cholesky factor of `products` (its lower triangle) + `penalty`, zero above its diagonal."""
    from scipy.linalg import LinAlgError
    from scipy.linalg.lapack import dpotrf

    shifted = products.copy(order="F")
    shifted[np.diag_indices_from(shifted)] += penalty
    factor, failed = dpotrf(shifted, lower=1, clean=0, overwrite_a=1)
    if failed:
        raise LinAlgError(f"features too large for a penalty of {penalty:g}")
    return np.asarray(factor)


def _slices(n: int) -> Iterator[slice]:
    return (slice(start, min(start + _ROWS, n)) for start in range(0, n, _ROWS))
