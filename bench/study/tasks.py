"""`Task`: one cell with what it runs on, and whether a stored result of it can be reused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import bench
from bench.cells.cell import Cell
from bench.cells.ids import known_ids
from bench.cells.saved import MODEL, keeps_models
from bench.cells.store import Store
from bench.cells.stored_cell import StoredCell, why_again
from bench.data.scaling import Scaling
from bench.data.windows import Panel
from bench.registry import Plugin, get
from bench.spec import Spec, parse_spec
from bench.splits.divide import Division
from bench.splits.split import Split
from bench.study.suite import Suite
from bench.study.suite_checks import all_parameters, signal_free_estimators


@dataclass(eq=False)
class Task:
    """A cell, what it runs on, and why it has to be run (``""``: a stored result is reused)."""

    cell: Cell
    panel: Panel
    division: Division
    identity: dict[str, Any]
    stored: StoredCell | None
    why: str

    @property
    def judged_otherwise(self) -> bool:
        """Whether a stored result is reused whose split was audited by other code than today's."""
        return (
            self.stored is not None
            and not self.why
            and self.stored.result.get("division") != self.division.source
        )

    @cached_property
    def split(self) -> Split:
        """Made when it is first asked for: a stored result is reused without."""
        return self.division.split


@dataclass(frozen=True, eq=False)
class Row:
    """What the cells of one estimator on one panel have in common."""

    spec: Spec
    plugin: Plugin
    panel: Panel
    parameters: dict[str, Any]
    scaling: Scaling
    variant: str
    ablation: str
    setting: dict[str, Any]
    identity: dict[str, Any]


def row_of(suite: Suite, spec: Spec, panel: Panel, variant: str, ablation: str = "") -> Row:
    """Return what the cells of an estimator on a panel have in common, its parameters checked."""
    plugin = get("estimator", spec.name)
    parameters = all_parameters(suite, spec, plugin)
    identity = {
        "parameters": dict(sorted(parameters.items())),
        "resampler": spec.resampler,
        "plugin code": plugin.source_digest,
        "mlstm-bench": bench.__version__,
    }
    setting = setting_of(suite, panel)
    as_stored = json.loads(json.dumps({"setting": setting, "row": identity}, default=str))
    return Row(
        spec,
        plugin,
        panel,
        parameters,
        suite.scaling,
        variant,
        ablation,
        as_stored["setting"],
        as_stored["row"],
    )


def signal_free_rows(
    suite: Suite, panel: Panel, variant: str, ablation: str = "", *, besides: Sequence[Spec] = ()
) -> list[Row]:
    """Return the rows of the estimators without signals whose ids the data set knows, less those `besides`."""
    known = known_ids(panel)
    rows = [
        row_of(suite, spec, panel, variant, ablation)
        for spec in signal_free_estimators(suite)
        if str(spec) not in map(str, besides)
    ]
    return [row for row in rows if known.issuperset(row.plugin.about["ids"])]


def told_under(protocol: str, rows: list[Row]) -> list[Row]:
    """Leave out what sees the trial where a protocol holds whole trials out: the trial tells nothing there."""
    promises = get("protocol", parse_spec(protocol).name).about["promises"]
    return [row for row in rows if promises != "clean" or "trial" not in row.plugin.about["ids"]]


def task_of(
    row: Row, protocol: str, seed: int, division: Division, store: Store, *, save_models: bool
) -> Task:
    """Return the cell of a row on one division, with what is stored of it; why it has to be run, if it does."""
    cell = Cell(
        variant=row.variant,
        protocol=protocol,
        estimator=str(row.spec),
        plugin=row.spec.name,
        resampler=row.spec.resampler,
        parameters=tuple(sorted(row.parameters.items())),
        scaling=row.scaling,
        seed=seed,
        fold=division.fold,
        ablation=row.ablation,
    )
    stored = store.read(cell)
    divided_before = stored is not None and stored.result.get("division") == division.source
    identity = {
        "setting": row.setting,
        "row": row.identity,
        "split": stored.result["identity"]["split"]
        if stored and divided_before
        else division.split.fingerprint,
        "seed": seed,
    }
    why = why_again(stored, identity)
    if stored is not None and not why and save_models and keeps_models(row.plugin) and not stored.has_model:
        why = f"it has no {MODEL}"
    return Task(cell, row.panel, division, identity, stored, why)


def setting_of(suite: Suite, panel: Panel) -> dict[str, Any]:
    """Return what every row of a table must share."""
    windows = suite.windows.model_dump()
    if panel.recordings.recorded_rate is None:
        del windows["sampling_rate"]  # nothing was resampled: the same windows as without the key
    return {
        "data": panel.recordings.fingerprint,
        "target": suite.target.model_dump(),
        "windows": windows,
        "scaling": suite.scaling,
        "channels": list(panel.channels),
    }
