"""From a suite to stored results: plan the cells, run those that have no result yet, store each."""

from __future__ import annotations

import inspect
import json
import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

import bench
from bench.cell import HARNESS, Cell, Outcome, Split, available_cores, run_cell
from bench.divide import divide
from bench.errors import BenchError, SuiteError, nearest
from bench.loading import find_sources, load_recordings
from bench.registry import Plugin, get, plugins
from bench.spec import Spec, check_parameters, parse_spec
from bench.store import Store, StoredCell, differences
from bench.suite import PROFILES, Profile, Suite, parse_subjects
from bench.windows import Panel, make_panel

PACKAGES = ("numpy", "pandas", "scikit-learn", "imbalanced-learn", "sktime", "numba", "tensorflow", "keras")


@dataclass(eq=False)
class Task:
    """A cell, what it runs on, and why it has to be run (``""``: a stored result is reused)."""

    cell: Cell
    panel: Panel
    split: Split
    identity: dict[str, Any]
    stored: StoredCell | None
    why: str


@dataclass(eq=False)
class Plan:
    """All cells of a run, in order, what it changes of the suite, and the store that takes the results."""

    suite: Suite
    profile: Profile
    changes: list[str]
    store: Store
    tasks: list[Task]
    notices: list[str] = field(default_factory=list)

    @property
    def waiting(self) -> list[Task]:
        """The tasks without a result that can be reused."""
        return [task for task in self.tasks if task.why]


def make_plan(
    suite: Suite,
    profile: Profile,
    overrides: Mapping[str, Any] | None = None,
    *,
    data_root: Path | None = None,
    results: Path = Path("results"),
    say: Callable[[str], None] = lambda text: None,
) -> Plan:
    """Load the data, divide it, and decide for each cell whether it must be run.

    Parameters
    ----------
    suite : Suite
    profile : str
    overrides : mapping, optional
        Keys of the suite that the user sets after all; they go before what the profile says.
    data_root : Path, optional
        The data set's folder.
    results : Path
        Where results are kept.
    say : callable
        Told in a line what takes time.

    Raises
    ------
    BenchError
        If the suite names something that is not there, the data cannot be read, a protocol cannot
        divide it, or a split leaks that its protocol promises to be clean.
    """
    original = suite
    suite = suite.thinned(profile).model_copy(update=dict(overrides or {}))
    changes = suite.changes_from(original)
    specs = _check_estimators(suite)
    protocols = check_protocols(suite)
    subjects = parse_subjects(suite.subjects) if suite.subjects else None
    sources, notice = find_sources(parse_spec(suite.dataset), data_root)
    notices = [notice] if notice else []
    tasks: list[Task] = []
    store: Store | None = None
    for source in sources:
        recordings = load_recordings(source, subjects, say)
        store = Store(results, suite.name, recordings.simulated)
        panel = make_panel(recordings, suite.target, suite.windows, suite.channels)
        divided = [
            (seed, str(protocol), fold, split)
            for seed in range(suite.seeds)
            for protocol in protocols
            for fold, split in divide(protocol, panel, seed)
        ]
        for seed, protocol_name, fold, split in divided:
            for spec in specs:
                plugin = get("estimator", spec.name)
                cell = Cell(
                    variant=source.variant,
                    protocol=protocol_name,
                    estimator=str(spec),
                    plugin=spec.name,
                    resampler=spec.resampler,
                    parameters=tuple(sorted(_parameters(suite, spec, plugin).items())),
                    scaling=suite.scaling,
                    seed=seed,
                    fold=fold,
                )
                identity = _identity(cell, plugin, suite, panel, split)
                stored = store.read(cell)
                tasks.append(Task(cell, panel, split, identity, stored, _why(stored, identity)))
    assert store is not None
    plan = Plan(suite, profile, changes, store, tasks, notices)
    _refuse_to_replace(plan)
    return plan


def execute(plan: Plan) -> Iterable[tuple[Task, StoredCell]]:
    """Run the waiting cells one after the other, storing each before it is yielded."""
    plan.store.prepare()
    for task in plan.waiting:
        outcome = run_cell(task.cell, task.panel, task.split)
        yield task, plan.store.write(outcome, _result(outcome, task, plan))


def _check_estimators(suite: Suite) -> list[Spec]:
    specs = [parse_spec(text) for text in suite.estimators]
    for spec in specs:
        plugin = get("estimator", spec.name)
        check_parameters(plugin, spec.parameters, HARNESS, f"estimator '{spec}'")
        if spec.resampler:
            get("resampler", spec.resampler)
    for name, parameters in suite.parameters.items():
        if name not in plugins("estimator"):
            raise SuiteError(
                f"suite '{suite.name}': key 'parameters.{name}': no estimator of that name"
                f"{nearest(name, plugins('estimator'))}"
            )
        check_parameters(
            plugins("estimator")[name], parameters, HARNESS, f"suite '{suite.name}': parameters.{name}"
        )
    return list({str(spec): spec for spec in specs}.values())


def check_protocols(suite: Suite) -> list[Spec]:
    """Return the suite's protocols, each once; an error if one is unknown or has not such a parameter."""
    specs = [parse_spec(text) for text in suite.protocols]
    for spec in specs:
        plugin = get("protocol", spec.name)
        check_parameters(plugin, spec.parameters, ("seed",), f"protocol '{spec}'")
        if spec.resampler:
            raise SuiteError(
                f"protocol '{spec}': resamplers belong to estimators: mlstm-fcn+{spec.resampler}"
            )
    return list({str(spec): spec for spec in specs}.values())


def _parameters(suite: Suite, spec: Spec, plugin: Plugin) -> dict[str, Any]:
    parameters = {**plugin.parameters(HARNESS), **suite.parameters.get(spec.name, {}), **spec.parameters}
    for name, value in parameters.items():
        if value is inspect.Parameter.empty:
            raise SuiteError(f"estimator '{spec}' needs its parameter '{name}': {spec.name}[{name}=...]")
    return parameters


def _identity(cell: Cell, plugin: Plugin, suite: Suite, panel: Panel, split: Split) -> dict[str, Any]:
    """All that decides a cell's predictions; ``setting`` is what every row of a table must share."""
    identity = {
        "setting": {
            "data": panel.recordings.fingerprint,
            "target": suite.target.model_dump(),
            "windows": suite.windows.model_dump(),
            "scaling": suite.scaling,
            "channels": list(panel.channels),
        },
        "row": {
            "parameters": dict(cell.parameters),
            "resampler": cell.resampler,
            "plugin code": plugin.source_digest,
            "mlstm-bench": bench.__version__,
        },
        "split": split.fingerprint,
        "seed": cell.seed,
    }
    return json.loads(json.dumps(identity, default=str))


def _why(stored: StoredCell | None, identity: dict[str, Any]) -> str:
    if stored is None:
        return "no result yet"
    changed = differences(stored.result["identity"], identity)
    if changed:
        return "; ".join(changed[:3])
    return "" if stored.ok else f"{stored.result['status']} before"


def _refuse_to_replace(plan: Plan) -> None:
    """A quick look must not cost anybody the results of a long run."""
    for task in plan.waiting:
        if task.stored is None or not task.stored.ok:
            continue
        before = task.stored.result["suite"]["profile"]
        if PROFILES.index(before) > PROFILES.index(plan.profile):
            raise BenchError(
                f"{plan.store.folder} holds results of the profile '{before}', which '{plan.profile}' would "
                "replace; write elsewhere with --results DIR, or move that folder away"
            )


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
