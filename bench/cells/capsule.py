"""The capsule: one Parquet file with all that the tables of a study follow from.

Its rows are the predicted windows of all cells: what was tested, what is true, what was predicted and how probable each
class was, ordered so that cells on the same split stand together and cost little. What is no table (each cell's result
with identity, audit, costs, versions and hardware, its learning curves, the rows of the ablations) is JSON in the
file's metadata, compressed. Nothing in it is code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.cells.checksums import PREDICTIONS
from bench.cells.metrics import codes
from bench.cells.result_form import check_form
from bench.cells.stored_cell import Predicted, StoredCell, place_of
from bench.cells.training import Training
from bench.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

CAPSULE = "capsule.parquet"
FORMAT = b"1"
VERSION, CELLS, SUM = b"mlstm-bench capsule", b"mlstm-bench cells", b"mlstm-bench cells sha256"
_MOST_JSON = 1 << 30  # bytes: a million cells; more is no study but somebody's bad joke
ABOUT = ("ablation", "variant", "protocol", "estimator")

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ABOUT),
        ("seed", pa.int32()),
        ("fold", pa.int32()),
        ("subject", pa.int64()),
        ("trial", pa.int64()),
        ("start", pa.int64()),
        ("y_true", pa.string()),
        ("y_pred", pa.string()),
        # Of the classes, in the order of the cell's `classes`.
        ("probabilities", pa.list_(pa.field("element", pa.float16()))),
    ]
)


@dataclass(frozen=True, eq=False)
class CapsuleCell(StoredCell):
    """A cell in a capsule: `folder` is where its files would lie, and there are none."""

    capsule: Capsule
    first: int
    n_windows: int
    curves: dict[str, list[float]]

    @property
    def damage(self) -> str:
        """``""``: a capsule that is damaged is not opened."""
        return ""

    @property
    def has_model(self) -> bool:
        """False: no capsule holds models."""
        return False

    @property
    def history(self) -> dict[str, np.ndarray]:
        """As of any stored cell."""
        return {name: np.array(values, dtype=np.float64) for name, values in self.curves.items()}

    def predictions(self) -> pd.DataFrame:
        """As of any stored cell."""
        import pandas as pd

        rows = self._rows
        table: pd.DataFrame = rows.select(["subject", "trial", "start", "y_true", "y_pred"]).to_pandas()
        probabilities = self._probabilities()
        if probabilities is None:
            return table
        names = [f"probability {name}" for name in self.result["suite"]["classes"]]
        both: pd.DataFrame = table.join(pd.DataFrame(probabilities, columns=names))
        return both

    def unpack(self, folder: Path) -> None:
        """Write the files that the cell would have, but for its result."""
        if self.ok:
            self.predictions().to_parquet(folder / PREDICTIONS, index=False)
        Training(self.history).write(folder)

    @property
    def _rows(self) -> pa.Table:
        return self.capsule.windows.slice(self.first, self.n_windows)

    def _probabilities(self) -> np.ndarray | None:
        """Return them, float16 of shape (n_windows, n_classes); None where there are none."""
        rows, n_classes = self._rows["probabilities"].combine_chunks(), len(self.result["suite"]["classes"])
        if rows.null_count == len(rows):
            return None
        if rows.null_count or (np.asarray(rows.value_lengths()) != n_classes).any():
            raise DataError(f"{self.capsule.path}: {self.folder}: not {n_classes} probabilities a window")
        return np.asarray(rows.flatten()).reshape(-1, n_classes)

    def _read(self, columns: Sequence[str]) -> Predicted:
        rows, classes = self._rows, self.result["suite"]["classes"]
        try:
            true, predicted = (
                codes(rows[name].to_numpy(zero_copy_only=False), classes) for name in ("y_true", "y_pred")
            )
        except ValueError as error:
            raise DataError(f"{self.capsule.path}: {self.folder}: {error}") from None
        return Predicted(
            len(classes),
            true,
            predicted,
            rows["subject"].to_numpy() if "subject" in columns else None,
            rows["trial"].to_numpy() if "trial" in columns else None,
            self._probabilities() if "probability" in columns else None,
        )


class Capsule:
    """A capsule that was opened: its cells, and the rows of its table of ablations.

    Attributes
    ----------
    path : Path
    cells : dict of PurePosixPath to CapsuleCell
        By `place_of`.
    ablations : list of dict
    """

    def __init__(self, path: Path) -> None:
        """Open a capsule; DataError if it is damaged, or none."""
        self.path = path
        content = _content(path)
        self.ablations: list[dict[str, Any]] = content["ablations"]
        self.cells: dict[PurePosixPath, CapsuleCell] = {}
        first = 0
        for one in content["cells"]:
            result, n_windows = one["result"], one["n_windows"]
            place = place_of(result["cell"])
            self.cells[place] = CapsuleCell(
                path.parent / place, result, self, first, n_windows, one.get("history", {})
            )
            first += n_windows

    @cached_property
    def windows(self) -> pa.Table:
        """The predicted windows of all cells, read when first asked for; DataError if they are damaged."""
        try:
            table = pq.read_table(
                self.path, page_checksum_verification=True, use_threads=False, memory_map=False
            )
        except (OSError, ValueError, pa.ArrowException) as error:
            raise DataError(f"{self.path}: damaged: {_line(error)}") from None
        for name in ("subject", "trial", "start", "y_true", "y_pred"):
            if table[name].null_count:
                raise DataError(f"{self.path}: a window without {name}")
        return table


def _line(error: BaseException) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _content(path: Path) -> dict[str, Any]:
    """Return the JSON of a capsule, checked as far as whatever reads it relies on it."""
    try:
        schema = pq.read_schema(path)
        metadata = pq.read_metadata(path)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DataError(f"{path}: damaged, or no capsule: {_line(error)}") from None
    about = metadata.metadata or {}
    if VERSION not in about:
        raise DataError(f"{path}: no capsule, but some other Parquet file")
    if about[VERSION] != FORMAT:
        raise DataError(
            f"{path}: a capsule of another version of this program: format {about[VERSION]!r:.20}"
        )
    packed = about.get(CELLS, b"")
    if hashlib.sha256(packed).hexdigest().encode() != about.get(SUM) or not schema.equals(SCHEMA):
        raise DataError(f"{path}: damaged: its cells are not what was stored")
    try:
        with pa.CompressedInputStream(pa.BufferReader(packed), "zstd") as stream:
            text = stream.read(_MOST_JSON + 1)
        content: dict[str, Any] = json.loads(text) if len(text) <= _MOST_JSON else {}
        _check(content, metadata.num_rows)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, pa.ArrowException) as error:
        raise DataError(f"{path}: its cells are none of this program's: {_line(error)}") from None
    return content


def _check(content: Any, n_rows: int) -> None:
    """Raise ValueError, KeyError or TypeError for what `write_capsule` would not have written."""
    places = set()
    for one in content["cells"]:
        result, n_windows = one["result"], one["n_windows"]
        check_form(result)
        place = place_of(result["cell"])
        if place in places:
            raise ValueError(f"the cell {place} twice")
        places.add(place)
        if type(n_windows) is not int or n_windows < 0 or (result["status"] == "ok") != (n_windows > 0):
            raise ValueError(f"{place}: status {result['status']!r:.40} with {n_windows} windows")
        for values in one.get("history", {}).values():
            if not all(value is None or isinstance(value, float | int) for value in values):
                raise ValueError(f"{place}: a learning curve that is not of numbers")
    if sum(one["n_windows"] for one in content["cells"]) != n_rows:
        raise ValueError(f"{n_rows} windows, where the cells have others")
    ablations = content["ablations"]
    if not isinstance(ablations, list) or not all(isinstance(row, dict) for row in ablations):
        raise ValueError("rows of ablations that are no table")
