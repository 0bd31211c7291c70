"""Features of skin conductance: the tonic level, and the phasic responses that stand on it.

References
----------
W. Boucsein, Electrodermal Activity, 2nd ed., Springer, 2012: level, responses from trough to peak.
D. Makowski et al., "NeuroKit2: A Python toolbox for neurophysiological signal processing", Behavior Research Methods 53,
2021: the filters, those of ``eda_clean`` and of ``eda_phasic(method="highpass")``, and the smallest response as a share of
larger ones (``eda_peaks``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.estimators.physio_features.shape import filtered, line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.estimators.physio_features.shape import Features, Signals

_NOISE = 3.0  # Hz; no response is so quick
_FEWEST_SAMPLES = 8.0  # a second, for that filter
_TONIC = 0.05  # Hz
_SECONDS = 3.0  # of a window: a response rises for one to three (Boucsein 2012)
_SHARE = 0.1  # of a large response that one has to reach
_LARGE = 0.95  # quantile


def skin_conductance(x: Signals, rate: float, smallest: float) -> Features:
    """Tonic level and slope, phasic power, and responses.

    The tonic part is what a low-pass filter at 0.05 Hz leaves (Butterworth, second order). A window shorter than a period of
    that, 20 s, has a straight line in its place. Responses are rises from trough to peak, of windows of 3 s and longer.

    Parameters
    ----------
    x : ndarray of shape (n_windows, n_timepoints), float64
        Conductance, in any unit; or resistance times -1.
    rate : float
        Samples a second.
    smallest : float
        What a response has to reach, see `smallest_response`.

    Returns
    -------
    dict of str to ndarray of shape (n_windows,)
        ``tonic level``; ``tonic slope`` (a second); ``phasic power`` (mean square of what is not tonic); and where windows
        are long enough ``responses`` (number), ``response amplitude`` (mean; 0 without one) and ``responses total``.
    """
    x = _smooth(x, rate)
    level, slope, tonic = line(x, rate)
    if x.shape[1] / rate >= 1 / _TONIC:
        tonic = filtered(x, rate, _TONIC, "lowpass", 2)
        level, slope, _ = line(tonic, rate)
    found = {
        "tonic level": level,
        "tonic slope": slope,
        "phasic power": np.square(x - tonic).mean(axis=1),
    }
    if x.shape[1] / rate >= _SECONDS:
        rises = [_rises(window, smallest) for window in x]
        number = np.array([len(own) for own in rises], float)
        total = np.array([own.sum() for own in rises])
        found |= {
            "responses": number,
            "response amplitude": total / np.maximum(number, 1),
            "responses total": total,
        }
    return found


def smallest_response(x: Signals, rate: float) -> float:
    """Return what a rise has to reach to count: a tenth of a large one, as it is in these windows.

    The usual 0.01 to 0.05 uS cannot be asked for where windows have been scaled. A large rise is the 95 % quantile, over
    the windows, of the largest rise in each: a window is not judged by itself, or noise would respond in every quiet one.

    Parameters
    ----------
    x : ndarray of shape (n_windows, n_timepoints), float64
        As for `skin_conductance`: windows of training.
    rate : float

    Returns
    -------
    float
    """
    x = _smooth(x, rate)
    largest = (x - np.minimum.accumulate(x, axis=1)).max(axis=1)
    return float(_SHARE * np.quantile(largest, _LARGE))


def _smooth(x: Signals, rate: float) -> Signals:
    return filtered(x, rate, _NOISE, "lowpass", 4) if rate >= _FEWEST_SAMPLES else x


def _rises(x: NDArray[np.float64], smallest: float) -> NDArray[np.float64]:
    """Return the height of each peak of one window above the lowest point since the peak before it.

    A peak counts if it stands out by `smallest` from what lies before it, and from the dip before a higher one. What
    follows it need not have come down within the window, but a rise that goes on at the end has no peak yet.
    """
    from scipy.signal import find_peaks

    peaks, _ = find_peaks(np.append(x, x.min() - 2 * np.ptp(x) - 1), prominence=max(smallest, 1e-12))
    peaks = peaks[peaks < len(x) - 1]
    if not len(peaks):
        return np.zeros(0)
    return np.asarray(x[peaks] - np.minimum.reduceat(x, np.append(0, peaks[:-1]))[: len(peaks)])
