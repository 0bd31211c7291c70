"""What cells will take, told from cells that were run; and a budget of time that is kept by it."""

from __future__ import annotations

import time
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
        known = self._seconds_a_window.get(_key(one.cell.estimator, one.identity))
        return None if known is None else median(known[-LAST:]) * len(one.split.train)

    def total(self, some: Iterable[Task]) -> tuple[float, list[str]]:
        """Return the sum of what is known, and the estimators of which nothing is."""
        seconds = 0.0
        unknown: dict[str, None] = {}
        for one in some:
            expected = self.seconds(one)
            if expected is None:
                unknown[one.cell.estimator] = None
            else:
                seconds += expected
        return seconds, list(unknown)


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
