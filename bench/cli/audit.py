"""``audit``: what each protocol leaks, a line a protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from bench.cli.options import (
    DataRootOption,
    PluginsOption,
    ProfileOption,
    ProtocolsOption,
    SplitOption,
    SubjectsOption,
    SuiteOption,
    overrides_from,
    read_study,
    with_split,
)
from bench.cli.terminal import add_plugins, make_console, warn

if TYPE_CHECKING:
    from rich.console import Console

    from bench.splits.audit import Audit


EXAMPLES = """
Examples:

python -m bench audit --suite deap-arousal

python -m bench audit --suite deap-arousal --protocols 'loso,leave-one-stimulus-out,oversample-then-split'

python -m bench audit --suite hku956-arousal --data-root HKU956 --split my-split.csv
"""


def audit(
    suite: SuiteOption,
    protocols: ProtocolsOption = None,
    split: SplitOption = None,
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

    overrides = with_split(overrides_from(protocols=protocols, subjects=subjects), split)
    rows, faults, notices = audit_protocols(
        study.thinned(chosen).model_copy(update=overrides), data_root, say=warn
    )
    for notice in notices:
        warn(notice)
    print_audits(rows, make_console())
    for fault in faults:
        warn(f"error: {fault}")
    raise typer.Exit(1 if faults else 0)


# What stands in a wide table, and what the words of a verdict mean.
SHARES = {
    "samples": "shared_samples",
    "trials": "shared_trials",
    "subjects": "shared_subjects",
    "stimuli": "shared_stimuli",
    "neighbours": "shared_neighbours",
    "repeats": "repeats",
    "copies": "copies",
    "near-copies": "near_copies",
    "left out": "left_out",
}
WORDS = {
    "subjects": "the same people are on both sides",
    "stimuli": "the same songs or videos are in training",
    "neighbours": "the trial just before or after in the session is in training",
    "repeats": "the person met the same stimulus in a training trial",
    "near-copies": "another trial with nearly the same signal is in training",
    "resampled test": "test windows are copies of each other",
    "thresholds": "the classes are cut where ratings of test trials had a say",
    "% out": "trials without a class, rated at the threshold, are on neither side",
}


def print_audits(rows: list[tuple[str, str, list[Audit]]], console: Console) -> None:
    """Print one line a protocol; on a narrow terminal the verdicts alone."""
    from rich.markup import escape
    from rich.table import Table

    from bench.splits.audit import united

    shares = console.width >= 150
    table = Table(box=None, pad_edge=False)
    table.add_column("protocol", no_wrap=True)
    if shares:
        for heading in ("splits", *SHARES):
            table.add_column(heading, justify="right")
    table.add_column("verdict", overflow="fold")
    verdicts = []
    for variant, protocol, audits in rows:
        cells = [f"{variant} {protocol}".strip()]
        if shares:
            cells.append(str(len(audits)))
            cells += [
                f"{100 * max(getattr(audit, share) for audit in audits):.0f} %" for share in SHARES.values()
            ]
        verdict = united([audit.verdict for audit in audits])
        verdicts.append(verdict)
        shown = f"[bold red]{escape(verdict)}[/]" if verdict.startswith("LEAKS") else escape(verdict)
        table.add_row(*map(escape, cells), shown)
    console.print(table)
    if shares:
        console.print("[dim]share of the test windows whose ... is in training: the largest of all splits[/]")
    said = " ".join(verdicts).replace("subjects not known", "")
    for word, meaning in WORDS.items():
        if word in said:
            console.print(f"[dim]{word}: {meaning}[/]", highlight=False)
