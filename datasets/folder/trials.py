"""``trials.csv``: a row a trial, checked, and the files in which its signals are."""

from __future__ import annotations

import csv
import difflib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.datasets.folder.findings import Findings
from bench.errors import DataError, nearest
from bench.recordings import KNOWN

if TYPE_CHECKING:
    import pandas as pd

TRIALS, SIGNALS = "trials.csv", "signals"
FORMATS = (".csv", ".parquet", ".npz")
_IDS = ("subject", "trial", "stimulus")
_SIMILAR = 0.75  # of a rating's name to that of a column that means something else


@dataclass(frozen=True)
class Row:
    """One trial: its cells as text, the line that has it, and the files of its signals."""

    subject: int
    trial: int
    line: int
    cells: dict[str, str]
    files: tuple[Path, ...] = ()
    place: str = ""  # how the file, or folder of files, is called in messages


def shown(root: Path, path: Path) -> str:
    """Return a path as messages show it: from the name of the folder on."""
    name = root.resolve().name
    return str(Path(name) / path.relative_to(root)) if path.is_relative_to(root) else str(path)


def read_rows(root: Path, subjects: Sequence[int] | None, findings: Findings) -> tuple[list[str], list[Row]]:
    """Return the columns and the rows of ``trials.csv``, of the wanted subjects, each with its files.

    Raises
    ------
    DataError
        If the table cannot be read, or a subject that is asked for is not in it.
    """
    path = root / TRIALS
    if not path.is_file():
        there = [one.name for one in root.iterdir()] if root.is_dir() else []
        close = difflib.get_close_matches(TRIALS, there, n=1)
        hint = f"did you mean '{close[0]}'?" if close else "a folder of recordings has one, a row a trial"
        raise DataError(f"{path}: no such file; {hint}")
    columns, rows = _read(path, shown(root, path), findings)
    findings.stop()
    known = {row.subject for row in rows}
    unknown = sorted(set(subjects or ()) - known)
    if unknown:
        raise DataError(
            f"{shown(root, path)}: no subject {', '.join(map(str, unknown))}; there are: "
            f"{', '.join(map(str, sorted(known)))}"
        )
    wanted = known if subjects is None else set(subjects)
    rows = [_with_files(root, row, findings) for row in rows if row.subject in wanted]
    findings.stop()
    if subjects is None:
        _unused(root, rows, findings)
    return columns, rows


def _read(path: Path, name: str, findings: Findings) -> tuple[list[str], list[Row]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines)
            columns = [column.strip() for column in next(reader, [])]
            check_header(columns, name)
            for column in _IDS:
                if column not in columns:
                    raise DataError(f"{name}, line 1: no column '{column}'{nearest(column, columns)}")
            rows = []
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    row = _row(columns, cells, f"{name}, line {reader.line_num}", reader.line_num, findings)
                    rows += [] if row is None else [row]
    except UnicodeDecodeError:
        raise DataError(f"{name}: not a text in UTF-8") from None
    except csv.Error as error:
        raise DataError(f"{name}: not a CSV table: {error}") from None
    if not rows and not findings.faults:
        raise DataError(f"{name}: no trial at all")
    _check_ids(rows, name, findings)
    return columns, sorted(rows, key=lambda row: (row.subject, row.trial))


def _check_ids(rows: list[Row], name: str, findings: Findings) -> None:
    unknown = [row.line for row in rows if row.subject == 0]
    if unknown and len(unknown) < len(rows):
        findings.fault(
            "ids", f"{name}, line {unknown[0]}: subject 0 stands for not known; number people from 1"
        )
    seen: dict[tuple[int, int], int] = {}
    for row in rows:
        first = seen.setdefault((row.subject, row.trial), row.line)
        if first != row.line:
            findings.fault(
                "trials that stand twice",
                f"{name}, line {row.line}: subject {row.subject} has trial {row.trial} on line {first} already",
            )


def check_header(columns: list[str], name: str) -> None:
    """Refuse a first line that names no columns, or one twice; DataError."""
    for mark, called in ((";", "';'"), ("\t", "tabs")):
        if mark in "".join(columns) and len(columns) < 3:
            raise DataError(f"{name}, line 1: columns are separated by commas, not by {called}")
    if not any(columns):
        raise DataError(f"{name}: empty; its first line has to name the columns")
    for number, column in enumerate(columns, start=1):
        if not column:
            raise DataError(f"{name}, line 1: column {number} has no name; is it a table's index?")
        if columns.index(column) < number - 1:
            raise DataError(f"{name}, line 1: column '{column}' stands twice")


def _row(columns: list[str], cells: list[str], where: str, line: int, findings: Findings) -> Row | None:
    if len(cells) != len(columns):
        findings.fault("lines", f"{where}: {len(cells)} values for {len(columns)} columns")
        return None
    row = {column: cell.strip() for column, cell in zip(columns, cells, strict=True)}
    for column, cell in row.items():
        if not cell and column != "file":
            findings.fault(
                "empty cells", f"{where}: {column} is empty; give a value, or leave the trial or column out"
            )
            return None
    for column in ("subject", "trial"):
        if not re.fullmatch(r"\d{1,9}", row[column], re.ASCII):
            findings.fault("ids", f"{where}: {column} is '{row[column]}', not a whole number")
            return None
    return Row(int(row["subject"]), int(row["trial"]), line, row)


def _with_files(root: Path, row: Row, findings: Findings) -> Row:
    named = row.cells.get("file", "")
    where = f"{shown(root, root / TRIALS)}, line {row.line}"
    if named:
        given = root / named
        if Path(named).is_absolute() or not given.resolve().is_relative_to(root.resolve()):
            findings.fault("files outside", f"{where}: file '{named}' is outside the folder")
            return row
        choices = [given]
    else:
        stem = root / SIGNALS / f"{row.subject}_{row.trial}"
        choices = [stem, *(stem.with_name(stem.name + ending) for ending in FORMATS)]
    found = [path for path in choices if path.exists()]
    if not found:
        absent = choices[0] if named else choices[1]
        beside = [one.name for one in absent.parent.iterdir()] if absent.parent.is_dir() else []
        close = [one for one in sorted(beside) if Path(one).stem == absent.stem]
        for name in (absent.name, absent.stem):
            close += difflib.get_close_matches(name, beside, n=1, cutoff=0.7)
        hint = f"; there is '{close[0]}'" if close else ""
        other = "" if named else " (nor .parquet, .npz or a folder)"
        findings.fault("missing files", f"{shown(root, absent)}: no such file{other}, for {where}{hint}")
        return row
    if len(found) > 1:
        both = " and ".join(shown(root, path) for path in found)
        findings.fault("two files", f"{where}: both {both} are there; which one?")
        return row
    place = found[0]
    files = [place]
    if place.is_dir():
        files = sorted(one for one in place.iterdir() if one.suffix in FORMATS and one.name[0] != ".")
    if not files or files[0].suffix not in FORMATS:
        findings.fault("formats", f"{shown(root, place)}: signals are read from {', '.join(FORMATS)} files")
        return row
    return Row(row.subject, row.trial, row.line, row.cells, tuple(files), shown(root, place))


def _unused(root: Path, rows: Iterable[Row], findings: Findings) -> None:
    folder = root / SIGNALS
    if not folder.is_dir():
        return
    used = {path for row in rows for file in row.files for path in (file, file.parent)}
    for path in sorted(folder.iterdir()):
        if path not in used and path.name[0] != "." and (path.is_dir() or path.suffix in FORMATS):
            findings.notice(
                "files that no trial names",
                f"{shown(root, path)}: no line of {TRIALS} names it, so it is not used",
            )


def table_of(root: Path, columns: list[str], rows: list[Row], findings: Findings) -> pd.DataFrame:
    """Return the table of trials of `Recordings`: ids, what is known of trials, and ratings.

    A rating is int64 or float64 where every trial has a number, else str.
    """
    import pandas as pd

    name = shown(root, root / TRIALS)
    table: dict[str, Any] = {column: [getattr(row, column) for row in rows] for column in _IDS[:2]}
    ratings = [column for column in columns if column not in (*_IDS, *KNOWN, "file")]
    if not ratings:
        findings.fault("ratings", f"{name}, line 1: no column to predict beside {', '.join(columns)}")
    for column in ratings:
        meant = difflib.get_close_matches(column.lower(), (*KNOWN, "file"), n=1, cutoff=_SIMILAR)
        if meant:
            findings.notice(
                "columns", f"{name}: column '{column}' is taken for a rating; did you mean '{meant[0]}'?"
            )
    for column in columns:
        if column not in ("subject", "trial", "file"):
            numbers = column in ("order", "onset")
            table[column] = _values(name, column, rows, findings, numbers=numbers)
            if column == "split":
                for row in rows:
                    if row.cells[column] not in ("train", "test"):
                        findings.fault(
                            "splits",
                            f"{name}, line {row.line}: split is '{row.cells[column]}', not train or test",
                        )
    if ("recording" in columns) != ("onset" in columns):
        there, absent = ("recording", "onset") if "recording" in columns else ("onset", "recording")
        findings.fault("columns", f"{name}, line 1: column '{there}' needs the column '{absent}' too")
    findings.stop()
    return pd.DataFrame(table)


def _values(name: str, column: str, rows: list[Row], findings: Findings, *, numbers: bool) -> list[Any]:
    """Return a column as int, float or str; a number among texts, or a text among numbers, is a fault."""
    texts = [row.cells[column] for row in rows]
    parsed = [_number(text) for text in texts]
    is_number = [value is not None for value in parsed]
    if all(is_number):
        whole = all(re.fullmatch(r"[+-]?\d{1,15}", text, re.ASCII) for text in texts)
        return [int(text) for text in texts] if whole else parsed
    if numbers or (column not in ("stimulus", *KNOWN) and sum(is_number) > len(texts) / 2):
        row = rows[is_number.index(False)]
        findings.fault(
            "values", f"{name}, line {row.line}: {column} is '{row.cells[column]}', which is no finite number"
        )
    return texts


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
