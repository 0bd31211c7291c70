"""Where the files of a copy of DEAP are, and of which subjects."""

from __future__ import annotations

import os
import re
from pathlib import Path

from bench.recordings import DataError

SUBJECTS = range(1, 33)
TRIALS = range(1, 41)
SESSIONS = "participant_ratings.csv"

_FILE = re.compile(r"s(\d\d)\.(dat|mat)")
# The release packs its tables into an archive apart from the signals, named as the third or fourth of these.
_BESIDE = ("", "metadata", "metadata_csv", "metadata_xls")


def subject_files(root: Path) -> dict[int, Path]:
    """Return the file of each subject that is there, in order of the subjects; nothing is read.

    Parameters
    ----------
    root : Path
        The folder of the files, or the one that holds ``data_preprocessed_python`` or
        ``data_preprocessed_matlab``.

    Raises
    ------
    DataError
        If there is no such folder, no subject file in it, or files of both formats.
    """
    root = Path(root)
    if not root.is_dir():
        raise DataError(f"{root}: no such folder (of DEAP's data_preprocessed_python)")
    for folder in (root, root / "data_preprocessed_python", root / "data_preprocessed_matlab"):
        try:
            names = sorted(os.listdir(folder)) if folder.is_dir() else []
        except OSError as error:
            raise DataError(f"{folder}: {error.strerror or error}") from error
        found = [match for match in map(_FILE.fullmatch, names) if match and int(match[1]) in SUBJECTS]
        if not found:
            continue
        if len({match[2] for match in found}) > 1:
            dat, mat = (next(m[0] for m in found if m[2] == suffix) for suffix in ("dat", "mat"))
            raise DataError(f"{folder} holds both Python and Matlab files ({dat}, {mat}): keep one kind")
        return {int(match[1]): folder / match[0] for match in found}
    names = sorted(os.listdir(root))
    what = f"found: {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}" if names else "it is empty"
    raise DataError(
        f"{root}: no s01.dat to s32.dat or s01.mat to s32.mat in it, "
        f"nor in a data_preprocessed_python under it ({what})"
    )


def sessions_file(folder: Path) -> Path | None:
    """Return the table of the sessions that goes with the subject files in `folder`, if there is one.

    It may lie with them, beside their folder, or in a folder ``metadata``, ``metadata_csv`` or
    ``metadata_xls`` at either place; the first that is found counts.
    """
    return _beside(folder, SESSIONS)


def sessions_spreadsheet(folder: Path) -> Path | None:
    """Return the same table as a spreadsheet, which is not read."""
    return _beside(folder, SESSIONS.replace(".csv", ".xls"))


def _beside(folder: Path, name: str) -> Path | None:
    places = (place / within / name for place in (folder, folder.absolute().parent) for within in _BESIDE)
    return next((path for path in places if path.is_file()), None)
