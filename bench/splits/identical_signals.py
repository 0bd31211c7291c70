"""Which trials are bit for bit the same, or have a run of samples in common."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

_RUN, _DISTINCT = 64, 16  # samples of a run, values and turns in it
_APART, _REPEATED = 0.5, 0.999  # correlations of a run with itself, later
_SHARE = 0.15  # of the shorter trial, covered by a run: every Empatica E4 begins with the same 2.6 s
_RUNS = 2**23  # that are looked up, at most: beyond, one in two, four, ...
_LOOKS = 16  # at runs that two trials may have in common


def identical(signals: Sequence[np.ndarray] | np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield pairs of trials that are bit for bit the same; a trial without change is nobody's copy."""
    seen: dict[tuple[int, bytes], int] = {}
    for trial, signal in enumerate(signals):
        if (signal != signal[:, :1]).any():
            digest = hashlib.blake2b(np.ascontiguousarray(signal).data, digest_size=16).digest()
            first = seen.setdefault((signal.shape[1], digest), trial)
            if first != trial:
                yield first, trial


def with_common_runs(signals: Sequence[np.ndarray] | np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield pairs of trials of which a channel has a run of samples in common, bit for bit."""
    thinned = 1
    while sum(signal.size for signal in signals) > _RUNS * thinned:
        thinned *= 2
    found = [_runs(signal, thinned) for signal in signals]
    hashes, channels, starts = (np.concatenate(parts) for parts in zip(*found, strict=True))
    trials = np.repeat(np.arange(len(signals)), [len(run[0]) for run in found])
    order = np.argsort(hashes, kind="stable")  # within a hash by trial
    one, other = order[:-1], order[1:]
    same, within = hashes[one] == hashes[other], trials[one] == trials[other]
    same &= ~np.isin(hashes[one], hashes[one[same & within]])  # what a trial repeats is periodic
    one, other = one[same], other[same]
    both = trials[one] * len(signals) + trials[other]
    by_pair = np.argsort(both, kind="stable")
    ends = np.flatnonzero(np.diff(both[by_pair], prepend=-1, append=-1)) if len(both) else np.array([0])
    for begin, end in pairwise(ends):
        for k in by_pair[np.linspace(begin, end - 1, min(_LOOKS, end - begin)).astype(int)]:
            a, b = (signals[trials[run]][channels[run]] for run in (one[k], other[k]))
            if _is_long(a, b, starts[one[k]], starts[other[k]]):
                yield int(trials[one[k]]), int(trials[other[k]])
                break


def _is_long(a: np.ndarray, b: np.ndarray, start: int, other_start: int) -> bool:
    """Whether two series are bit for bit the same around these places for long, and not by few values."""
    before = min(start, other_start)
    a, b = a[start - before :], b[other_start - before :]
    n = min(len(a), len(b))
    differ = np.flatnonzero(a[:n] != b[:n])
    begin, end = np.searchsorted(differ, [before, before + _RUN])
    if begin != end:
        return False  # two runs of one hash
    run = slice(differ[begin - 1] + 1 if begin else 0, differ[end] if end < len(differ) else n)
    least = max(_RUN, _SHARE * min(len(a) + start - before, len(b) + other_start - before))
    return run.stop - run.start >= least and len(np.unique(a[run])) >= _DISTINCT and not _periodic(a[run])


def _periodic(series: np.ndarray) -> bool:
    """Whether the series repeats itself within half its length: correlated with itself, after it had not been."""
    from scipy.signal import correlate

    n, moved = len(series), series - series.mean(dtype=float)
    power = np.pad(np.cumsum(moved**2), (1, 0))
    lags = np.arange(n // 2 + 1)
    product = correlate(moved, moved)[n - 1 + lags]
    r = product / np.sqrt(power[n - lags] * (power[n] - power[lags]) + np.finfo(float).tiny)
    apart = np.flatnonzero(r < _APART)
    return len(apart) > 0 and bool(r[apart[0] :].max() > _REPEATED)


def _runs(signal: np.ndarray, thinned: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return hash, channel and start of the runs that turn often enough; of these, one in so many by its hash."""
    signal = signal + np.float32(0)  # no negative zero
    n = signal.shape[1] - _RUN + 1
    if n < 1:
        return np.empty(0, np.uint64), np.empty(0, np.int32), np.empty(0, np.int32)
    channel = np.arange(1, len(signal) + 1, dtype=np.uint64)[:, None]
    hashes = (signal.view(np.uint32) + (channel << np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    hashes ^= hashes >> np.uint64(29)
    factor, width = 0xBF58476D1CE4E5B9, 1
    while width < _RUN:  # the hash of a run is that of its first half, and that of its second times a power
        hashes = hashes[:, :-width] + np.uint64(factor) * hashes[:, width:]
        factor, width = factor**2 % 2**64, 2 * width
    # Rounding makes small turns of none where values between two samples were interpolated.
    rounding = 8 * np.finfo(np.float32).eps * np.abs(signal).max(axis=1, keepdims=True)
    turns = np.cumsum(np.abs(np.diff(signal, 2, axis=1)) > rounding, axis=1, dtype=np.int32)
    turns = np.pad(turns, ((0, 0), (1, 0)))
    often = turns[:, _RUN - 2 :] - turns[:, :n] >= _DISTINCT
    channels, starts = np.nonzero(often & ((hashes >> np.uint64(40)) % np.uint64(thinned) == 0))
    return hashes[channels, starts], channels.astype(np.int32), starts.astype(np.int32)
