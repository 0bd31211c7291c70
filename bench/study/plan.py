"""From a suite to a `Plan`: which cells there are, on which splits, and which have no result yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.cells.saved import keeps_models
from bench.cells.store import Store
from bench.data.loading import Source
from bench.errors import BenchError
from bench.registry import get
from bench.splits.divide import divisions
from bench.study.panels import load_all, suite_panel
from bench.study.plan_ablations import plan_ablations
from bench.study.suite import PROFILES, Profile, Suite
from bench.study.suite_checks import check_estimators, check_protocols, installed_estimators
from bench.study.tasks import Task, row_of, signal_free_rows, task_of, told_under


@dataclass(eq=False)
class Plan:
    """All cells of a run, in order, what it changes of the suite, and the store that takes the results.

    `signal_free` are cells on the same splits, of the estimators that see ids only: they take milliseconds
    and make the floor. `ablations` says, a mapping a row of their table, which stored cells the row is made
    of. `sources` are what the recordings of each variant were loaded from. With `save_models` cells keep the
    fitted model.
    """

    suite: Suite
    profile: Profile
    changes: list[str]
    store: Store
    tasks: list[Task]
    signal_free: list[Task] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    ablations: list[dict[str, Any]] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    save_models: bool = False

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
    ablations: bool = False,
    save_models: bool = False,
    retry_failed: bool = False,
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
    ablations : bool, default False
        Plan the suite's ablations and their reference, in place of its protocols and estimators.
    save_models : bool, default False
        Keep the fitted model of every cell whose estimator can be kept; one without is run again.
    retry_failed : bool, default False
        Leave all cells alone but those that were run and failed.
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
    # Those that the user names have to be there; a suite's others stand in the table without them.
    suite, left_out = (suite, []) if "estimators" in (overrides or {}) else installed_estimators(suite)
    specs = check_estimators(suite)
    protocols = check_protocols(suite)
    recordings, notices = load_all(suite, data_root, say)
    notices = [*left_out, *notices]
    store = Store(results, suite.name, recordings[0][1].simulated)
    plan = Plan(suite, profile, changes, store, [], notices=notices, save_models=save_models)
    for source, own in recordings:
        variant = source.variant
        plan.sources[variant] = source
        if ablations:
            planned = plan_ablations(suite, variant, own, store, save_models=save_models, say=say)
            plan.tasks += planned.tasks
            plan.signal_free += planned.signal_free
            plan.ablations += planned.entries
            plan.notices += planned.notices
            continue
        panel = suite_panel(suite, own, say)
        rows = [row_of(suite, spec, panel, variant) for spec in specs]
        floors = signal_free_rows(suite, panel, variant, besides=specs)
        divided = [
            (seed, str(protocol), division)
            for seed in range(suite.seeds)
            for protocol in protocols
            for division in divisions(protocol, panel, seed)
        ]
        for seed, protocol_name, division in divided:
            plan.tasks += [
                task_of(row, protocol_name, seed, division, store, save_models=save_models) for row in rows
            ]
            plan.signal_free += [
                task_of(row, protocol_name, seed, division, store, save_models=False)
                for row in told_under(protocol_name, floors)
            ]
    if retry_failed:
        plan.tasks = [t for t in plan.tasks if not t.why or (t.stored is not None and not t.stored.ok)]
    _refuse_to_replace(plan)
    if save_models:
        names = sorted({task.cell.plugin for task in plan.tasks})
        without = [name for name in names if not keeps_models(get("estimator", name))]
        if without:
            plan.notices.append(
                f"--save-models: no model is kept of {', '.join(without)}: the program cannot save these"
            )
    return plan


def _refuse_to_replace(plan: Plan) -> None:
    """Raise BenchError where a quick look would cost somebody the results of a long run."""
    for task in [*plan.waiting, *plan.signal_free]:
        if not task.why or task.stored is None or not task.stored.ok:
            continue
        before = task.stored.result["suite"]["profile"]
        if PROFILES.index(before) > PROFILES.index(plan.profile):
            raise BenchError(
                f"{plan.store.folder} holds results of the profile '{before}', which '{plan.profile}' would "
                "replace; write elsewhere with --results DIR, or move that folder away"
            )
