"""What is stored of a cell, and whether it can be used again."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from pyarrow import BufferReader, ChunkedArray
from pyarrow.parquet import ParquetFile

from bench.cells.checksums import NO_SUMS, PREDICTIONS, RESULT, SUMS, fault_of
from bench.cells.metrics import codes, confusion_by, trial_confusion_by
from bench.cells.probabilities import as_stored
from bench.cells.saved import has_model
from bench.cells.training import read_history
from bench.errors import DataError
from bench.registry import SIGNAL_FREE


@dataclass(frozen=True, eq=False)
class Predicted:
    """Predictions of a cell as numbers.

    Attributes
    ----------
    n_classes : int
    true, predicted : ndarray of shape (n_windows,), int64
        Places among the classes.
    subject, trial : ndarray of shape (n_windows,), int, or None
    probabilities : ndarray of shape (n_windows, n_classes), float16, or None
    """

    n_classes: int
    true: np.ndarray
    predicted: np.ndarray
    subject: np.ndarray | None
    trial: np.ndarray | None
    probabilities: np.ndarray | None

    @property
    def counts(self) -> dict[int, np.ndarray]:
        """The confusion matrix of the windows of each subject."""
        assert self.subject is not None
        return confusion_by(self.subject, self.true, self.predicted, self.n_classes)

    @property
    def trial_counts(self) -> dict[int, np.ndarray]:
        """The confusion matrix of the trials of each subject."""
        assert self.subject is not None
        assert self.trial is not None
        return trial_confusion_by(
            self.subject, self.trial, self.true, self.predicted, self.probabilities, self.n_classes
        )


@dataclass(frozen=True, eq=False)
class StoredCell:
    """A cell's folder and the content of its ``result.json``."""

    folder: Path
    result: dict[str, Any]

    @property
    def ok(self) -> bool:
        """Whether the cell has predictions."""
        return bool(self.result["status"] == "ok")

    @property
    def signal_free(self) -> bool:
        """Whether its estimator was given ids in place of windows."""
        return bool(self.result.get("family") == SIGNAL_FREE)

    @property
    def place(self) -> tuple[int, int | None]:
        """Its seed and fold: within a row, and between the rows of a protocol, the split."""
        return self.result["cell"]["seed"], self.result["cell"]["fold"]

    @property
    def damage(self) -> str:
        """What is wrong with the result or the predictions by their checksums; ``""`` if nothing is."""
        fault = fault_of(self.folder, (RESULT, PREDICTIONS))
        return "" if fault == NO_SUMS else fault

    @property
    def has_model(self) -> bool:
        """Whether the trained model was kept."""
        return has_model(self.folder)

    @property
    def history(self) -> dict[str, np.ndarray]:
        """Its learning curves, float64 of shape (n_epochs,) each; empty where the estimator tells of none."""
        return read_history(self.folder)

    @cached_property
    def counts(self) -> dict[int, np.ndarray]:
        """The confusion matrix of each tested subject: int64 of shape (n_classes, n_classes).

        Raises
        ------
        DataError
            As `predictions`, or if a label is none of the classes.
        """
        return self._read(["subject"]).counts

    def predicted(self) -> Predicted:
        """Read, as numbers, what was predicted.

        Raises
        ------
        DataError
            As `counts`.
        """
        found = self._read(["subject", "trial", "probability"])
        self.__dict__.setdefault("counts", found.counts)  # known now: the file need not be read again for it
        return found

    def _read(self, columns: Sequence[str]) -> Predicted:
        file = self.folder / PREDICTIONS
        classes = self.result["suite"]["classes"]

        def coded(column: ChunkedArray) -> np.ndarray:
            labels = column.combine_chunks()
            return np.asarray(codes(np.array(labels.dictionary), classes)[labels.indices])

        try:
            # From memory, as codes and without pandas, which would take six times as long: a study has thousands.
            content = ParquetFile(BufferReader(file.read_bytes()), read_dictionary=["y_true", "y_pred"])
            there = content.schema_arrow.names
            named = [f"probability {name}" for name in classes if "probability" in columns]
            named = named if set(named) <= set(there) else []
            ids = [name for name in ("subject", "trial") if name in columns]
            table = content.read([*ids, "y_true", "y_pred", *named], use_threads=False)
            read = {name: table[name].to_numpy() for name in [*ids, *named]}
            return Predicted(
                len(classes),
                coded(table["y_true"]),
                coded(table["y_pred"]),
                read.get("subject"),
                read.get("trial"),
                as_stored(np.stack([read[name] for name in named], axis=1)) if named else None,
            )
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"{file}: cannot be read ({error}); run the suite again") from None

    def unpack(self, folder: Path) -> None:
        """Copy all files of the cell but its checksums into a folder."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(SUMS))

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


def read_cell(folder: Path) -> StoredCell | None:
    """Return the cell stored in a folder; None if none is, or nothing that can be read."""
    try:
        result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not is_result(result):
        return None
    if result["status"] == "ok" and not (folder / PREDICTIONS).is_file():
        return None
    return StoredCell(folder, result)


def place_of(cell: dict[str, Any]) -> PurePosixPath:
    """Return where in the folder of its study a cell is stored, by the `cell` of its result.

    Raises
    ------
    ValueError
        If a name in it would lead elsewhere.
    """
    last = f"seed-{int(cell['seed'])}" + ("" if cell["fold"] is None else f"-fold-{int(cell['fold'])}")
    names = [str(cell[name]) for name in ("variant", "protocol", "estimator")]
    ablation = str(cell.get("ablation") or "")
    for name in (*names, ablation):
        if {"/", "\\"} & set(name) or name in (".", "..") or not (name.isprintable() or not name):
            raise ValueError(f"{name!r} is no name of a folder")
    top = ("ablations", ablation) if ablation else ()
    return PurePosixPath(*top, *filter(None, names), last)


def is_result(result: Any) -> bool:
    """Whether something read from a file has the parts of a result."""
    if not isinstance(result, dict) or not {"status", "identity", "cell", "suite"} <= result.keys():
        return False
    return isinstance(result["identity"], dict) and "split" in result["identity"]


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
