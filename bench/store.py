"""Results on disk: a folder a cell, written aside and renamed, so that it appears whole or not at all."""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.cell import Cell, Outcome
from bench.errors import DataError
from bench.saved import ABOUT, MODEL, has_model, save_model

RESULT, PREDICTIONS = "result.json", "predictions.parquet"
LOGS = "logs"
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
    def has_model(self) -> bool:
        """Whether the trained model was kept."""
        return has_model(self.folder)

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
    """The results of one suite on one data set: ``results/<suite>/`` or ``results/<suite>@simulated/``."""

    def __init__(self, results: Path, suite: str, simulated: bool) -> None:
        self.folder = results / (suite + ("@simulated" if simulated else ""))

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
        return top / cell.variant / cell.protocol / cell.estimator / last

    def log_dir(self, cell: Cell) -> Path:
        """Return the folder for what the cell's estimator writes while it is fitted.

        It outlives an interrupted fit, and is moved into the cell's folder when that is written.
        """
        path = self.path(cell)
        return path.with_name(path.name + ".running")

    def read(self, cell: Cell) -> StoredCell | None:
        """Return what is stored for the cell; None if nothing is, or nothing that can be read."""
        return _read(self.path(cell))

    def write(
        self, outcome: Outcome, result: dict[str, Any], about: dict[str, Any] | None = None
    ) -> StoredCell:
        """Store an outcome, in the place of an older one; DataError if the disk refuses.

        With `about` the fitted estimator is kept too. If it cannot save itself, that is one of the
        result's warnings: what was computed is not lost over it.
        """
        target = self.path(outcome.cell)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            aside = Path(tempfile.mkdtemp(prefix=target.name + ".", suffix=".tmp", dir=target.parent))
            try:
                if outcome.predictions is not None:
                    outcome.predictions.to_parquet(aside / PREDICTIONS, index=False)
                if self.log_dir(outcome.cell).is_dir():
                    os.replace(self.log_dir(outcome.cell), aside / LOGS)
                if about is not None and outcome.fitted is not None:
                    _try_to_save(aside, outcome.fitted.estimator, about, result["warnings"])
                (aside / RESULT).write_text(json.dumps(result, indent=1, default=str), encoding="utf-8")
                aside.chmod(0o755)
                shutil.rmtree(target, ignore_errors=True)
                os.replace(aside, target)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
        except OSError as error:
            raise DataError(f"{target}: the result cannot be written: {error.strerror or error}") from None
        return StoredCell(target, result)

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

    def cells(self) -> Iterator[StoredCell]:
        """Yield all stored cells, in the order of their paths."""
        for file in sorted(self.folder.glob(f"**/seed-*/{RESULT}")):
            if file.parent.suffix != ".tmp":
                stored = _read(file.parent)
                if stored is not None:
                    yield stored


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


def _short(value: Any) -> str:
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:g}"
    text = str(value)
    return text[:10] + "..." if len(text) == 64 else text
