"""Live use of a kept model: samples come one after the other, and every full window is classified."""

from __future__ import annotations

import gc
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import BenchError, DataError, nearest
from bench.hrv import HRV, add_hrv
from bench.loading import find_sources, load_recordings
from bench.registry import get
from bench.samples import Windower, at_lower_rate, lines_of, read_samples, replayed, windows_of
from bench.sampling_rate import RateReducer
from bench.saved import About, load_estimator, read_about
from bench.scaling import FittedSubjectZScore
from bench.spec import Spec
from bench.terminal import WindowLines

_WARM_UP = 5  # the first prediction compiles, and the ones after it still allocate


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
    """

    subject: int
    trial: int
    whole: np.ndarray
    skipped: float
    n_skipped: int
    true: str

    @property
    def signal(self) -> np.ndarray:
        """What is replayed: (n_channels, n_samples)."""
        return self.whole[:, self.n_skipped :]


class Classifier:
    """A kept model as a function of one window, in the units of the recordings.

    Parameters
    ----------
    about : About
    estimator : object
        As loaded.
    subject : int or None
        Whose scaling to use, where each subject has its own.

    Raises
    ------
    DataError
        If the scaling is by subject, and knows no such subject.
    """

    def __init__(self, about: About, estimator: Any, subject: int | None = None) -> None:
        self._estimator = estimator
        self._scaler = about.scaling.scaler()
        self._subject = np.array([subject_to_scale_by(about, subject)])
        self._fill = not get("estimator", about.plugin).about["unequal_length"]
        self._name = about.plugin

    def __call__(self, window: np.ndarray) -> tuple[str, float | None]:
        """Return class and probability (None if the estimator gives none) of (n_channels, n_timepoints)."""
        X = self._scaler.transform(window[None].astype(np.float32), self._subject)
        if self._fill:
            np.copyto(X, 0, where=np.isnan(X))
        try:
            if not hasattr(self._estimator, "predict_proba"):
                return str(self._estimator.predict(X)[0]), None
            (probabilities,) = self._estimator.predict_proba(X)
        except Exception as error:  # an estimator may raise anything
            raise DataError(f"{self._name} cannot classify a window of {window.shape}: {error}") from error
        best = int(np.argmax(probabilities))
        return str(self._estimator.classes_[best]), float(probabilities[best])


def stream(
    model: Path,
    *,
    recording: str | None = None,
    data_root: Path | None = None,
    real_time: bool = False,
    hop: float | None = None,
    subject: int | None = None,
    form: str | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> None:
    """Classify a stream of samples window after window, a line each, and sum up; see ``--help``.

    Parameters
    ----------
    model : Path
        As for `bench.saved.read_about`.
    recording : str, optional
        ``SUBJECT/TRIAL`` of the model's data set, to be replayed; by default standard input is read.
    data_root : Path, optional
        The data set's folder.
    real_time : bool, default False
        Replay at the recording's speed.
    hop : float, optional
        Seconds from one window's start to the next; by default the model's.
    subject : int, optional
        Whose scaling to use; by default that of the subject replayed.
    form : {"text", "csv", "jsonl"}, optional
        By default text on a terminal, else csv.
    say : callable
        Told in a line what the user should know.

    Raises
    ------
    BenchError
        If the model, an option, the recording or a line of the input is at fault, or the input ends
        before the first window.
    """
    ids = _parse_ids(recording)
    if ids is None and (real_time or data_root is not None):
        raise BenchError(f"{'--real-time' if real_time else '--data-root'} belongs to --replay SUBJECT/TRIAL")
    about, file = read_about(model)
    rate, recorded_rate = about.sampling_rate, about.recorded_rate
    reducer = None if recorded_rate is None else RateReducer(len(about.channels), rate, recorded_rate)
    hop_samples = about.hop_samples
    if hop is not None:
        if not np.isfinite(hop) or round(hop * rate) < 1:
            raise BenchError(f"--hop {hop:g}: has to be at least a sample, {1 / rate:g} s")
        hop_samples = round(hop * rate)
    if subject is not None and not isinstance(about.scaling, FittedSubjectZScore):
        say(f"--subject {subject} changes nothing: the model's scaling, {about.scaling.name}, is one for all")
    lines = WindowLines(form, about, hop_samples, replaying=ids is not None)
    trial = None if ids is None else load_trial(about, *ids, data_root, say)
    owner = subject if subject is not None or trial is None else trial.subject
    subject_to_scale_by(about, owner)  # before what takes seconds

    classify = Classifier(about, load_estimator(about, file), owner)
    blank = np.zeros((len(about.channels), about.window_samples), dtype=np.float32)
    for _ in range(_WARM_UP):
        classify(blank)
    # With TensorFlow loaded, looking through all objects for garbage takes some 0.4 s: not in the middle.
    gc.collect()
    gc.freeze()
    lines.head(0.0 if reducer is None else reducer.delay)
    if trial is not None:
        say(_about_training(about, trial))
        # A filter at the start of the first window saw the baseline in the benchmark, too.
        past = 0 if reducer is None else trial.n_skipped
        signal = trial.signal if reducer is None else trial.whole
        samples = replayed(signal, recorded_rate or rate, real_time=real_time, past=past)
    else:
        if sys.stdin.isatty():
            say(f"reading from the terminal, a sample a line: {', '.join(about.channels)}")
        samples, past = read_samples(lines_of(sys.stdin.buffer), about.channels), 0
    if reducer is not None:
        samples = at_lower_rate(samples, reducer, skipped=round(trial.skipped * rate) if trial else 0)
    lines.columns()
    windower = Windower(len(about.channels), about.window_samples, hop_samples)
    try:
        for arrived, window in windows_of(samples, windower, fill_up=about.whole):
            label, probability = classify(window)
            latency = 1000 * (time.perf_counter() - arrived)
            end = windower.seen / rate
            lines.window(end, label, probability, latency, trial.true if trial else "")
    except KeyboardInterrupt:
        lines.summary()  # the usual end of a live stream
        return
    except BenchError:
        if lines.latencies:
            lines.summary()
        raise
    finally:
        gc.unfreeze()
    if not lines.latencies:
        n_samples = windower.seen if reducer is None else reducer.taken - past
        seconds = about.window_samples / rate
        raise DataError(
            f"the input ended after {n_samples} samples; a window takes "
            f"{round(seconds * (recorded_rate or rate))} ({seconds:g} s)"
        )
    lines.summary()


def subject_to_scale_by(about: About, subject: int | None) -> int:
    """Return whose scaling to use: 0 where there is one for all.

    Raises
    ------
    DataError
        If the scaling is by subject and there is none of this one, or no subject is given.
    """
    if not isinstance(about.scaling, FittedSubjectZScore):
        return 0
    known = sorted(about.scaling.mean)
    if subject is None and len(known) == 1:
        return known[0]
    if subject not in about.scaling.mean:
        who = "whose signals these are" if subject is None else f"subject {subject}"
        raise DataError(
            f"the model scales the signals of each person by that person's own (subject-z-score), and does not "
            f"know {who}: give --subject, one of {', '.join(map(str, known))}; a model for others is trained "
            'with scaling = "min-max" in its suite'
        )
    return subject


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
    return Trial(subject, trial, one.signals[0][picked], skipped, n_skipped, str(labels[row]))


def _about_training(about: About, trial: Trial) -> str:
    where = f"subject {trial.subject}, trial {trial.trial}"
    if trial.skipped:
        where += f" (after its baseline of {trial.skipped:g} s)"
    if trial.trial in about.trained_on.get(trial.subject, []):
        return f"{where}: this trial was in training: what follows is no test"
    return f"{where}: this trial was not in training"


def _parse_ids(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d+)/(\d+)", text.strip())
    if match is None:
        raise BenchError(f"--replay {text!r}: not of the form SUBJECT/TRIAL, such as 3/12")
    return int(match[1]), int(match[2])
