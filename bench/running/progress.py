"""What a person sees while a suite runs: a bar with the time left, and a line a finished cell."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import rich.progress
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from bench.cells.stored_cell import StoredCell
from bench.running.cost import Costs, Remaining
from bench.running.runner import Engine, execute
from bench.study.plan import Plan
from bench.study.tasks import Task


class _TimeLeft(ProgressColumn):
    """Counts down from the estimate that was made when the running cell began."""

    def render(self, task: rich.progress.Task) -> Text:
        left = task.fields["left"] - (time.monotonic() - task.fields["since"])
        if task.fields["unknown"]:
            return Text(f"{task.fields['unknown']} estimators not timed yet")
        return Text(f"{timedelta(seconds=round(max(0.0, left)))} left")


def run_with_progress(
    plan: Plan, console: Console, engine: Engine, costs: Costs, jobs: int = 1
) -> tuple[int, list[Task]]:
    """Run the waiting cells of a plan, `jobs` of them at a time.

    The time left is what cells of the same estimators took, in this run or in the stored results. While
    there are estimators of which nothing is known, their number is shown.

    Returns
    -------
    int
        How many cells failed.
    list of Task
        Those for which there was no time.
    """
    waiting = plan.waiting
    left = [*waiting]
    remaining = Remaining(costs, waiting)
    width = len(str(len(waiting)))
    wide = console.width >= 120
    if not wide:
        console.print("[dim]after each cell: balanced accuracy, seconds to fit + to predict[/]")
    failed = 0
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        _TimeLeft(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("", total=len(waiting), **_outlook(remaining, jobs))
        progress.update(bar, description=escape(waiting[0].cell.estimator))
        for number, (task, stored) in enumerate(execute(plan, engine), start=1):
            left.remove(task)
            remaining.end(task)
            costs.learn(stored.result)
            failed += not stored.ok
            line = _line(task, stored, wide=wide)
            console.print(f"[dim]{number:{width}d}/{len(waiting)}[/] {line}", highlight=False)
            running = escape(left[0].cell.estimator) if left else ""
            progress.update(bar, completed=number, description=running, **_outlook(remaining, jobs))
    return failed, left


def _outlook(remaining: Remaining, jobs: int) -> dict[str, Any]:
    seconds, unknown = remaining.total()
    return {"left": seconds / jobs, "unknown": len(unknown), "since": time.monotonic()}


def _line(task: Task, stored: StoredCell, *, wide: bool) -> str:
    cell, result = task.cell, stored.result
    place = " ".join(
        filter(
            None, [cell.variant, cell.protocol, cell.ablation and f"({cell.ablation})", f"seed {cell.seed}"]
        )
    )
    place += "" if cell.fold is None else f" fold {cell.fold}"
    head = f"{escape(cell.estimator):<17} {escape(place)}"
    if not stored.ok:
        return f"{head}  [red]{stored.result['status']}[/]: {escape(result['reason'])}"
    score, fit, predict = (
        result["scores"]["balanced_accuracy"],
        result["fit_seconds"],
        result["predict_seconds"],
    )
    if not wide:
        return f"{head} [bold]{score:.3f}[/] {fit:.1f} + {predict:.1f} s"
    return (
        f"{head}  balanced accuracy [bold]{score:.3f}[/]  fit {fit:.1f} s  predict {predict:.1f} s"
        f"  [dim]data {result['prepare_seconds']:.1f} s  +{result['peak_memory_mb']:.0f} MB[/]"
    )
