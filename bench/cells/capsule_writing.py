"""Writing capsules: of the cells that a folder holds, or of several capsules of one study."""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.cells.capsule import ABOUT, CAPSULE, CELLS, FORMAT, SCHEMA, SUM, VERSION, Capsule
from bench.cells.probabilities import as_stored
from bench.cells.stored_cell import StoredCell
from bench.errors import DataError


def write_capsule(path: Path, cells: Iterable[StoredCell], ablations: list[dict[str, Any]]) -> None:
    """Write cells into a capsule, in the place of an older one; DataError if the disk refuses, or a cell is damaged.

    The same cells make the same bytes: a file that has them already is left alone.
    """
    kept = sorted(cells, key=_order)
    tables, about = [], []
    for cell in kept:
        table = _table(cell)
        tables.append(table)
        one: dict[str, Any] = {"result": cell.result, "n_windows": table.num_rows}
        curves = {
            name: [_number(value) for value in values.tolist()] for name, values in cell.history.items()
        }
        about.append(one | ({"history": curves} if curves else {}))
    text = json.dumps({"cells": about, "ablations": ablations}, default=str).encode()
    packed = pa.Codec("zstd", 19).compress(text, asbytes=True)
    metadata = {VERSION: FORMAT, CELLS: packed, SUM: hashlib.sha256(packed).hexdigest().encode()}
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".capsule.", suffix=".tmp") as aside:
            file = Path(aside) / CAPSULE
            with pq.ParquetWriter(
                file,
                SCHEMA,
                compression="zstd",
                compression_level=19,
                use_dictionary=[*ABOUT, "seed", "fold", "subject", "trial", "y_true", "y_pred"],
                column_encoding={"start": "DELTA_BINARY_PACKED"},
                write_page_checksum=True,
                write_statistics=False,
                store_schema=False,
            ) as writer:
                writer.write_table(pa.concat_tables([SCHEMA.empty_table(), *tables]))
                writer.add_key_value_metadata(metadata)
            if not path.is_file() or path.read_bytes() != file.read_bytes():
                os.replace(file, path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror or error}") from None


def merge_capsules(capsules: Sequence[Capsule], path: Path) -> int:
    """Write a capsule with the cells of several, and return how many it has.

    Of a cell that several have, the result that is no failure counts, and of several such the newest.

    Raises
    ------
    DataError
        If they are of several suites or data sets, or the disk refuses.
    """
    kept: dict[PurePosixPath, StoredCell] = {}
    ablations: list[dict[str, Any]] = []
    studies: dict[tuple[Any, ...], Path] = {}
    for capsule in capsules:
        for place, cell in capsule.cells.items():
            studies.setdefault(_study(cell), capsule.path)
            if place not in kept or _worth(cell) > _worth(kept[place]):
                kept[place] = cell
        ablations += [row for row in capsule.ablations if row not in ablations]
    if len(studies) > 1:
        (one, first), (other, second), *_ = studies.items()
        raise DataError(
            f"{first} is of the suite {one[0]} on {one[1]}, {second} of {other[0]} on {other[1]}: not one study"
        )
    write_capsule(path, kept.values(), ablations)
    return len(kept)


def _study(cell: StoredCell) -> tuple[Any, ...]:
    """Return what cells of one study share; of a data set in several problems each has a name of its own."""
    suite = cell.result["suite"]
    dataset = "several problems" if cell.result["cell"]["variant"] else suite["dataset"]
    return suite["name"], dataset, bool(suite["simulated"])


def _worth(cell: StoredCell) -> tuple[bool, str]:
    return cell.ok, str(cell.result["written"])


def _order(cell: StoredCell) -> tuple[Any, ...]:
    """Put cells on the same split beside each other: what repeats within reach of the compression costs little."""
    about = cell.result["cell"]
    split = about["seed"], -1 if about["fold"] is None else about["fold"]
    return about.get("ablation", ""), about["variant"], about["protocol"], *split, about["estimator"]


def _table(cell: StoredCell) -> pa.Table:
    if not cell.ok:
        return SCHEMA.empty_table()
    predictions, about = cell.predictions(), cell.result["cell"]
    n = len(predictions)
    names = [f"probability {name}" for name in cell.result["suite"]["classes"]]
    values: dict[str, Any] = {name: pa.array([str(about.get(name, ""))] * n) for name in ABOUT}
    values |= {name: pa.array([about[name]] * n, pa.int32()) for name in ("seed", "fold")}
    values |= {name: pa.array(predictions[name].to_numpy(np.int64)) for name in ("subject", "trial", "start")}
    values |= {
        name: pa.array(predictions[name].astype(str).tolist(), pa.string()) for name in ("y_true", "y_pred")
    }
    if set(names) <= set(predictions.columns):
        flat = pa.array(as_stored(predictions[names].to_numpy()).reshape(-1))
        values["probabilities"] = pa.ListArray.from_arrays(np.arange(n + 1) * len(names), flat)
    else:
        values["probabilities"] = pa.nulls(n, SCHEMA.field("probabilities").type)
    return pa.table(values, schema=SCHEMA)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
