"""Results on disk: a folder a cell, written aside and renamed, so that it appears whole or not at all."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

import filelock

from bench.cells.capsule import CAPSULE, Capsule
from bench.cells.capsule_writing import write_capsule
from bench.cells.cell import Cell, Outcome
from bench.cells.checksums import PREDICTIONS, RESULT, fault_of, seal
from bench.cells.saved import ABOUT, MODEL, save_model
from bench.cells.stored_cell import StoredCell, place_of, read_cell
from bench.errors import DataError

LOGS, LOCKS = "logs", ".locks"
ABLATIONS, ROWS = "ablations", "rows.json"


class Store:
    """The results of one suite on one data set: ``results/<suite>/`` or ``results/<suite>@simulated/``.

    A cell has a folder of its own, or is in the folder's capsule; where it has both, the folder counts. What was read
    is kept for as long as its file is the same; it is not pickled.
    """

    def __init__(self, results: Path, suite: str, simulated: bool) -> None:
        self.folder = results / (suite + ("@simulated" if simulated else ""))
        self._known: dict[Path, tuple[tuple[int, int], StoredCell]] = {}
        self._capsule: tuple[tuple[int, int], Capsule] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "_known": {}, "_capsule": None}

    @property
    def capsule(self) -> Capsule | None:
        """The capsule in the folder; None if there is none, DataError if it is damaged."""
        path = self.folder / CAPSULE
        version = _version_of(path)
        if version is None:
            return None
        if self._capsule is None or self._capsule[0] != version:
            self._capsule = version, Capsule(path)
        return self._capsule[1]

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
        return self.folder / _place(cell)

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
        """Return what is stored for the cell; None if nothing is, or nothing that can be read.

        Raises
        ------
        DataError
            If there is a capsule, and it is damaged.
        """
        stored = self._read(self.path(cell))
        if stored is None and self.capsule is not None:
            return self.capsule.cells.get(_place(cell))
        return stored

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
            seal(aside)
        return StoredCell(self.path(outcome.cell), result)

    def amend(self, stored: StoredCell, changes: Mapping[str, Any]) -> StoredCell:
        """Store a result anew with other values of some keys, its predictions as they are; DataError if the disk refuses."""
        result = {**stored.result, **changes}
        with self._into_place(stored.folder) as aside:
            stored.unpack(aside)
            (aside / RESULT).write_text(json.dumps(result, indent=1, default=str), encoding="utf-8")
            seal(aside)
        return StoredCell(stored.folder, result)

    def adopt(self, cell: Cell, files: dict[str, bytes]) -> StoredCell:
        """Store the files of a result that was made elsewhere; DataError if the disk refuses, or they are none."""
        target = self.path(cell)
        with self._into_place(target) as aside:
            for name, content in files.items():
                (aside / name).parent.mkdir(parents=True, exist_ok=True)
                (aside / name).write_bytes(content)
            fault = fault_of(aside)
            stored = read_cell(aside)
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
        """Return what `write_ablations` kept, or else the capsule's; nothing if no ablations were run, or it cannot be read."""
        try:
            rows = json.loads((self.folder / ABLATIONS / ROWS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return self.capsule.ablations if self.capsule is not None else []
        return rows if isinstance(rows, list) and all(isinstance(row, dict) for row in rows) else []

    def write_capsule(self) -> Path:
        """Put all that is stored into the folder's capsule; DataError if the disk refuses, or a cell is damaged."""
        path, cells, ablations = self.folder / CAPSULE, list(self.cells()), self.read_ablations()
        if not self._has_all(cells, ablations):
            write_capsule(path, cells, ablations)
        return path

    def _has_all(self, cells: list[StoredCell], ablations: list[dict[str, Any]]) -> bool:
        """Whether the capsule holds just these, by their results: each says when it was written, and of what."""
        capsule = self.capsule
        if capsule is None or capsule.ablations != ablations or len(capsule.cells) != len(cells):
            return False
        there = {self.folder / place: cell.result for place, cell in capsule.cells.items()}
        return all(there.get(cell.folder) == cell.result for cell in cells)

    def verify(self) -> Iterator[tuple[Path, str]]:
        """Yield the folder of each cell, and the capsule, with what is wrong with it: ``""`` if its checksums are right."""
        if (self.folder / CAPSULE).is_file():
            yield self.folder / CAPSULE, _fault_of_capsule(self.folder / CAPSULE)
        for folder in sorted(self.folder.glob("**/seed-*/")):
            if folder.suffix not in (".tmp", ".running"):
                yield folder, fault_of(folder)

    def cells(self) -> Iterator[StoredCell]:
        """Yield all stored cells, in the order of their paths; DataError if there is a capsule, and it is damaged."""
        found: dict[Path, StoredCell] = {}
        if self.capsule is not None:
            found |= {self.folder / place: cell for place, cell in self.capsule.cells.items()}
        for folder, inside, files in os.walk(self.folder):
            name = os.path.basename(folder)
            cell = name.startswith("seed-")
            if cell and RESULT in files and not folder.endswith(".tmp"):
                stored = self._read(Path(folder))
                if stored is not None:
                    found[Path(folder)] = stored
            # Nothing below a cell is one: with thousands of them, looking there takes as long as reading them.
            inside[:] = [] if cell else [name for name in inside if name != LOCKS]
        for path in sorted(found, key=lambda path: path.parts):
            yield found[path]

    def _read(self, folder: Path) -> StoredCell | None:
        version = _version_of(folder / RESULT)
        if version is None:
            return None
        known = self._known.get(folder)
        if known is not None and known[0] == version:
            return known[1]
        stored = read_cell(folder)
        if stored is not None:
            self._known[folder] = version, stored
        return stored


def _place(cell: Cell) -> PurePosixPath:
    try:
        return place_of(asdict(cell))
    except ValueError as error:
        raise DataError(
            f"no result can be stored of {cell.estimator} under {cell.protocol}: {error}"
        ) from None


def _version_of(file: Path) -> tuple[int, int] | None:
    """Return what tells a file from another of its name, as none is changed in its place; None if there is none."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _fault_of_capsule(path: Path) -> str:
    try:
        _ = Capsule(path).windows
    except DataError as error:
        return str(error).removeprefix(f"{path}: ")
    return ""


def _replace(target: Path, aside: Path) -> None:
    """Put a folder in the place of another: in two renames, so that half of one is never there."""
    old = Path(f"{aside}.old.tmp")
    if target.is_dir():
        os.replace(target, old)
    os.replace(aside, target)
    shutil.rmtree(old, ignore_errors=True)


def _try_to_save(folder: Path, estimator: Any, about: dict[str, Any], warnings: list[str]) -> None:
    try:
        save_model(folder, estimator, about)
    except OSError:
        raise
    except Exception as error:  # a plugin's method may raise anything
        for name in (MODEL, ABOUT):
            (folder / name).unlink(missing_ok=True)
        warnings.append(f"the model was not kept: {type(error).__name__}: {error}")
