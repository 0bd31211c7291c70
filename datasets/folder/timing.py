"""Rates, gaps and one grid: from tracks of several rates to a trial at the highest of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.datasets.folder.findings import Findings
from bench.datasets.folder.tables import Track
from bench.datasets.folder.trials import Row

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST_GAP = 1.0  # seconds that are interpolated; of slow channels, one sample
_GAP = 1.6  # steps: what is longer has lost a sample. Times rounded to milliseconds vary by a third at 500 Hz
_NOTED, _REFUSED = 0.01, 0.1  # of the rate: what differs by more is said, and is an error
_JITTER = 0.2  # of a step, at both ends of a trial together: in a few steps it looks like another rate
_HOLES = 0.5  # of the time: what has more between its samples is not a signal with gaps
_PARTS, _LEAST = 10, 32  # of a trial that are compared for a drift, and steps in one
_ON_GRID = 0.1  # of a step: what is nearer to its place is taken as it is


@dataclass(frozen=True, eq=False)
class Clock:
    """What the times of a track say.

    Attributes
    ----------
    rate : float
        Samples a second (Hz) where none is lost.
    slowest, fastest : float
        The rates of its parts (Hz).
    gaps : ndarray of shape (n_gaps, 2), float64
        Where a gap begins, and how many seconds are missing.
    lost : float
        Share of the track's time that is in gaps.
    n_steps : int
        From sample to sample, gaps not counted.
    """

    rate: float
    slowest: float
    fastest: float
    gaps: NDArray[np.float64]
    lost: float
    n_steps: int


def clock_of(track: Track) -> Clock | None:
    """Return rate and gaps of a track; None of one with fewer than three samples."""
    steps = np.diff(track.times)
    if len(steps) < 2:
        return None
    is_gap = steps > _GAP * np.median(steps)
    whole = steps[~is_gap]
    step = whole.mean()
    gaps = np.column_stack([track.times[:-1][is_gap], steps[is_gap] - step])
    parts = np.array_split(whole, max(1, min(_PARTS, len(whole) // _LEAST)))
    rates = [1 / part.mean() for part in parts]
    lost = float(gaps[:, 1].sum() / (track.times[-1] - track.times[0]))
    return Clock(1 / step, min(rates), max(rates), gaps, lost, len(whole))


def common_rate(rates: Sequence[float]) -> float:
    """Return the rate that most trials have: of several, the highest, as a whole number where it is near one."""
    near = Counter({rate: sum(abs(rate - other) <= _NOTED * rate for other in rates) for rate in rates})
    most = max(near, key=lambda rate: (near[rate], rate))
    rate = float(np.median([other for other in rates if abs(most - other) <= _NOTED * most]))
    whole = round(rate) if rate >= 1 else 1 / max(1, round(1 / rate))
    return float(whole) if abs(rate - whole) <= 0.005 * rate else float(f"{rate:.6g}")


def check_clocks(
    rows: Sequence[Row],
    trials: Sequence[dict[str, Track]],
    clocks: Sequence[dict[str, Clock]],
    rates: dict[str, float],
    findings: Findings,
) -> None:
    """Say which rates drift or differ from the other trials', and where time has gaps."""
    for row, tracks, clock in zip(rows, trials, clocks, strict=True):
        # Channels of one table have one clock: what is to be said of it is said once.
        said: dict[tuple[str, str, bool], list[str]] = {}
        for channel, own in clock.items():
            for found in _said_of(own, rates[channel], tracks[channel].clocked):
                said.setdefault(found, []).append(channel)
        for (line, kind, refused), names in said.items():
            who = "all channels" if len(names) == len(tracks) > 1 else ", ".join(names)
            (findings.fault if refused else findings.notice)(kind, f"{row.place}: {who}: {line}")
    if rates and max(rates.values()) < 1:
        findings.notice(
            "slow clocks", f"{rows[0].place}: the fastest channel has {max(rates.values()):.3g} samples a second; "
            "is its time in seconds?"
        )  # fmt: skip


def _said_of(clock: Clock, usual: float, clocked: bool) -> list[tuple[str, str, bool]]:
    """Return what is to be said, of which kind it is, and whether it is refused."""
    if clock.lost > _HOLES:
        share = f"{100 * clock.lost:.0f} % of the time is without samples"
        return [(f"{share}: do they come in bursts? Give each its own time", "gaps in time", True)]
    return [*_rate_of(clock, usual, clocked), *_gaps_of(clock)]


def _rate_of(clock: Clock, usual: float, clocked: bool) -> list[tuple[str, str, bool]]:
    drift = clock.fastest / clock.slowest - 1
    if clocked and drift > _NOTED:
        refused = drift > _REFUSED
        how = ", by more than a tenth" if refused else ""
        line = f"its rate drifts between {clock.slowest:.4g} and {clock.fastest:.4g} Hz{how}"
        return [(line, "rates that drift", refused)]
    apart = max(clock.rate / usual, usual / clock.rate) - 1
    if apart > _NOTED + _JITTER / clock.n_steps:
        refused = apart > _REFUSED
        how = "; bring the trials to one rate" if refused else ""
        line = f"{clock.rate:.4g} Hz, in the other trials {usual:.4g} Hz{how}"
        return [(line, "other rates", refused)]
    return []


def _gaps_of(clock: Clock) -> list[tuple[str, str, bool]]:
    if not len(clock.gaps):
        return []
    start, longest = clock.gaps[clock.gaps[:, 1].argmax()]
    refused = bool(longest > _limit(clock.rate))
    number = f"{len(clock.gaps)} gaps in time, the longest" if len(clock.gaps) > 1 else "a gap in time"
    how = (
        f"longer than {_limit(clock.rate):g} s; cut the trial there, or leave it out"
        if refused
        else "interpolated"
    )
    return [(f"{number} of {longest:.3g} s at {start:.6g} s: {how}", "gaps in time", refused)]


def _limit(rate: float) -> float:
    return max(LONGEST_GAP, 1.01 / rate)


def on_grid(
    row: Row, tracks: dict[str, Track], clocks: dict[str, Clock], rate: float, findings: Findings
) -> NDArray[np.float32] | None:
    """Return the channels of a trial at one rate, float32 of shape (n_channels, n_samples).

    Values between two samples are interpolated linearly; after a channel's last sample its value is held until
    the next would come. The trial begins at the first sample (at 0 where a channel has no times) and ends where the
    first channel ends. None where that leaves nothing, or a channel begins late: faults.
    """
    all_clocked = all(track.clocked for track in tracks.values())
    start = min(float(track.times[0]) for track in tracks.values()) if all_clocked else 0.0
    ends = {
        channel: float(track.times[-1]) + 1 / clocks[channel].rate - start
        for channel, track in tracks.items()
    }
    first, last = min(ends, key=lambda channel: ends[channel]), max(ends, key=lambda channel: ends[channel])
    if ends[last] - ends[first] > max(LONGEST_GAP, 1.01 / clocks[first].rate, 1.01 / clocks[last].rate):
        findings.notice(
            "channels that end early",
            f"{row.place}: ends at {ends[first]:.4g} s, where {first} ends; {last} lasts {ends[last]:.4g} s",
        )
    n = int(ends[first] * rate + _ON_GRID)
    grid = np.arange(n) / rate
    signal = np.empty((len(tracks), n), np.float32)
    for values, (channel, track) in zip(signal, tracks.items(), strict=True):
        late = float(track.times[0]) - start
        if late > _limit(clocks[channel].rate):
            findings.fault(
                "channels that begin late",
                f"{row.place}: {channel} begins {late:.4g} s after the trial; cut the trial there",
            )
            return None
        times = track.times - start
        fits = len(times) >= n and bool((np.abs(times[:n] - grid) <= _ON_GRID / rate).all())
        values[:] = track.values[:n] if fits else np.interp(grid, times, track.values)
    if n < 2:
        findings.fault("short trials", f"{row.place}: {first} lasts {ends[first]:.3g} s only")
        return None
    return signal
