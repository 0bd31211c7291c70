"""Features of breathing: how fast, how deep, how evenly.

References
----------
B. Hjorth, "EEG analysis based on time domain properties", Electroencephalography and Clinical Neurophysiology 29, 1970:
the mean frequency of short windows ("mobility").
S. D. Kreibig, "Autonomic nervous system activity in emotion: a review", Biological Psychology 84, 2010: what of breathing
differs between emotions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.estimators.physio_features.shape import filtered, line

if TYPE_CHECKING:
    from bench.estimators.physio_features.shape import Features, Signals

_NOISE = 1.0  # Hz
_FEWEST_SAMPLES = 4.0  # a second
_BAND = (0.1, 0.6)  # Hz: 6 to 36 breaths a minute
_SECONDS = 3.0  # of a window
_SECONDS_OF_RATE = 10.0  # two breaths of a calm person
_SECONDS_OF_REGULARITY = 20.0  # shorter, and one frequency is as wide as the band
_STEP = 0.005  # Hz


def respiration(x: Signals, rate: float) -> Features:
    """Depth and speed of breathing, and from 10 s on its rate.

    All are taken below 1 Hz (Butterworth, second order), of what differs from a straight line through the window.

    Parameters
    ----------
    x : ndarray of shape (n_windows, n_timepoints), float64
        Extension of the chest, or flow, in any unit.
    rate : float
        Samples a second.

    Returns
    -------
    dict of str to ndarray of shape (n_windows,)
        Empty for windows shorter than 3 s or fewer than 4 samples a second. Otherwise ``depth`` (peak to trough of a sine of
        the same deviation) and ``mean frequency (Hz)`` (deviation of the derivative over that of the signal and 2 pi). From 10 s on
        ``rate (1/min)``, the frequency of highest power between 0.1 and 0.6 Hz. From 20 s on ``regularity``, the share of
        the power in that band that belongs to it, within the width of a single frequency in a Hann window. NaN where nothing moves.
    """
    seconds = x.shape[1] / rate
    if seconds < _SECONDS or rate < _FEWEST_SAMPLES:
        return {}
    breath = filtered(x - line(x, rate)[2], rate, _NOISE, "lowpass", 2)
    breath[np.ptp(x, axis=1) == 0] = 0  # what a filter leaves of a constant is rounding error
    breath -= breath.mean(axis=1, keepdims=True)
    deviation = breath.std(axis=1)
    moves = deviation > 0
    speed = np.sqrt(np.square(np.diff(breath, axis=1) * rate).mean(axis=1))
    ratio = np.divide(speed, deviation, out=np.full(len(x), np.nan), where=moves)
    found = {"depth": 2 * np.sqrt(2) * deviation, "mean frequency (Hz)": ratio / (2 * np.pi)}
    if seconds < _SECONDS_OF_RATE:
        return found

    every = int(rate // _FEWEST_SAMPLES)
    frequency, power = _spectrum(breath[:, ::every], rate / every)
    highest = frequency[power.argmax(axis=1)]
    found["rate (1/min)"] = np.where(moves, 60 * highest, np.nan)
    if seconds >= _SECONDS_OF_REGULARITY:
        near = np.abs(frequency - highest[:, None]) <= 2 / seconds
        total = power.sum(axis=1)
        found["regularity"] = np.divide(
            (power * near).sum(axis=1), total, out=np.full(len(x), np.nan), where=moves & (total > 0)
        )
    return found


def _spectrum(x: Signals, rate: float) -> tuple[Signals, Signals]:
    """Return the frequencies of the band (n,), and the power of each window there (n_windows, n)."""
    from scipy.fft import next_fast_len
    from scipy.signal import periodogram

    longer = next_fast_len(max(x.shape[1], round(rate / _STEP)), real=True)
    frequency, power = periodogram(x, rate, "hann", longer, detrend=False, axis=1)
    band = (frequency >= _BAND[0]) & (frequency <= _BAND[1])
    return frequency[band], power[:, band]
