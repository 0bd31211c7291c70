"""From a suite to a `Plan`: which cells there are, on which splits, and which have no result yet."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import bench
from bench.ablations import ablation_rows, divided_alike
from bench.audit import Audit
from bench.cell import Cell
from bench.divide import Division, divide, divisions
from bench.errors import BenchError
from bench.hrv import add_hrv
from bench.loading import Source, find_sources, load_recordings
from bench.protocols import ProtocolError
from bench.recordings import Recordings
from bench.registry import Plugin, get
from bench.sampling_rate import at_rate
from bench.saved import MODEL, keeps_models
from bench.scaling import Scaling
from bench.spec import Spec, parse_spec
from bench.split import Split
from bench.store import Store, StoredCell, why_again
from bench.suite import PROFILES, Profile, Suite, parse_subjects
from bench.suite_checks import all_parameters, check_estimators, check_protocols
from bench.windows import Panel, make_panel


@dataclass(eq=False)
class Task:
    """A cell, what it runs on, and why it has to be run (``""``: a stored result is reused)."""

    cell: Cell
    panel: Panel
    division: Division
    identity: dict[str, Any]
    stored: StoredCell | None
    why: str

    @cached_property
    def split(self) -> Split:
        """Made when it is first asked for: a stored result is reused without."""
        return self.division.split


@dataclass(eq=False)
class Plan:
    """All cells of a run, in order, what it changes of the suite, and the store that takes the results.

    `ablations` says, a mapping a row of their table, which stored cells the row is made of. `sources` are
    what the recordings of each variant were loaded from. With `save_models` cells keep the fitted model.
    """

    suite: Suite
    profile: Profile
    changes: list[str]
    store: Store
    tasks: list[Task]
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
    specs = check_estimators(suite)
    protocols = check_protocols(suite)
    recordings, notices = load_all(suite, data_root, say)
    store = Store(results, suite.name, recordings[0][1].simulated)
    plan = Plan(suite, profile, changes, store, [], notices, save_models=save_models)
    for source, own in recordings:
        variant = source.variant
        plan.sources[variant] = source
        if ablations:
            _plan_ablations(plan, variant, own, say)
            continue
        panel = suite_panel(suite, own, say)
        rows = [_row(suite, spec, panel, variant) for spec in specs]
        divided = [
            (seed, str(protocol), division)
            for seed in range(suite.seeds)
            for protocol in protocols
            for division in divisions(protocol, panel, seed)
        ]
        for seed, protocol_name, division in divided:
            plan.tasks += [_task(plan, row, protocol_name, seed, division) for row in rows]
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


def load_all(
    suite: Suite, data_root: Path | None, say: Callable[[str], None]
) -> tuple[list[tuple[Source, Recordings]], list[str]]:
    """Return the recordings of each source of the suite's data set, and what the user should know."""
    subjects = parse_subjects(suite.subjects) if suite.subjects else None
    sources, notice = find_sources(parse_spec(suite.dataset), data_root)
    loaded = [(source, load_recordings(source, subjects, say)) for source in sources]
    return loaded, [notice] if notice else []


def suite_panel(
    suite: Suite,
    recordings: Recordings,
    say: Callable[[str], None],
    made: dict[tuple[bool, float | None], Recordings] | None = None,
) -> Panel:
    """Return the suite's windows of the recordings, derived channels included.

    `made` keeps what is made of the recordings, for suites that want the same of them: it takes seconds, and
    processes share the signals of panels that have the same ones.
    """
    made = {} if made is None else made
    hrv, rate = "hrv" in suite.derived, suite.windows.sampling_rate
    if hrv:
        if (hrv, None) not in made:
            made[hrv, None] = add_hrv(recordings, say)
        recordings = made[hrv, None]
    if (hrv, rate) not in made:
        made[hrv, rate] = at_rate(recordings, rate)
    recordings = made[hrv, rate]
    return make_panel(recordings, suite.target, suite.windows, suite.channels)


def audit_protocols(
    suite: Suite, data_root: Path | None = None, say: Callable[[str], None] = lambda text: None
) -> tuple[list[tuple[str, str, list[Audit]]], list[str], list[str]]:
    """Audit the splits of each protocol of a suite; fit nothing.

    Returns
    -------
    list of (variant, protocol, audits)
        The audits of all seeds and folds.
    list of str
        Protocols that break their promise, or cannot divide the data, in words.
    list of str
        What the user should know.
    """
    recordings, notices = load_all(suite, data_root, say)
    rows: list[tuple[str, str, list[Audit]]] = []
    faults = []
    for source, own in recordings:
        panel = suite_panel(suite, own, say)
        for protocol in check_protocols(suite):
            try:
                splits = [
                    s for seed in range(suite.seeds) for _, s in divide(protocol, panel, seed, strict=False)
                ]
            except ProtocolError as error:
                faults.append(str(error))
                continue
            rows.append((source.variant, str(protocol), [split.audit for split in splits]))
            broken = [
                split.audit.verdict for split in splits if split.must_be_clean and not split.audit.clean
            ]
            if broken:
                faults.append(f"protocol '{protocol}' promises a clean split, and it {broken[0]}")
    return rows, faults, notices


def _plan_ablations(plan: Plan, variant: str, recordings: Recordings, say: Callable[[str], None]) -> None:
    """Plan the rows of the suite's ablations; cells that several rows share are planned once."""
    suite = plan.suite
    made: dict[tuple[bool, float | None], Recordings] = {}
    reference = suite_panel(suite, recordings, say, made)
    rows = ablation_rows(suite, reference.channels)
    assert suite.ablations is not None
    (protocol,) = check_protocols(suite.model_copy(update={"protocols": [suite.ablations.protocol]}))
    divided = [(seed, one) for seed in range(suite.seeds) for one in divisions(protocol, reference, seed)]
    settings: list[tuple[dict[str, Any], str]] = []
    planned: set[Cell] = set()
    for row in rows:
        (spec,) = check_estimators(row.suite.model_copy(update={"estimators": [str(row.spec)]}))
        entry: dict[str, Any] = {"name": row.name, "variant": variant, "protocol": str(protocol)}
        plan.ablations.append(entry)
        try:
            panel = reference if row.suite == suite else suite_panel(row.suite, recordings, say, made)
            setting = _setting(row.suite, panel)
            place = next((name for known, name in settings if known == setting), None)
            if place is None:
                place = "" if not settings else row.name
                settings.append((setting, place))
            own = _row(row.suite, spec, panel, variant, place)
            for seed, division in divided:
                alike = divided_alike(division, reference, panel) if place else division
                task = _task(plan, own, str(protocol), seed, alike)
                if task.cell not in planned:
                    planned.add(task.cell)
                    plan.tasks.append(task)
        except BenchError as error:  # a row that this data set cannot give; the others can
            entry["left_out"] = str(error)
            plan.notices.append(f"ablation '{row.name}' is left out: {error}")
            continue
        entry |= {"ablation": place, "estimator": str(spec), "setting": setting}


@dataclass(frozen=True, eq=False)
class _Row:
    """What the cells of one estimator on one panel have in common."""

    spec: Spec
    plugin: Plugin
    panel: Panel
    parameters: dict[str, Any]
    scaling: Scaling
    variant: str
    ablation: str
    setting: dict[str, Any]
    identity: dict[str, Any]


def _row(suite: Suite, spec: Spec, panel: Panel, variant: str, ablation: str = "") -> _Row:
    plugin = get("estimator", spec.name)
    parameters = all_parameters(suite, spec, plugin)
    identity = {
        "parameters": dict(sorted(parameters.items())),
        "resampler": spec.resampler,
        "plugin code": plugin.source_digest,
        "mlstm-bench": bench.__version__,
    }
    setting = _setting(suite, panel)
    as_stored = json.loads(json.dumps({"setting": setting, "row": identity}, default=str))
    return _Row(
        spec,
        plugin,
        panel,
        parameters,
        suite.scaling,
        variant,
        ablation,
        as_stored["setting"],
        as_stored["row"],
    )


def _task(plan: Plan, row: _Row, protocol: str, seed: int, division: Division) -> Task:
    cell = Cell(
        variant=row.variant,
        protocol=protocol,
        estimator=str(row.spec),
        plugin=row.spec.name,
        resampler=row.spec.resampler,
        parameters=tuple(sorted(row.parameters.items())),
        scaling=row.scaling,
        seed=seed,
        fold=division.fold,
        ablation=row.ablation,
    )
    stored = plan.store.read(cell)
    divided_before = stored is not None and stored.result.get("division") == division.source
    identity = {
        "setting": row.setting,
        "row": row.identity,
        "split": stored.result["identity"]["split"]
        if stored and divided_before
        else division.split.fingerprint,
        "seed": seed,
    }
    why = why_again(stored, identity)
    if (
        stored is not None
        and not why
        and plan.save_models
        and keeps_models(row.plugin)
        and not stored.has_model
    ):
        why = f"it has no {MODEL}"
    return Task(cell, row.panel, division, identity, stored, why)


def _setting(suite: Suite, panel: Panel) -> dict[str, Any]:
    """What every row of a table must share."""
    windows = suite.windows.model_dump()
    if panel.recordings.recorded_rate is None:
        del windows["sampling_rate"]  # nothing was resampled: the same windows as without the key
    return {
        "data": panel.recordings.fingerprint,
        "target": suite.target.model_dump(),
        "windows": windows,
        "scaling": suite.scaling,
        "channels": list(panel.channels),
    }


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
