"""A folder of recordings of your own as a data set: ``trials.csv``, and a file of signals a trial.

Channels may have several rates and times of their own; they are brought to the highest rate. Whatever is wrong
or worth knowing is said in a plain line. Nothing that a file holds is executed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.datasets.folder.channels import CHANNELS, Listed, read_channels, same_channels
from bench.datasets.folder.findings import Findings
from bench.datasets.folder.tables import Track, read_tracks
from bench.datasets.folder.timing import check_clocks, clock_of, common_rate, on_grid
from bench.datasets.folder.trials import TRIALS, Row, read_rows, shown, table_of
from bench.datasets.folder.units import check_units
from bench.errors import DataError
from bench.recordings import Recordings
from bench.registry import register_dataset


def folder_files(root: Path) -> list[Path]:
    """Return the files under `root` that are read: the tables, and the signals of every trial.

    Raises
    ------
    DataError
        If the table of trials cannot be read, or a file that it needs is not there.
    """
    _, rows = read_rows(root, None, Findings())
    about = [path for path in (root / TRIALS, root / CHANNELS) if path.exists()]
    return [*about, *sorted({file for row in rows for file in row.files})]


@register_dataset(
    "folder",
    description="a folder of recordings of your own: trials.csv and a file of signals a trial",
    licence="yours",
    where="docs/own-data.md says what is in it",
    files=folder_files,
)
def folder(
    root: Path, *, subjects: Sequence[int] | None = None, notes: dict[str, Any] | None = None
) -> Recordings:
    """Read a folder of your own: ``trials.csv``, and for each trial ``signals/<subject>_<trial>.csv``.

    Parameters
    ----------
    root : Path
        The folder. A trial's signals are in a ``.csv``, ``.parquet`` or ``.npz`` file of that name, in several such
        files in a folder of that name, or in the file or folder that its column ``file`` names. A table has a column a
        channel, its unit in brackets, and ``time`` in seconds; without ``time``, ``channels.csv`` gives the rates.
        An empty cell is no sample: channels of one table may have several rates.
    subjects : sequence of int, optional
        Whom to read; all by default.
    notes : dict, optional
        Takes ``lines``, what to know of the folder, and ``channels``: for each name the ``rate`` (Hz) that it was
        recorded with and the share that was ``missing`` and has been interpolated.

    Returns
    -------
    Recordings
        `signals`: list of float32 arrays of shape (n_channels, n_samples) at the highest rate of all channels; the
        slower ones are interpolated linearly, and a trial ends where its first channel ends. `trials`: as in
        ``trials.csv``, by subject and trial.

    Raises
    ------
    DataError
        With a line for each fault: a file or column that is missing or not known, a value that is no number, time
        that goes back, a gap longer than a second, a rate that differs by more than a tenth, another unit.
    """
    root = Path(root)
    findings = Findings()
    columns, rows = read_rows(root, subjects, findings)
    table = table_of(root, columns, rows, findings)
    listed = read_channels(root)
    trials, channels = _read_all(rows, listed, findings)
    clocks = [{channel: _clock(row, trial[channel], findings) for channel in channels} for row, trial in zip(rows, trials, strict=True)]  # fmt: skip
    findings.stop()
    kept = [{channel: clock for channel, clock in own.items() if clock is not None} for own in clocks]
    rates = {channel: common_rate([own[channel].rate for own in kept]) for channel in channels}
    for channel, given in listed.rates:
        if max(given / rates[channel], rates[channel] / given) > 1.01:
            findings.notice("rates", f"{shown(root, root / CHANNELS)}: {channel} has {given:g} Hz there, {rates[channel]:g} Hz by its times")  # fmt: skip
    check_clocks(rows, trials, kept, rates, findings)
    rate = max(rates.values())
    gridded = [on_grid(row, trial, own, rate, findings) for row, trial, own in zip(rows, trials, kept, strict=True)]  # fmt: skip
    findings.stop()
    signals = [signal for signal in gridded if signal is not None]
    names = [listed.with_unit(channel) for channel in channels]
    check_units(rows, signals, names, findings)
    findings.stop()
    if notes is not None:
        notes["lines"] = findings.lines()
        notes["channels"] = {
            name: {"rate": rates[channel], "missing": _missing(channel, trials, kept)}
            for name, channel in zip(names, channels, strict=True)
        }
    return Recordings(root.resolve().name, signals, names, rate, table)


def _read_all(
    rows: Sequence[Row], listed: Listed, findings: Findings
) -> tuple[list[dict[str, Track]], list[str]]:
    """Return the tracks of each trial by channel, in one order, and the channels."""
    rates = dict(listed.rates)
    trials: list[list[Track]] = []
    for row in rows:
        tracks: list[Track] = []
        for file in row.files:
            where = row.place if file.name == Path(row.place).name else f"{row.place}/{file.name}"
            try:
                tracks += read_tracks(file, where, rates)
            except DataError as error:
                findings.fault("files that cannot be read", str(error))
        trials.append(tracks)
    findings.stop()
    channels = same_channels(listed, rows, trials, findings)
    findings.stop()
    by_channel = [{track.channel: track for track in tracks} for tracks in trials]
    return [{channel: trial[channel] for channel in channels} for trial in by_channel], channels


def _clock(row: Row, track: Track, findings: Findings) -> Any:
    clock = clock_of(track)
    if clock is None:
        findings.fault("short channels", f"{row.place}: {track.channel} has {len(track.times)} samples only")
    return clock


def _missing(channel: str, trials: Sequence[dict[str, Track]], clocks: Sequence[dict[str, Any]]) -> float:
    lost = sum(float(own[channel].gaps[:, 1].sum()) for own in clocks)
    lasted = sum(float(np.ptp(trial[channel].times)) for trial in trials)
    return lost / lasted if lasted > 0 else 0.0
