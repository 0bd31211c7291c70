"""``run``: fit and test every estimator under every protocol, then write the tables."""

from __future__ import annotations

import signal
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import (
    AddressOption,
    BudgetOption,
    DataRootOption,
    EngineOption,
    FolderOption,
    JobsOption,
    MemoryOption,
    OneSuiteOption,
    OverlapOption,
    PluginsOption,
    ProfileOption,
    ProtocolsOption,
    ResultsOption,
    RetryFailedOption,
    SaveModelsOption,
    SplitOption,
    SubjectsOption,
    TargetOption,
    ThresholdOption,
    TimeoutOption,
    WindowSecondsOption,
    check_engine,
    once,
    overrides_from,
    study_of,
    with_split,
)
from bench.cli.tables import write_tables
from bench.cli.terminal import add_plugins, make_console, warn
from bench.errors import DataError, SuiteError
from bench.quantities import bytes_of, seconds_of

if TYPE_CHECKING:
    from rich.console import Console

    from bench.cells.store import Store
    from bench.running.cost import Costs
    from bench.running.local import Limits
    from bench.running.runner import Engine
    from bench.study.plan import Plan


EXAMPLES = """
Examples:

python -m bench run --suite deap-arousal

python -m bench run --suite deap-arousal --data-root DEAP/data_preprocessed_python --profile full

python -m bench run --folder recordings --target stress

python -m bench run --suite hku956-valence --data-root HKU956 --estimators 'rocket,mlstm-fcn[cells=64]+smote'

python -m bench run --suite deap-arousal --jobs 4 --timeout 15m --memory 4GB

python -m bench run --suite deap-arousal --retry-failed --timeout 2h

python -m bench run --suite deap-arousal --profile full --budget 8h

python -m bench run --suite deap-arousal --engine ray --address auto

python -m bench run --suite deap-arousal --split my-split.csv

python -m bench run --suite deap-arousal --plan

python -m bench run --suite deap-arousal --ablations

python -m bench run --suite deap-arousal --estimators mlstm-fcn --save-models
"""


def run(
    suite: OneSuiteOption = None,
    folder: FolderOption = None,
    target: TargetOption = None,
    threshold: ThresholdOption = None,
    window_seconds: WindowSecondsOption = None,
    overlap: OverlapOption = None,
    profile: ProfileOption = "quick",
    estimators: Annotated[
        str | None,
        typer.Option(help="Instead of the suite's: 'rocket,mlstm-fcn[cells=64]+ros'.", metavar="SPECS"),
    ] = None,
    protocols: ProtocolsOption = None,
    split: SplitOption = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="How many: 5 means seeds 0 to 4.", metavar="N")
    ] = None,
    subjects: SubjectsOption = None,
    data_root: DataRootOption = None,
    ablations: Annotated[
        bool,
        typer.Option("--ablations", help="The suite's ablations in place of its estimators and protocols."),
    ] = False,
    save_models: SaveModelsOption = False,
    results: ResultsOption = Path("results"),
    plugins: PluginsOption = None,
    plan: Annotated[
        bool,
        typer.Option(
            "--plan",
            help="Say what would be run, and what it would take; estimators that were never timed are tried on few windows.",
        ),
    ] = False,
    engine: EngineOption = "local",
    address: AddressOption = None,
    jobs: JobsOption = None,
    timeout: TimeoutOption = None,
    memory: MemoryOption = None,
    budget: BudgetOption = None,
    retry_failed: RetryFailedOption = False,
) -> None:
    """Run a suite: fit and test every estimator under every protocol, then write the tables.

    With --folder in place of --suite the suite is made of a folder of recordings and kept in the results folder.
    Each cell runs in a process of its own: one that crashes, hangs or takes too much memory costs no other.
    Finished cells are stored as they end and reused by the next run, and two runs may share one folder.
    Exit status: 0 all cells have results, 1 some failed or are left, 2 the command, the suite or the data is at fault.
    """
    check_engine(engine, address)
    seconds = None if timeout is None else seconds_of(timeout)
    size = None if memory is None else bytes_of(memory)
    span = None if budget is None else seconds_of(budget, "--budget")
    add_plugins(plugins)
    say = once(warn)
    of_folder = {"target": target, "threshold": threshold, "seconds": window_seconds, "overlap": overlap}
    study, chosen = study_of(suite, profile, folder, data_root, of_folder, say)
    overrides = overrides_from(estimators=estimators, protocols=protocols, seeds=seeds, subjects=subjects)
    overrides = with_split(overrides, split)
    if ablations and "protocols" in overrides:
        raise SuiteError("--ablations runs the rows of [ablations]: --protocols and --split change nothing")
    rates = study.ablations.sampling_rates if study.ablations else []
    if ablations and "estimators" in overrides and not rates:
        raise SuiteError(
            "--ablations runs the rows of [ablations]: --estimators changes nothing where they have no sampling_rates"
        )

    from bench.study.plan import make_plan

    console = make_console()
    with console.status("looking at the data"):
        todo = make_plan(
            study,
            chosen,
            overrides,
            data_root=data_root,
            results=results,
            ablations=ablations,
            save_models=save_models,
            retry_failed=retry_failed,
            say=say,
        )
    for notice in todo.notices:
        say(notice)
    from bench.running.cost import Budget, costs_of, longest_first
    from bench.running.local import Limits

    costs = costs_of(todo)
    limits = Limits(1, seconds, size, budget=None if span is None else Budget(span, costs))
    if engine == "local" and (plan or span is not None):  # the nodes of a cluster are other machines
        try:
            _try_unknown(todo, costs, replace(limits, jobs=jobs or 1), console)
        except KeyboardInterrupt:
            if not plan:
                raise
            warn("interrupted: what was not tried is not known")
    if plan:
        from bench.cli.plan_table import print_plan

        print_plan(todo, costs, console)
        return
    if folder is not None:
        from bench.study.folder_suite import keep_suite

        kept = keep_suite(study, todo.store.folder)
        warn(f"suite kept as {kept}: other commands take it, as in: python -m bench tables --suite {kept}")
    # With a budget the plan's order stands: all estimators on the first split, then on the next.
    if jobs is not None and jobs > 1 and span is None:
        longest_first(todo, costs)
    raise typer.Exit(_run_plan(todo, _engine(engine, address, jobs, limits), costs, jobs or 1))


def _try_unknown(plan: Plan, costs: Costs, limits: Limits, console: Console) -> None:
    from bench.running.probe import probe

    with console.status("") as status:
        probe(plan, costs, limits, say=status.update)


def _engine(name: str, address: str | None, jobs: int | None, limits: Limits) -> Engine:
    from bench.running.local import run_local

    if name == "local":
        return partial(run_local, limits=replace(limits, jobs=jobs or 1))
    from bench.running.ray import run_ray

    return partial(run_ray, limits=limits, address=address, at_most=jobs)


def _run_plan(plan: Plan, engine: Engine, costs: Costs, jobs: int) -> int:
    from bench.running.progress import run_with_progress
    from bench.running.runner import audit_anew, run_signal_free

    console = make_console()
    reused = len(plan.tasks) - len(plan.waiting)
    console.print(
        f"{len(plan.tasks)} cells: {len(plan.waiting)} to run, {reused} reused from {plan.store.folder}"
    )
    for why in dict.fromkeys(task.why for task in plan.waiting if task.stored is not None):
        console.print("run again:", why, markup=False, soft_wrap=True)
    before = len(plan.notices)
    # What ends a job on a cluster, or a container, is to end the cells' processes as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        audit_anew(plan)
        if plan.waiting:
            failed, left = run_with_progress(plan, console, engine, costs, jobs)
        else:
            run_signal_free(plan)
            failed, left = 0, []
    except KeyboardInterrupt:
        warn("interrupted: the finished cells are kept; the same command goes on with the others")
        _keep_capsule(plan.store)
        return 130
    if not left or any(plan.store.cells()):
        write_tables(plan.store, plan.suite)
    if left:
        warn(f"{len(left)} of {len(plan.tasks)} cells did not fit into --budget; the same command goes on:")
        for name, number in Counter(task.cell.estimator for task in left).items():
            warn(f"  {name}: {number}")
    for notice in plan.notices[before:]:
        warn(notice)
    if failed:
        warn(f"{failed} of {len(plan.tasks)} cells failed; their reasons stand above and in the leaderboard")
    return 1 if failed or left else 0


def _keep_capsule(store: Store) -> None:
    """Write what an interrupted run has done into the capsule, so that it can go on from another machine."""
    try:
        if any(store.cells()):
            store.write_capsule()
    except DataError as error:
        warn(str(error))
