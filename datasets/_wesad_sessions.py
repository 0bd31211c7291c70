"""One person's session of WESAD: the wristband's channels, and from when to when each condition lasted.

The release has it twice: in ``SN.pkl``, a Python 2 pickle with a label for each sample of a chest belt, and as the
wristband's own tables, ``SN_E4_Data``, whose clock is not that of the protocol in ``SN_quest.csv``. Schmidt et al.
(2018) describe both in the release's ``wesad_readme.pdf``.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.datasets._py2_pickle_array import Array
from bench.datasets._py2_pickle_reader import open_pickle
from bench.recordings import DataError

__all__ = ["CHANNELS", "OFFSETS", "Condition", "Session", "read_offsets", "read_pickle", "read_tables"]

# Folder or key: samples a second.
CHANNELS = {"BVP": 64, "EDA": 4, "TEMP": 4}
LABEL_RATE = 700  # Hz, of the chest belt and of the labels
OFFSETS = "offsets.csv"

# What the labels of the pickle and the protocol's table call the conditions.
_LABELS = {1: "baseline", 2: "stress", 3: "amusement", 4: "meditation"}
_ORDER = {
    "Base": "baseline",
    "TSST": "stress",
    "Fun": "amusement",
    "Medi 1": "meditation",
    "Medi 2": "meditation",
}
_CLOCK = re.compile(r"(\d{1,3})(?:\.(\d{1,2}))?", re.ASCII)


class Condition(NamedTuple):
    """Seconds of the session from `start` until before `end`; `place` counts the conditions from 1."""

    name: str
    place: int
    start: float
    end: float


class Session(NamedTuple):
    """Samples of each channel, float64, the first at second 0; and the conditions in their order."""

    channels: dict[str, np.ndarray]
    conditions: list[Condition]


def read_pickle(path: Path) -> Session:
    """Read ``SN.pkl``; of the chest belt's signals, most of the file, nothing is kept in memory.

    Raises
    ------
    DataError
        If it is no such pickle, or asks for anything but arrays: nothing of it is run.
    """
    with open_pickle(path) as contents:
        wrist = _within(_within(contents, "signal", path), "wrist", path)
        channels = {name: _vector(wrist, name, path).astype(np.float64) for name in CHANNELS}
        labels = _vector(contents, "label", path)
        ends = np.flatnonzero(np.diff(labels)) + 1
        runs = zip([0, *ends.tolist()], [*ends.tolist(), len(labels)], strict=True)
        spans = [
            (_LABELS[int(labels[start])], start / LABEL_RATE, end / LABEL_RATE)
            for start, end in runs
            if int(labels[start]) in _LABELS
        ]
    return Session(channels, _conditions(spans, path))


def read_tables(folder: Path, questionnaire: Path, offset: float) -> Session:
    """Read the wristband's tables, whose clock shows `offset` seconds when the protocol's shows 0.

    Raises
    ------
    DataError
        If a file is missing, is no such table, or has a value that is not a finite number.
    """
    tables = {name: _read_channel(folder / f"{name}.csv", rate) for name, rate in CHANNELS.items()}
    begins = {name: start for name, (start, _) in tables.items()}
    if len(set(begins.values())) > 1:
        raise DataError(f"{folder}: the channels begin at different times: {begins}")
    spans = [(name, start + offset, end + offset) for name, start, end in _read_protocol(questionnaire)]
    return Session(
        {name: samples for name, (_, samples) in tables.items()}, _conditions(spans, questionnaire)
    )


def read_offsets(path: Path) -> dict[int, float]:
    """Read the table of offsets, columns ``subject`` and ``seconds``: by person, float.

    Raises
    ------
    DataError
        If it is no such table.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
        return {int(row["subject"]): _finite(row["seconds"]) for row in rows}
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise DataError(
            f"{path}: not a table with the columns subject and seconds, a number in each row"
        ) from error


def _conditions(spans: list[tuple[str, float, float]], where: Path) -> list[Condition]:
    for name in ("baseline", "stress", "amusement"):
        times = sum(span[0] == name for span in spans)
        if times != 1:
            raise DataError(f"{where}: the condition {name} is there {times} times, expected once")
    ordered = sorted(spans, key=lambda span: span[1])
    return [Condition(name, place, start, end) for place, (name, start, end) in enumerate(ordered, start=1)]


def _within(contents: Any, key: str, path: Path) -> dict[str, Any]:
    if not isinstance(contents.get(key), dict):
        raise DataError(
            f"{path}: no '{key}' as in WESAD's pickles; there is: {', '.join(contents) or 'nothing'}"
        )
    return dict(contents[key])


def _vector(contents: dict[str, Any], key: str, path: Path) -> np.ndarray:
    array = contents.get(key)
    if not isinstance(array, Array):
        raise DataError(
            f"{path}: no array '{key}' as in WESAD's pickles; there is: {', '.join(contents) or 'nothing'}"
        )
    if len(array.shape) > 2 or array.shape[1:] not in ((), (1,)) or not array.shape[0]:
        raise DataError(f"{path}: '{key}' has shape {array.shape}, expected one column")
    values: np.ndarray = array.read().reshape(-1)
    if not np.isfinite(values).all():
        raise DataError(f"{path}: a sample of '{key}' is not finite")
    return values


def _read_channel(path: Path, rate: int) -> tuple[float, np.ndarray]:
    """Return the time of the first sample (s, of the device's clock) and the samples, float64."""
    lines = path.read_bytes().split()
    try:
        start, given, *_ = numbers = np.array(list(map(float, lines)))
    except ValueError:
        raise DataError(
            f"{path}: not a table of the wristband: a start, a rate, then a number a line"
        ) from None
    if given != rate:
        raise DataError(f"{path}, line 2: {given:g} Hz, expected {rate}")
    if not np.isfinite(numbers).all():
        line = int(np.argmin(np.isfinite(numbers))) + 1
        raise DataError(f"{path}, line {line}: not a finite number")
    return float(start), numbers[2:]


def _read_protocol(path: Path) -> list[tuple[str, float, float]]:
    """Return name, start and end (s) of the conditions, by the table of questionnaires."""
    rows: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines():
        head, *cells = line.split(";")
        rows.setdefault(head.strip("# "), [cell.strip() for cell in cells])
    absent = [name for name in ("ORDER", "START", "END") if name not in rows]
    if absent:
        raise DataError(f"{path}: no row {absent[0]} as in WESAD's questionnaires")
    spans = []
    for name, start, end in zip(rows["ORDER"], rows["START"], rows["END"], strict=False):
        if name in _ORDER:
            spans.append((_ORDER[name], _seconds(start, path), _seconds(end, path)))
    for name, begin, stop in spans:
        if stop <= begin:
            raise DataError(f"{path}: {name} ends before it begins")
    return spans


def _seconds(text: str, path: Path) -> float:
    """Read minutes and seconds: ``"50.3"`` is 50 min 30 s, ``"7.08"`` 7 min 8 s."""
    match = _CLOCK.fullmatch(text)
    if not match or int((match[2] or "0").ljust(2, "0")) >= 60:
        raise DataError(f"{path}: {text!r} is no time in minutes.seconds")
    return 60.0 * int(match[1]) + int((match[2] or "0").ljust(2, "0"))


def _finite(text: str) -> float:
    value = float(text)
    if not np.isfinite(value):
        raise ValueError
    return value
