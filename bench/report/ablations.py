"""Ablations: each row's difference to the one that it changes one thing of, paired by split and person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from bench.cells.store import Store
from bench.cells.stored_cell import StoredCell
from bench.report.floor import above, floor_of
from bench.report.intervals import difference, estimate
from bench.report.leaderboard import COSTS
from bench.report.rows import newest_of, verdict_of
from bench.report.scores import counts_by_seed
from bench.study.ablations import REFERENCE

COLUMNS = (
    "dataset", "ablation", "estimator", "protocol", "n_cells", "n_seeds", "n_people", "classes",
    "balanced_accuracy", "low", "high", "compared_with", "n_paired", "difference", "difference_low", "difference_high",
    "floor", "floor_estimator", "above_floor", "above_floor_low", "above_floor_high", "against_floor",
    "n_train", "fit_seconds", "status", "reason",
)  # fmt: skip


def make_ablations(store: Store) -> pd.DataFrame:
    """Compute the rows of the table from the stored predictions.

    ``difference`` is in points of balanced accuracy, the row minus the one that it is ``compared_with``,
    paired by person over the seeds that both have, which hold the same trials out. A row that predicts other
    classes, or the same ones of other trials' ratings, is compared with no other: it has its floor and its
    distance from that.

    Returns
    -------
    DataFrame with `COLUMNS`
        The reference first. Empty if no ablations were run.
    """
    planned = [row for row in store.read_ablations() if "sampling_rate" not in row]
    if all(row["name"] == REFERENCE for row in planned):
        return pd.DataFrame(columns=list(COLUMNS))
    return pd.DataFrame(lines_of(planned, store, needed=REFERENCE), columns=list(COLUMNS))


def lines_of(
    planned: Sequence[dict[str, Any]], store: Store, *, needed: str | None = None
) -> list[dict[str, Any]]:
    """Compute the lines of planned rows: what each scores, and how much more than the row it is compared with.

    Parameters
    ----------
    planned : sequence of dict
        Rows as `bench.study.plan_ablations` plans them; those of a data set's variants are compared apart.
    store : Store
    needed : str, optional
        Name of a row without which there is no line of its variant.
    """
    stored = list(store.cells()) if planned else []
    lines = []
    for variant in dict.fromkeys(row.get("variant", "") for row in planned):
        rows = {row["name"]: row for row in planned if row.get("variant", "") == variant}
        cells = {name: [cell for cell in _cells_of(row, stored) if cell.ok] for name, row in rows.items()}
        if needed is None or cells.get(needed):
            lines += [_line(name, rows, cells, stored) for name in rows]
    return lines


def _line(
    name: str, rows: dict[str, dict[str, Any]], cells: dict[str, list[StoredCell]], stored: list[StoredCell]
) -> dict[str, Any]:
    row = rows[name]
    line = {"dataset": row.get("variant", ""), "ablation": name, "estimator": row.get("estimator", "")}
    line |= {"protocol": row["protocol"], "status": "ok", "reason": row.get("left_out", "")}
    if not cells[name]:
        return line | _failed(line, _cells_of(row, stored))
    line |= _scored(cells[name], _signal_free(row, stored))
    other = row.get("compared_with", REFERENCE)
    if other != name and cells.get(other) and _alike(row, rows[other]):
        mine, theirs = _paired(cells[name], cells[other])
        found = difference(counts_by_seed(mine), counts_by_seed(theirs))
        line |= {"compared_with": other, "n_paired": len(mine), "difference": 100 * found.value}
        line |= {"difference_low": 100 * found.low, "difference_high": 100 * found.high}
    return line


def _failed(line: dict[str, Any], own: list[StoredCell]) -> dict[str, Any]:
    failed = own[0].result if own else {"status": "left out", "reason": line["reason"]}
    status = failed["status"] if line["reason"] or own else "not run yet"
    return {"status": status, "reason": failed["reason"], "n_cells": 0}


def _cells_of(row: dict[str, Any], stored: list[StoredCell]) -> list[StoredCell]:
    """Return the newest like cells that make up a row; none of other data, windows, parameters or code."""
    if "setting" not in row:
        return []
    place = ("ablation", "variant", "protocol", "estimator")
    own = [
        cell
        for cell in stored
        if all(cell.result["cell"].get(key, "") == row[key] for key in place)
        and cell.result["identity"]["setting"] == row["setting"]
    ]
    if not own:
        return []
    same = newest_of(own).result["identity"]["row"]
    return [cell for cell in own if cell.result["identity"]["row"] == same]


def _signal_free(row: dict[str, Any], stored: list[StoredCell]) -> dict[str, list[StoredCell]]:
    """Return the cells of the estimators without signals on the windows and the protocol of a row."""
    names = {cell.result["cell"]["estimator"] for cell in stored if cell.signal_free}
    return {name: own for name in sorted(names) if (own := _cells_of({**row, "estimator": name}, stored))}


def _alike(row: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether two rows predict the same classes of the same trials."""
    return bool(row["setting"]["target"] == other["setting"]["target"])


def _paired(cells: list[StoredCell], others: list[StoredCell]) -> tuple[list[StoredCell], list[StoredCell]]:
    both = {cell.place for cell in cells} & {cell.place for cell in others}
    return [c for c in cells if c.place in both], [c for c in others if c.place in both]


def _scored(cells: list[StoredCell], signal_free: dict[str, list[StoredCell]]) -> dict[str, Any]:
    counts = counts_by_seed(cells)
    found = estimate(counts)
    audit = verdict_of(cells)
    line: dict[str, Any] = {
        "audit": audit,
        "n_cells": len(cells), "n_seeds": found.n_seeds, "n_people": found.n_people,
        "classes": len(cells[0].result["suite"]["classes"]),
        "balanced_accuracy": found.value, "low": found.low, "high": found.high,
        "n_train": float(np.mean([cell.result["n_train"] for cell in cells])),
        **{name: float(np.median([cell.result[name] for cell in cells])) for name in COSTS},
    }  # fmt: skip
    floor = floor_of(cells, signal_free)
    if floor is None:
        return line
    line |= {"floor": floor.score, "floor_estimator": floor.estimator}
    if audit.startswith("LEAKS"):
        return line
    distance, words = above(counts, floor)
    return line | {
        "above_floor": 100 * distance.value, "above_floor_low": 100 * distance.low,
        "above_floor_high": 100 * distance.high, "against_floor": words,
    }  # fmt: skip
