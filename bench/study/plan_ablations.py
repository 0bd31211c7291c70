"""From the ablations of a suite to tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bench.cells.cell import Cell
from bench.cells.store import Store
from bench.data.windows import Panel
from bench.errors import BenchError
from bench.recordings import Recordings
from bench.splits.divide import divisions
from bench.study.ablations import ablation_rows, divided_alike
from bench.study.panels import suite_panel
from bench.study.suite import Suite
from bench.study.suite_checks import check_estimators, check_protocols
from bench.study.tasks import Row, Task, row_of, setting_of, signal_free_rows, task_of, told_under


@dataclass(eq=False)
class PlannedAblations:
    """Cells of the rows of a suite's ablations.

    Attributes
    ----------
    tasks : list of Task
        Cells that several rows share are there once.
    signal_free : list of Task
        Of the estimators without signals, on the same windows and splits.
    entries : list of dict
        A mapping a row of the table: which stored cells it is made of, or why it is left out.
    notices : list of str
        What the user should know.
    """

    tasks: list[Task] = field(default_factory=list)
    signal_free: list[Task] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def plan_ablations(
    suite: Suite,
    variant: str,
    recordings: Recordings,
    store: Store,
    *,
    save_models: bool,
    say: Callable[[str], None],
) -> PlannedAblations:
    """Plan the rows of a suite's ablations."""
    planned = PlannedAblations()
    made: dict[tuple[bool, float | None], Recordings] = {}
    reference = suite_panel(suite, recordings, say, made)
    rows = ablation_rows(suite, reference.channels)
    assert suite.ablations is not None
    (protocol,) = check_protocols(suite.model_copy(update={"protocols": [suite.ablations.protocol]}))
    name = str(protocol)
    divided = [(seed, one) for seed in range(suite.seeds) for one in divisions(protocol, reference, seed)]
    settings: list[tuple[dict[str, Any], str]] = []
    cells: set[Cell] = set()

    def tasks_of(own: Row, panel: Panel, *, save: bool) -> Iterator[Task]:
        for seed, division in divided:
            alike = divided_alike(division, reference, panel) if own.ablation else division
            task = task_of(own, name, seed, alike, store, save_models=save)
            if task.cell not in cells:
                cells.add(task.cell)
                yield task

    for row in rows:
        (spec,) = check_estimators(row.suite.model_copy(update={"estimators": [str(row.spec)]}))
        entry: dict[str, Any] = {"name": row.name, "variant": variant, "protocol": name}
        planned.entries.append(entry)
        try:
            panel = reference if row.suite == suite else suite_panel(row.suite, recordings, say, made)
            setting = setting_of(row.suite, panel)
            place = next((name for known, name in settings if known == setting), None)
            if place is None:
                place = "" if not settings else row.name
                settings.append((setting, place))
            own = row_of(row.suite, spec, panel, variant, place)
            planned.tasks += tasks_of(own, panel, save=save_models)
            for floor in told_under(name, signal_free_rows(row.suite, panel, variant, place)):
                planned.signal_free += tasks_of(floor, panel, save=False)
        except BenchError as error:  # a row that this data set cannot give; the others can
            entry["left_out"] = str(error)
            planned.notices.append(f"ablation '{row.name}' is left out: {error}")
            continue
        entry |= {
            "ablation": place,
            "estimator": str(spec),
            "setting": setting,
            "compared_with": row.compared_with,
        }
    return planned
