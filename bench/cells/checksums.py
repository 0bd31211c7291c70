"""The files of a stored cell, and their checksums, as the program sha256sum writes and reads them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from pathlib import Path

RESULT, PREDICTIONS = "result.json", "predictions.parquet"
SUMS = "SHA256SUMS"
NO_SUMS = f"no {SUMS}: stored before there were checksums, or not by this program"


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def seal(folder: Path) -> None:
    """Write checksums of all files, as the program sha256sum reads them, and force all to the disk."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    lines = (f"{_digest(file)}  {file.relative_to(folder).as_posix()}\n" for file in files)
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")
    for file in (*files, folder / SUMS):
        with file.open("rb") as content:
            os.fsync(content.fileno())


def fault_of(folder: Path, only: Collection[str] = ()) -> str:
    """Say which of a cell's files is not what was stored, looking at all of them or `only` at some."""
    sums: dict[str, str] = {}
    try:
        for line in (folder / SUMS).read_text(encoding="utf-8").splitlines():
            digest, name = line.split("  ", 1)
            sums[name] = digest
    except FileNotFoundError:
        return NO_SUMS
    except (OSError, ValueError):
        return f"{SUMS} is damaged"
    for name, digest in sums.items():
        if only and name not in only:
            continue
        try:
            if _digest(folder / name) != digest:
                return f"{name} is not what was stored"
        except OSError as error:
            return f"{name} cannot be read: {error.strerror or error}"
    if RESULT not in sums:
        return f"{SUMS} does not name {RESULT}"
    return ""
