"""Live use of a kept model: samples come one after the other, and every full window is classified."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from bench.cells.saved import About, load_estimator, read_about
from bench.data.sampling_rate import RateReducer
from bench.data.scalers.fitted import FittedBySubject
from bench.errors import BenchError, DataError
from bench.live.classifier import Classifier, origins_of
from bench.live.samples import Samples, Windower, at_lower_rate, lines_of, read_samples, replayed, windows_of
from bench.live.trial import Trial, about_training, load_trial, parse_ids


class Lines(Protocol):
    """What shows the windows of a stream as they are classified."""

    latencies: list[float]

    def head(self, delay: float = 0.0) -> None:
        """Show what the model is, and by how many seconds resampling delays its windows."""

    def columns(self) -> None:
        """Show what the lines that follow hold."""

    def window(
        self, seconds: float, label: str, probability: float | None, latency: float, true: str
    ) -> None:
        """Show one window: its end, class, probability, milliseconds, and true class."""

    def summary(self) -> None:
        """Show how many windows there were, and how long they took."""


_WARM_UP = 5  # the first prediction compiles, and the ones after it still allocate


def stream(
    model: Path,
    make_lines: Callable[[About, int, bool], Lines],
    *,
    recording: str | None = None,
    data_root: Path | None = None,
    real_time: bool = False,
    hop: float | None = None,
    subject: int | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> None:
    """Classify a stream of samples window after window, and show each; see ``stream --help``.

    Parameters
    ----------
    model : Path
        As for `bench.cells.saved.read_about`.
    make_lines : callable
        ``make_lines(about, hop_samples, replaying)`` makes what shows the windows; with the last, their true
        class is known.
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
    say : callable
        Told in a line what the user should know.

    Raises
    ------
    BenchError
        If the model, an option, the recording or a line of the input is at fault, or the input ends
        before the first window.
    """
    ids = parse_ids(recording)
    if ids is None and (real_time or data_root is not None):
        raise BenchError(f"{'--real-time' if real_time else '--data-root'} belongs to --replay SUBJECT/TRIAL")
    about, file = read_about(model)
    rate, recorded_rate = about.sampling_rate, about.recorded_rate
    reducer = None if recorded_rate is None else RateReducer(len(about.channels), rate, recorded_rate)
    hop_samples = about.hop_samples if hop is None else _hop_samples(hop, rate)
    if subject is not None and not isinstance(about.scaling, FittedBySubject):
        say(
            f"--subject {subject} changes nothing: the model's scaling is {about.scaling.name}, by no subject"
        )
    lines = make_lines(about, hop_samples, ids is not None)
    trial = None if ids is None else load_trial(about, *ids, data_root, say)
    owner = subject if subject is not None or trial is None else trial.subject
    level = None if trial is None else trial.level
    origins_of(about, owner, level)  # before what takes seconds

    classify = Classifier(about, load_estimator(about, file), owner, level)
    _warm_up(classify, (len(about.channels), about.window_samples))
    # With TensorFlow loaded, looking through all objects for garbage takes some 0.4 s: not in the middle.
    gc.collect()
    gc.freeze()
    lines.head(0.0 if reducer is None else reducer.delay)
    if trial is not None:
        samples, past = _replay(about, trial, reducer, real_time, say)
    else:
        samples, past = _read_standard_input(about, reducer, say), 0
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


def _hop_samples(hop: float, rate: float) -> int:
    if not np.isfinite(hop) or round(hop * rate) < 1:
        raise BenchError(f"--hop {hop:g}: has to be at least a sample, {1 / rate:g} s")
    return round(hop * rate)


def _warm_up(classify: Classifier, shape: tuple[int, int]) -> None:
    """Classify blank windows of `shape`, (n_channels, n_timepoints), so that none that follows is slow."""
    blank = np.zeros(shape, dtype=np.float32)
    for _ in range(_WARM_UP):
        classify(blank)


def _replay(
    about: About, trial: Trial, reducer: RateReducer | None, real_time: bool, say: Callable[[str], None]
) -> tuple[Samples, int]:
    """Return a trial's samples at the model's rate, and how many recorded ones are due before it begins."""
    say(about_training(about, trial))
    recorded_rate = about.recorded_rate or about.sampling_rate
    if reducer is None:
        return replayed(trial.signal, recorded_rate, real_time=real_time), 0
    # A filter at the start of the first window saw the baseline in the benchmark, too.
    samples = replayed(trial.whole, recorded_rate, real_time=real_time, past=trial.n_skipped)
    skipped = round(trial.skipped * about.sampling_rate)
    return at_lower_rate(samples, reducer, skipped=skipped), trial.n_skipped


def _read_standard_input(about: About, reducer: RateReducer | None, say: Callable[[str], None]) -> Samples:
    """Return the samples of standard input, at the model's rate."""
    if sys.stdin.isatty():
        say(f"reading from the terminal, a sample a line: {', '.join(about.channels)}")
    samples = read_samples(lines_of(sys.stdin.buffer), about.channels)
    return samples if reducer is None else at_lower_rate(samples, reducer)
