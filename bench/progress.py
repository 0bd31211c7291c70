"""What a person sees while a suite runs: a bar with the time left, and a line a finished cell."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench.runner import Plan, Task, execute
from bench.store import StoredCell


def run_with_progress(plan: Plan, console: Console) -> int:
    """Run the waiting cells of a plan; return how many of them failed.

    The time left is estimated from the seconds that the same estimator took before, in this run or in
    the stored results; an estimator not seen yet is taken to need the mean of the others.
    """
    waiting = plan.waiting
    seconds = {
        task.cell.estimator: _seconds(task.stored.result)
        for task in plan.tasks
        if task.stored and task.stored.ok
    }
    width = len(str(len(waiting)))
    failed = 0
    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[cells]}"),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True, speed_estimate_period=3600) as progress:
        bar = progress.add_task("", total=None, cells="")
        done = 0.0
        _show(progress, bar, waiting, 0, done, seconds)
        for number, (task, stored) in enumerate(execute(plan), start=1):
            took = _seconds(stored.result)
            done += took
            seconds[task.cell.estimator] = took
            failed += not stored.ok
            line = _line(task, stored, wide=console.width >= 100)
            console.print(f"[dim]{number:{width}d}/{len(waiting)}[/] {line}", highlight=False)
            _show(progress, bar, waiting, number, done, seconds)
    return failed


def _show(
    progress: Progress, bar: Any, waiting: list[Task], number: int, done: float, seconds: dict[str, float]
) -> None:
    guess = sum(seconds.values()) / len(seconds) if seconds else 1.0
    left = sum(seconds.get(task.cell.estimator, guess) for task in waiting[number:])
    name = waiting[number].cell.estimator if number < len(waiting) else ""
    progress.update(
        bar, description=escape(name), total=done + left, completed=done, cells=f"{number}/{len(waiting)}"
    )


def _seconds(result: dict[str, Any]) -> float:
    return max(1e-3, result["prepare_seconds"] + result["fit_seconds"] + result["predict_seconds"])


def _line(task: Task, stored: StoredCell, *, wide: bool) -> str:
    cell, result = task.cell, stored.result
    place = " ".join(filter(None, [cell.variant, cell.protocol, f"seed {cell.seed}"]))
    place += "" if cell.fold is None else f" fold {cell.fold}"
    head = f"{escape(cell.estimator):<17} {place}"
    if not stored.ok:
        return f"{head}  [red]{stored.result['status']}[/]: {escape(result['reason'])}"
    return (
        f"{head} [bold]{result['scores']['balanced_accuracy']:.3f}[/] "
        f"fit {result['fit_seconds']:.1f} s predict {result['predict_seconds']:.1f} s"
        + (
            f" [dim]data {result['prepare_seconds']:.1f} s +{result['peak_memory_mb']:.0f} MB[/]"
            if wide
            else ""
        )
    )
