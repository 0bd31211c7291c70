"""From `Recordings` to a `Panel` of labelled windows, each carrying its subject, trial and start."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from bench.data.sampling_rate import at_rate
from bench.errors import DataError, SuiteError, nearest
from bench.recordings import KNOWN, Recordings

if TYPE_CHECKING:
    import pandas as pd

QUADRANTS = ("LALV", "LAHV", "HALV", "HAHV")


class Target(BaseModel):
    """What is predicted, and how a rating becomes a class.

    Rules
    -----
    ``high-low``
        ``"high"`` if the rating is above `threshold`, else ``"low"``; with `drop_at_threshold`, trials
        rated exactly there have no class and are left out. The threshold ``"subject-median"`` is the median
        of all the subject's own ratings.
    ``levels``
        The rating rounded to the nearest of ``"1"`` to ``"9"``, halves up.
    ``quadrants``
        High or low arousal with high or low valence, both cut at `threshold`:
        ``"LALV"``, ``"LAHV"``, ``"HALV"``, ``"HAHV"``.
    ``label``
        The column as it stands.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    rule: Literal["high-low", "levels", "quadrants", "label"] = "high-low"
    threshold: float | Literal["subject-median"] = 5.0
    drop_at_threshold: bool = False

    @property
    def of_ratings(self) -> bool:
        """Whether the threshold follows from the ratings themselves, those of test trials included."""
        return self.rule in ("high-low", "quadrants") and self.threshold == "subject-median"

    def classify(self, trials: pd.DataFrame) -> tuple[np.ndarray, tuple[str, ...]]:
        """Return the class of each trial (str; ``""`` for none) and all classes in their order."""
        columns = ["arousal", "valence"] if self.rule == "quadrants" else [self.name]
        for column in columns:
            if column not in trials:
                raise SuiteError(
                    f"the data set has no '{column}' to predict{nearest(column, trials.columns)}"
                )
        if self.rule == "label":
            labels = trials[self.name].astype(str).to_numpy(dtype=str)
            return labels, tuple(sorted(set(labels)))
        ratings = trials[columns].to_numpy(dtype=float)
        if self.rule == "levels":
            levels = np.clip(np.floor(ratings[:, 0] + 0.5), 1, 9).astype(int)
            labels = levels.astype(str)
            return labels, tuple(str(level) for level in sorted(set(levels.tolist())))
        threshold: np.ndarray | float
        if self.threshold == "subject-median":
            threshold = trials.groupby("subject")[columns].transform("median").to_numpy()
        else:
            threshold = float(self.threshold)
        high = ratings > threshold
        if self.rule == "quadrants":
            classes: tuple[str, ...] = QUADRANTS
            labels = np.array(QUADRANTS)[high[:, 0] * 2 + high[:, 1]]
        else:
            labels = np.where(high[:, 0], "high", "low")
            classes = ("low", "high")
        if self.drop_at_threshold:
            labels[(ratings == threshold).any(axis=1)] = ""
        return labels, tuple(name for name in classes if name in labels)


class Windowing(BaseModel):
    """How trials are cut: `seconds` long, each sharing `overlap` seconds with the one before.

    `baseline` keeps the part before the stimulus. `per_trial` thins to that many consecutive
    windows from the middle of a trial: consecutive, so that what overlapping neighbours give away stays as
    it is. `whole` takes each trial as one window instead; shorter
    trials are then filled up at the end with NaN, which the harness turns to 0 after scaling.
    `sampling_rate` (Hz) is what trials are resampled to first, see `bench.data.sampling_rate.at_rate`; by default
    they stay as they were recorded.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: float = Field(5.0, gt=0)
    overlap: float = Field(2.0, ge=0)
    baseline: bool = False
    per_trial: int | None = Field(None, ge=1)
    whole: bool = False
    sampling_rate: float | None = Field(None, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _overlap_is_shorter(self) -> Windowing:
        if self.overlap >= self.seconds:
            raise ValueError(f"overlap ({self.overlap} s) must be shorter than the window ({self.seconds} s)")
        return self

    def covering_as(self, other: Windowing) -> Windowing:
        """Return these windows thinned to the seconds of a trial that the thinned windows of `other` cover.

        As many as fit into that span, one at least: longer windows are fewer, so that no row of a table of
        ablations sees more of the recordings than another.
        """
        cut = (self.seconds, self.overlap) != (other.seconds, other.overlap)
        if other.per_trial is None or self.whole or not cut:
            return self
        span = other.seconds + (other.per_trial - 1) * (other.seconds - other.overlap)
        fit = math.floor((span - self.seconds) / (self.seconds - self.overlap) + 1e-9) + 1
        return self.model_copy(update={"per_trial": max(1, fit)})

    def starts(self, n_samples: int, sampling_rate: float, baseline_seconds: float) -> np.ndarray:
        """Return the first sample of each window of a trial of `n_samples`, int64."""
        width = round(self.seconds * sampling_rate)
        hop = round((self.seconds - self.overlap) * sampling_rate)
        first = 0 if self.baseline else round(baseline_seconds * sampling_rate)
        if width < 1 or hop < 1:
            raise SuiteError(
                f"windows of {self.seconds} s and hops of {self.seconds - self.overlap:g} s hold no sample "
                f"at {sampling_rate:g} Hz"
            )
        starts = np.arange(first, n_samples - width + 1, hop, dtype=np.int64)
        if self.per_trial is not None and len(starts) > self.per_trial:
            skipped = (len(starts) - self.per_trial) // 2
            starts = starts[skipped : skipped + self.per_trial]
        return starts


@dataclass(frozen=True, eq=False)
class Panel:
    """Labelled windows of one data set. The samples stay in the recordings until `take` copies some.

    Attributes
    ----------
    windows : DataFrame of n_windows rows
        ``subject``, ``trial``, ``stimulus``, ``start`` (sample in the trial), ``row`` (of the trial in
        the recordings) and, where the data set has them, those of `bench.recordings.KNOWN`.
    y : ndarray of shape (n_windows,), str
    classes : tuple of str
        In the order of tables and figures.
    n_timepoints : int
    picked : tuple of int
        Which channels of the recordings; in their order.
    dropped : float, default 0
        Share of the trials that have no class by their rating, and no windows.
    thresholds_of_ratings : bool, default False
        Whether the classes were cut at thresholds that follow from all ratings of a subject.
    near_copies : ndarray of shape (n_trials,), int, optional
        A number for each row of the recordings, the same for those that hold nearly the same signal; None where nobody
        has looked.
    """

    recordings: Recordings
    windows: pd.DataFrame
    y: np.ndarray
    classes: tuple[str, ...]
    n_timepoints: int
    picked: tuple[int, ...]
    dropped: float = 0.0
    thresholds_of_ratings: bool = False
    near_copies: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.windows)

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels, with their units."""
        return tuple(self.recordings.channels[k] for k in self.picked)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(n_windows, n_channels, n_timepoints)."""
        return len(self), len(self.picked), self.n_timepoints

    @cached_property
    def X(self) -> np.ndarray:
        """All windows, float32 of shape (n_windows, n_channels, n_timepoints)."""
        return self.take(np.arange(len(self)))

    @cached_property
    def keys(self) -> np.ndarray:
        """A hash of each window's ids and class: uint64 of shape (n_windows,)."""
        import pandas as pd

        ids = self.windows[["subject", "trial", "start"]].assign(y=self.y)
        return pd.util.hash_pandas_object(ids, index=False).to_numpy()

    @cached_property
    def content(self) -> np.ndarray:
        """A number for each window, the same for identical samples: uint64 of shape (n_windows,)."""
        parts = np.array_split(np.arange(len(self)), -(-len(self) // 1000))
        return np.concatenate([content_keys(self.take(part)) for part in parts])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all samples, ids and classes, and of how they are cut."""
        about = (self.recordings.fingerprint, self.picked, self.n_timepoints, self.classes)
        return hashlib.sha256(repr(about).encode() + self.keys.tobytes()).hexdigest()

    def lengths(self, indices: np.ndarray) -> np.ndarray:
        """Return how many samples the windows at `indices` have before any padding, int64."""
        samples = np.array([signal.shape[1] for signal in self.recordings.signals])
        there = samples[self.windows["row"].to_numpy()[indices]]
        return np.asarray(np.minimum(there - self.windows["start"].to_numpy()[indices], self.n_timepoints))

    def take(self, indices: np.ndarray) -> np.ndarray:
        """Copy the windows at `indices`: float32 of shape (n, n_channels, n_timepoints)."""
        X = np.empty((len(indices), *self.shape[1:]), dtype=np.float32)
        signals = self.recordings.signals
        everything = len(self.picked) == len(self.recordings.channels)
        picked = slice(None) if everything else list(self.picked)
        rows = self.windows["row"].to_numpy()[indices].tolist()
        starts = self.windows["start"].to_numpy()[indices].tolist()
        for window, row, start in zip(X, rows, starts, strict=True):
            part = signals[row][picked, start : start + self.n_timepoints]
            window[:, : part.shape[1]] = part
            window[:, part.shape[1] :] = np.nan
        return X


def make_panel(
    recordings: Recordings, target: Target, windowing: Windowing, channels: Sequence[str] | None = None
) -> Panel:
    """Cut the recordings into windows and label each by its trial's class.

    Parameters
    ----------
    recordings : Recordings
    target : Target
    windowing : Windowing
    channels : sequence of str, optional
        Only these, named with or without the unit; by default all.

    Raises
    ------
    DataError
        If a trial is shorter than a window, or fewer than two classes are left.
    SuiteError
        If there is no channel of a name, no such target, or the sampling rate cannot be had.
    """
    recordings = at_rate(recordings, windowing.sampling_rate)
    labels, classes = target.classify(recordings.trials)
    if len(classes) < 2:
        raise DataError(
            f"{recordings.name}: {target.name} has one class only, {', '.join(classes) or 'none'}"
        )
    if windowing.whole:
        n_timepoints = max(signal.shape[1] for signal in recordings.signals)
    else:
        n_timepoints = round(windowing.seconds * recordings.sampling_rate)
    rows, starts = [], []
    for row, (signal, label) in enumerate(zip(recordings.signals, labels, strict=True)):
        if not label:
            continue
        first = (
            np.zeros(1, dtype=np.int64)
            if windowing.whole
            else windowing.starts(signal.shape[1], recordings.sampling_rate, recordings.baseline_seconds)
        )
        if not len(first):
            subject, trial = recordings.trials[["subject", "trial"]].iloc[row]
            raise DataError(
                f"{recordings.name}: subject {subject}, trial {trial} lasts "
                f"{signal.shape[1] / recordings.sampling_rate:.1f} s, too short for a window of {windowing.seconds:g} s"
            )
        rows.append(np.full(len(first), row))
        starts.append(first)
    row = np.concatenate(rows)
    ids = [c for c in ("subject", "trial", "stimulus", *KNOWN) if c in recordings.trials]
    windows = recordings.trials[ids].iloc[row].reset_index(drop=True)
    windows["start"] = np.concatenate(starts)
    windows["row"] = row
    picked = _pick(recordings, channels)
    return Panel(
        recordings,
        windows,
        labels[row],
        classes,
        n_timepoints,
        picked,
        dropped=float((labels == "").mean()),
        thresholds_of_ratings=target.of_ratings,
    )


def content_keys(X: np.ndarray) -> np.ndarray:
    """Return a number for each window, the same for identical samples: uint64 of shape (n_windows,)."""
    digests = (hashlib.blake2b(np.ascontiguousarray(x).data, digest_size=8).digest() for x in X)
    return np.frombuffer(b"".join(digests), dtype=np.uint64)


def without_unit(channel: str) -> str:
    """Return ``"GSR"`` for ``"GSR (Ohm)"``."""
    return channel.partition(" (")[0]


def _pick(recordings: Recordings, channels: Sequence[str] | None) -> tuple[int, ...]:
    if channels is None:
        return tuple(range(len(recordings.channels)))
    known = {name: k for k, full in enumerate(recordings.channels) for name in (full, without_unit(full))}
    for name in channels:
        if name not in known:
            there = [without_unit(full) for full in recordings.channels]
            raise SuiteError(f"{recordings.name} has no channel '{name}'{nearest(name, there)}")
    return tuple(sorted({known[name] for name in channels}))
