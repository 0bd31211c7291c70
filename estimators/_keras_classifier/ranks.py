"""Channels brought to a normal distribution by rank, as `KerasClassifier` does before its network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Quantiles of the training samples that a channel's curve goes through, and the deviations that it ends at:
# beyond 4 lies one sample in 30,000 on either side, an electrode that came off.
_LEVELS = np.linspace(0, 1, 1001)
_LIMIT = 4.0


class ChannelRanks:
    """Takes each channel to a standard normal distribution by the ranks of its training samples.

    Skin conductance and pulse have tails of ten and more deviations: standardised by mean and deviation, most
    of what they tell lies in a small part of the range, where a network starts nearly linear.

    Parameters
    ----------
    quantiles : sequence of n_channels sequences of float
        Of the training samples, ascending.
    """

    def __init__(self, quantiles: Sequence[Sequence[float]]) -> None:
        self.quantiles = [np.asarray(own, dtype=np.float64) for own in quantiles]
        for own in self.quantiles:
            if own.shape != _LEVELS.shape or not np.isfinite(own).all() or (np.diff(own) < 0).any():
                raise ValueError(f"quantiles of a channel are not {len(_LEVELS)} ascending numbers")

    @classmethod
    def of(cls, X: np.ndarray) -> ChannelRanks:
        """Learn from training windows (n_windows, n_channels, n_timepoints); NaN is padding."""
        return cls([np.nanquantile(X[:, k], _LEVELS) for k in range(X.shape[1])])

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Return windows with each channel scaled, float32; padding stays NaN, a constant becomes 0."""
        from scipy.special import ndtri

        scaled = np.empty(X.shape, dtype=np.float32)
        for k, own in enumerate(self.quantiles):
            x = X[:, k].astype(np.float64)
            # From both sides, so that equal samples come to the middle of their ranks (as in scikit-learn's
            # QuantileTransformer).
            ranks = (np.interp(x, own, _LEVELS) + 1 - np.interp(-x, -own[::-1], _LEVELS)) / 2
            scaled[:, k] = np.clip(ndtri(ranks), -_LIMIT, _LIMIT)
        return scaled

    def plain(self) -> list[list[float]]:
        """Return the quantiles, as JSON holds them."""
        return [own.tolist() for own in self.quantiles]
