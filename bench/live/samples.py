"""Samples that come one after the other: read as text or replayed, and put together to windows."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from bench.data.sampling_rate import RateReducer
from bench.data.windows import without_unit
from bench.errors import DataError, nearest

_LONGEST_LINE = 1 << 20

# When a sample was there (`time.perf_counter`), and its values, a channel each.
Samples = Iterator[tuple[float, np.ndarray]]


class Windower:
    """Makes windows of samples: `push` returns one when its last sample comes, else None."""

    def __init__(self, n_channels: int, window: int, hop: int) -> None:
        self._samples = np.empty((n_channels, window), dtype=np.float32)
        self._hop = hop
        self._held = 0  # negative where samples between two windows are still to be left out
        self.seen = 0

    def push(self, sample: np.ndarray) -> np.ndarray | None:
        """Take one value a channel; a window that is returned holds until the next call."""
        self.seen += 1
        if self._held >= 0:
            self._samples[:, self._held] = sample
        self._held += 1
        width = self._samples.shape[1]
        if self._held < width:
            return None
        full = self._samples
        self._held = width - self._hop
        if self._held > 0:
            self._samples = np.empty_like(full)
            self._samples[:, : self._held] = full[:, self._hop :]
        return full

    def rest(self) -> np.ndarray | None:
        """Return what has come of a window, filled up with NaN; None if nothing has."""
        if self._held <= 0:
            return None
        self._samples[:, self._held :] = np.nan
        self._held = 0
        return self._samples


def windows_of(samples: Samples, windower: Windower, *, fill_up: bool) -> Iterator[tuple[float, np.ndarray]]:
    """Yield each window with the time at which its last sample was there."""
    for arrived, sample in samples:
        window = windower.push(sample)
        if window is not None:
            yield arrived, window
    rest = windower.rest() if fill_up else None
    if rest is not None:
        yield time.perf_counter(), rest


def at_lower_rate(samples: Samples, reducer: RateReducer, *, skipped: int = 0) -> Samples:
    """Yield what the reducer makes of the samples, with the time at which the last one that it took was there.

    The first `skipped` that it makes are left out.
    """
    for arrived, sample in samples:
        new = reducer.push(sample)
        if new is not None and reducer.given > skipped:
            yield arrived, new
    for new in reducer.rest():
        if reducer.given > skipped:
            yield time.perf_counter(), new


def replayed(signal: np.ndarray, sampling_rate: float, *, real_time: bool = False, past: int = 0) -> Samples:
    """Yield the samples of (n_channels, n_samples) one by one: at once, or each when it is due.

    The first `past` are due before the replay begins.
    """
    start = time.perf_counter()
    for number, sample in enumerate(signal.T, start=1 - past):
        if real_time:
            due = start + number / sampling_rate
            time.sleep(max(0.0, due - time.perf_counter()))
        yield due if real_time else time.perf_counter(), sample


def read_samples(lines: Iterable[bytes], channels: Sequence[str]) -> Samples:
    """Yield the sample of each line; the first may name the columns. Empty lines are passed over.

    Raises
    ------
    DataError
        If a line is no sample of these channels; the message has its number.
    """
    columns, n_values, first = list(range(len(channels))), len(channels), True
    for number, line in enumerate(lines, start=1):
        arrived = time.perf_counter()
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError:
            raise DataError(f"line {number}: not text") from None
        if not text:
            continue
        if first:
            first = False
            names = _header(text)
            if names:
                columns, n_values = _pick(names, channels, number), len(names)
                continue
        yield arrived, _sample(text, channels, columns, n_values, number)


def lines_of(file: Any) -> Iterator[bytes]:
    """Yield the lines of a binary file, each as soon as it is there; DataError if one has no end."""
    for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), b""), start=1):
        if len(line) == _LONGEST_LINE:
            raise DataError(f"line {number}: too long for a sample")
        yield line


def _sample(text: str, channels: Sequence[str], columns: list[int], n_values: int, number: int) -> np.ndarray:
    values = _split(text)
    if len(values) != n_values:
        raise DataError(
            f"line {number}: {len(values)} values, expected {n_values}"
            + (f" ({', '.join(channels)})" if n_values == len(channels) else ", as many as the header names")
        )
    sample = np.empty(len(channels), dtype=np.float32)
    for k, column in enumerate(columns):
        try:
            with np.errstate(over="ignore"):
                sample[k] = float(values[column])
        except ValueError:
            sample[k] = np.nan
        if not np.isfinite(sample[k]):
            raise DataError(f"line {number}: {channels[k]} is {values[column].strip()!r}, no finite number")
    return sample


def _split(text: str) -> list[str]:
    return text.split(",") if "," in text else text.split()


def _header(text: str) -> list[str]:
    """Return the names of the columns if the line names any: none of them is a number."""
    if "," in text:
        (names,) = csv.reader([text], skipinitialspace=True)
    elif "\t" in text:
        names = text.split("\t")
    else:
        names = re.split(r"\s+(?![^()]*\))(?!\()", text)  # but not before a unit or in it
    names = [name.strip(" '\"") for name in names]
    return [] if any(map(_is_number, [*names, *_split(text)])) else names


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _pick(names: list[str], channels: Sequence[str], number: int) -> list[int]:
    """Return the column of each channel: of its name, with its unit or where one of the two has none."""
    columns = []
    for channel in channels:
        bare = without_unit(channel)
        alike = [k for k, name in enumerate(names) if without_unit(name) == bare]
        found = [k for k in alike if channel in (names[k], bare) or names[k] == bare]
        if len(found) > 1:
            raise DataError(f"line {number}: there are {len(found)} columns for channel '{channel}'")
        if alike and not found:
            raise DataError(f"line {number}: column '{names[alike[0]]}' has another unit than '{channel}'")
        if not found:
            near = nearest(bare, [name for name in names if name])
            raise DataError(f"line {number}: no column for the model's channel '{channel}'{near}")
        columns.append(found[0])
    return columns
