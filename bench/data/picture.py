"""A picture of one trial: every channel over the same seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.recordings import Recordings

_MOST_POINTS = (
    4000  # of a line: more than a picture is wide; beyond, the lowest and highest of each piece are drawn
)


def draw_trial(recordings: Recordings, row: int, path: Path, note: str = "") -> None:
    """Draw one trial into a file, as PNG or whatever its name's ending says.

    Parameters
    ----------
    recordings : Recordings
    row : int
        Of the trial, in the table of trials.
    path : Path
    note : str
        What stands in the title after subject and trial.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    signal = recordings.signals[row]
    trial = recordings.trials.iloc[row]
    n_channels = len(recordings.channels)
    figure = Figure(figsize=(10, 1.0 + 1.25 * n_channels), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(n_channels, 1, sharex=True, squeeze=False)[:, 0]
    for axes, channel, values in zip(grid, recordings.channels, signal, strict=True):
        axes.plot(*_points(values, recordings.sampling_rate), color="#0072B2", lw=0.8)
        axes.set_title(channel, fontsize=9, loc="left", pad=3)
        axes.grid(alpha=0.3)
        axes.tick_params(labelsize=8)
        axes.ticklabel_format(axis="y", useOffset=False)
        axes.locator_params(axis="y", nbins=4)
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(x=0)
        if recordings.baseline_seconds:
            axes.axvspan(0, recordings.baseline_seconds, color="0.9", zorder=0)
    clocked = recordings.sampling_rate != 1 or recordings.recorded_rate is not None
    before = ", grey: before the stimulus" if recordings.baseline_seconds else ""
    grid[-1].set_xlabel(f"{'seconds' if clocked else 'samples'}{before}", fontsize=9)
    made = "SIMULATED " if recordings.simulated else ""
    title = f"{made}{recordings.name}: subject {trial['subject']}, trial {trial['trial']}"
    figure.suptitle(f"{title}{note and f'; {note}'}", fontsize=10)
    figure.savefig(path, dpi=100)


def _points(values: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Return seconds and values to draw a line through; of a long trial, each piece's lowest and highest value."""
    time = np.arange(len(values)) / rate
    if len(values) <= _MOST_POINTS:
        return time, values
    pieces = np.array_split(np.arange(len(values)), _MOST_POINTS // 2)
    ends = [sorted((piece[values[piece].argmin()], piece[values[piece].argmax()])) for piece in pieces]
    rows = np.concatenate(ends)
    return time[rows], values[rows]
