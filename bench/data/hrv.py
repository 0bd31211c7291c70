"""Heart rate variability (HRV) as one more channel, derived from the pulse channel of the recordings."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import DataError, PluginError
from bench.recordings import Recordings

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HRV", "add_hrv"]

HRV = "HRV (ms)"

_PULSE = re.compile(r"PPG|BVP|(photo)?plethysmo", re.IGNORECASE)
_BAND = (0.75, 3.0)  # Hz: the published one; hearts of 45 to 180 beats a minute
# Seconds. The detector averages over 0.67 s; the filter mirrors some samples at either end. Both fail on less.
_SHORTEST = 1.5


def add_hrv(recordings: Recordings, say: Callable[[str], None] | None = None) -> Recordings:
    """Add the channel ``HRV (ms)``: how much each beat interval differs from the one before it.

    The published definition is: HRV derived from PPG, band-pass 0.75-3 Hz, beats detected, the absolute
    difference of successive beat intervals held between beats. Here NeuroKit2 [1]_ filters (Butterworth,
    second order, forwards and backwards) and finds the beats by the method of Elgendi et al. [2]_.

    A difference is known at the beat that ends its second interval, and is held from there to the next
    beat. Before the first difference and after the last one the nearest is held, where the published
    definition has NaN, which no classifier takes. A trial with fewer than three beats, or shorter than
    1.5 s, has no difference; its whole channel is 0, which is also what a perfectly even pulse gives.

    Every trial is treated as a whole, with its baseline, and by itself: nothing of another trial reaches
    it. Within a trial, filter and thresholds do see what comes later.

    Parameters
    ----------
    recordings : Recordings
        With a channel whose name starts with PPG, BVP or plethysmograph, in either case; of several, the
        first is used.
    say : callable, optional
        Told in a line what takes time: about 3 ms for a trial of a minute at 128 Hz.

    Returns
    -------
    Recordings
        The given ones with one more channel, the last: `signals` of shape (n_trials, n_channels + 1,
        n_samples), or a list of arrays of shape (n_channels + 1, n_samples_of_the_trial), as given;
        float32, copied. The new channel is in ms, not negative, in steps of 1000 / sampling_rate.

    Raises
    ------
    DataError
        If there is no pulse channel, the new channel is there already, or the sampling rate is too low.
    PluginError
        If NeuroKit2 is not installed.

    Notes
    -----
    Beats that are missed or found twice are not corrected. Each makes differences of hundreds of ms, so
    that on noisy pulse waves, such as those of a wrist that moves, the channel says more about the noise
    than about the heart.

    References
    ----------
    .. [1] D. Makowski, T. Pham, Z. J. Lau, J. C. Brammer, F. Lespinasse, H. Pham, C. Schölzel and
       S. H. A. Chen (2021), NeuroKit2: A Python toolbox for neurophysiological signal processing,
       Behavior Research Methods 53:1689-1696, doi 10.3758/s13428-020-01516-y.
    .. [2] M. Elgendi, I. Norton, M. Brearley, D. Abbott and D. Schuurmans (2013), Systolic peak detection
       in acceleration photoplethysmograms measured from emergency responders in tropical conditions,
       PLoS ONE 8(10):e76585, doi 10.1371/journal.pone.0076585.
    """
    pulse = _pulse_channel(recordings)
    rate = float(recordings.sampling_rate)
    if rate <= 2 * _BAND[1]:
        raise DataError(
            f"{recordings.name}: the HRV channel needs more than {2 * _BAND[1]:g} samples a second, not {rate:g}"
        )
    try:
        # Takes seconds to import, and most runs have no such channel.
        import neurokit2
    except ModuleNotFoundError as error:
        raise PluginError(
            f"the HRV channel needs {error.name}, not installed here: pip install 'mlstm-bench[hrv]'"
        ) from error

    given = recordings.signals
    if say is not None:
        say(f"finding the beats of {recordings.name} in {recordings.channels[pulse]} ({len(given)} trials)")
    signals: np.ndarray | Sequence[np.ndarray]
    if isinstance(given, np.ndarray):
        signals = np.empty((given.shape[0], given.shape[1] + 1, given.shape[2]), np.float32)
    else:
        signals = [np.empty((len(signal) + 1, signal.shape[1]), np.float32) for signal in given]
    for new, signal in zip(signals, given, strict=True):
        new[:-1] = signal
        beats = _find_beats(neurokit2, signal[pulse].astype(np.float64), rate)
        new[-1] = _hold_differences(beats, signal.shape[1], rate)
    return replace(recordings, signals=signals, channels=(*recordings.channels, HRV))


def _pulse_channel(recordings: Recordings) -> int:
    channels = ", ".join(recordings.channels)
    if HRV in recordings.channels:
        raise DataError(f"{recordings.name}: there is a channel {HRV} already, among {channels}")
    for number, channel in enumerate(recordings.channels):
        if _PULSE.match(channel):
            return number
    raise DataError(
        f"{recordings.name}: the HRV channel needs a pulse channel, whose name starts with PPG, BVP or "
        f"plethysmograph; the channels are: {channels}"
    )


def _find_beats(neurokit2: Any, pulse: NDArray[np.float64], rate: float) -> NDArray[np.int64]:
    """Return the sample numbers of the systolic peaks of one trial, ascending; shape (n_beats,)."""
    none = np.empty(0, np.int64)
    # What a filter leaves of a constant is rounding error, and the detector finds beats in that.
    if len(pulse) < _SHORTEST * rate or np.ptp(pulse) == 0:
        return none
    clean = neurokit2.signal_filter(pulse, sampling_rate=rate, lowcut=_BAND[0], highcut=_BAND[1], order=2)
    try:
        found = neurokit2.ppg_findpeaks(clean, sampling_rate=rate, method="elgendi")
    except IndexError:  # it takes for granted that there is a first wave
        return none
    return np.asarray(found["PPG_Peaks"], np.int64)


def _hold_differences(beats: NDArray[np.int64], n_samples: int, rate: float) -> NDArray[np.float64]:
    """Return the absolute differences of successive intervals (ms) as steps, shape (n_samples,)."""
    if len(beats) < 3:
        return np.zeros(n_samples)
    differences = np.abs(np.diff(beats, n=2)) * 1000 / rate
    changes = np.concatenate([[0], beats[3:], [n_samples]])
    return np.repeat(differences, np.diff(changes))
