"""Scalers by signals that carry no label and are there of a stranger too: they work whoever is held out.

Of the peripheral signals the level differs between people far more than within a trial: skin resistance by an
order of magnitude. What one is asked to recognise, the change that a stimulus brings, is small beside who it is.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from bench.data.origins import Origins, PanelOrigins
from bench.data.scalers.fitted import (
    Fitted,
    FittedBySubject,
    Moments,
    Spreads,
    as_lists,
    float32,
    scale_by_subject,
    spreads,
)

_BLOCK = 1 << 20  # samples that are float64 at a time


class FittedBaseline(Fitted):
    """What `Baseline` learnt: how far each channel goes from its level before the stimulus."""

    name: Literal["baseline"] = "baseline"
    deviation: Spreads

    def lengths(self) -> set[int]:
        """Return for how many channels there are values."""
        return {len(self.deviation)}

    def scaler(self) -> Baseline:
        """Return the scaler as it was fitted, to the bit."""
        scaler = Baseline()
        scaler.deviation_ = float32(self.deviation)
        return scaler


class FittedFirstSeconds(FittedBySubject):
    """What `FirstSeconds` learnt: by subject, mean and deviation of each channel over its first seconds."""

    name: Literal["first-seconds"] = "first-seconds"
    seconds: float

    def scaler(self) -> FirstSeconds:
        """Return the scaler as it was fitted, to the bit."""
        scaler = FirstSeconds(self.seconds)
        scaler.moments_ = self.moments()
        return scaler


class Baseline:
    """Each channel of each window less its mean over the seconds before the stimulus of the same trial.

    It is divided by one deviation of each channel, the root mean square of what is left in all training windows. The
    deviation of the seconds before the stimulus would be one of a few breaths and of no skin response at all: of a
    temperature that a converter rounds it is 0 in many trials, and the windows after it would be anything.

    NaN (padding) is ignored and kept.
    """

    def fit(self, X: np.ndarray, origins: Origins) -> Baseline:
        """Learn how far each channel goes from its level before the stimulus; 1 where it never leaves it."""
        levels = origins.levels
        total, count = np.zeros(X.shape[1]), np.zeros(X.shape[1], dtype=np.int64)
        step = max(1, _BLOCK // (X.shape[1] * X.shape[2]))
        for start in range(0, len(X), step):
            part = slice(start, start + step)
            away = X[part].astype(np.float64) - levels[part, :, None]
            total += np.nansum(away**2, axis=(0, 2))
            count += (~np.isnan(away)).sum(axis=(0, 2))
        self.deviation_ = spreads(np.sqrt(total / np.maximum(count, 1)))
        return self

    def transform(self, X: np.ndarray, origins: Origins) -> np.ndarray:
        """Scale the windows in place."""
        X -= origins.levels[:, :, None]
        X /= self.deviation_[:, None]
        return X

    def fitted(self) -> FittedBaseline:
        """Return what was learnt."""
        return FittedBaseline(deviation=self.deviation_.tolist())


class FirstSeconds:
    """Each channel of each subject to mean 0 and deviation 1 over the first seconds recorded of that subject.

    What counts as these is said by `bench.data.origins.first_samples`. NaN (padding) is ignored and kept.

    Parameters
    ----------
    seconds : float
    """

    moments_: Moments

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def fit(self, X: np.ndarray, origins: PanelOrigins) -> FirstSeconds:
        """Learn the moments of everybody in the recordings, and nothing from the windows.

        A constant channel has deviation 1.
        """
        self.moments_ = {
            subject: (mean.astype(np.float32), spreads(deviation))
            for subject, (mean, deviation) in origins.first_moments(self.seconds).items()
        }
        return self

    def transform(self, X: np.ndarray, origins: Origins) -> np.ndarray:
        """Scale the windows in place, each as its subject's; ValueError if nothing is known of one."""
        unknown = "scaling first-seconds: nothing was recorded of subject {subject}"
        return scale_by_subject(X, origins.subjects, self.moments_, unknown)

    def fitted(self) -> FittedFirstSeconds:
        """Return what was learnt."""
        return FittedFirstSeconds.model_validate({"seconds": self.seconds, **as_lists(self.moments_)})
