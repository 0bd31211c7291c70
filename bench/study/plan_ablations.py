"""From the ablations of a suite to tasks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.cells.cell import Cell
from bench.cells.store import Store
from bench.errors import BenchError
from bench.recordings import Recordings
from bench.splits.divide import divisions
from bench.study.ablations import ablation_rows, divided_alike
from bench.study.panels import suite_panel
from bench.study.suite import Suite
from bench.study.suite_checks import check_estimators, check_protocols
from bench.study.tasks import Task, row_of, setting_of, task_of


def plan_ablations(
    suite: Suite,
    variant: str,
    recordings: Recordings,
    store: Store,
    *,
    save_models: bool,
    say: Callable[[str], None],
) -> tuple[list[Task], list[dict[str, Any]], list[str]]:
    """Plan the rows of a suite's ablations; cells that several rows share are planned once.

    Returns
    -------
    list of Task
    list of dict
        A mapping a row of the table: which stored cells it is made of, or why it is left out.
    list of str
        What the user should know.
    """
    tasks: list[Task] = []
    entries: list[dict[str, Any]] = []
    notices: list[str] = []
    made: dict[tuple[bool, float | None], Recordings] = {}
    reference = suite_panel(suite, recordings, say, made)
    rows = ablation_rows(suite, reference.channels)
    assert suite.ablations is not None
    (protocol,) = check_protocols(suite.model_copy(update={"protocols": [suite.ablations.protocol]}))
    divided = [(seed, one) for seed in range(suite.seeds) for one in divisions(protocol, reference, seed)]
    settings: list[tuple[dict[str, Any], str]] = []
    planned: set[Cell] = set()
    for row in rows:
        (spec,) = check_estimators(row.suite.model_copy(update={"estimators": [str(row.spec)]}))
        entry: dict[str, Any] = {"name": row.name, "variant": variant, "protocol": str(protocol)}
        entries.append(entry)
        try:
            panel = reference if row.suite == suite else suite_panel(row.suite, recordings, say, made)
            setting = setting_of(row.suite, panel)
            place = next((name for known, name in settings if known == setting), None)
            if place is None:
                place = "" if not settings else row.name
                settings.append((setting, place))
            own = row_of(row.suite, spec, panel, variant, place)
            for seed, division in divided:
                alike = divided_alike(division, reference, panel) if place else division
                task = task_of(own, str(protocol), seed, alike, store, save_models=save_models)
                if task.cell not in planned:
                    planned.add(task.cell)
                    tasks.append(task)
        except BenchError as error:  # a row that this data set cannot give; the others can
            entry["left_out"] = str(error)
            notices.append(f"ablation '{row.name}' is left out: {error}")
            continue
        entry |= {"ablation": place, "estimator": str(spec), "setting": setting}
    return tasks, entries, notices
