"""What the features of all kinds of channels are made with: filters, and lines through windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Signals = NDArray[np.float64]  # of shape (n_windows, n_timepoints)
    Features = dict[str, NDArray[np.float64]]  # of shape (n_windows,) each


def filtered(x: Signals, rate: float, band: float | tuple[float, float], kind: str, order: int) -> Signals:
    """Apply a Butterworth filter forwards and backwards, which delays nothing.

    Parameters
    ----------
    x : ndarray of shape (n_windows, n_timepoints), float64
    rate : float
        Samples a second.
    band : float or (float, float)
        Hz. Either end of a window is prolonged by a period of the lowest of it, mirrored in its first or last sample:
        less, and what the filter makes of the ends would reach into the window.
    kind : str
        ``"lowpass"`` or ``"bandpass"``.
    order : int

    Returns
    -------
    ndarray of shape (n_windows, n_timepoints), float64
    """
    from scipy.signal import butter, sosfiltfilt

    sections = butter(order, band, kind, fs=rate, output="sos")
    longest = round(rate / (band if isinstance(band, int | float) else band[0]))
    return np.asarray(sosfiltfilt(sections, x, axis=1, padlen=min(longest, x.shape[1] - 1)))


def line(x: Signals, rate: float) -> tuple[NDArray[np.float64], NDArray[np.float64], Signals]:
    """Fit a straight line to each window by least squares.

    Returns
    -------
    level, slope : ndarray of shape (n_windows,)
        The mean, and the slope in units of `x` a second (0 for a single time point).
    line : ndarray of shape (n_windows, n_timepoints)
    """
    time = (np.arange(x.shape[1]) - (x.shape[1] - 1) / 2) / rate
    level, slope = x.mean(axis=1), x @ time / max(time @ time, np.finfo(float).tiny)
    return level, slope, level[:, None] + slope[:, None] * time


def moments(x: Signals, rate: float) -> Features:
    """Return mean, standard deviation, slope (a second) and range of each window."""
    level, slope, _ = line(x, rate)
    return {"mean": level, "deviation": x.std(axis=1), "slope": slope, "range": np.ptp(x, axis=1)}
