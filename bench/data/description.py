"""What recordings hold, before anything is cut or learned: people, seconds, channels, classes and ratings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.recordings import KNOWN, Recordings

if TYPE_CHECKING:
    import pandas as pd

_CLASSES = 2  # different numbers up to which they are labels and not ratings


@dataclass(frozen=True)
class Flat:
    """The longest stretch of a channel without any change: how long (s), and in which trial."""

    seconds: float
    subject: int
    trial: int


@dataclass(frozen=True)
class Channel:
    """One channel over all trials.

    Attributes
    ----------
    name : str
        With its unit.
    rate : float
        Samples a second (Hz) as recorded, as far as the data set says so.
    missing : float or None
        Share of the time without a sample, which has been interpolated; None where the data set does not say.
    low, typical, high : float
        Lowest value, median of the trials' medians, and highest value, in the channel's unit.
    flat : Flat
    """

    name: str
    rate: float
    missing: float | None
    low: float
    typical: float
    high: float
    flat: Flat


@dataclass(frozen=True, eq=False)
class Description:
    """People, trials, channels and what there is to predict.

    Attributes
    ----------
    seconds : ndarray of shape (n_trials,), float64
        Length of each trial (s).
    channels : list of Channel
    labels : dict of str to DataFrame
        By column: number of trials, a row a person and a column a class.
    ratings : DataFrame
        A row a column of ratings: ``lowest``, ``25 %``, ``median``, ``75 %``, ``highest``.
    """

    n_people: int
    n_trials: int
    seconds: np.ndarray
    channels: list[Channel]
    labels: dict[str, pd.DataFrame]
    ratings: pd.DataFrame


def describe(recordings: Recordings, recorded: Mapping[str, Mapping[str, Any]] | None = None) -> Description:
    """Look at all samples once.

    Parameters
    ----------
    recordings : Recordings
    recorded : mapping, optional
        Of each channel, what the data set has noted: ``rate`` (Hz) and the share ``missing``.
    """
    import pandas as pd

    trials = recordings.trials
    targets = [column for column in trials if column not in ("subject", "trial", "stimulus", *KNOWN)]
    is_label = {
        column: trials[column].nunique() <= _CLASSES or not pd.api.types.is_numeric_dtype(trials[column])
        for column in targets
    }
    quantiles = {"lowest": 0.0, "25 %": 0.25, "median": 0.5, "75 %": 0.75, "highest": 1.0}
    ratings = {
        column: [float(trials[column].quantile(share)) for share in quantiles.values()]
        for column in targets
        if not is_label[column]
    }
    return Description(
        n_people=trials["subject"].nunique(),
        n_trials=len(trials),
        seconds=np.array([signal.shape[1] for signal in recordings.signals]) / recordings.sampling_rate,
        channels=_channels(recordings, recorded or {}),
        labels={
            str(column): pd.crosstab(trials["subject"], trials[column].astype(str))
            for column in targets
            if is_label[column]
        },
        ratings=pd.DataFrame.from_dict(ratings, orient="index", columns=list(quantiles)),
    )


def _channels(recordings: Recordings, recorded: Mapping[str, Mapping[str, Any]]) -> list[Channel]:
    signals, rate = recordings.signals, recordings.sampling_rate
    lows = np.min([signal.min(axis=1) for signal in signals], axis=0)
    highs = np.max([signal.max(axis=1) for signal in signals], axis=0)
    typical = np.median([np.median(signal, axis=1) for signal in signals], axis=0)
    channels = []
    for number, name in enumerate(recordings.channels):
        flat = [_longest_run(signal[number]) for signal in signals]
        where = int(np.argmax(flat))
        of_trial = recordings.trials.iloc[where]
        about = recorded.get(name, {})
        channels.append(
            Channel(
                name=name,
                rate=float(about.get("rate", recordings.recorded_rate or rate)),
                missing=about.get("missing"),
                low=float(lows[number]),
                typical=float(typical[number]),
                high=float(highs[number]),
                flat=Flat(flat[where] / rate, int(of_trial["subject"]), int(of_trial["trial"])),
            )
        )
    return channels


def _longest_run(values: np.ndarray) -> int:
    """Return the samples of the longest stretch that keeps one value; 0 where each differs from the one before."""
    changes = np.flatnonzero(np.diff(values, prepend=np.nan, append=np.nan) != 0)
    longest = int(np.diff(changes).max())
    return longest if longest > 1 else 0
