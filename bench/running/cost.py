"""What cells will take, told from cells that were run or from trials; and a budget of time that is kept by it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from bench.cells.job import Job
    from bench.study.plan import Plan
    from bench.study.tasks import Task

Key = tuple[str, str, str]
LAST = 5  # cells of an estimator that its next ones are judged by


@dataclass(frozen=True)
class Trial:
    """What an estimator took on some windows.

    Attributes
    ----------
    n_train : int
        Training windows, before any resampling.
    fit_seconds : float
        With their preparation.
    predict_seconds_a_window : float
    megabytes : float
        Above what the process held before the fit.
    """

    n_train: int
    fit_seconds: float
    predict_seconds_a_window: float
    megabytes: float


class Costs:
    """Seconds and megabytes of cells by estimator and kind of windows: of those that were run, else of trials on few windows.

    Parameters
    ----------
    results : iterable of dict
        Stored results; cells that failed, or were run with other parameters or on windows of another length or
        sampling rate, tell nothing.
    """

    def __init__(self, results: Iterable[dict[str, Any]] = ()) -> None:
        self._seconds_a_window: dict[Key, list[float]] = {}
        self._megabytes: dict[Key, list[tuple[int, float]]] = {}
        self._trials: dict[Key, list[Trial]] = {}
        for result in results:
            self.learn(result)

    def learn(self, result: dict[str, Any]) -> None:
        """Take a result into account."""
        if result["status"] != "ok" or not result["n_train"]:
            return
        seconds = result["prepare_seconds"] + result["fit_seconds"] + result["predict_seconds"]
        key = _key(result["cell"]["estimator"], result["identity"])
        n_train = result.get("n_split_train", result["n_train"])  # as `seconds` is asked: before resampling
        self._seconds_a_window.setdefault(key, []).append(seconds / n_train)
        self._megabytes.setdefault(key, []).append((n_train, result["peak_memory_mb"]))

    def learn_trials(self, one: Task | Job, trials: list[Trial]) -> None:
        """Take trials of a cell's estimator into account: two at least, or one on all windows of a split."""
        if trials:
            self._trials[key_of(one)] = trials

    def seconds(self, one: Task | Job) -> float | None:
        """Return what a cell will take by the median of the last ones like it, or by trials; None if unknown.

        Cells take as long as they have training windows. Between trials, and beyond the largest, seconds of
        the fit and of each predicted window lie on a straight line; an estimator whose time grows faster
        takes longer than this says.
        """
        key = key_of(one)
        a_window = self.seconds_a_window(key)
        if a_window is not None:
            return a_window * len(one.split.train)
        return self.seconds_by_trials(one)

    def seconds_by_trials(self, one: Task | Job) -> float | None:
        """Return what a cell will take by trials of its estimator; None if there are none."""
        trials = self._trials.get(key_of(one))
        if trials is None:
            return None
        n_train, n_test = len(one.split.train), len(one.split.test)
        fit = _on_line(trials, "fit_seconds", n_train)
        return fit + n_test * _on_line(trials, "predict_seconds_a_window", n_train)

    def megabytes(self, one: Task | Job) -> float | None:
        """Return what a cell's fit will hold at most, by the largest of the last ones like it, or by trials."""
        key, n_train = key_of(one), len(one.split.train)
        if key in self._megabytes:
            return max(held * max(1.0, n_train / n) for n, held in self._megabytes[key][-LAST:])
        trials = self._trials.get(key)
        return None if trials is None else _on_line(trials, "megabytes", n_train)

    def seconds_a_window(self, key: Key) -> float | None:
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
        self._cells: Counter[Key] = Counter()
        self._windows: Counter[Key] = Counter()
        self._by_trials: dict[Key, float] = {}  # seconds, where only trials tell
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
            if a_window is not None:
                seconds += a_window * self._windows[key]
            elif key in self._by_trials:
                seconds += self._by_trials[key]
            elif n_cells:
                unknown[key[0]] = None
        return seconds, list(unknown)

    def _count(self, task: Task, sign: int) -> None:
        key = key_of(task)
        self._cells[key] += sign
        self._windows[key] += sign * len(task.split.train)
        tried = self._costs.seconds_by_trials(task)
        if tried is not None:
            self._by_trials[key] = self._by_trials.get(key, 0.0) + sign * tried


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


def key_of(one: Task | Job) -> Key:
    """Return what cells have in common that take alike: estimator, its parameters, length and sampling rate of windows."""
    return _key(one.cell.estimator, one.identity)


def _key(estimator: str, identity: dict[str, Any]) -> Key:
    windows = identity["setting"]["windows"]
    length = f"{windows['seconds']} s at {windows.get('sampling_rate')} Hz"
    return estimator, str(sorted(identity["row"]["parameters"].items())), length


def _on_line(trials: list[Trial], what: str, n_train: int) -> float:
    """Return a figure for `n_train` windows: between two trials, or on the line through the last two."""
    sizes = [trial.n_train for trial in trials]
    values = [float(getattr(trial, what)) for trial in trials]
    if n_train <= sizes[-1]:
        return float(np.interp(n_train, sizes, values))
    if len(trials) == 1:
        return values[0] * n_train / sizes[0]
    slope = max(0.0, (values[-1] - values[-2]) / (sizes[-1] - sizes[-2]))
    return values[-1] + slope * (n_train - sizes[-1])
