"""What DEAP's files of signals do not say of its sessions: at which site they were, and in which order.

The order stands in the release's table of ratings, ``participant_ratings.csv``, whose columns are described
at https://www.eecs.qmul.ac.uk/mmv/datasets/deap/readme.html: ``Participant_id``, ``Trial`` (the place in the
session) and ``Experiment_id`` (the video, by whose number the files of signals hold the trials).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench.datasets._deap_files import SUBJECTS, TRIALS
from bench.recordings import DataError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_COLUMNS = {"participant_id": SUBJECTS, "trial": TRIALS, "experiment_id": TRIALS}
# Not in the release: added here, so that what a program made up is known wherever the file is copied to.
_SIMULATED = "simulated"
_WRITTEN = (
    "Participant_id", "Trial", "Experiment_id", "Start_time",
    "Valence", "Arousal", "Dominance", "Liking", "Simulated",
)  # fmt: skip

# Koelstra et al. (2012) and the release's readme: participants 1 to 22 at Twente, 23 to 32 at Geneva.
_FIRST_IN_GENEVA = 23


class _Row(NamedTuple):
    subject: int
    place: int
    video: int
    line: int


def site_of(subject: int) -> str:
    """Return where a subject (1..32) was recorded: ``Twente`` or ``Geneva``."""
    return "Twente" if subject < _FIRST_IN_GENEVA else "Geneva"


def read_order(path: Path, subjects: Sequence[int]) -> tuple[NDArray[np.int64], bool]:
    """Read at which place of their sessions the subjects saw each video.

    Parameters
    ----------
    path : Path
        The table, a line a trial in any order; parted by commas, semicolons or tabs.
    subjects : sequence of int
        Of whom; all 40 trials of each have to be there.

    Returns
    -------
    order : ndarray of shape (40 x n_subjects,), int64
        Place 1..40, by subject as given, then video.
    simulated : bool
        Whether the table says that a program made it up.

    Raises
    ------
    DataError
        If the file cannot be read, is no such table, holds a number out of range, a place or a video twice in
        a session, or not all the trials; with the file and the line.
    """
    rows: dict[int, list[_Row]] = {}
    simulated = False
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            header = lines.readline()
            reader = csv.reader(lines, delimiter=max(",;\t", key=header.count), strict=True)
            names = [name.strip().lower() for name in next(csv.reader([header], reader.dialect), [])]
            absent = [name.capitalize() for name in _COLUMNS if name not in names]
            if absent:
                raise DataError(f"{path}, line 1: no column {', '.join(absent)}")
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                line = reader.line_num + 1
                fields = dict(zip(names, cells, strict=False))
                subject, place, video = (_number(fields, name, f"{path}, line {line}") for name in _COLUMNS)
                row = _Row(subject, place, video, line)
                simulated = simulated or fields.get(_SIMULATED, "").strip() not in ("", "0")
                rows.setdefault(row.subject, []).append(row)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a table of text: {error}") from error
    for own in rows.values():
        _check_once(path, own)
    return np.concatenate([_session(path, subject, rows.get(subject, [])) for subject in subjects]), simulated


def add_order(path: Path, trials: pd.DataFrame) -> None:
    """Append simulated sessions to a table in the release's form, with a column more that says what they are.

    Parameters
    ----------
    path : Path
        The table; begun if it is not there.
    trials : DataFrame
        Columns ``subject``, ``stimulus``, ``order`` and the four ratings.
    """
    rows = trials.sort_values(["subject", "order"])
    ids = rows[["subject", "order", "stimulus"]].to_numpy(dtype=int)
    ratings = rows[["valence", "arousal", "dominance", "liking"]].to_numpy(dtype=float)
    begun = path.exists()
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        if not begun:
            writer.writerow(_WRITTEN)
        for (subject, place, video), rated in zip(ids.tolist(), ratings.tolist(), strict=True):
            start = 100_000_000 * place  # microseconds, as in the release
            writer.writerow([subject, place, video, start, *(f"{value:.2f}" for value in rated), 1])


def _number(fields: dict[str, str], name: str, where: str) -> int:
    text, within = fields.get(name, "").strip(), _COLUMNS[name]
    # Spreadsheets may write whole numbers as 3.0.
    whole = re.fullmatch(r"(\d{1,9})(\.0*)?", text, re.ASCII)
    if not whole or int(whole[1]) not in within:
        expected = f"a whole number from {within[0]} to {within[-1]}"
        raise DataError(f"{where}: {name.capitalize()} is {text[:40]!r}, expected {expected}")
    return int(whole[1])


def _check_once(path: Path, rows: list[_Row]) -> None:
    """Refuse a place or a video that a subject has twice."""
    for name, at in (("Trial", 1), ("Experiment_id", 2)):
        first: dict[int, _Row] = {}
        for row in rows:
            twin = first.setdefault(row[at], row)
            if twin is not row:
                raise DataError(
                    f"{path}, line {row.line}: participant {row.subject} has {name} {row[at]} "
                    f"already on line {twin.line}"
                )


def _session(path: Path, subject: int, rows: list[_Row]) -> NDArray[np.int64]:
    """Return the place of each video in a subject's session, int64 of shape (40,)."""
    if len(rows) < len(TRIALS):
        after = f", line {rows[-1].line}" if rows else ""
        raise DataError(f"{path}{after}: participant {subject} has {len(rows)} of {len(TRIALS)} trials")
    places = {row.video: row.place for row in rows}
    return np.array([places[video] for video in TRIALS], np.int64)
