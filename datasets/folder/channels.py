"""Which channels there are: ``channels.csv``, or what most trials have; and what is not as there."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.datasets.folder.findings import Findings
from bench.datasets.folder.tables import Track
from bench.datasets.folder.trials import Row, check_header, shown
from bench.errors import DataError, nearest

CHANNELS = "channels.csv"
_COLUMNS = ("channel", "rate", "unit")


@dataclass(frozen=True)
class Listed:
    """What ``channels.csv`` says: names as the files have them, rates (Hz) and units by name."""

    names: tuple[str, ...] = ()
    rates: tuple[tuple[str, float], ...] = ()
    units: tuple[tuple[str, str], ...] = ()

    def with_unit(self, channel: str) -> str:
        """Return the name of a channel with its unit."""
        unit = dict(self.units).get(channel, "")
        return f"{channel} ({unit})" if unit and not channel.endswith(")") else channel


def read_channels(root: Path) -> Listed:
    """Read ``channels.csv``, if there is one: ``channel`` and, where they are known, ``rate`` and ``unit``.

    Raises
    ------
    DataError
        If it is no such table.
    """
    path, where = root / CHANNELS, shown(root, root / CHANNELS)
    if not path.exists():
        return Listed()
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            header, *rows = [[cell.strip() for cell in line] for line in csv.reader(lines)] or [[]]
    except UnicodeDecodeError:
        raise DataError(f"{where}: not a text in UTF-8") from None
    except csv.Error as error:
        raise DataError(f"{where}: not a CSV table: {error}") from None
    _check_columns(header, where)
    names: list[str] = []
    rates: dict[str, float] = {}
    units: dict[str, str] = {}
    for line, cells in enumerate(rows, start=2):
        if not any(cells):
            continue
        if len(cells) != len(header):
            raise DataError(f"{where}, line {line}: {len(cells)} values for {len(header)} columns")
        row = dict(zip(header, cells, strict=True))
        name = row["channel"]
        if not name or name in names:
            raise DataError(f"{where}, line {line}: channel '{name}' is empty or stands twice")
        names.append(name)
        if row.get("rate"):
            rates[name] = _rate(row["rate"], f"{where}, line {line}")
        if row.get("unit"):
            units[name] = row["unit"]
    return Listed(tuple(names), tuple(rates.items()), tuple(units.items()))


def _check_columns(header: list[str], where: str) -> None:
    check_header(header, where)
    for column in header:
        if column not in _COLUMNS:
            raise DataError(f"{where}, line 1: column '{column}' is unknown{nearest(column, _COLUMNS)}")
    if "channel" not in header:
        raise DataError(f"{where}, line 1: no column 'channel'")


def _rate(text: str, where: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0 < rate < math.inf:
        raise DataError(f"{where}: rate is '{text}', not samples a second (Hz)")
    return rate


def same_channels(
    listed: Listed, rows: Sequence[Row], trials: Sequence[list[Track]], findings: Findings
) -> list[str]:
    """Return the channels, in order: those of ``channels.csv``, else those that most trials have.

    A trial that lacks one, has another, or one twice, is a fault.
    """
    by = CHANNELS if listed.names else "the other trials"
    channels = list(listed.names) or _most_common([[track.channel for track in tracks] for tracks in trials])
    for row, tracks in zip(rows, trials, strict=True):
        names = [track.channel for track in tracks]
        absent = [channel for channel in channels if channel not in names]
        for track in tracks:
            if track.channel not in channels:
                hint = nearest(track.channel, absent or channels)
                findings.fault(
                    "unknown columns", f"{track.where}: column '{track.channel}' is not in {by}{hint}"
                )
        if len(names) > len(set(names)):
            twice = next(name for name in names if names.count(name) > 1)
            findings.fault("channels that stand twice", f"{row.place}: '{twice}' is in two of its files")
        elif absent and len(names) <= len(channels) - len(absent):
            findings.fault("missing channels", f"{row.place}: no '{absent[0]}', which {by} have")
    return channels


def _most_common(trials: Sequence[list[str]]) -> list[str]:
    """Return the channels that most trials have, in the order of the first of these."""
    sets = [frozenset(names) for names in trials]
    chosen = Counter(sets).most_common(1)[0][0]
    return list(dict.fromkeys(trials[sets.index(chosen)]))
