"""``list``: what there is, and what is missing for what is not available."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import PluginsOption
from bench.cli.terminal import add_plugins, make_console
from bench.discovery import broken
from bench.errors import SuiteError, nearest
from bench.registry import Plugin, plugins
from bench.suites import suite_titles

if TYPE_CHECKING:
    from rich.console import Console


LONG = 2 * 3600  # seconds of a full split from which on an estimator is called slow
COSTS = "times, reckoned: a full DEAP split (17,920 training, 7,680 test windows of 4 x 640) on two cores"

EXAMPLES = """
Examples:

python -m bench list estimators

python -m bench list suites --show deap-valence
"""


def list_(
    kind: Annotated[
        str, typer.Argument(help="suites, estimators, datasets, protocols, resamplers or all.")
    ] = "all",
    show: Annotated[
        str | None,
        typer.Option(
            help="A suite as it is run, what it inherits included; a name or a file.", metavar="SUITE"
        ),
    ] = None,
    plugins: PluginsOption = None,
) -> None:
    """List what there is, with what is missing for what is not available."""
    if show is not None:
        if kind != "suites":
            raise SuiteError(f"--show {show}: suites are shown so: list suites --show {show}")
        from bench.study.suite_files import read_suite, suite_as_toml

        typer.echo(suite_as_toml(read_suite(show)), nl=False)
        return
    add_plugins(plugins)
    print_listing(kind, make_console())


def print_listing(kind: str, console: Console) -> None:
    """Print the suites or the plugins of one kind, or all."""
    from rich.markup import escape
    from rich.table import Table

    kinds: dict[str, Callable[[], list[tuple[str, ...]]]] = {
        "suites": _suites,
        "estimators": lambda: [
            (p.name, p.about["family"], p.about["cost"], _state(p, _slow(p) + p.summary))
            for p in _plugins("estimator")
        ],
        "datasets": lambda: [
            (p.name, p.about["licence"], _state(p, p.about["description"])) for p in _plugins("dataset")
        ],
        "protocols": lambda: [
            (p.name, f"promises {p.about['promises']}", p.summary) for p in _plugins("protocol")
        ],
        "resamplers": lambda: [(f"+{p.name}", "", p.summary) for p in _plugins("resampler")],
    }
    if kind != "all" and kind not in kinds:
        raise SuiteError(f"list {kind}: unknown{nearest(kind, [*kinds, 'all'])}")
    for name in kinds if kind == "all" else [kind]:
        table = Table(
            title=name,
            title_justify="left",
            show_header=False,
            box=None,
            pad_edge=False,
            padding=(0, 2, 0, 0),
        )
        rows = kinds[name]()
        for column in range(len(rows[0])):
            table.add_column(no_wrap=column == 0 or (name == "estimators" and column == 2))
        for row in rows:
            table.add_row(*map(escape, row))
        console.print(table, *([COSTS] if name == "estimators" else []), "", sep="\n", highlight=False)
    for where, why in broken().items():
        console.print(f"[red]not importable:[/] {escape(where)}: {escape(why)}", soft_wrap=True)


def _plugins(kind: str) -> Iterable[Plugin]:
    return plugins(kind).values()


def _slow(plugin: Plugin) -> str:
    slow = (plugin.cost_seconds or 0) > LONG
    return f"SLOW, {plugin.about['cost']} for a full DEAP split on two cores. " if slow else ""


def _state(plugin: Plugin, text: str) -> str:
    if not plugin.missing:
        return text
    return f"UNAVAILABLE, {plugin.install or 'pip install ' + ' '.join(plugin.missing)}. {text}"


def _suites() -> list[tuple[str, ...]]:
    return [(name, "", title) for name, title in suite_titles().items()]
