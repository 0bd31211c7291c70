"""A `Job` is all that a process needs to run one cell and to store what came out."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

import bench
from bench.cells.cell import Cell, Outcome, run_cell
from bench.cells.making import available_cores
from bench.cells.saved import About, DataSet
from bench.cells.store import Store
from bench.cells.stored_cell import StoredCell, why_again
from bench.data.windows import Panel, Target, Windowing
from bench.registry import get
from bench.splits.split import Split

PACKAGES = ("numpy", "pandas", "scikit-learn", "imbalanced-learn", "sktime", "numba", "tensorflow", "keras")


@dataclass(frozen=True)
class Study:
    """What a result says of the suite that it is of.

    Attributes
    ----------
    name, title, target : str
    profile : str
    changes : tuple of str
        What the run changes of the suite, in words.
    """

    name: str
    title: str
    target: str
    profile: str
    changes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Job:
    """A cell, what it runs on, and where its result goes. It can be pickled.

    Attributes
    ----------
    cell : Cell
    panel : Panel
    split : Split
    identity : dict
        All that decides the predictions; a stored result with the same one is as good.
    division : str
        What the split follows from: a stored result with the same one has the same split.
    study : Study
    data : DataSet
        What the recordings were loaded from.
    store : Store
    save_model : bool
        Whether the fitted estimator is kept, if it can be.
    tries : int
        How often the cell was run before as it is now, without success.
    """

    cell: Cell
    panel: Panel
    split: Split
    identity: dict[str, Any]
    division: str
    study: Study
    data: DataSet
    store: Store
    save_model: bool
    tries: int = 0

    def reusable(self) -> StoredCell | None:
        """Return the stored result if it is what running the cell would give."""
        stored = self.store.read(self.cell)
        lacks_model = self.save_model and stored is not None and not stored.has_model
        return None if why_again(stored, self.identity) or lacks_model else stored


def run_job(job: Job, windows_file: Path | None = None) -> StoredCell:
    """Run the cell and store its outcome; `windows_file` as for `run_cell`.

    Raises
    ------
    LeakError
        As `run_cell`.
    DataError
        If the disk refuses.
    """
    log_dir = job.store.log_dir(job.cell)
    outcome = run_cell(
        job.cell, job.panel, job.split, log_dir, keep_fitted=job.save_model, windows_file=windows_file
    )
    return store_outcome(job, outcome)


def store_outcome(job: Job, outcome: Outcome) -> StoredCell:
    """Write an outcome, and the fitted estimator if it is there, in the place of an older result."""
    stored = job.store.write(outcome, _result(outcome, job), _about(outcome, job))
    outcome.fitted = None  # the next fit needs the memory
    return stored


def _result(outcome: Outcome, job: Job) -> dict[str, Any]:
    cell, recordings, study = job.cell, job.panel.recordings, job.study
    plugin = get("estimator", cell.plugin)
    return {
        "status": outcome.status,
        "tries": job.tries + 1,
        "reason": outcome.reason,
        "cell": {**asdict(cell), "parameters": dict(cell.parameters)},
        "family": plugin.about["family"],
        "level_blind": plugin.about["level_blind"],
        "scores": outcome.scores,
        **({"training": outcome.training.summary()} if outcome.training else {}),
        **({"tried": outcome.tried} if outcome.tried else {}),
        "prepare_seconds": outcome.prepare_seconds,
        "fit_seconds": outcome.fit_seconds,
        "predict_seconds": outcome.predict_seconds,
        "peak_memory_mb": outcome.peak_memory_mb,
        "n_train": outcome.n_train,
        "n_test": outcome.n_test,
        "n_split_train": len(job.split.train),  # n_train is after resampling
        "n_distinct_train": len(np.unique(job.split.train)),  # without the copies that a protocol makes
        "warnings": outcome.warnings,
        "audit": asdict(outcome.audit),
        "suite": {
            "name": study.name,
            "title": study.title,
            "target": study.target,
            "dataset": recordings.name,
            "simulated": recordings.simulated,
            "credit": recordings.credit,
            "classes": list(job.panel.classes),
            "channels": list(job.panel.channels),
            "sampling_rate": recordings.sampling_rate,
            "recorded_rate": recordings.recorded_rate,
            "n_windows": len(job.panel),
            "n_subjects": int(np.unique(job.panel.windows["subject"]).size),
            "profile": study.profile,
            "changes": list(study.changes),
        },
        "identity": job.identity,
        "division": job.division,
        "versions": versions(),
        "hardware": {**hardware(), "cores": available_cores()},  # of this cell, not of the machine
        "written": datetime.now(UTC).isoformat(timespec="microseconds"),
    }


def _about(outcome: Outcome, job: Job) -> dict[str, Any] | None:
    """Say what live use of the fitted estimator needs; None if it is not to be kept."""
    if outcome.fitted is None:
        return None
    cell, panel, split = job.cell, job.panel, job.split
    recordings, setting = panel.recordings, job.identity["setting"]
    windowing = Windowing.model_validate(setting["windows"])
    hop = round((windowing.seconds - windowing.overlap) * recordings.sampling_rate)
    # What a resampler saw is in the windows that it made, and these are trained on too.
    rows = np.union1d(split.train, split.resampler_rows) if cell.resampler else np.unique(split.train)
    trained_on = panel.windows.iloc[rows].groupby("subject")["trial"].unique()
    about = About(
        plugin=cell.plugin,
        estimator=cell.estimator,
        data=job.data,
        target=Target.model_validate(setting["target"]),
        classes=list(panel.classes),
        channels=list(panel.channels),
        sampling_rate=recordings.sampling_rate,
        recorded_rate=recordings.recorded_rate,
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
def versions() -> dict[str, str]:
    """Return the versions of what a result depends on."""
    found = {"python": platform.python_version(), "mlstm-bench": bench.__version__}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache
def hardware() -> dict[str, Any]:
    """Return what the machine is."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return {
        "processor": model,
        "system": platform.system(),
        "machine": platform.machine(),
    }
