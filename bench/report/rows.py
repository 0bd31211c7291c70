"""Which stored cells make up which row of a table."""

from __future__ import annotations

from collections.abc import Sequence

from bench.cells.store import Store
from bench.cells.stored_cell import StoredCell
from bench.errors import DataError
from bench.splits.audit import united

Key = tuple[str, str, str]


def read_rows(store: Store) -> tuple[dict[Key, list[StoredCell]], int]:
    """Return the cells of each row, ``(dataset, protocol, estimator)``, and how many cells were left out.

    Cells of ablations have a table of their own and are not counted.

    Raises
    ------
    DataError
        If nothing is stored.
    """
    stored = [cell for cell in store.cells() if not cell.result["cell"].get("ablation")]
    if not stored:
        raise DataError(f"{store.folder}: no results are stored there")
    kept = comparable(stored)
    rows: dict[Key, list[StoredCell]] = {}
    for cell in kept:
        about = cell.result["cell"]
        key = (about["variant"] or cell.result["suite"]["dataset"], about["protocol"], about["estimator"])
        rows.setdefault(key, []).append(cell)
    return rows, len(stored) - len(kept)


def verdict_of(cells: Sequence[StoredCell]) -> str:
    """Return what the audits of a row say together."""
    return united([cell.result["audit"]["verdict"] for cell in cells])


def lacking(cells: Sequence[StoredCell], splits: set[tuple[int, int | None]]) -> str:
    """Say what keeps a row from being ranked beside the others of its protocol; ``""`` if nothing does.

    Parameters
    ----------
    cells : sequence of StoredCell
        Of the row.
    splits : set of (seed, fold)
        That any row of the protocol has.
    """
    bad = sum(not cell.ok for cell in cells)
    if bad:
        return "failed" if bad == len(cells) else f"{bad} of {len(cells)} failed"
    missing = splits - {cell.place for cell in cells}
    return f"{len(missing)} of {len(splits)} splits not run" if missing else ""


def newest_of(cells: Sequence[StoredCell]) -> StoredCell:
    """Return the cell that was written last."""
    return max(cells, key=lambda cell: cell.result["written"])


def comparable(cells: list[StoredCell]) -> list[StoredCell]:
    """Keep the cells that stand on equal terms: no row may be made by another rule than its neighbours.

    Within a data set all share data, target, windows and scaling with the newest cell; within a row
    all share parameters and code with the row's newest cell.
    """
    for name, part in (("setting", ("variant",)), ("row", ("variant", "protocol", "estimator"))):
        groups: dict[tuple[str, ...], list[StoredCell]] = {}
        for cell in cells:
            groups.setdefault(tuple(cell.result["cell"][key] for key in part), []).append(cell)
        cells = []
        for group in groups.values():
            newest = newest_of(group).result["identity"][name]
            cells += [cell for cell in group if cell.result["identity"][name] == newest]
    return cells
