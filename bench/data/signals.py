"""Signals of a data set in one file, memory-mapped: processes share it, and it is pickled as its name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np


class MappedSignals(Sequence[np.ndarray]):
    """The signals of all trials, read from a file when one is asked for.

    Parameters
    ----------
    file : Path
        As `write_signals` makes it.
    n_channels : int
    lengths : sequence of int
        Samples of each trial.

    Raises
    ------
    OSError, ValueError
        If the file cannot be read, or holds another number of samples (when the first is asked for).
    """

    def __init__(self, file: Path, n_channels: int, lengths: Sequence[int]) -> None:
        self.file, self.n_channels, self.lengths = file, n_channels, tuple(lengths)

    @cached_property
    def _signals(self) -> list[np.ndarray]:
        # A plain array over the mapped file: slices of np.memmap cost ten times as much.
        flat = np.load(self.file, mmap_mode="r", allow_pickle=False).view(np.ndarray)
        ends = np.cumsum([0, *self.lengths]) * self.n_channels
        if flat.shape != (ends[-1],):
            raise ValueError(f"{self.file}: holds {flat.size} samples, not {ends[-1]}")
        return [flat[a:b].reshape(self.n_channels, -1) for a, b in pairwise(ends)]

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: Any) -> Any:
        return self._signals[index]

    def __getstate__(self) -> dict[str, Any]:
        return {"file": self.file, "n_channels": self.n_channels, "lengths": self.lengths}


def write_signals(file: Path, signals: Sequence[np.ndarray] | np.ndarray) -> MappedSignals:
    """Write signals, each of shape (n_channels, n_samples), float32, one after another; return them mapped."""
    n_samples = sum(signal.size for signal in signals)
    open_memmap = np.lib.format.open_memmap
    flat = open_memmap(file, "w+", np.float32, (n_samples,))  # type: ignore[no-untyped-call]
    at = 0
    for signal in signals:
        flat[at : at + signal.size] = signal.ravel()
        at += signal.size
    flat.flush()
    return MappedSignals(file, signals[0].shape[0], [signal.shape[1] for signal in signals])
