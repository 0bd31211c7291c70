"""Features of a pulse wave: the rate of the heart, how it varies, and the height of the wave.

References
----------
M. Elgendi et al., "Systolic peak detection in acceleration photoplethysmograms measured from emergency responders in tropical
conditions", PLoS ONE 8(10), 2013: the beats.
Task Force of the European Society of Cardiology and the North American Society of Pacing and Electrophysiology, "Heart rate
variability: standards of measurement, physiological interpretation, and clinical use", Circulation 93, 1996: SDNN, RMSSD, pNN,
the bands, and how long a window has to be for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bench.estimators.physio_features.shape import filtered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.estimators.physio_features.shape import Features, Signals

    Numbers = NDArray[np.float64]

# Hz, second order: those of Elgendi et al. A band from 0.75 Hz takes the fundamental of a slow heart away, and finds the
# second wave of each beat as well.
_BAND = (0.5, 8.0)
_OF_RATE = 0.4  # the most that the upper edge may be of the samples a second
_FEWEST_SAMPLES = 10.0  # a second
_SECONDS = 3.0  # of a window: two intervals of a heart of 45 beats a minute
_SECONDS_OF_VARIABILITY = 5.0
# Seconds between beats: others are beats that were missed or found twice.
_SHORTEST, _LONGEST = 0.3, 1.5
_PEAK, _BEAT, _OFFSET = (
    0.111,
    0.667,
    0.02,
)  # Elgendi et al. 2013, table 2: seconds, seconds, share of the mean
_GRID = 4.0  # Hz, of the intervals as a series
# Hz, and the seconds that the Task Force asks for, some ten periods of the lower edge.
_POWERS = {"HF power (ms2)": (0.15, 0.4, 60.0), "LF power (ms2)": (0.04, 0.15, 120.0)}


class Beats(NamedTuple):
    """All beats of all windows, in order; arrays of shape (n_beats,).

    `window` is the number of each one's window, `time` in seconds from its start, between samples, and `height` of the filtered
    wave above 0.
    """

    window: NDArray[np.int64]
    time: Numbers
    height: Numbers


def pulse(x: Signals, rate: float) -> Features:
    """Heart rate, its variability, and the height of the pulse wave.

    Parameters
    ----------
    x : ndarray of shape (n_windows, n_timepoints), float64
        Blood volume, in any unit.
    rate : float
        Samples a second.

    Returns
    -------
    dict of str to ndarray of shape (n_windows,)
        Empty for windows shorter than 3 s or fewer than 10 samples a second. Otherwise ``heart rate (bpm)``, ``pulse
        amplitude`` and ``amplitude deviation`` (of beats, above the mean of the wave between 0.5 and 8 Hz). From 5 s
        on also ``heart rate deviation (bpm)``, ``SDNN (ms)``, ``RMSSD (ms)`` and ``pNN20`` (share); of so short windows they are
        rough. From 60 s on ``HF power (ms2)``, from 120 s on ``LF power (ms2)`` and ``LF/HF``. NaN where a window has too few beats
        for one of them.
    """
    n, seconds = len(x), x.shape[1] / rate
    if seconds < _SECONDS or rate < _FEWEST_SAMPLES:
        return {}
    beats = find_beats(x, rate)
    interval = np.diff(beats.time)
    real = (np.diff(beats.window) == 0) & (interval >= _SHORTEST) & (interval <= _LONGEST)
    own, ms = beats.window[1:][real], 1000 * interval[real]
    heights, deviation = _mean(beats.height, beats.window, n), _deviation(beats.height, beats.window, n)
    found = {
        "heart rate (bpm)": 60_000 / _mean(ms, own, n),
        "pulse amplitude": heights,
        "amplitude deviation": deviation,
    }
    if seconds >= _SECONDS_OF_VARIABILITY:
        both = real[1:] & real[:-1]  # the two intervals meet in a beat
        change, its_window = 1000 * np.diff(interval)[both], beats.window[2:][both]
        found |= {
            "heart rate deviation (bpm)": _deviation(60_000 / ms, own, n),
            "SDNN (ms)": _deviation(ms, own, n),
            "RMSSD (ms)": np.sqrt(_mean(change**2, its_window, n)),
            "pNN20": _mean((np.abs(change) > 20).astype(float), its_window, n),
        }
    bands = {name: (low, high) for name, (low, high, least) in _POWERS.items() if seconds >= least}
    if bands:
        ends = beats.time[1:][real]
        powers = np.array(
            [_powers(ends[own == k], ms[own == k], list(bands.values())) for k in range(n)]
        ).reshape(n, len(bands))
        found |= dict(zip(bands, powers.T, strict=True))
        if len(bands) == len(_POWERS):
            found["LF/HF"] = _ratio(powers[:, 1], powers[:, 0])
    return found


def find_beats(x: Signals, rate: float) -> Beats:
    """Find the systolic peaks: the highest point of each part where a short moving average exceeds a long one.

    The averages, over 111 and 667 ms, are of the squared positive half of the wave between 0.5 and 8 Hz. The place of a peak is
    that of the parabola through its three highest samples: at 16 Hz these are 62 ms apart.

    Parameters
    ----------
    x : ndarray of shape (n_windows, n_timepoints), float64
    rate : float
        At least 10 Hz.

    Returns
    -------
    Beats
    """
    from scipy.ndimage import label, maximum_position, uniform_filter1d

    wave = filtered(x, rate, (_BAND[0], min(_BAND[1], _OF_RATE * rate)), "bandpass", 2)
    # What a filter leaves of a constant is rounding error.
    wave[np.ptp(x, axis=1) == 0] = 0
    energy = np.square(np.maximum(wave, 0))
    short, long = (
        uniform_filter1d(energy, max(round(seconds * rate), 1), axis=1, mode="constant")
        for seconds in (_PEAK, _BEAT)
    )
    above = short > long + _OFFSET * energy.mean(axis=1, keepdims=True)
    parts, n_parts = label(above, structure=[[0, 0, 0], [1, 1, 1], [0, 0, 0]])
    place = np.array(maximum_position(wave, parts, np.arange(1, n_parts + 1)), np.int64).reshape(-1, 2)
    wide = np.bincount(parts.ravel(), minlength=n_parts + 1)[1:] >= round(_PEAK * rate)
    window, sample = place[wide & (place[:, 1] > 0) & (place[:, 1] < x.shape[1] - 1)].T
    before, at, after = (wave[window, sample + step] for step in (-1, 0, 1))
    peak = (at >= before) & (at > after)
    # Two within 300 ms are one beat: the first.
    again = np.zeros(len(window), bool)
    again[1:] = (np.diff(window) == 0) & (np.diff(sample) < _SHORTEST * rate)
    kept = peak & ~again
    window, sample, before, at, after = (values[kept] for values in (window, sample, before, at, after))
    shift = 0.5 * (before - after) / (before - 2 * at + after)
    return Beats(window, (sample + shift) / rate, at)


def _mean(values: Numbers, window: NDArray[np.int64], n: int) -> Numbers:
    """Return the mean of the values of each window; NaN without one."""
    return _ratio(np.bincount(window, values, n), np.bincount(window, minlength=n))


def _deviation(values: Numbers, window: NDArray[np.int64], n: int) -> Numbers:
    """Return the standard deviation (ddof 1) of the values of each window; NaN with fewer than two."""
    squares = np.bincount(window, (values - _mean(values, window, n)[window]) ** 2, n)
    return np.sqrt(_ratio(squares, np.bincount(window, minlength=n) - 1))


def _ratio(above: NDArray[Any], below: NDArray[Any]) -> Numbers:
    return np.asarray(np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0))


def _powers(time: Numbers, ms: Numbers, bands: list[tuple[float, float]]) -> list[float]:
    """Return the power of the intervals of one window in bands, ms squared; NaN with fewer than three."""
    from scipy.signal import periodogram

    if len(ms) < 3:
        return [np.nan] * len(bands)
    grid = np.arange(time[0], time[-1], 1 / _GRID)
    frequency, density = periodogram(np.interp(grid, time, ms), _GRID, "hann", detrend="linear")
    step = frequency[1] if len(frequency) > 1 else 0.0
    return [float(density[(frequency >= low) & (frequency < high)].sum() * step) for low, high in bands]
