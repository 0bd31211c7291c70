"""A recorded trial of the model's data set, to be replayed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench.cells.saved import About
from bench.data.hrv import HRV, add_hrv
from bench.data.loading import find_sources, load_recordings
from bench.data.origins import levels_before
from bench.data.sampling_rate import at_rate
from bench.data.scalers.unlabelled import FittedBaseline
from bench.errors import BenchError, DataError, nearest
from bench.spec import Spec


@dataclass(frozen=True)
class Trial:
    """A recording to be replayed.

    Attributes
    ----------
    subject, trial : int
    whole : ndarray of shape (n_channels, n_samples)
        At the rate at which it was recorded, with its baseline.
    skipped : float
        Seconds of the baseline that the replay leaves out.
    n_skipped : int
        Samples of it.
    true : str
        The class.
    level : ndarray of shape (n_channels,), or None
        Mean of each channel before the stimulus, at the rate of the model's windows, where its scaling takes it.
    """

    subject: int
    trial: int
    whole: np.ndarray
    skipped: float
    n_skipped: int
    true: str
    level: np.ndarray | None

    @property
    def signal(self) -> np.ndarray:
        """What is replayed: (n_channels, n_samples)."""
        return self.whole[:, self.n_skipped :]


def load_trial(
    about: About, subject: int, trial: int, data_root: Path | None, say: Callable[[str], None]
) -> Trial:
    """Load one recording of the model's data set, with the model's channels in their order.

    It is replayed from where the model's windows began: after the baseline, unless they were cut from it too.

    Raises
    ------
    DataError
        If there is no such recording, or the data are of another data set.
    """
    data = about.data
    (source, *_), _ = find_sources(Spec(data.plugin, data.parameters), data_root)
    if source.plugin.name != data.plugin:
        raise DataError(
            f"the model was trained on '{data.name}', whose recordings are needed: --data-root DIR"
        )
    # Subject 0 stands for not known: such a data set cannot choose.
    recordings = load_recordings(source, [subject] if subject else None, say)
    of_model = (data.name, data.simulated, about.recorded_rate or about.sampling_rate)
    if (recordings.name, recordings.simulated, recordings.sampling_rate) != of_model:
        raise DataError(f"these are recordings of {recordings.name}; the model was trained on {data.name}")
    own = recordings.trials["subject"] == subject
    rows = np.flatnonzero(own & (recordings.trials["trial"] == trial))
    if not len(rows):
        there = ", ".join(map(str, recordings.trials["trial"][own])) or "none"
        raise DataError(f"{data.name}: subject {subject} has no trial {trial}; known: {there}")
    labels, _ = about.target.classify(recordings.trials)
    row = int(rows[0])
    one = replace(
        recordings,
        signals=[recordings.signals[row]],
        trials=recordings.trials.iloc[rows].reset_index(drop=True),
    )
    if HRV in about.channels and HRV not in one.channels:
        one = add_hrv(one, say)
    missing = [channel for channel in about.channels if channel not in one.channels]
    if missing:
        raise DataError(f"{data.name}: no channel '{missing[0]}'{nearest(missing[0], one.channels)}")
    picked = [list(one.channels).index(channel) for channel in about.channels]
    skipped = 0.0 if about.baseline else one.baseline_seconds
    n_skipped = round(skipped * one.sampling_rate)
    level = None
    if isinstance(about.scaling, FittedBaseline):
        (level,) = levels_before(at_rate(one, about.sampling_rate), np.zeros(1, np.int64), picked)
    return Trial(subject, trial, one.signals[0][picked], skipped, n_skipped, str(labels[row]), level)


def about_training(about: About, trial: Trial) -> str:
    """Say which trial it is, and whether the model was trained on it."""
    where = f"subject {trial.subject}, trial {trial.trial}"
    if trial.skipped:
        where += f" (after its baseline of {trial.skipped:g} s)"
    if trial.trial in about.trained_on.get(trial.subject, []):
        return f"{where}: this trial was in training: what follows is no test"
    return f"{where}: this trial was not in training"


def parse_ids(text: str | None) -> tuple[int, int] | None:
    """Return subject and trial of ``SUBJECT/TRIAL``; BenchError if the text is of another form."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d+)/(\d+)", text.strip())
    if match is None:
        raise BenchError(f"--replay {text!r}: not of the form SUBJECT/TRIAL, such as 3/12")
    return int(match[1]), int(match[2])
