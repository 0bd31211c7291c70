"""``compare``: what changed between two sets of results."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.terminal import make_console
from bench.errors import DataError, SuiteError

if TYPE_CHECKING:
    import pandas as pd

    from bench.cells.store import Store

EXAMPLES = """
Examples:

python -m bench compare results/reference/uea results/uea

python -m bench compare before/capsule.parquet after/capsule.parquet --fail-if-worse 0.02

python -m bench compare HEAD~5:results/reference/uea/capsule.parquet results/reference/uea
"""


def compare(
    before: Annotated[
        str, typer.Argument(help="A suite's folder of results, a capsule, or REVISION:PATH of one in git.")
    ],
    after: Annotated[str, typer.Argument(help="The same.")],
    fail_if_worse: Annotated[
        float | None,
        typer.Option(
            min=0, help="Exit with 1 if a balanced accuracy fell by more than this: 0.02.", metavar="BY"
        ),
    ] = None,
) -> None:
    """Say what changed between two sets of results: by how much, whether people tell it, slower or faster.

    Exit status: 0; 1 with --fail-if-worse if a row fell by more, is gone, or more of its cells failed; 2 if there is nothing to compare.
    """
    from bench.report.changes import FAILED_AFTER, ONLY_BEFORE, make_changes

    with tempfile.TemporaryDirectory() as aside:
        stores = [_open(text, Path(aside) / str(number)) for number, text in enumerate((before, after))]
        table = make_changes(*stores)
    _print(table)
    if fail_if_worse is None:
        return
    gone = (table.told == ONLY_BEFORE) | table.told.str.contains(FAILED_AFTER)
    fell = (table.change < -fail_if_worse) | gone
    for _, row in table[fell].iterrows():
        typer.echo(f"worse: {row.estimator} under {row.protocol}: {row.told}", err=True)
    raise typer.Exit(1 if fell.any() else 0)


def _open(text: str, aside: Path) -> Store:
    """Return a folder of results; a capsule by itself is copied into one."""
    from bench.cells.capsule import CAPSULE
    from bench.cells.store import Store

    path = Path(text)
    if path.is_dir():
        store = Store(path.parent, path.name, simulated=False)
        if not any(store.cells()):
            raise DataError(f"{path}: no results of a suite are stored there, as cells or as {CAPSULE}")
        return store
    aside.mkdir()
    if path.is_file():
        shutil.copyfile(path, aside / CAPSULE)
    elif ":" in text:
        _from_git(text, aside / CAPSULE)
    else:
        raise DataError(f"{text}: no such folder or file")
    store = Store(aside.parent, aside.name, simulated=False)
    try:
        any(store.cells())
    except DataError as error:
        raise DataError(str(error).replace(str(aside / CAPSULE), text)) from None
    return store


def _from_git(text: str, to: Path) -> None:
    revision, _, path = text.partition(":")
    if revision.startswith("-"):
        raise SuiteError(f"{text}: no revision begins with '-'")
    try:
        done = subprocess.run(
            ["git", "show", "--end-of-options", f"{revision}:{path}"], capture_output=True, check=False
        )
    except OSError as error:
        raise DataError(f"{text}: git cannot be run: {error.strerror or error}") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise DataError(f"{text}: {said[0] if said else 'git has no such file'}")
    to.write_bytes(done.stdout)


def _print(table: pd.DataFrame) -> None:
    from rich.markup import escape
    from rich.table import Table

    from bench.report.leaderboard_files import with_limits

    console = make_console()
    for (dataset, protocol), rows in table.groupby(["dataset", "protocol"], sort=False):
        console.print(f"\n[bold]{escape(f'{dataset}, {protocol}')}[/]", highlight=False)
        shown = Table(box=None, pad_edge=False)
        shown.add_column("estimator", overflow="fold")
        for name in ("before", "after", "points", "times\nas long"):
            shown.add_column(name, justify="right")
        shown.add_column("told", overflow="fold")
        for _, row in rows.iterrows():
            points = with_limits(100 * row.change, 100 * row.low, 100 * row.high, "{:+.1f}")
            shown.add_row(
                escape(row.estimator),
                _number(row.before),
                _number(row.after),
                escape(points),
                _number(row.times_as_long, 2),
                escape(row.told),
            )
        console.print(shown)


def _number(value: float, digits: int = 3) -> str:
    return "–" if value != value else f"{value:.{digits}f}"  # NaN is not equal to itself
