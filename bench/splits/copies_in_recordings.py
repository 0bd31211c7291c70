"""Near-copies among the trials of recordings, looked for once."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.data.loading import cache_folder
from bench.recordings import Recordings
from bench.splits import identical_signals, near_copies

_MANY = 300  # trials: fewer are compared in a moment
_known: dict[str, np.ndarray] = {}


def near_copies_of(recordings: Recordings, say: Callable[[str], None] = lambda text: None) -> np.ndarray:
    """Return a number for each trial, the same for trials that hold nearly the same signal: int64, (n_trials,).

    What was found is kept, in memory and in the cache folder, by the digests of the recordings and of the code
    that looks, `bench.splits.near_copies.near_copies`. `say` is told in a line where that takes time.
    """
    code = b"".join(Path(str(one.__file__)).read_bytes() for one in (identical_signals, near_copies))
    key = hashlib.sha256(recordings.fingerprint.encode() + code).hexdigest()[:20]
    if key not in _known:
        file = cache_folder() / f"near-copies-{key}.npy"
        kept = _read(file, len(recordings.trials))
        if kept is None:
            if len(recordings.trials) >= _MANY:
                say(
                    f"comparing the {len(recordings.trials):,} trials of {recordings.name} with each other (once)"
                )
            kept = near_copies.near_copies(recordings.signals, recordings.sampling_rate)
            _write(file, kept)
        _known[key] = kept
    return _known[key]


def _read(file: Path, n_trials: int) -> np.ndarray | None:
    try:
        kept: np.ndarray = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return kept if kept.shape == (n_trials,) and kept.dtype == np.int64 else None


def _write(file: Path, found: np.ndarray) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".tmp", delete=False) as aside:
            np.save(aside, found)
        os.replace(aside.name, file)
    except OSError:  # a full or read-only disk costs the next run some seconds, not this one its result
        pass
