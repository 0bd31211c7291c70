"""``audit``: what each protocol leaks, a line a protocol."""

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

    from bench.splits.audit import Audit


EXAMPLES = """
Examples:

python -m bench audit --suite deap-arousal

python -m bench audit --suite deap-arousal --protocols 'loso,leave-one-stimulus-out,oversample-then-split'
"""


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
    add_plugins(plugins)
    study, chosen = read_study(suite, profile)
    from bench.study.audits import audit_protocols

    overrides = overrides_from(protocols=protocols, subjects=subjects)
    rows, faults, notices = audit_protocols(
        study.thinned(chosen).model_copy(update=overrides), data_root, say=warn
    )
    for notice in notices:
        warn(notice)
    print_audits(rows, make_console())
    for fault in faults:
        warn(f"error: {fault}")
    raise typer.Exit(1 if faults else 0)


def print_audits(rows: list[tuple[str, str, list[Audit]]], console: Console) -> None:
    """Print one line a protocol: what its splits leak, as the largest share of any split."""
    from rich.markup import escape
    from rich.table import Table

    shares, saw = console.width >= 125, console.width >= 160
    table = Table(box=None, pad_edge=False)
    table.add_column("protocol", no_wrap=True)
    if shares:
        for heading in ("splits", "samples", "trials", "subjects", "stimuli", "copies"):
            table.add_column(heading, justify="right")
    if saw:
        table.add_column("saw the test side")
    table.add_column("verdict", overflow="fold")
    for variant, protocol, audits in rows:
        cells = [f"{variant} {protocol}".strip()]
        if shares:
            cells.append(str(len(audits)))
            for share in ("shared_samples", "shared_trials", "shared_subjects", "shared_stimuli", "copies"):
                cells.append(f"{100 * max(getattr(audit, share) for audit in audits):.0f} %")
        if saw:
            named = {"scaler": "scaler", "resampler": "resampler", "selection": "model selection"}
            found = [
                name for key, name in named.items() if any(getattr(a, f"{key}_saw_test") for a in audits)
            ]
            cells.append(", ".join(found) or "nothing")
        worst = max(
            (audit.verdict for audit in audits), key=lambda text: (text.startswith("LEAKS"), len(text))
        )
        table.add_row(*map(escape, cells), f"[bold red]{worst}[/]" if worst.startswith("LEAKS") else worst)
    console.print(table)
    if shares:
        console.print("[dim]share of the test windows whose ... is in training: the largest of all splits[/]")
