"""``check``: whether a plugin keeps the interface."""

from __future__ import annotations

import shutil
import textwrap
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import PluginsOption
from bench.cli.terminal import add_plugins

if TYPE_CHECKING:
    from bench.study.check_lines import Check

EXAMPLES = """
Examples:

python -m bench check 'mlstm-fcn[epochs=5]'

python -m bench check hku956 --data-root HKU956
"""

_INDENT = " " * 7


def check(
    name: Annotated[str, typer.Argument(help="An estimator (a spec) or a data set.", metavar="NAME")],
    data_root: Annotated[Path | None, typer.Option(help="The data set's folder.", metavar="DIR")] = None,
    plugins: PluginsOption = None,
) -> None:
    """Check that a plugin keeps the interface. Exit status 0: it does, 1: it does not."""
    add_plugins(plugins)
    from bench.spec import parse_spec

    spec = parse_spec(name)
    faults = 0
    if _kind_of(spec.name) == "dataset":
        from bench.study.check import check_dataset

        checks: Iterable[Check] = check_dataset(spec, data_root)
    else:
        from bench.study.check import check_estimator

        checks = check_estimator(spec, cost=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # each fit would repeat those that stand in a line of their own
        for found in checks:
            faults += bool(found.fault)
            typer.echo(_lines(found))
    kept = "keeps the interface" if not faults else f"{faults} fault{'s' * (faults > 1)}"
    typer.echo(f"{name}: {kept}")
    raise typer.Exit(1 if faults else 0)


def _kind_of(name: str) -> str:
    """Return the kind of the plugin of this name or, where there is none, of the one that is called most alike."""
    from difflib import get_close_matches

    from bench.registry import plugins

    datasets, estimators = plugins("dataset"), plugins("estimator")
    if name in datasets or name in estimators:
        return "dataset" if name in datasets else "estimator"
    close = get_close_matches(name, [*estimators, *datasets], 1)
    return "dataset" if close and close[0] in datasets else "estimator"


def _lines(found: Check) -> str:
    """Return what a check found, and below it what to do, as wide as the terminal."""
    mark, against = (
        ("FAULT", found.fault) if found.fault else ("note", found.note) if found.note else ("ok", "")
    )
    lines = [f"{mark:<7}{found.sentence}{f': {against}' if against else ''}"]
    if against and found.advice:
        lines.append(f"{_INDENT}What to do: {found.advice}.")
    width = max(shutil.get_terminal_size().columns, 40)
    return "\n".join(
        textwrap.fill(line, width, subsequent_indent=_INDENT, break_long_words=False, break_on_hyphens=False)
        for line in lines
    )
