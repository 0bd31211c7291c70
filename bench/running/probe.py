"""Short trials of estimators that no stored cell tells of: on few windows, then on four times as many."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from bench.cells.job import Job, hardware
from bench.cells.store import Store
from bench.cells.stored_cell import StoredCell
from bench.data.loading import cache_folder
from bench.running.cost import Costs, Key, Trial, key_of
from bench.running.local import Limits, run_local
from bench.running.runner import job_of
from bench.splits.split import Split
from bench.study.plan import Plan
from bench.study.tasks import Task

FIRST, TIMES = 32, 4  # training windows of the first trial, and how many times as many the next one has
LONG = 3.0  # seconds: a trial that takes as long is the last one, if it is not the first
TIMEOUT = 60.0  # seconds of one trial

_trials: TypeAdapter[list[Trial]] = TypeAdapter(list[Trial])


def probe(plan: Plan, costs: Costs, limits: Limits, say: Callable[[str], None] = lambda text: None) -> None:
    """Let `costs` learn of the estimators of waiting cells that it knows nothing of.

    Trials run in processes of their own, as cells do, and are kept in the cache folder: an estimator with
    its parameters and code is tried once a machine and kind of windows.

    Parameters
    ----------
    plan : Plan
    costs : Costs
    limits : Limits
        Of the run: so many cells at a time, so many cores each. Trials count against its budget.
    say : callable
        Told in a line what is tried.
    """
    first = _unknown(plan, costs)
    found: dict[Key, list[Trial]] = {}
    whole: set[Key] = set()  # tried on all windows of a split
    for key, task in first.items():
        found[key] = _kept(_file(task, limits))
        costs.learn_trials(task, found[key])
    growing = [key for key in first if not found[key]]
    size = FIRST
    with tempfile.TemporaryDirectory(prefix="bench-probe-") as folder:
        store = Store(Path(folder), plan.suite.name, False)
        store.prepare()
        while growing:
            say(f"trying on {size:,} windows: {', '.join(first[key].cell.estimator for key in growing)}")
            jobs = [_small(job_of(first[key], plan), size, store) for key in growing]
            done = run_local(jobs, replace(limits, timeout=min(TIMEOUT, limits.timeout or TIMEOUT)))
            grown = []
            for number, stored in done:
                key, job = growing[number], jobs[number]
                if not stored.ok:
                    continue  # for want of windows, perhaps
                found[key].append(_trial_of(job, stored))
                seconds = stored.result["fit_seconds"] + stored.result["predict_seconds"]
                if len(job.split.train) >= len(first[key].split.train):
                    whole.add(key)
                elif len(found[key]) < 2 or seconds < LONG:
                    grown.append(key)
            for key in growing:
                if key not in grown and (len(found[key]) > 1 or key in whole):
                    costs.learn_trials(first[key], found[key])
                    _keep(_file(first[key], limits), found[key])
            growing, size = grown, size * TIMES


def _unknown(plan: Plan, costs: Costs) -> dict[Key, Task]:
    """Return the first waiting cell of each estimator that `costs` knows nothing of, by its key."""
    first: dict[Key, Task] = {}
    for task in plan.waiting:
        if costs.seconds(task) is None:
            first.setdefault(key_of(task), task)
    return first


def _trial_of(job: Job, stored: StoredCell) -> Trial:
    result = stored.result
    return Trial(
        n_train=len(job.split.train),
        fit_seconds=result["prepare_seconds"] + result["fit_seconds"],
        predict_seconds_a_window=result["predict_seconds"] / len(job.split.test),
        megabytes=result["peak_memory_mb"],
    )


def _small(job: Job, n_train: int, store: Store) -> Job:
    """Return the job on so many of its training windows, and on as large a share of its test windows."""
    split = job.split
    train = _spread(split.train, job.panel.y, n_train)
    test = _spread(split.test, job.panel.y, max(8, len(split.test) * n_train // max(1, len(split.train))))
    both = np.concatenate([train, test])
    small: Split = replace(
        split,
        train=train,
        test=test,
        scaler_rows=train if split.scaler_rows is split.train else both,
        resampler_rows=train if split.resampler_rows is split.train else both,
    )
    identity = {**job.identity, "split": f"{n_train} windows of {split.fingerprint}"}
    return replace(job, split=small, identity=identity, store=store, save_model=False, tries=0)


def _spread(rows: np.ndarray, y: np.ndarray, n: int) -> np.ndarray:
    """Return `n` rows at equal distances, or all, and one of each class that these miss."""
    if n >= len(rows):
        return rows
    chosen = np.linspace(0, len(rows) - 1, n).astype(int)
    _, firsts = np.unique(y[rows], return_index=True)
    return np.asarray(rows[np.union1d(chosen, firsts)])


def _file(task: Task, limits: Limits) -> Path:
    """Return where the trials of an estimator on such windows are kept."""
    # Its name too: two of one file may have the same parameters.
    same = [
        task.cell.estimator,
        task.identity["setting"],
        task.identity["row"],
        hardware(),
        limits.jobs,
        limits.cores,
    ]
    digest = hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()
    return cache_folder() / "trials" / f"{digest[:40]}.json"


def _kept(file: Path) -> list[Trial]:
    try:
        return _trials.validate_json(file.read_bytes())
    except (OSError, ValueError):
        return []


def _keep(file: Path, trials: list[Trial]) -> None:
    with contextlib.suppress(OSError):  # it is tried again, then
        file.parent.mkdir(parents=True, exist_ok=True)
        aside = file.with_suffix(f".{os.getpid()}.tmp")
        aside.write_bytes(_trials.dump_json(trials))
        os.replace(aside, file)
