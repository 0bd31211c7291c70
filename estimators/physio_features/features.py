"""From windows to a table of features, one column each; learnt where they have to be, and kept."""

from __future__ import annotations

import hashlib
import warnings
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.estimators.physio_features.channels import is_resistance, kind_of
from bench.estimators.physio_features.pulse import pulse
from bench.estimators.physio_features.respiration import respiration
from bench.estimators.physio_features.shape import line, moments
from bench.estimators.physio_features.skin_conductance import skin_conductance, smallest_response

if TYPE_CHECKING:
    from bench.estimators.physio_features.shape import Features, Signals

_WINDOWS = 1000  # that are float64 at a time
_KEPT, _FEWEST_KEPT = 4, 100  # tables, and the windows below which making one again costs nothing
_tables: OrderedDict[Any, tuple[tuple[str, ...], np.ndarray]] = OrderedDict()


class PhysioFeatures:
    """Features of windows, by what each channel measures (`channels.kind_of`).

    A channel of no known kind gives mean, deviation, slope and range: no channel is left out. So does, with a warning, one of
    which too few seconds or samples a second are there for the features of its kind. Which columns there are follows from
    the channels, the sampling rate and the length of the windows alone.

    Resistance is turned round, not converted: an estimator sees windows that may have been scaled, and without its zero a
    resistance has no inverse. A response of the skin then is a rise, as it is of conductance, and its size is one of resistance.

    Parameters
    ----------
    channels : sequence of str
        Names, in the order of the channels of the windows.
    sampling_rate : float
        Samples a second (Hz).

    Attributes
    ----------
    feature_names_ : list of str
        ``"<channel>: <feature>"``, a column each.
    smallest_ : tuple of float
        For each channel, what a response of the skin has to reach (`skin_conductance.smallest_response`); 0 for others.
    """

    def __init__(self, channels: Sequence[str], sampling_rate: float) -> None:
        self.channels = tuple(channels)
        self.sampling_rate = sampling_rate

    def fit(self, X: np.ndarray) -> PhysioFeatures:
        """Learn, from windows of training (n_windows, n_channels, n_timepoints), what a response is and what stands for NaN.

        Raises
        ------
        ValueError
            If there are not as many channels as names.
        """
        from sklearn.impute import SimpleImputer

        self._check(X, (len(self.channels), X.shape[-1]))
        self.n_timepoints_ = X.shape[2]
        self.smallest_ = tuple(
            smallest_response(_signals(X, k, channel), self.sampling_rate)
            if kind_of(channel) == "skin conductance"
            else 0.0
            for k, channel in enumerate(self.channels)
        )
        names, table = self._table(X)
        self.feature_names_ = list(names)
        for k, channel in enumerate(self.channels):
            others = {
                f"{channel}: {name}" for name in moments(_signals(X[:1], k, channel), self.sampling_rate)
            }
            if kind_of(channel) and others <= set(names):
                warnings.warn(
                    f"{channel}: windows of {self.n_timepoints_ / self.sampling_rate:g} s at {self.sampling_rate:g} Hz do not "
                    f"tell of {kind_of(channel)}: mean, deviation, slope and range take the place of its features",
                    stacklevel=2,
                )
        self._median = SimpleImputer(strategy="median", keep_empty_features=True).fit(table)
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return the features of windows: float64 of shape (n_windows, n_features), all finite.

        What a window does not have, as the heart rate of one without beats, is the median over the windows of training.

        Raises
        ------
        ValueError
            If the windows are of another shape than those of training.
        """
        self._check(X, (len(self.channels), self.n_timepoints_))
        return np.asarray(self._median.transform(self._table(X)[1]))

    def _check(self, X: np.ndarray, shape: tuple[int, int]) -> None:
        if X.ndim != 3 or X.shape[1:] != shape:
            raise ValueError(
                f"windows have shape {X.shape}, expected (n_windows, {shape[0]}, {shape[1]}) "
                f"for the channels {', '.join(self.channels) or '(no names are known)'}"
            )

    def _table(self, X: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
        """Return names and features, NaN where a window lacks one; those of the windows that were asked for last are kept."""
        if len(X) < _FEWEST_KEPT:
            return _made(X, self.channels, self.sampling_rate, self.smallest_)
        digest = hashlib.blake2b(np.ascontiguousarray(X).data, digest_size=16).hexdigest()
        key = (digest, X.shape, X.dtype.str, self.channels, self.sampling_rate, self.smallest_)
        if key not in _tables:
            _tables[key] = _made(X, self.channels, self.sampling_rate, self.smallest_)
        _tables.move_to_end(key)
        while len(_tables) > _KEPT:
            _tables.popitem(last=False)
        return _tables[key]


def _made(
    X: np.ndarray, channels: tuple[str, ...], rate: float, smallest: tuple[float, ...]
) -> tuple[tuple[str, ...], np.ndarray]:
    tables = []
    # In parts: the whole in float64, filtered, would take many times the memory that the windows do.
    for start in range(0, max(len(X), 1), _WINDOWS):
        part = X[start : start + _WINDOWS]
        columns = {
            f"{channel}: {name}": values
            for k, channel in enumerate(channels)
            for name, values in features_of(channel, _signals(part, k, channel), rate, smallest[k]).items()
        }
        tables.append(np.stack(list(columns.values()), axis=1))
    return tuple(columns), np.concatenate(tables)


def features_of(channel: str, x: Signals, rate: float, smallest: float) -> Features:
    """Return the features of one channel, by name; moments where it gives no others.

    Parameters
    ----------
    channel : str
    x : ndarray of shape (n_windows, n_timepoints), float64
    rate : float
        Samples a second.
    smallest : float
        As for `skin_conductance`.
    """
    kind = kind_of(channel)
    found: Features = {}
    if kind == "skin conductance":
        found = skin_conductance(x, rate, smallest)
    elif kind == "pulse":
        found = pulse(x, rate)
    elif kind == "respiration":
        found = respiration(x, rate)
    elif kind == "temperature":
        level, slope, trend = line(x, rate)
        found = {"level": level, "slope": slope, "deviation": (x - trend).std(axis=1)}
    return found or moments(x, rate)


def _signals(X: np.ndarray, k: int, channel: str) -> Signals:
    """Return one channel as float64; what is a resistance of the skin turned round."""
    x = X[:, k].astype(np.float64)
    return -x if kind_of(channel) == "skin conductance" and is_resistance(channel) else x
