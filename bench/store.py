"""Results on disk: a folder a cell, written aside and renamed, so that it appears whole or not at all."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pandas as pd
from pyarrow import BufferReader, ChunkedArray
from pyarrow.parquet import ParquetFile

from bench.cell import Cell, Outcome
from bench.errors import DataError
from bench.metrics import codes, confusion_by
from bench.saved import ABOUT, MODEL, has_model, save_model

RESULT, PREDICTIONS = "result.json", "predictions.parquet"
LOGS, LOCKS = "logs", ".locks"
SUMS = "SHA256SUMS"
NO_SUMS = f"no {SUMS}: stored before there were checksums, or not by this program"
ABLATIONS, ROWS = "ablations", "rows.json"


@dataclass(frozen=True, eq=False)
class StoredCell:
    """A cell's folder and the content of its ``result.json``."""

    folder: Path
    result: dict[str, Any]

    @property
    def ok(self) -> bool:
        """Whether the cell has predictions."""
        return self.result["status"] == "ok"

    @property
    def damage(self) -> str:
        """What is wrong with the result or the predictions by their checksums; ``""`` if nothing is."""
        fault = _fault(self.folder, (RESULT, PREDICTIONS))
        return "" if fault == NO_SUMS else fault

    @property
    def has_model(self) -> bool:
        """Whether the trained model was kept."""
        return has_model(self.folder)

    @cached_property
    def counts(self) -> dict[int, np.ndarray]:
        """The confusion matrix of each tested subject: int64 of shape (n_classes, n_classes).

        Raises
        ------
        DataError
            As `predictions`, or if a label is none of the classes.
        """
        file = self.folder / PREDICTIONS
        classes = self.result["suite"]["classes"]

        def coded(column: ChunkedArray) -> np.ndarray:
            labels = column.combine_chunks()
            return codes(np.array(labels.dictionary), classes)[labels.indices]

        try:
            # From memory, as codes and without pandas, which would take six times as long: a study has thousands.
            content = ParquetFile(BufferReader(file.read_bytes()), read_dictionary=["y_true", "y_pred"])
            subject, true, predicted = content.read(
                ["subject", "y_true", "y_pred"], use_threads=False
            ).columns
            return confusion_by(subject.to_numpy(), coded(true), coded(predicted), len(classes))
        except (OSError, ValueError) as error:
            raise DataError(f"{file}: cannot be read ({error}); run the suite again") from None

    def predictions(self) -> pd.DataFrame:
        """Read the predictions.

        Raises
        ------
        DataError
            If the file is missing or damaged.
        """
        try:
            return pd.read_parquet(self.folder / PREDICTIONS)
        except (OSError, ValueError) as error:
            raise DataError(
                f"{self.folder / PREDICTIONS}: cannot be read ({error}); run the suite again"
            ) from None


class Store:
    """The results of one suite on one data set: ``results/<suite>/`` or ``results/<suite>@simulated/``.

    What was read of a cell is kept for as long as its file is the same; it is not pickled.
    """

    def __init__(self, results: Path, suite: str, simulated: bool) -> None:
        self.folder = results / (suite + ("@simulated" if simulated else ""))
        self._known: dict[Path, tuple[tuple[int, int], StoredCell]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "_known": {}}

    def prepare(self) -> None:
        """Make the folder, so that a disk that refuses (DataError) is known before hours of work."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise DataError(f"{self.folder}: results cannot be written: {error.strerror or error}") from None

    def path(self, cell: Cell) -> Path:
        """Return the cell's folder, for writer and reader alike."""
        last = f"seed-{cell.seed}" + ("" if cell.fold is None else f"-fold-{cell.fold}")
        top = self.folder / ABLATIONS / cell.ablation if cell.ablation else self.folder
        return top.joinpath(cell.variant, cell.protocol, cell.estimator, last)

    def log_dir(self, cell: Cell) -> Path:
        """Return the folder for what the cell's estimator writes while it is fitted.

        It outlives an interrupted fit, and is moved into the cell's folder when that is written.
        """
        path = self.path(cell)
        return path.with_name(path.name + ".running")

    def lock(self, cell: Cell) -> filelock.BaseFileLock:
        """Return a lock for the cell, to be held while it is run, so that no other run does it too.

        The operating system takes it back when the process that holds it ends, in whatever way.
        """
        name = hashlib.sha256(str(self.path(cell).relative_to(self.folder)).encode()).hexdigest()[:20]
        try:
            (self.folder / LOCKS).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{self.folder}: cannot be written: {error.strerror or error}") from None
        return filelock.FileLock(self.folder / LOCKS / f"{name}.lock")

    def sweep(self, cell: Cell) -> None:
        """Remove what a process left that was killed while it wrote the cell; the lock must be held."""
        path = self.path(cell)
        for aside in path.parent.glob(f"{glob.escape(path.name)}.*.tmp"):
            shutil.rmtree(aside, ignore_errors=True)

    def read(self, cell: Cell) -> StoredCell | None:
        """Return what is stored for the cell; None if nothing is, or nothing that can be read."""
        return self._read(self.path(cell))

    def write(
        self, outcome: Outcome, result: dict[str, Any], about: dict[str, Any] | None = None
    ) -> StoredCell:
        """Store an outcome, in the place of an older one; DataError if the disk refuses.

        With `about` the fitted estimator is kept too. If it cannot save itself, that is one of the
        result's warnings: what was computed is not lost over it.
        """
        with self._into_place(self.path(outcome.cell)) as aside:
            if outcome.predictions is not None:
                outcome.predictions.to_parquet(aside / PREDICTIONS, index=False)
            outcome.training.write(aside)
            # A cell that was stopped can go on from its checkpoints when it is tried again.
            if outcome.status in ("ok", "failed") and self.log_dir(outcome.cell).is_dir():
                os.replace(self.log_dir(outcome.cell), aside / LOGS)
            if about is not None and outcome.fitted is not None:
                _try_to_save(aside, outcome.fitted.estimator, about, result["warnings"])
            (aside / RESULT).write_text(json.dumps(result, indent=1, default=str), encoding="utf-8")
            _seal(aside)
        return StoredCell(self.path(outcome.cell), result)

    def adopt(self, cell: Cell, files: dict[str, bytes]) -> StoredCell:
        """Store the files of a result that was made elsewhere; DataError if the disk refuses, or they are none."""
        target = self.path(cell)
        with self._into_place(target) as aside:
            for name, content in files.items():
                (aside / name).parent.mkdir(parents=True, exist_ok=True)
                (aside / name).write_bytes(content)
            fault = _fault(aside)
            stored = _read(aside)
            if fault or stored is None:
                raise DataError(f"{target}: what came back is no result: {fault or RESULT}")
        return StoredCell(target, stored.result)

    @contextlib.contextmanager
    def _into_place(self, target: Path) -> Iterator[Path]:
        """Give a folder to write into, and put it in the place of `target` if all went well."""
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            aside = Path(tempfile.mkdtemp(prefix=target.name + ".", suffix=".tmp", dir=target.parent))
            try:
                yield aside
                aside.chmod(0o755)
                _replace(target, aside)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
        except OSError as error:
            raise DataError(f"{target}: the result cannot be written: {error.strerror or error}") from None

    def write_ablations(self, rows: list[dict[str, Any]]) -> None:
        """Keep which cells the rows of the table of ablations are made of."""
        folder = self.folder / ABLATIONS
        try:
            folder.mkdir(exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, encoding="utf-8") as file:
                json.dump(rows, file, indent=1, default=str)
            os.replace(file.name, folder / ROWS)
        except OSError as error:
            raise DataError(f"{folder}: cannot be written: {error.strerror or error}") from None

    def read_ablations(self) -> list[dict[str, Any]]:
        """Return what `write_ablations` kept; nothing if no ablations were run, or it cannot be read."""
        try:
            rows = json.loads((self.folder / ABLATIONS / ROWS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        return rows if isinstance(rows, list) and all(isinstance(row, dict) for row in rows) else []

    def verify(self) -> Iterator[tuple[Path, str]]:
        """Yield the folder of each cell with what is wrong with it: ``""`` if its checksums are right."""
        for folder in sorted(self.folder.glob("**/seed-*/")):
            if folder.suffix not in (".tmp", ".running"):
                yield folder, _fault(folder)

    def cells(self) -> Iterator[StoredCell]:
        """Yield all stored cells, in the order of their paths."""
        found = []
        for folder, inside, files in os.walk(self.folder):
            cell = os.path.basename(folder).startswith("seed-")
            if cell and RESULT in files and not folder.endswith(".tmp"):
                found.append(folder)
            # Nothing below a cell is one: with thousands of them, looking there takes as long as reading them.
            inside[:] = [] if cell else [name for name in inside if name != LOCKS]
        for folder in sorted(found, key=lambda folder: folder.split(os.sep)):
            stored = self._read(Path(folder))
            if stored is not None:
                yield stored

    def _read(self, folder: Path) -> StoredCell | None:
        try:
            status = (folder / RESULT).stat()
        except OSError:
            return None
        version = status.st_ino, status.st_mtime_ns  # of the file: a result is never changed in its place
        known = self._known.get(folder)
        if known is not None and known[0] == version:
            return known[1]
        stored = _read(folder)
        if stored is not None:
            self._known[folder] = version, stored
        return stored


def _replace(target: Path, aside: Path) -> None:
    """Put a folder in the place of another: in two renames, so that half of one is never there."""
    old = Path(f"{aside}.old.tmp")
    if target.is_dir():
        os.replace(target, old)
    os.replace(aside, target)
    shutil.rmtree(old, ignore_errors=True)


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _seal(folder: Path) -> None:
    """Write checksums of all files, as the program sha256sum reads them, and force all to the disk."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    lines = (f"{_digest(file)}  {file.relative_to(folder).as_posix()}\n" for file in files)
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")
    for file in (*files, folder / SUMS):
        with file.open("rb") as content:
            os.fsync(content.fileno())


def _fault(folder: Path, only: Collection[str] = ()) -> str:
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


def _try_to_save(folder: Path, estimator: Any, about: dict[str, Any], warnings: list[str]) -> None:
    try:
        save_model(folder, estimator, about)
    except OSError:
        raise
    except Exception as error:  # a plugin's method may raise anything
        for name in (MODEL, ABOUT):
            (folder / name).unlink(missing_ok=True)
        warnings.append(f"the model was not kept: {type(error).__name__}: {error}")


def _read(folder: Path) -> StoredCell | None:
    try:
        result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(result, dict) or not {"status", "identity", "cell", "suite"} <= result.keys():
        return None
    if not isinstance(result["identity"], dict) or "split" not in result["identity"]:
        return None
    if result["status"] == "ok" and not (folder / PREDICTIONS).is_file():
        return None
    return StoredCell(folder, result)


def differences(stored: dict[str, Any], wanted: dict[str, Any], path: str = "") -> list[str]:
    """Say in words, a line each, where two identities differ."""
    lines = []
    for key in sorted(stored.keys() | wanted.keys()):
        where = f"{path}{key}"
        old, new = stored.get(key), wanted.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            lines += differences(old, new, f"{where} ")
        elif old != new:
            lines.append(f"{where} {_short(old)} -> {_short(new)}")
    return lines


def why_again(stored: StoredCell | None, identity: dict[str, Any]) -> str:
    """Say why a cell has to be run in spite of what is stored; ``""`` if that can be reused."""
    if stored is None:
        return "no result yet"
    if stored.result["identity"] != identity:
        return "; ".join(differences(stored.result["identity"], identity)[:3])
    if stored.damage:
        return f"damaged: {stored.damage}"
    return "" if stored.ok else f"{stored.result['status']} before"


def _short(value: Any) -> str:
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:g}"
    text = str(value)
    return text[:10] + "..." if len(text) == 64 else text
