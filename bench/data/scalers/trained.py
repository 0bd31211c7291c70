"""Scalers that learn from the training windows alone, and the one that learns nothing."""

from __future__ import annotations

from typing import Literal

import numpy as np

from bench.data.origins import Origins
from bench.data.scalers.fitted import (
    Fitted,
    FittedBySubject,
    Moments,
    OfChannels,
    Spreads,
    as_lists,
    float32,
    scale_by_subject,
    spreads,
)


class FittedMinMax(Fitted):
    """What `MinMax` learnt: lowest value and spread of each channel."""

    name: Literal["min-max"] = "min-max"
    low: OfChannels
    spread: Spreads

    def lengths(self) -> set[int]:
        """Return for how many channels there are values."""
        return {len(self.low), len(self.spread)}

    def scaler(self) -> MinMax:
        """Return the scaler as it was fitted, to the bit."""
        scaler = MinMax()
        scaler.low_, scaler.spread_ = float32(self.low), float32(self.spread)
        return scaler


class FittedSubjectZScore(FittedBySubject):
    """What `SubjectZScore` learnt: by subject, mean and deviation of each channel."""

    name: Literal["subject-z-score"] = "subject-z-score"

    def scaler(self) -> SubjectZScore:
        """Return the scaler as it was fitted, to the bit."""
        scaler = SubjectZScore()
        scaler.moments_ = self.moments()
        return scaler


class FittedNone(Fitted):
    """Nothing: the windows are left as they are."""

    name: Literal["none"] = "none"

    def lengths(self) -> set[int]:
        """Return nothing: there are no values."""
        return set()

    def scaler(self) -> Unscaled:
        """Return a scaler that changes nothing."""
        return Unscaled()


class MinMax:
    """Each channel to [0, 1] over all training windows; NaN (padding) is ignored and kept."""

    def fit(self, X: np.ndarray, origins: Origins) -> MinMax:
        """Learn the lowest value and the spread of each channel; a constant one has spread 1."""
        self.low_ = np.fmin.reduce(X, axis=(0, 2))
        self.spread_ = spreads(np.fmax.reduce(X, axis=(0, 2)) - self.low_)
        return self

    def transform(self, X: np.ndarray, origins: Origins) -> np.ndarray:
        """Scale the windows in place; what lies beyond the training windows goes beyond [0, 1]."""
        X -= self.low_[:, None]
        X /= self.spread_[:, None]
        return X

    def fitted(self) -> FittedMinMax:
        """Return what was learnt."""
        return FittedMinMax(low=self.low_.tolist(), spread=self.spread_.tolist())


class SubjectZScore:
    """Each channel of each subject to mean 0 and deviation 1 over that subject's training windows."""

    moments_: Moments

    def fit(self, X: np.ndarray, origins: Origins) -> SubjectZScore:
        """Learn each subject's mean and deviation of each channel; a constant one has deviation 1."""
        self.moments_ = {}
        subjects = origins.subjects
        for subject in np.unique(subjects):
            own = X[subjects == subject]
            mean = np.asarray(np.nanmean(own, axis=(0, 2), dtype=np.float64), dtype=np.float32)
            deviation = np.sqrt(np.nanmean((own - mean[:, None]) ** 2, axis=(0, 2), dtype=np.float64))
            self.moments_[subject] = mean, spreads(deviation)
        return self

    def transform(self, X: np.ndarray, origins: Origins) -> np.ndarray:
        """Scale the windows in place, each as its subject's; ValueError if one had no training window."""
        unknown = (
            "scaling subject-z-score: subject {subject} has no training window; "
            "use scaling min-max or first-seconds[60] with protocols that hold whole subjects out"
        )
        return scale_by_subject(X, origins.subjects, self.moments_, unknown)

    def fitted(self) -> FittedSubjectZScore:
        """Return what was learnt."""
        return FittedSubjectZScore.model_validate(as_lists(self.moments_))


class Unscaled:
    """Leave the windows as they are."""

    def fit(self, X: np.ndarray, origins: Origins) -> Unscaled:
        """Learn nothing."""
        return self

    def transform(self, X: np.ndarray, origins: Origins) -> np.ndarray:
        """Return the windows as they are."""
        return X

    def fitted(self) -> FittedNone:
        """Return that nothing was learnt."""
        return FittedNone()
