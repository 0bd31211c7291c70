"""``python -m bench``: commands, nothing else. Heavy imports happen inside the command that needs them."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.errors import BenchError, SuiteError
from bench.options import (
    AddressOption,
    BudgetOption,
    DataRootOption,
    EngineOption,
    FormatOption,
    HopOption,
    JobsOption,
    MemoryOption,
    ModelArgument,
    PluginsOption,
    ProfileOption,
    ProtocolsOption,
    RealTimeOption,
    ReplayOption,
    ResultsOption,
    RetryFailedOption,
    SaveModelsOption,
    ScaleSubjectOption,
    SubjectsOption,
    SuiteOption,
    TimeoutOption,
    bytes_of,
    check_engine,
    overrides_from,
    read_study,
    seconds_of,
)

if TYPE_CHECKING:
    from rich.console import Console

    from bench.cost import Costs
    from bench.engines.local import Limits
    from bench.plan import Plan
    from bench.runner import Engine
    from bench.store import Store
    from bench.suite import Suite

app = typer.Typer(
    name="python -m bench",
    help="How well do MLSTM-FCN and other classifiers really recognise emotion from physiological signals?",
    epilog="Start with: python -m bench run --suite deap-arousal --profile smoke",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="markdown",
)
data = typer.Typer(help="Make data folders.", no_args_is_help=True)
app.add_typer(data, name="data")


@app.command(
    epilog="""
    Examples:

    python -m bench run --suite deap-arousal

    python -m bench run --suite deap-arousal --data-root DEAP/data_preprocessed_python --profile full

    python -m bench run --suite hku956-valence --data-root HKU956 --estimators 'rocket,mlstm-fcn[cells=64]+smote'

    python -m bench run --suite deap-arousal --jobs 4 --timeout 15m --memory 4GB

    python -m bench run --suite deap-arousal --retry-failed --timeout 2h

    python -m bench run --suite deap-arousal --profile full --budget 8h

    python -m bench run --suite deap-arousal --engine ray --address auto

    python -m bench run --suite deap-arousal --plan

    python -m bench run --suite deap-arousal --ablations

    python -m bench run --suite deap-arousal --estimators mlstm-fcn --save-models
    """
)
def run(
    suite: SuiteOption,
    profile: ProfileOption = "quick",
    estimators: Annotated[
        str | None,
        typer.Option(help="Instead of the suite's: 'rocket,mlstm-fcn[cells=64]+ros'.", metavar="SPECS"),
    ] = None,
    protocols: ProtocolsOption = None,
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

    Each cell runs in a process of its own: one that crashes, hangs or takes too much memory costs no other.
    Finished cells are stored as they end and reused by the next run, and two runs may share one folder.
    Exit status: 0 all cells have results, 1 some failed or are left, 2 the command, the suite or the data is at fault.
    """
    check_engine(engine, address)
    seconds = None if timeout is None else seconds_of(timeout)
    size = None if memory is None else bytes_of(memory)
    span = None if budget is None else seconds_of(budget, "--budget")
    _add_plugins(plugins)
    study, chosen = read_study(suite, profile)
    overrides = overrides_from(estimators=estimators, protocols=protocols, seeds=seeds, subjects=subjects)
    if ablations and {"estimators", "protocols"} & overrides.keys():
        raise SuiteError(
            "--ablations runs the rows of [ablations]: --estimators and --protocols change nothing"
        )

    from bench.plan import make_plan

    console = _console()
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
            say=_warn,
        )
    for notice in todo.notices:
        _warn(notice)
    from bench.cost import Budget, costs_of, longest_first
    from bench.engines.local import Limits

    costs = costs_of(todo)
    limits = Limits(1, seconds, size, budget=None if span is None else Budget(span, costs))
    if engine == "local" and (plan or span is not None):  # the nodes of a cluster are other machines
        try:
            _try_unknown(todo, costs, replace(limits, jobs=jobs or 1), console)
        except KeyboardInterrupt:
            if not plan:
                raise
            _warn("interrupted: what was not tried is not known")
    if plan:
        from bench.terminal import print_plan

        print_plan(todo, costs, console)
        return
    # With a budget the plan's order stands: all estimators on the first split, then on the next.
    if jobs is not None and jobs > 1 and span is None:
        longest_first(todo, costs)
    raise typer.Exit(_run_plan(todo, _engine(engine, address, jobs, limits), costs, jobs or 1))


@app.command(
    epilog="""
    Examples, with a model of: python -m bench run --suite deap-arousal --save-models

    python -m bench stream results/deap-arousal@simulated/subject-stratified/mlstm-fcn/seed-0 --replay 3/12

    recorder | python -m bench stream CELL/model.keras --hop 1 --format jsonl

    python -m bench stream CELL --format csv < recording.csv > classes.csv
    """
)
def stream(
    model: ModelArgument,
    replay: ReplayOption = None,
    real_time: RealTimeOption = False,
    hop: HopOption = None,
    subject: ScaleSubjectOption = None,
    format_: FormatOption = None,
    data_root: DataRootOption = None,
    plugins: PluginsOption = None,
) -> None:
    """Classify a recording, or what comes on standard input, window after window, with a saved model.

    Standard input has a sample a line: a value of each channel in the model's order, separated by commas or
    blanks; or a first line names the columns, in any order. Samples come at the rate of the recordings; if the
    model's suite resampled these, the same is done here, and the first lines say how much later a window comes
    for that. Each window's line appears as soon as its last sample is there: seconds from the first sample to
    the window's end, class, probability, milliseconds from the last sample to the class. The end of the input,
    or Ctrl-C, brings the summary. The first predictions compile the network; they are made before the first
    sample is read, and not counted.

    Exit status: 0, or 2 if the model, an option or a line of the input is at fault.
    """
    _add_plugins(plugins)
    from bench.stream import stream as classify

    classify(
        model,
        recording=replay,
        data_root=data_root,
        real_time=real_time,
        hop=hop,
        subject=subject,
        form=format_,
        say=_warn,
    )


@app.command(
    epilog="""
    Examples:

    python -m bench audit --suite deap-arousal

    python -m bench audit --suite deap-arousal --protocols 'loso,leave-one-stimulus-out,oversample-then-split'
    """
)
def audit(
    suite: SuiteOption,
    protocols: ProtocolsOption = None,
    profile: ProfileOption = "full",
    subjects: SubjectsOption = None,
    data_root: DataRootOption = None,
    plugins: PluginsOption = None,
) -> None:
    """Show what each protocol's splits leak, a line a protocol; fits nothing.

    Exit status: 0, or 1 if a protocol leaks that promises to be clean, or cannot divide the data.
    """
    _add_plugins(plugins)
    study, chosen = read_study(suite, profile)
    from bench.plan import audit_protocols
    from bench.terminal import print_audits

    overrides = overrides_from(protocols=protocols, subjects=subjects)
    rows, faults, notices = audit_protocols(
        study.thinned(chosen).model_copy(update=overrides), data_root, say=_warn
    )
    for notice in notices:
        _warn(notice)
    print_audits(rows, _console())
    for fault in faults:
        _warn(f"error: {fault}")
    raise typer.Exit(1 if faults else 0)


@app.command(
    epilog="""
    Examples:

    python -m bench canary --suite deap-arousal

    python -m bench canary --suite hku956-leakage --data-root HKU956
    """
)
def canary(
    suite: SuiteOption,
    protocols: ProtocolsOption = None,
    profile: ProfileOption = "quick",
    subjects: SubjectsOption = None,
    data_root: DataRootOption = None,
    plugins: PluginsOption = None,
) -> None:
    """Run cheap classifiers on what must tell nothing: permuted labels, who it is, where the window is.

    Above chance under a clean protocol is an alarm; under a leaking one it shows what the leak is worth.
    Exit status: 0, or 1 if there is an alarm.
    """
    _add_plugins(plugins)
    study, chosen = read_study(suite, profile)
    from bench.canary import ALARM, run_canaries
    from bench.plan import load_all, suite_panel
    from bench.suite_checks import check_protocols
    from bench.terminal import print_canaries

    study = study.thinned(chosen).model_copy(update=overrides_from(protocols=protocols, subjects=subjects))
    specs = check_protocols(study)
    recordings, notices = load_all(study, data_root, _warn)
    for notice in notices:
        _warn(notice)
    console = _console()
    with console.status("running canaries") as status:
        found = run_canaries(
            (suite_panel(study, own, _warn) for _, own in recordings), specs, study.scaling, say=status.update
        )
    print_canaries(found, console)
    raise typer.Exit(1 if any(one.finding == ALARM for one in found) else 0)


@app.command(epilog="Example:\n\npython -m bench tables --suite deap-arousal")
def tables(suite: SuiteOption, results: ResultsOption = Path("results")) -> None:
    """Rebuild leaderboard and confusion matrices from the stored predictions; trains nothing."""
    for store, study in _stores(suite, results):
        _write_tables(store, study)


@app.command(epilog="Example:\n\npython -m bench verify --suite deap-arousal")
def verify(suite: SuiteOption, results: ResultsOption = Path("results")) -> None:
    """Compare every stored file with the checksum that was stored with it.

    Exit status: 0, or 1 if a file was changed, is damaged or missing.
    """
    faults = n_cells = 0
    for store, _ in _stores(suite, results):
        for folder, fault in store.verify():
            n_cells += 1
            if fault:
                faults += 1
                typer.echo(f"{folder}: {fault}")
    typer.echo(f"{n_cells - faults} of {n_cells} cells are as they were stored")
    raise typer.Exit(1 if faults else 0)


@app.command(
    epilog="""
    Examples:

    python -m bench why results/deap-arousal@simulated/subject-stratified/mlstm-fcn/seed-0

    python -m bench why results/hku956-arousal/random-windows/rocket/seed-0 --data-root HKU956
    """
)
def why(
    cell: Annotated[Path, typer.Argument(help="A stored cell's folder.", metavar="CELL")],
    suite: Annotated[
        str | None, typer.Option("--suite", "-s", help="A suite in a file; by default the one of this name.")
    ] = None,
    subjects: SubjectsOption = None,
    data_root: DataRootOption = None,
    plugins: PluginsOption = None,
) -> None:
    """Say what differs between a stored cell and what would be run now, or that it would be reused.

    The profile is the one that it was run with. Exit status: 0 it would be reused, 1 it would be run again.
    """
    _add_plugins(plugins)
    from bench.why import explain

    reasons = explain(cell, suite, data_root=data_root, subjects=subjects, say=_warn)
    for reason in reasons:
        typer.echo(reason)
    if not reasons:
        typer.echo("nothing differs: the next run reuses it")
    raise typer.Exit(1 if reasons else 0)


@app.command("list", epilog="Example:\n\npython -m bench list estimators")
def list_(
    kind: Annotated[
        str, typer.Argument(help="suites, estimators, datasets, protocols, resamplers or all.")
    ] = "all",
    plugins: PluginsOption = None,
) -> None:
    """List what there is, with what is missing for what is not available."""
    _add_plugins(plugins)
    from bench.terminal import print_listing

    print_listing(kind, _console())


@app.command(
    epilog="""
    Examples:

    python -m bench check 'mlstm-fcn[epochs=5]'

    python -m bench check hku956 --data-root HKU956
    """
)
def check(
    name: Annotated[str, typer.Argument(help="An estimator (a spec) or a data set.", metavar="NAME")],
    data_root: Annotated[Path | None, typer.Option(help="The data set's folder.", metavar="DIR")] = None,
    plugins: PluginsOption = None,
) -> None:
    """Check that a plugin keeps the interface. Exit status 0: it does, 1: it does not."""
    _add_plugins(plugins)
    from bench.check import check_dataset, check_estimator
    from bench.registry import plugins as known
    from bench.spec import parse_spec

    spec = parse_spec(name)
    faults = 0
    for found in check_dataset(spec, data_root) if spec.name in known("dataset") else check_estimator(spec):
        faults += bool(found.fault)
        typer.echo(
            f"ok     {found.sentence}" if not found.fault else f"FAULT  {found.sentence}: {found.fault}"
        )
    raise typer.Exit(1 if faults else 0)


@data.command(
    "simulate-deap", epilog="Example:\n\npython -m bench data simulate-deap simulated --subjects 1-2"
)
def simulate_deap(
    folder: Annotated[Path, typer.Argument(help="Where the files s01.dat.. are written.", metavar="DIR")],
    subjects: Annotated[str, typer.Option(help="How many (2), or which ones (1-4,7).")] = "32",
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other recordings.")] = 0,
) -> None:
    """Write simulated recordings in DEAP's official file format, 103 MB a subject."""
    from rich.progress import Progress

    from bench.datasets.deap_simulated import write_deap_folder
    from bench.suite import parse_subjects

    numbers = parse_subjects(f"1-{subjects}" if subjects.isdecimal() else subjects)
    console = _console()
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("writing", total=len(numbers))
        write_deap_folder(
            folder,
            subjects=numbers,
            seed=seed,
            progress=lambda done, total: progress.update(bar, completed=done, total=total),
        )
    console.print(f"{len(numbers)} simulated subjects in {folder}; to run on them:")
    command = f"python -m bench run --suite deap-arousal --data-root {folder}"
    if len(numbers) < 32:
        command += f" --subjects {','.join(map(str, numbers))}"
    console.print(command, soft_wrap=True)


def main() -> None:
    """Run the command line; errors that a user can mend are one message and exit status 2."""
    # TensorFlow's start-up chatter says nothing that a user could act on.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        app(prog_name="python -m bench")
    except BenchError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
    except OSError as error:
        sys.stderr.write(f"error: {error.filename or ''}: {error.strerror or error}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)


def _console():
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


def _warn(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _add_plugins(folders: list[Path] | None) -> None:
    from bench.registry import add_plugin_folder

    for folder in folders or []:
        add_plugin_folder(folder)


def _try_unknown(plan: Plan, costs: Costs, limits: Limits, console: Console) -> None:
    from bench.probe import probe

    with console.status("") as status:
        probe(plan, costs, limits, say=status.update)


def _engine(name: str, address: str | None, jobs: int | None, limits: Limits) -> Engine:
    from bench.engines.local import run_local

    if name == "local":
        return partial(run_local, limits=replace(limits, jobs=jobs or 1))
    from bench.engines.ray import run_ray

    return partial(run_ray, limits=limits, address=address, at_most=jobs)


def _run_plan(plan: Plan, engine: Engine, costs: Costs, jobs: int) -> int:
    from bench.progress import run_with_progress

    console = _console()
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
        failed, left = run_with_progress(plan, console, engine, costs, jobs) if plan.waiting else (0, [])
    except KeyboardInterrupt:
        _warn("interrupted: the finished cells are kept; the same command goes on with the others")
        return 130
    if not left or any(plan.store.cells()):
        _write_tables(plan.store, plan.suite)
    if left:
        _warn(f"{len(left)} of {len(plan.tasks)} cells did not fit into --budget; the same command goes on:")
        for name, number in Counter(task.cell.estimator for task in left).items():
            _warn(f"  {name}: {number}")
    for notice in plan.notices[before:]:
        _warn(notice)
    if failed:
        _warn(f"{failed} of {len(plan.tasks)} cells failed; their reasons stand above and in the leaderboard")
    return 1 if failed or left else 0


def _stores(suite: str, results: Path) -> list[tuple[Store, Suite]]:
    """Return what is stored of a suite: on recordings, on simulated ones, or both."""
    from bench.errors import DataError
    from bench.store import Store
    from bench.suite import read_suite

    study = read_suite(suite)
    both = (Store(results, study.name, False), Store(results, study.name, True))
    there = [(store, study) for store in both if store.folder.is_dir()]
    if not there:
        raise DataError(
            f"{results / study.name}: no results yet; run first: python -m bench run --suite {suite}"
        )
    return there


def _write_tables(store: Store, suite: Suite) -> None:
    from bench.report.ablations import write_ablations
    from bench.report.confusion import write_confusions
    from bench.report.leaderboard import make_leaderboard, write_leaderboard
    from bench.report.leakage import write_leakage
    from bench.report.published import write_published
    from bench.report.training import write_training
    from bench.terminal import print_leaderboard

    board = make_leaderboard(store)
    write_leaderboard(board, store)
    write_confusions(board, store)
    others = [
        *write_leakage(board, store),
        *write_ablations(board, store),
        *write_training(board, store),
        *write_published(board, suite, store),
    ]
    console = _console()
    print_leaderboard(board, console)
    more = "".join(f", {file.name}" for file in others if file.suffix == ".md")
    console.print(
        f"tables and figures: {store.folder}/leaderboard.md, .csv, .tex{more} and {store.folder}/confusion/",
        soft_wrap=True,
    )
