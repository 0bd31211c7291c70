"""Signals at a lower sampling rate: whole recordings, or samples as they come. Both give the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from bench.errors import SuiteError
from bench.recordings import Recordings

KEY = "[windows] sampling_rate"
_LARGEST = 1000  # number in the ratio of two rates: the filter of a ratio has 20 times as many weights
_NEAR = 1e-6  # of the rate: in an hour the samples are 4 ms off at most
_LOBES = 10  # of the filter's wave on either side, each as long as a sample of the lower rate


def at_rate(recordings: Recordings, rate: float | None) -> Recordings:
    """Resample each trial by itself, after a low-pass filter that keeps out what the lower rate cannot show.

    The filter is that of `scipy.signal.resample_poly` (linear phase, Kaiser window, beta 5): it moves
    nothing in time, halves a wave at half the lower rate, leaves 0.4 % at most of one that is 16 % faster
    and changes one that is 16 % slower by as little. In addition, it keeps a constant as it is at any ratio.

    Parameters
    ----------
    recordings : Recordings
    rate : float or None
        Samples a second (Hz). None, or the recordings' own: they are returned as they are.

    Returns
    -------
    Recordings
        Sample k of a trial is at k / rate seconds; n samples become n * rate / sampling_rate, rounded up.

    Raises
    ------
    SuiteError
        If the rate is above the recordings', or not in a ratio of whole numbers to it.
    """
    if rate is None or rate == recordings.sampling_rate:
        return recordings
    from scipy.signal import resample_poly

    ratio = _ratio(rate, recordings.sampling_rate, recordings.name)
    up, down = ratio.numerator, ratio.denominator
    weights = _weights(ratio) / up  # which scipy multiplies it by

    def lowered(signal: np.ndarray) -> np.ndarray:
        # The ends are extended by their own values: zeros would pull a level, such as a skin temperature of
        # 33 degrees, down at both ends, and the mean of a trial is not known to a stream.
        signal = signal.astype(np.float64)
        return np.asarray(resample_poly(signal, up, down, axis=1, window=weights, padtype="edge"))

    given = recordings.signals
    signals: np.ndarray | Sequence[np.ndarray]
    if isinstance(given, np.ndarray):
        signals = np.empty((*given.shape[:2], _n_lowered(given.shape[2], ratio)), np.float32)
        for new, signal in zip(signals, given, strict=True):
            new[:] = lowered(signal)
    else:
        signals = [lowered(signal).astype(np.float32) for signal in given]
    return replace(
        recordings, signals=signals, sampling_rate=float(rate), recorded_rate=recordings.sampling_rate
    )


class RateReducer:
    """Takes the samples of a trial one by one, and gives what `at_rate` gives of the whole trial.

    Each sample is given as soon as the last of those that make it has come.

    Parameters
    ----------
    n_channels : int
    rate, recorded_rate : float
        Samples a second (Hz) that are given, and that come; the first is the lower.

    Attributes
    ----------
    delay : float
        Seconds from a sample's place in time to when it can be given: half the filter's length.
    taken, given : int
        How many samples have come and were given.

    Raises
    ------
    SuiteError
        As `at_rate`.
    """

    def __init__(self, n_channels: int, rate: float, recorded_rate: float) -> None:
        self._ratio = _ratio(rate, recorded_rate, "the stream")
        up = self._ratio.numerator
        weights = _weights(self._ratio)
        self._half = len(weights) // 2
        self._width = -(-len(weights) // up)
        # A row for each place that a sample given may have between two that came: the weights of the last
        # `width` of these, the newest last.
        padded = np.pad(weights, (0, self._width * up - len(weights)))
        self._rows = np.ascontiguousarray(padded.reshape(self._width, up).T[:, ::-1])
        self._held = np.empty((n_channels, 4 * self._width))  # the last `width` and room to move on
        self._end = 0
        self._seen = 0  # with those that extend the end
        self.delay = self._half / (up * recorded_rate)
        self.taken = self.given = 0

    def push(self, sample: np.ndarray) -> np.ndarray | None:
        """Take one value a channel; return those that it completes, float32 of shape (n_channels,), or None."""
        self.taken += 1
        return self._push(sample)

    def rest(self) -> Iterator[np.ndarray]:
        """Yield the last samples, when no more will come."""
        while self.given < _n_lowered(self.taken, self._ratio):
            new = self._push(self._held[:, self._end - 1].copy())
            if new is not None:
                yield new

    def _push(self, sample: np.ndarray) -> np.ndarray | None:
        before = self._width - 1
        if not self._seen:
            self._held[:, :before], self._end = sample[:, None], before
        elif self._end == self._held.shape[1]:
            self._held[:, :before], self._end = self._held[:, self._end - before :].copy(), before
        self._held[:, self._end] = sample
        self._end += 1
        self._seen += 1
        newest, row = divmod(self.given * self._ratio.denominator + self._half, self._ratio.numerator)
        if newest >= self._seen:
            return None
        self.given += 1
        held: np.ndarray = self._held[:, self._end - self._width : self._end]
        lowered: np.ndarray = held @ self._rows[row]
        return lowered.astype(np.float32)


def _ratio(rate: float, recorded_rate: float, name: str) -> Fraction:
    if rate > recorded_rate:
        raise SuiteError(
            f"{KEY} = {rate:g}: {name} has {recorded_rate:g} samples a second, and more cannot be made of them"
        )
    ratio = Fraction(rate / recorded_rate).limit_denominator(_LARGEST)
    near = float(ratio) * recorded_rate
    if abs(near - rate) > _NEAR * rate:
        hint = f"; {near:.9g} would do" if ratio else ""
        raise SuiteError(
            f"{KEY} = {rate:.9g}: is to the {recorded_rate:.9g} samples a second of {name} in no ratio of whole "
            f"numbers up to {_LARGEST}{hint}"
        )
    return ratio


def _n_lowered(n_samples: int, ratio: Fraction) -> int:
    return -(-n_samples * ratio.numerator // ratio.denominator)


def _weights(ratio: Fraction) -> np.ndarray:
    """Return the low-pass filter at the rate that both rates divide, shape (20 * denominator + 1,)."""
    from scipy.signal import firwin

    up, down = ratio.numerator, ratio.denominator
    weights: np.ndarray = firwin(2 * _LOBES * down + 1, 1 / down, window=("kaiser", 5.0))
    # A sample is made with every up-th weight. Their sums differ by up to 0.01 %, which would put a ripple on a
    # level; a skin resistance or temperature may change by little more within a window.
    for first in range(up):
        weights[first::up] /= weights[first::up].sum()
    return weights
