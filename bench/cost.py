"""What cells will take, told from cells that were run; and a budget of time that is kept by it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.job import Job
    from bench.plan import Plan, Task

LAST = 5  # cells of an estimator that its next ones are judged by


class Costs:
    """Seconds of cells by estimator, in proportion to their training windows.

    Parameters
    ----------
    results : iterable of dict
        Stored results; cells that failed or were run with other parameters tell nothing.
    """

    def __init__(self, results: Iterable[dict[str, Any]] = ()) -> None:
        self._seconds_a_window: dict[tuple[str, str], list[float]] = {}
        for result in results:
            self.learn(result)

    def learn(self, result: dict[str, Any]) -> None:
        """Take a result into account."""
        if result["status"] != "ok" or not result["n_train"]:
            return
        seconds = result["prepare_seconds"] + result["fit_seconds"] + result["predict_seconds"]
        key = _key(result["cell"]["estimator"], result["identity"])
        self._seconds_a_window.setdefault(key, []).append(seconds / result["n_train"])

    def seconds(self, one: Task | Job) -> float | None:
        """Return what a cell will take by the median of the last ones like it; None if there was none."""
        a_window = self.seconds_a_window(_key(one.cell.estimator, one.identity))
        return None if a_window is None else a_window * len(one.split.train)

    def seconds_a_window(self, key: tuple[str, str]) -> float | None:
        """Return the median of the last cells of an estimator with its parameters; None if there was none."""
        known = self._seconds_a_window.get(key)
        return None if known is None else median(known[-LAST:])

    def total(self, some: Iterable[Task]) -> tuple[float, list[str]]:
        """Return the sum of what is known, and the estimators of which nothing is."""
        return Remaining(self, some).total()


class Remaining:
    """Cells that are still to be run. Ending one costs the same whether ten or ten thousand are left.

    Parameters
    ----------
    costs : Costs
    tasks : iterable of Task
    """

    def __init__(self, costs: Costs, tasks: Iterable[Task]) -> None:
        self._costs = costs
        self._cells: Counter[tuple[str, str]] = Counter()
        self._windows: Counter[tuple[str, str]] = Counter()
        for task in tasks:
            self._count(task, 1)

    def end(self, task: Task) -> None:
        """Take a cell out."""
        self._count(task, -1)

    def total(self) -> tuple[float, list[str]]:
        """Return the sum of the seconds that are known, and the estimators of which nothing is."""
        seconds = 0.0
        unknown: dict[str, None] = {}
        for key, n_cells in self._cells.items():
            a_window = self._costs.seconds_a_window(key)
            if n_cells and a_window is None:
                unknown[key[0]] = None
            seconds += (a_window or 0.0) * self._windows[key]
        return seconds, list(unknown)

    def _count(self, task: Task, sign: int) -> None:
        key = _key(task.cell.estimator, task.identity)
        self._cells[key] += sign
        self._windows[key] += sign * len(task.split.train)


def costs_of(plan: Plan) -> Costs:
    """Return what the plan's stored cells tell, whether they are reused or run again."""
    return Costs(task.stored.result for task in plan.tasks if task.stored is not None)


def longest_first(plan: Plan, costs: Costs) -> None:
    """Order a plan so that no long cell begins last and keeps the others' processors idle; unknown ones lead."""

    def rank(task: Task) -> float:
        seconds = costs.seconds(task)
        return float("-inf") if seconds is None else -seconds

    plan.tasks.sort(key=rank)


class Budget:
    """Time for a run. A cell that is not expected to end in it does not begin.

    Parameters
    ----------
    seconds : float
        From now on.
    costs : Costs
    """

    def __init__(self, seconds: float, costs: Costs) -> None:
        self._end = time.monotonic() + seconds
        self._costs = costs

    @property
    def left(self) -> float:
        """Seconds."""
        return self._end - time.monotonic()

    def allows(self, job: Job) -> bool:
        """Whether there is time for a cell; one of which nothing is known may try."""
        return (self._costs.seconds(job) or 0.0) < self.left


def _key(estimator: str, identity: dict[str, Any]) -> tuple[str, str]:
    return estimator, str(sorted(identity["row"]["parameters"].items()))
