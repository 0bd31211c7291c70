"""What is stored of a cell, and whether it can be used again."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyarrow import BufferReader, ChunkedArray
from pyarrow.parquet import ParquetFile

from bench.cells.checksums import NO_SUMS, PREDICTIONS, RESULT, fault_of
from bench.cells.metrics import codes, confusion_by
from bench.cells.saved import has_model
from bench.errors import DataError


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
    def damage(self) -> str:
        """What is wrong with the result or the predictions by their checksums; ``""`` if nothing is."""
        fault = fault_of(self.folder, (RESULT, PREDICTIONS))
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
            return np.asarray(codes(np.array(labels.dictionary), classes)[labels.indices])

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


def read_cell(folder: Path) -> StoredCell | None:
    """Return the cell stored in a folder; None if none is, or nothing that can be read."""
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
