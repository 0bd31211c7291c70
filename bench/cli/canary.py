"""``canary``: cheap classifiers on what must tell nothing."""

from __future__ import annotations

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

    from bench.study.canary import Canary


EXAMPLES = """
Examples:

python -m bench canary --suite deap-arousal

python -m bench canary --suite hku956-leakage --data-root HKU956
"""


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
    """Print one line a canary, classifier and protocol."""
    from rich.markup import escape
    from rich.table import Table

    from bench.study.canary import ALARM, DEMONSTRATION

    wide = console.width >= 110
    table = Table(box=None, pad_edge=False)
    for heading in ("canary", "classifier", "protocol"):
        table.add_column(heading, no_wrap=wide, overflow="fold")
    if wide:
        for heading in ("trials", "correct", "chance", "p"):
            table.add_column(heading, justify="right")
    table.add_column("finding", overflow="fold")
    several = len({one.dataset for one in found}) > 1
    for one in found:
        protocol = f"{one.dataset} {one.protocol}" if several else one.protocol
        cells = [one.canary, one.classifier, protocol]
        if wide:
            tested = one.n_trials > 0
            cells += [
                f"{one.n_trials:,}",
                f"{one.correct / one.n_trials:.3f}" if tested else "–",
                f"{one.chance:.3f}" if tested else "–",
                "–" if one.p != one.p else "<.0001" if one.p < 1e-4 else f"{one.p:.4f}",
            ]
        colour = {ALARM: "bold red", DEMONSTRATION: "yellow"}.get(one.finding)
        last = f"[{colour}]{one.finding}[/]" if colour else escape(one.finding)
        table.add_row(*map(escape, cells), last)
    console.print(table)
    if wide:
        console.print(
            "[dim]correct: share of the tested trials, by the majority of their windows; chance: share of the "
            "commonest class; p: exact binomial, corrected for all tests of this run[/]"
        )
