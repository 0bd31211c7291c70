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
from bench.registry import get
from bench.saved import About, DataSet, keeps_models
from bench.store import StoredCell
from bench.windows import Target, Windowing

PACKAGES = ("numpy", "pandas", "scikit-learn", "imbalanced-learn", "sktime", "numba", "tensorflow", "keras")


def execute(plan: Plan) -> Iterable[tuple[Task, StoredCell]]:
    """Run the waiting cells one after the other, storing each before it is yielded."""
    plan.store.prepare()
    if plan.ablations:
        plan.store.write_ablations(plan.ablations)
    for task in plan.waiting:
        keep = plan.save_models and keeps_models(get("estimator", task.cell.plugin))
        log_dir = plan.store.log_dir(task.cell)
        outcome = run_cell(task.cell, task.panel, task.split, log_dir, keep_fitted=keep)
        result = _result(outcome, task, plan)
        stored = plan.store.write(outcome, result, _about(outcome, task, plan))
        outcome.fitted = None  # the next fit needs the memory
        if keep and stored.ok and not stored.has_model:
            plan.notices.append(f"{stored.folder}: {result['warnings'][-1]}")
        yield task, stored


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


def _about(outcome: Outcome, task: Task, plan: Plan) -> dict[str, Any] | None:
    """Say what live use of the fitted estimator needs; None if it is not to be kept."""
    if outcome.fitted is None:
        return None
    cell, panel, split = task.cell, task.panel, task.split
    recordings, source = panel.recordings, plan.sources[cell.variant]
    setting = task.identity["setting"]
    windowing = Windowing.model_validate(setting["windows"])
    hop = round((windowing.seconds - windowing.overlap) * recordings.sampling_rate)
    # What a resampler saw is in the windows that it made, and these are trained on too.
    rows = np.union1d(split.train, split.resampler_rows) if cell.resampler else np.unique(split.train)
    trained_on = panel.windows.iloc[rows].groupby("subject")["trial"].unique()
    about = About(
        plugin=cell.plugin,
        estimator=cell.estimator,
        data=DataSet(
            name=recordings.name,
            plugin=source.plugin.name,
            parameters=source.parameters,
            simulated=recordings.simulated,
            credit=recordings.credit,
        ),
        target=Target.model_validate(setting["target"]),
        classes=list(panel.classes),
        channels=list(panel.channels),
        sampling_rate=recordings.sampling_rate,
        window_samples=panel.n_timepoints,
        hop_samples=panel.n_timepoints if windowing.whole else hop,
        baseline=windowing.baseline or windowing.whole,
        whole=windowing.whole,
        protocol=cell.protocol,
        seed=cell.seed,
        fold=cell.fold,
        verdict=outcome.audit.verdict,
        scaling=outcome.fitted.scaler.fitted(),
        trained_on={int(str(subject)): sorted(map(int, trials)) for subject, trials in trained_on.items()},
    )
    return about.model_dump(mode="json")


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
