"""From a plan to stored results: run the cells that have none yet, store each."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

import bench
from bench.cell import Outcome, available_cores, run_cell
from bench.plan import Plan, Task
from bench.store import StoredCell

PACKAGES = ("numpy", "pandas", "scikit-learn", "imbalanced-learn", "sktime", "numba", "tensorflow", "keras")


def execute(plan: Plan) -> Iterable[tuple[Task, StoredCell]]:
    """Run the waiting cells one after the other, storing each before it is yielded."""
    plan.store.prepare()
    if plan.ablations:
        plan.store.write_ablations(plan.ablations)
    for task in plan.waiting:
        outcome = run_cell(task.cell, task.panel, task.split)
        yield task, plan.store.write(outcome, _result(outcome, task, plan))


def _result(outcome: Outcome, task: Task, plan: Plan) -> dict[str, Any]:
    cell, recordings, suite = task.cell, task.panel.recordings, plan.suite
    return {
        "status": outcome.status,
        "reason": outcome.reason,
        "cell": {**asdict(cell), "parameters": dict(cell.parameters)},
        "scores": outcome.scores,
        "prepare_seconds": outcome.prepare_seconds,
        "fit_seconds": outcome.fit_seconds,
        "predict_seconds": outcome.predict_seconds,
        "peak_memory_mb": outcome.peak_memory_mb,
        "n_train": outcome.n_train,
        "n_test": outcome.n_test,
        "warnings": outcome.warnings,
        "audit": asdict(outcome.audit),
        "suite": {
            "name": suite.name,
            "title": suite.title,
            "target": suite.target.name,
            "dataset": recordings.name,
            "simulated": recordings.simulated,
            "credit": recordings.credit,
            "classes": list(task.panel.classes),
            "channels": list(task.panel.channels),
            "n_windows": len(task.panel),
            "n_subjects": int(np.unique(task.panel.windows["subject"]).size),
            "profile": plan.profile,
            "changes": plan.changes,
        },
        "identity": task.identity,
        "versions": _versions(),
        "hardware": _hardware(),
        "written": datetime.now(UTC).isoformat(timespec="microseconds"),
    }


@cache
def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "mlstm-bench": bench.__version__}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache
def _hardware() -> dict[str, Any]:
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return {
        "processor": model,
        "cores": available_cores(),
        "system": platform.system(),
        "machine": platform.machine(),
    }
