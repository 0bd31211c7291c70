"""``why``: what differs between a stored cell and what would be run now."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import DataRootOption, PluginsOption, SubjectsOption
from bench.cli.terminal import add_plugins, warn

EXAMPLES = """
Examples:

python -m bench why results/deap-arousal@simulated/subject-stratified/mlstm-fcn/seed-0

python -m bench why results/hku956-arousal/random-windows/rocket/seed-0 --data-root HKU956
"""


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
    add_plugins(plugins)
    from bench.study.why import explain

    reasons = explain(cell, suite, data_root=data_root, subjects=subjects, say=warn)
    for reason in reasons:
        typer.echo(reason)
    if not reasons:
        typer.echo("nothing differs: the next run reuses it")
    raise typer.Exit(1 if reasons else 0)
