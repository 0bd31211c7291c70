"""``check``: whether a plugin keeps the interface."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import PluginsOption
from bench.cli.terminal import add_plugins

EXAMPLES = """
Examples:

python -m bench check 'mlstm-fcn[epochs=5]'

python -m bench check hku956 --data-root HKU956
"""


def check(
    name: Annotated[str, typer.Argument(help="An estimator (a spec) or a data set.", metavar="NAME")],
    data_root: Annotated[Path | None, typer.Option(help="The data set's folder.", metavar="DIR")] = None,
    plugins: PluginsOption = None,
) -> None:
    """Check that a plugin keeps the interface. Exit status 0: it does, 1: it does not."""
    add_plugins(plugins)
    from bench.registry import plugins as known
    from bench.spec import parse_spec
    from bench.study.check import check_dataset, check_estimator

    spec = parse_spec(name)
    faults = 0
    for found in check_dataset(spec, data_root) if spec.name in known("dataset") else check_estimator(spec):
        faults += bool(found.fault)
        typer.echo(
            f"ok     {found.sentence}" if not found.fault else f"FAULT  {found.sentence}: {found.fault}"
        )
    raise typer.Exit(1 if faults else 0)
