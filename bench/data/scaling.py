"""Scalers for windows: fitted on the training windows, applied in place to both sides."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

Scaling = Literal["min-max", "subject-z-score", "rank-normal", "none"]

# Of `RankNormal`. Beyond 4 deviations lies one sample in 30,000 on each side. Neighbouring samples belong to
# the same event, so these are of a handful of events (an electrode that came off), and how far out they
# are tells nothing that a network should have to reach for.
_LIMIT = 4.0
_KNOTS = 801  # one every hundredth of a deviation
_BLOCK = 1 << 20  # samples that are float64 at a time

_OfChannels = list[Annotated[float, Field(allow_inf_nan=False)]]
_Spreads = list[Annotated[float, Field(gt=0, allow_inf_nan=False)]]


class Scaler(Protocol):
    """`fit` learns from training windows (n, n_channels, n_timepoints); `transform` changes X in place.

    `fitted` gives what was learnt, as JSON can hold it.
    """

    def fit(self, X: np.ndarray, subjects: np.ndarray) -> Scaler:
        """Learn from windows and the subject of each, shape (n,)."""

    def transform(self, X: np.ndarray, subjects: np.ndarray) -> np.ndarray:
        """Scale the windows in place, and return them."""

    def fitted(self) -> FittedMinMax | FittedSubjectZScore | FittedRankNormal | FittedNone:
        """Return what was learnt."""


class _Fitted(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FittedMinMax(_Fitted):
    """What `MinMax` learnt: lowest value and spread of each channel."""

    name: Literal["min-max"] = "min-max"
    low: _OfChannels
    spread: _Spreads

    def lengths(self) -> set[int]:
        """Return for how many channels there are values."""
        return {len(self.low), len(self.spread)}

    def scaler(self) -> MinMax:
        """Return the scaler as it was fitted, to the bit."""
        scaler = MinMax()
        scaler.low_, scaler.spread_ = _float32(self.low), _float32(self.spread)
        return scaler


class FittedSubjectZScore(_Fitted):
    """What `SubjectZScore` learnt: by subject, mean and deviation of each channel."""

    name: Literal["subject-z-score"] = "subject-z-score"
    mean: dict[int, _OfChannels]
    deviation: dict[int, _Spreads]

    @model_validator(mode="after")
    def _same_subjects(self) -> FittedSubjectZScore:
        if not self.mean or self.mean.keys() != self.deviation.keys():
            raise ValueError("mean and deviation are not of the same subjects")
        return self

    def lengths(self) -> set[int]:
        """Return for how many channels there are values."""
        return {len(values) for part in (self.mean, self.deviation) for values in part.values()}

    def scaler(self) -> SubjectZScore:
        """Return the scaler as it was fitted, to the bit."""
        scaler = SubjectZScore()
        scaler.moments_ = {
            subject: (_float32(mean), _float32(self.deviation[subject]))
            for subject, mean in self.mean.items()
        }
        return scaler


class FittedRankNormal(_Fitted):
    """What `RankNormal` learnt: for each channel some of its values, ascending, and where these are taken to."""

    name: Literal["rank-normal"] = "rank-normal"
    values: list[_OfChannels]
    normal: list[_OfChannels]

    @model_validator(mode="after")
    def _curves(self) -> FittedRankNormal:
        if [len(own) for own in self.values] != [len(own) for own in self.normal]:
            raise ValueError("there are not as many values as there are places that they are taken to")
        if not all(own and (np.diff(own) > 0).all() for own in self.values):
            raise ValueError("the values of a channel do not ascend, or there are none")
        if not all((np.diff(own) >= 0).all() for own in self.normal):
            raise ValueError("higher values are taken to lower places")
        return self

    def lengths(self) -> set[int]:
        """Return for how many channels there are values."""
        return {len(self.values)}

    def scaler(self) -> RankNormal:
        """Return the scaler as it was fitted, to the bit."""
        scaler = RankNormal()
        scaler.curves_ = [
            (_float32(values), _float32(normal))
            for values, normal in zip(self.values, self.normal, strict=True)
        ]
        return scaler


class FittedNone(_Fitted):
    """Nothing: the windows are left as they are."""

    name: Literal["none"] = "none"

    def lengths(self) -> set[int]:
        """Return nothing: there are no values."""
        return set()

    def scaler(self) -> Unscaled:
        """Return a scaler that changes nothing."""
        return Unscaled()


FittedScaling = Annotated[
    FittedMinMax | FittedSubjectZScore | FittedRankNormal | FittedNone, Field(discriminator="name")
]


class MinMax:
    """Each channel to [0, 1] over all training windows; NaN (padding) is ignored and kept."""

    def fit(self, X: np.ndarray, subjects: np.ndarray) -> MinMax:
        """Learn the lowest value and the spread of each channel; a constant one has spread 1."""
        self.low_ = np.fmin.reduce(X, axis=(0, 2))
        spread = np.fmax.reduce(X, axis=(0, 2)) - self.low_
        self.spread_ = np.where(spread > 0, spread, 1).astype(np.float32)
        return self

    def transform(self, X: np.ndarray, subjects: np.ndarray) -> np.ndarray:
        """Scale the windows in place; what lies beyond the training windows goes beyond [0, 1]."""
        X -= self.low_[:, None]
        X /= self.spread_[:, None]
        return X

    def fitted(self) -> FittedMinMax:
        """Return what was learnt."""
        return FittedMinMax(low=self.low_.tolist(), spread=self.spread_.tolist())


class SubjectZScore:
    """Each channel of each subject to mean 0 and deviation 1 over that subject's training windows."""

    def fit(self, X: np.ndarray, subjects: np.ndarray) -> SubjectZScore:
        """Learn each subject's mean and deviation of each channel; a constant one has deviation 1."""
        self.moments_: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for subject in np.unique(subjects):
            own = X[subjects == subject]
            mean = np.asarray(np.nanmean(own, axis=(0, 2), dtype=np.float64), dtype=np.float32)
            deviation = np.sqrt(np.nanmean((own - mean[:, None]) ** 2, axis=(0, 2), dtype=np.float64))
            self.moments_[subject] = mean, np.where(deviation > 0, deviation, 1).astype(np.float32)
        return self

    def transform(self, X: np.ndarray, subjects: np.ndarray) -> np.ndarray:
        """Scale the windows in place, each as its subject's; ValueError if one had no training window."""
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

    def fitted(self) -> FittedSubjectZScore:
        """Return what was learnt."""
        moments = {int(subject): both for subject, both in self.moments_.items()}
        return FittedSubjectZScore(
            mean={subject: mean.tolist() for subject, (mean, _) in moments.items()},
            deviation={subject: deviation.tolist() for subject, (_, deviation) in moments.items()},
        )


class RankNormal:
    """Each channel to a standard normal distribution by the ranks of the samples of all training windows.

    A sample of rank r of n goes to the quantile of (r - 1/2) / n; equal samples share the middle of their
    ranks, so that the steps of a coarse converter stay steps. Ranks are exact at 801 values, a
    hundredth of a deviation from one another, or at all if there are fewer, and between two
    of these the curve is straight. What is beyond 4 deviations, or beyond all training samples, goes to
    the end of the curve, and a constant channel to 0. NaN (padding) is ignored and kept.
    """

    def fit(self, X: np.ndarray, subjects: np.ndarray) -> RankNormal:
        """Learn the curve of each channel; the subjects do not matter."""
        self.curves_ = [_rank_curve(X[:, channel]) for channel in range(X.shape[1])]
        return self

    def transform(self, X: np.ndarray, subjects: np.ndarray) -> np.ndarray:
        """Scale the windows in place."""
        step = max(1, _BLOCK // X.shape[2])
        for channel, (values, normal) in enumerate(self.curves_):
            for start in range(0, len(X), step):
                part = X[start : start + step, channel]
                part[:] = np.interp(part, values, normal)
        return X

    def fitted(self) -> FittedRankNormal:
        """Return what was learnt."""
        return FittedRankNormal(
            values=[values.tolist() for values, _ in self.curves_],
            normal=[normal.tolist() for _, normal in self.curves_],
        )


def _rank_curve(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ascending values of one channel and the normal quantiles of their ranks, both float32.

    All samples are sorted, which for ten million takes about a second: no sample of them has to be drawn.
    """
    from scipy.special import ndtr, ndtri

    ordered = np.sort(samples, axis=None)
    ordered = ordered[: np.searchsorted(ordered, np.nan)]
    if not len(ordered):
        return np.zeros(1, np.float32), np.zeros(1, np.float32)
    places = ndtr(np.linspace(-_LIMIT, _LIMIT, _KNOTS)) * (len(ordered) - 1)
    values = np.unique(ordered[places.round().astype(np.int64)])
    ranks = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    normal = np.clip(ndtri(ranks / (2 * len(ordered))), -_LIMIT, _LIMIT)
    # As float32 the curve passes its own knots exactly, and what is scaled stays in order.
    return values, normal.astype(np.float32)


class Unscaled:
    """Leave the windows as they are."""

    def fit(self, X: np.ndarray, subjects: np.ndarray) -> Unscaled:
        """Learn nothing."""
        return self

    def transform(self, X: np.ndarray, subjects: np.ndarray) -> np.ndarray:
        """Return the windows as they are."""
        return X

    def fitted(self) -> FittedNone:
        """Return that nothing was learnt."""
        return FittedNone()


def make_scaler(scaling: Scaling) -> Scaler:
    """Return an unfitted scaler by its name in suites."""
    scalers: dict[str, type[Scaler]] = {
        "min-max": MinMax,
        "subject-z-score": SubjectZScore,
        "rank-normal": RankNormal,
        "none": Unscaled,
    }
    return scalers[scaling]()


def _float32(values: list[float]) -> np.ndarray:
    return np.array(values, dtype=np.float32)
