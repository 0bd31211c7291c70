"""What ``run --plan`` prints."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from bench.running.cost import Costs
    from bench.study.plan import Plan
    from bench.study.tasks import Task


def print_plan(plan: Plan, costs: Costs, console: Console) -> None:
    """Print the cells of a plan, what its profile changes, and what the waiting cells are expected to take."""
    console.print(f"[bold]{escape(plan.suite.title)}[/], profile {plan.profile}")
    for change in plan.changes:
        console.print(f"  {escape(change)}", soft_wrap=True)
    about = []
    for panel in dict.fromkeys(task.panel for task in plan.tasks):
        n_windows, n_channels, n_timepoints = panel.shape
        about.append(
            f"  {panel.recordings.name}: {n_windows:,} windows of {n_channels} x {n_timepoints}, "
            f"{panel.windows['subject'].nunique()} subjects, classes {', '.join(panel.classes)}"
            + _resampled(panel.recordings.recorded_rate, panel.recordings.sampling_rate)
        )
    for line in dict.fromkeys(about):
        console.print(line, soft_wrap=True)
    verdicts = {task.cell.protocol: task.split.audit.verdict for task in plan.tasks}
    for protocol, verdict in verdicts.items():
        console.print(f"  {protocol}: {verdict}", soft_wrap=True)
    # What says most stays where the terminal is narrow.
    narrow = {
        heading for heading, width in (("train", 90), ("test", 90), ("MB", 70)) if console.width < width
    }
    table = Table(box=None, pad_edge=False)
    for heading in ("estimator", "protocol", "seed", "train", "test", "seconds", "MB", "state"):
        if heading not in narrow:
            table.add_column(
                heading,
                justify="left" if heading in ("estimator", "protocol", "state") else "right",
                no_wrap=heading != "state",
            )
    for task in plan.tasks:
        cell = task.cell
        state = "stored" if not task.why else f"to run: {task.why}" if task.stored else "to run"
        values = {
            "estimator": cell.estimator,
            "protocol": " ".join(
                filter(None, [cell.variant, cell.protocol, cell.ablation and f"({cell.ablation})"])
            ),
            "seed": str(cell.seed) if cell.fold is None else f"{cell.seed}/{cell.fold}",
            "train": f"{len(task.split.train):,}",
            "test": f"{len(task.split.test):,}",
            "seconds": _expected(task, costs.seconds(task), ",.1f"),
            "MB": _expected(task, costs.megabytes(task), ",.0f"),
            "state": state,
        }
        table.add_row(*(escape(value) for heading, value in values.items() if heading not in narrow))
    console.print(table)
    console.print(
        f"{len(plan.tasks)} cells, {len(plan.waiting)} to run; results in {plan.store.folder}", soft_wrap=True
    )
    seconds, unknown = costs.total(plan.waiting)
    if seconds:
        console.print(
            f"expected, one at a time: {timedelta(seconds=round(seconds))}, by stored cells of the same estimators "
            "or else by trials on few windows; MB: what the fit holds at most",
            soft_wrap=True,
        )
    if unknown:
        console.print(escape(f"not timed yet: {', '.join(unknown)}"), soft_wrap=True)


def _resampled(recorded_rate: float | None, rate: float) -> str:
    return "" if recorded_rate is None else f", resampled from {recorded_rate:g} to {rate:g} Hz"


def _expected(task: Task, value: float | None, form: str) -> str:
    return "" if not task.why else "?" if value is None else format(value, form)
