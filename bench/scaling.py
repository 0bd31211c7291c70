"""Scalers for windows: fitted on the training windows, applied in place to both sides."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np

Scaling = Literal["min-max", "subject-z-score", "none"]


class Scaler(Protocol):
    """`fit` learns from training windows (n, n_channels, n_timepoints); `transform` changes X in place."""

    def fit(self, X: np.ndarray, subjects: np.ndarray) -> Scaler: ...

    def transform(self, X: np.ndarray, subjects: np.ndarray) -> np.ndarray: ...


class MinMax:
    """Each channel to [0, 1] over all training windows; NaN (padding) is ignored and kept."""

    def fit(self, X: np.ndarray, subjects: np.ndarray) -> MinMax:
        self.low_ = np.fmin.reduce(X, axis=(0, 2))
        spread = np.fmax.reduce(X, axis=(0, 2)) - self.low_
        self.spread_ = np.where(spread > 0, spread, 1).astype(np.float32)
        return self

    def transform(self, X: np.ndarray, subjects: np.ndarray) -> np.ndarray:
        X -= self.low_[:, None]
        X /= self.spread_[:, None]
        return X


class SubjectZScore:
    """Each channel of each subject to mean 0 and deviation 1 over that subject's training windows."""

    def fit(self, X: np.ndarray, subjects: np.ndarray) -> SubjectZScore:
        self.moments_: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for subject in np.unique(subjects):
            own = X[subjects == subject]
            mean = np.asarray(np.nanmean(own, axis=(0, 2), dtype=np.float64), dtype=np.float32)
            deviation = np.sqrt(np.nanmean((own - mean[:, None]) ** 2, axis=(0, 2), dtype=np.float64))
            self.moments_[subject] = mean, np.where(deviation > 0, deviation, 1).astype(np.float32)
        return self

    def transform(self, X: np.ndarray, subjects: np.ndarray) -> np.ndarray:
        for subject in np.unique(subjects):
            if subject not in self.moments_:
                raise ValueError(
                    f"scaling subject-z-score: subject {subject} has no training window; "
                    "use scaling min-max with protocols that hold whole subjects out"
                )
            mean, deviation = self.moments_[subject]
            own = subjects == subject
            X[own] = (X[own] - mean[:, None]) / deviation[:, None]
        return X


class Unscaled:
    """Leave the windows as they are."""

    def fit(self, X: np.ndarray, subjects: np.ndarray) -> Unscaled:
        return self

    def transform(self, X: np.ndarray, subjects: np.ndarray) -> np.ndarray:
        return X


def make_scaler(scaling: Scaling) -> Scaler:
    """Return an unfitted scaler by its name in suites."""
    scalers: dict[str, type[Scaler]] = {"min-max": MinMax, "subject-z-score": SubjectZScore, "none": Unscaled}
    return scalers[scaling]()
