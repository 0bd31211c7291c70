"""Where windows come from, as far as a scaler asks: whose they are, and what was recorded before them.

None of it is a rating, and none depends on which windows a split trains on: it is known of a person who is
tested as well as of one who is trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

import numpy as np

from bench.data.windows import Panel
from bench.errors import SuiteError
from bench.recordings import Recordings


class Origins(Protocol):
    """Of n windows: what a scaler that was fitted may ask."""

    @property
    def subjects(self) -> np.ndarray:
        """Subject of each window, shape (n,)."""

    @property
    def levels(self) -> np.ndarray:
        """Of each window the mean of each channel before its stimulus: float32 of shape (n, n_channels)."""


class PanelOrigins:
    """Origins of windows of a panel. What is asked for is read from the recordings when it is.

    Parameters
    ----------
    panel : Panel
    rows : ndarray of int
        Rows of the panel's windows.
    """

    def __init__(self, panel: Panel, rows: np.ndarray) -> None:
        self._panel, self._rows = panel, rows

    @property
    def subjects(self) -> np.ndarray:
        """Subject of each window, shape (n,)."""
        return np.asarray(self._panel.windows["subject"].to_numpy()[self._rows])

    @cached_property
    def levels(self) -> np.ndarray:
        """Of each window the mean of each channel before its stimulus: float32 of shape (n, n_channels).

        Raises
        ------
        SuiteError
            As `samples_before`.
        """
        trials, trial = np.unique(self._panel.windows["row"].to_numpy()[self._rows], return_inverse=True)
        return levels_before(self._panel.recordings, trials, self._panel.picked)[trial]

    def first_moments(self, seconds: float) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """Return mean and deviation of each channel over the first seconds recorded of each subject.

        Returns
        -------
        dict of int to (mean, deviation)
            Of every subject with windows in the panel, on either side of whatever split: float64 of shape
            (n_channels,).

        Raises
        ------
        SuiteError
            As `first_samples`.
        """
        signals, picked = self._panel.recordings.signals, list(self._panel.picked)
        moments = {}
        for subject, parts in first_samples(self._panel, seconds).items():
            first = [signals[row][picked, :n].astype(np.float64) for row, n in parts]
            samples = np.concatenate(first, axis=1)
            moments[subject] = samples.mean(axis=1), samples.std(axis=1)
        return moments


def samples_before(recordings: Recordings) -> int:
    """Return how many samples of each trial are before its stimulus.

    Raises
    ------
    SuiteError
        If there are none.
    """
    n_before = round(recordings.baseline_seconds * recordings.sampling_rate)
    if n_before < 1:
        raise SuiteError(
            f'scaling = "baseline": {recordings.name} has no samples before its stimuli '
            f"(baseline_seconds is {recordings.baseline_seconds:g})"
        )
    return n_before


def levels_before(recordings: Recordings, rows: np.ndarray, picked: Sequence[int]) -> np.ndarray:
    """Return the mean of each picked channel before the stimulus of the trials at `rows`.

    Returns
    -------
    ndarray of shape (n_trials, n_channels), float32

    Raises
    ------
    SuiteError
        As `samples_before`.
    """
    n_before, channels = samples_before(recordings), list(picked)
    levels = np.empty((len(rows), len(channels)), dtype=np.float32)
    for level, row in zip(levels, rows.tolist(), strict=True):
        level[:] = recordings.signals[row][channels, :n_before].mean(axis=1, dtype=np.float64)
    return levels


def first_samples(panel: Panel, seconds: float) -> dict[int, list[tuple[int, int]]]:
    """Return, by subject, what the first seconds recorded of it are made of.

    The trials count in the order of the session, ``order`` where the data set knows it and else ``trial``, each
    from its first sample, what is before the stimulus included. Trials that have no class are among them: whether
    a trial has one is said by its rating. Where trials overlap in time, the seconds of each count.

    Returns
    -------
    dict of int to list of (int, int)
        Rows of the recordings, and how many samples from the start of each.

    Raises
    ------
    SuiteError
        If the data set has no clock, does not say who is who, or has fewer seconds of somebody.
    """
    recordings = panel.recordings
    where, rate = f'scaling = "first-seconds[{seconds:g}]": {recordings.name}', recordings.sampling_rate
    if rate == 1 and recordings.recorded_rate is None:
        raise SuiteError(f"{where} has no clock, so there are no seconds to count")
    subjects = np.unique(panel.windows["subject"]).tolist()
    if 0 in subjects:
        raise SuiteError(f"{where} does not say who is who")
    wanted = round(seconds * rate)
    if wanted < 1:
        raise SuiteError(f"{where} has no sample in {seconds:g} s at {rate:g} Hz")
    trials = recordings.trials.reset_index(drop=True)
    session = trials.sort_values([*(["order"] if "order" in trials else []), "trial"])["subject"]
    found: dict[int, list[tuple[int, int]]] = {}
    for subject in subjects:
        parts, held = [], 0
        for row in session.index[session == subject].tolist():
            n = min(recordings.signals[row].shape[1], wanted - held)
            if n:
                parts.append((row, n))
                held += n
        if held < wanted:
            raise SuiteError(f"{where} has {held / rate:g} s of subject {subject} in all")
        found[subject] = parts
    return found
