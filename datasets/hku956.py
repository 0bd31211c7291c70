"""HKU956: emotion while listening to music, wrist-worn sensors; 30 people, 956 records.

The reader takes the folder of the official release as it is. Inter-beat intervals, audio links and
personality scores are not read and need not be there.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench.datasets._subjects import spans
from bench.recordings import DataError, Recordings
from bench.registry import register_dataset

if TYPE_CHECKING:
    import pandas as pd

RATINGS = "3. AV_ratings.csv"
# The release's own README writes a space, its archive an underscore.
SIGNALS = ("1. physiological_signals", "1. physiological signals")
COLUMNS = ("participant_id", "song_no", "song_id", "valence_rating", "arousal_rating")

# Folder: (samples a second, name with unit).
CHANNELS = {
    "BVP": (64, "BVP"),
    "EDA": (4, "EDA (uS)"),
    "TEMP": (4, "temperature (deg C)"),
    "HR": (1, "heart rate (bpm)"),
}
RATE = 64

CREDIT = (
    "HKU956: Hu, Li, Liu (2022), Detecting Music-Induced Emotion Based on Acoustic Analysis and "
    "Physiological Sensing, Applied Sciences 12(18):9354, doi 10.3390/app12189354. CC BY-NC 4.0: "
    "non-commercial use with credit."
)


class Record(NamedTuple):
    """One row of the table of ratings."""

    subject: int
    trial: int
    stimulus: int
    valence: float
    arousal: float
    line: int

    @property
    def file(self) -> str:
        """The name of its file in the folder of each channel."""
        return f"{self.trial}_{self.stimulus}.csv"


def hku956_files(root: Path) -> list[Path]:
    """Return the table of ratings and every signal file under `root` that the reader may open.

    Raises
    ------
    DataError
        If `root` does not have the layout of the release.
    """
    folder = _signals_folder(Path(root))
    return [
        Path(root) / RATINGS,
        *(
            folder / subject / channel / name
            for subject in _subject_folders(folder)
            for channel in CHANNELS
            for name in sorted(_csv_names(folder / subject / channel))
        ),
    ]


@register_dataset(
    "hku956",
    description="emotion induced by music; 30 people, 956 records of BVP, EDA and temperature (Empatica E4)",
    licence="CC BY-NC 4.0",
    where="https://doi.org/10.3390/app12189354",
    env="HKU956_ROOT",
    files=hku956_files,
)
def hku956(root: Path, *, subjects: Sequence[int] | None = None, heart_rate: bool = False) -> Recordings:
    """HKU956: wrist sensors of 30 people listening to music, self-rated valence and arousal.

    One trial a listening record. The slow channels are interpolated linearly onto the samples of
    the blood volume pulse (sample k of a channel at rate f is at k / f seconds; after a channel's
    last sample its value is held), and a trial ends where its shortest channel ends. Values are
    otherwise as released: moments of skin conductance near 0, from a loose electrode, are kept.

    Parameters
    ----------
    root : Path
        Folder of the release: holds ``3. AV_ratings.csv`` and ``1. physiological_signals`` (or
        ``1. physiological signals``).
    subjects : sequence of int, optional
        Participants to read, e.g. ``1903`` for ``hku1903``; all in the table of ratings by default.
    heart_rate : bool, default False
        Add the device's own heart rate (derived from BVP, 1 Hz) as a fourth channel.

    Returns
    -------
    Recordings
        `signals`: list of float32 arrays of shape (3 or 4, n_samples) at 64 Hz: ``BVP`` (device
        units), ``EDA (uS)``, ``temperature (deg C)`` and ``heart rate (bpm)``. `trials`: in order of
        subject and listening; `subject`, `trial` (song_no), `stimulus` (song_id) and `order` (song_no
        again: songs are numbered as they were heard) int64; `valence`, `arousal` float64 in [-10, 10].

    Raises
    ------
    DataError
        If a file, folder, column or subject is missing, a record lacks its rating or a rating its
        record, or a file holds anything but finite numbers.

    References
    ----------
    .. [1] X. Hu, F. Li, R. Liu, "Detecting Music-Induced Emotion Based on Acoustic Analysis and
       Physiological Sensing: A Multimodal Approach", Applied Sciences 12(18):9354, 2022,
       doi 10.3390/app12189354.
    """
    root = Path(root)
    folder = _signals_folder(root)
    rated = _read_ratings(root / RATINGS)
    channels = [channel for channel in CHANNELS if heart_rate or channel != "HR"]
    records = _choose(rated, folder, subjects)
    _match_files(records, folder, channels, root / RATINGS)
    return Recordings(
        name="HKU956",
        signals=[_read_record(folder / f"hku{record.subject}", record.file, channels) for record in records],
        channels=[CHANNELS[channel][1] for channel in channels],
        sampling_rate=float(RATE),
        trials=_table(records),
        credit=CREDIT,
    )


def _signals_folder(root: Path) -> Path:
    if not root.is_dir():
        raise DataError(f"{root}: no such folder")
    found = next((root / name for name in SIGNALS if (root / name).is_dir()), None)
    if found is None or not (root / RATINGS).is_file():
        absent = f"folder '{SIGNALS[0]}'" if found is None else f"file '{RATINGS}'"
        there = ", ".join(sorted(path.name for path in root.iterdir())) or "nothing"
        raise DataError(f"{root}: no {absent} as in the HKU956 release; there is: {there}")
    return found


def _subject_folders(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("hku*") if path.is_dir())


def _csv_names(folder: Path) -> set[str]:
    # Names with a leading dot are what macOS adds to archives.
    if not folder.is_dir():
        return set()
    return {path.name for path in folder.iterdir() if path.suffix == ".csv" and path.name[0] != "."}


def _read_ratings(path: Path) -> list[Record]:
    """Return the rows of the table of ratings by subject and trial."""
    rows: dict[tuple[int, int], Record] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            absent = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if absent:
                raise DataError(f"{path}: no column {', '.join(absent)} in its first line")
            for row in reader:
                record = _parse_rating(row, f"{path}, line {reader.line_num}", reader.line_num)
                twin = rows.setdefault((record.subject, record.trial), record)
                if twin is not record:
                    raise DataError(
                        f"{path}, line {record.line}: subject {record.subject} has song_no {record.trial} "
                        f"already on line {twin.line}"
                    )
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a CSV table: {error}") from error
    if not rows:
        raise DataError(f"{path}: no rating at all")
    return [rows[key] for key in sorted(rows)]


def _parse_rating(row: dict[str, str | None], where: str, line: int) -> Record:
    def whole_number(column: str, prefix: str = "") -> int:
        match = re.fullmatch(rf"{prefix}(\d+)", (row[column] or "").strip(), re.ASCII)
        if not match:
            raise DataError(f"{where}: {column} is {row[column]!r}, expected {prefix}<whole number>")
        return int(match[1])

    def rating(column: str) -> float:
        try:
            value = float(row[column] or "")
        except ValueError:
            value = float("nan")
        if not -10 <= value <= 10:
            raise DataError(f"{where}: {column} is {row[column]!r}, expected a number from -10 to 10")
        return value

    return Record(
        subject=whole_number("participant_id", "hku"),
        trial=whole_number("song_no"),
        stimulus=whole_number("song_id"),
        valence=rating("valence_rating"),
        arousal=rating("arousal_rating"),
        line=line,
    )


def _choose(rated: list[Record], folder: Path, subjects: Sequence[int] | None) -> list[Record]:
    """Return the rows of the wanted subjects, each of whom has a folder."""
    in_table = {record.subject for record in rated}
    in_folder = {name.removeprefix("hku") for name in _subject_folders(folder)}
    if subjects is None:
        wanted = in_table
        unrated = sorted(in_folder - set(map(str, in_table)))
        if unrated:
            raise DataError(f"{folder / f'hku{unrated[0]}'}: this subject has no row in '{RATINGS}'")
    else:
        wanted = set(subjects)
        unknown = sorted(wanted - in_table)
        if unknown:
            asked = ", ".join(map(str, unknown))
            raise DataError(f"HKU956: no subject {asked} in '{RATINGS}'; there are: {spans(in_table)}")
    absent = sorted(subject for subject in wanted if str(subject) not in in_folder)
    if absent:
        there = spans({int(name) for name in in_folder if name.isdecimal()}) or "none"
        names = ", ".join(f"hku{subject}" for subject in absent)
        raise DataError(f"{folder}: no folder {names}, though '{RATINGS}' has ratings; there are: {there}")
    return [record for record in rated if record.subject in wanted]


def _match_files(records: list[Record], folder: Path, channels: list[str], ratings: Path) -> None:
    """Check that rows and files are the same records, before the slow part begins."""
    lines: dict[int, dict[str, int]] = {}
    for record in records:
        lines.setdefault(record.subject, {})[record.file] = record.line
    for subject, line_of in lines.items():
        for channel in channels:
            place = folder / f"hku{subject}" / channel
            names = _csv_names(place)
            for name in sorted(line_of.keys() - names):
                rated = f"{ratings}, line {line_of[name]}, rates it"
                raise DataError(f"{place / name}: no such file, but {rated}")
            for name in sorted(names - line_of.keys()):
                raise DataError(f"{place / name}: this record has no row in {ratings}")


def _read_record(folder: Path, name: str, channels: list[str]) -> np.ndarray:
    """Return one record on the time grid of the fastest channel, shape (n_channels, n_samples), float32."""
    samples = [(CHANNELS[channel][0], _read_samples(folder / channel / name)) for channel in channels]
    n_samples = min(len(values) * RATE // rate for rate, values in samples)
    time = np.arange(n_samples) / RATE
    signal = np.empty((len(samples), n_samples), dtype=np.float32)
    for row, (rate, values) in zip(signal, samples, strict=True):
        row[:] = np.interp(time, np.arange(len(values)) / rate, values) if rate < RATE else values[:n_samples]
    return signal


def _read_samples(path: Path) -> np.ndarray:
    """Return a file of one number a line as float64, shape (n_samples,)."""
    # Thousands of small files: `float` on every line is strict, and faster than np.loadtxt or np.fromfile.
    lines = path.read_bytes().rstrip().splitlines()
    if not lines:
        raise DataError(f"{path}: the file is empty")
    try:
        values = np.array(list(map(float, lines)))
    except ValueError:
        values = np.array([np.nan])
    if not np.isfinite(values).all():
        number, text = next((k, line) for k, line in enumerate(lines, start=1) if not _is_finite(line))
        shown = text.decode(errors="replace")[:40]
        raise DataError(f"{path}, line {number}: {shown!r} is not a finite number")
    return values


def _is_finite(text: bytes) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _table(records: list[Record]) -> pd.DataFrame:
    import pandas as pd

    trials = pd.DataFrame(records, columns=list(Record._fields)).drop(columns="line")
    return trials.assign(order=trials["trial"])  # the release numbers a person's songs as they were heard
