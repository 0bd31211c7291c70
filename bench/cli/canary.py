"""``canary``: cheap classifiers on what must tell nothing."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import typer

from bench.cli.options import (
    DataRootOption,
    PluginsOption,
    ProfileOption,
    ProtocolsOption,
    SubjectsOption,
    SuiteOption,
    overrides_from,
    read_study,
)
from bench.cli.terminal import add_plugins, make_console, warn

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from bench.study.canary import Canary


EXAMPLES = """
Examples:

python -m bench canary --suite deap-arousal

python -m bench canary --suite hku956-leakage --data-root HKU956

python -m bench canary --suite deap-arousal --protocols 'loso[folds=4],leave-one-stimulus-out'
"""


def canary(
    suite: SuiteOption,
    protocols: ProtocolsOption = None,
    profile: ProfileOption = "quick",
    subjects: SubjectsOption = None,
    data_root: DataRootOption = None,
    plugins: PluginsOption = None,
) -> None:
    """Run cheap classifiers on what must tell nothing: permuted labels, and ids without signals.

    The ids are those of the person, of the stimulus and of the trial's place in the session, the class counts of the
    person, and where in its trial a window is. Chance is what is scored when the classes are dealt anew, 2,000 times.

    Above chance under a clean protocol is an alarm, unless the verdict says already what is shared; under a leaking
    one it shows what the leak is worth. Beside what is quiet stands how small a leak would have been found.
    Exit status: 0, or 1 if there is an alarm.
    """
    add_plugins(plugins)
    study, chosen = read_study(suite, profile)
    from bench.study.canary import ALARM, run_canaries
    from bench.study.panels import load_all, suite_panel
    from bench.study.suite_checks import check_protocols

    study = study.thinned(chosen).model_copy(update=overrides_from(protocols=protocols, subjects=subjects))
    specs = check_protocols(study)
    recordings, notices = load_all(study, data_root, warn)
    for notice in notices:
        warn(notice)
    console = make_console()
    with console.status("running canaries") as status:
        found = run_canaries(
            (suite_panel(study, own, warn) for _, own in recordings), specs, study.scaling, say=status.update
        )
    print_canaries(found, console)
    raise typer.Exit(1 if any(one.finding == ALARM for one in found) else 0)


def print_canaries(found: list[Canary], console: Console) -> None:
    """Print a line a canary, classifier and protocol, and what the columns are; below 120 columns a table a protocol."""
    from rich.markup import escape

    from bench.study.canary import LEVEL
    from bench.study.canary_null import RELABELINGS

    if console.width >= 120:
        console.print(_table(found, wide=True))
    else:
        for (dataset, protocol), own in itertools.groupby(found, lambda one: (one.dataset, one.protocol)):
            console.print(escape(f"{dataset}, {protocol}"), style="bold", highlight=False)
            console.print(_table(list(own), wide=False))
            console.print()
    console.print(
        "[dim]correct: share of the tested trials, of all deals, whose class has most votes. chance: the same where "
        f"classes tell nothing, the mean of {RELABELINGS:,} relabelings. p: share of relabelings with as many correct, "
        f"corrected by false discovery rate ({100 * LEVEL:.0f} %). finds: the smallest leak that this run would have "
        "found four times in five, as the share of test trials with their twin in training (without permuted labels: of "
        "those told for certain).[/]",
        highlight=False,
    )


def _table(found: list[Canary], *, wide: bool) -> Table:
    from rich.markup import escape
    from rich.table import Table

    from bench.study.canary import ALARM, DEMONSTRATION, PERMUTED

    table = Table(box=None, pad_edge=False)
    for heading in ("canary", "classifier", "protocol") if wide else ("canary",):
        table.add_column(heading, no_wrap=True, min_width=None if wide else 30)
    for heading in (*(("trials",) if wide else ()), "correct", "chance", "p", "finds"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("finding", overflow="fold")
    several = len({one.dataset for one in found}) > 1
    for one in found:
        if wide:
            protocol = f"{one.dataset} {one.protocol}" if several else one.protocol
            cells = [one.canary, one.classifier, protocol, f"{one.n_trials:,}"]
        else:
            cells = [f"{one.canary}, {one.classifier}" if one.canary == PERMUTED else one.canary]
        cells += [
            _number(one.correct / one.n_trials if one.n_trials else math.nan),
            _number(one.chance),
            "<.001" if one.p < 0.001 else _number(one.p),
            "–" if math.isnan(one.detectable) else f"{100 * one.detectable:.0f} %",
        ]
        colour = {ALARM: "bold red", DEMONSTRATION: "yellow"}.get(one.finding)
        last = f"[{colour}]{one.finding}[/]" if colour else escape(one.finding)
        table.add_row(*map(escape, cells), last)
    return table


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"
