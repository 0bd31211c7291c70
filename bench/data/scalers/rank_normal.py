"""Scaling by the ranks of the training samples."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import model_validator

from bench.data.origins import Origins
from bench.data.scalers.fitted import Fitted, OfChannels, float32

# Beyond 4 deviations lies one sample in 30,000 on each side. Neighbouring samples belong to
# the same event, so these are of a handful of events (an electrode that came off), and how far out they
# are tells nothing that a network should have to reach for.
_LIMIT = 4.0
_KNOTS = 801  # one every hundredth of a deviation
_BLOCK = 1 << 20  # samples that are float64 at a time


class FittedRankNormal(Fitted):
    """What `RankNormal` learnt: for each channel some of its values, ascending, and where these are taken to."""

    name: Literal["rank-normal"] = "rank-normal"
    values: list[OfChannels]
    normal: list[OfChannels]

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
            (float32(values), float32(normal))
            for values, normal in zip(self.values, self.normal, strict=True)
        ]
        return scaler


class RankNormal:
    """Each channel to a standard normal distribution by the ranks of the samples of all training windows.

    A sample of rank r of n goes to the quantile of (r - 1/2) / n; equal samples share the middle of their
    ranks, so that the steps of a coarse converter stay steps. Ranks are exact at 801 values, a
    hundredth of a deviation from one another, or at all if there are fewer, and between two
    of these the curve is straight. What is beyond 4 deviations, or beyond all training samples, goes to
    the end of the curve, and a constant channel to 0. NaN (padding) is ignored and kept.
    """

    def fit(self, X: np.ndarray, origins: Origins) -> RankNormal:
        """Learn the curve of each channel; where the windows are from does not matter."""
        self.curves_ = [_rank_curve(X[:, channel]) for channel in range(X.shape[1])]
        return self

    def transform(self, X: np.ndarray, origins: Origins) -> np.ndarray:
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
