"""The leaderboard on the terminal."""

from __future__ import annotations

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.report.floor import BELOW
from bench.report.leaderboard import Leaderboard, notes, sections
from bench.report.leaderboard_files import about_protocol, below, by_protocol, distance

_WIDE = 96


def print_leaderboard(board: Leaderboard, console: Console) -> None:
    """Print the leaderboard in as many columns as the terminal is wide; rows below their floor are dim."""
    wide = console.width >= _WIDE
    for heading, part in sections(board):
        console.print(f"[italic]{escape(heading)}[/]")
        for protocol, rows in by_protocol(part):
            console.print(f"\n[bold]{escape(protocol)}[/]", highlight=False)
            table = Table(box=None, pad_edge=False)
            table.add_column("estimator", overflow="fold")
            for column in ("balanced\naccuracy", "above the floor,\npoints", *_COLUMNS) if wide else _NARROW:
                table.add_column(column, justify="right")
            table.add_column("audit", overflow="fold")
            for _, row in rows.iterrows():
                table.add_row(*_cells(row, wide=wide), style="dim" if below(row) else None)
            console.print(table)
            console.print(" ".join(about_protocol(rows)), "", highlight=False, style="dim", markup=False)
    for note in notes(board)[:1] if board.about["simulated"] else []:
        console.print(f"[bold red]{note}[/]")


_COLUMNS = ("within\npeople", "by\ntrial", "accuracy", "fit s")
_NARROW = ("balanced\naccuracy", "above\nfloor")


def _cells(row: pd.Series, *, wide: bool) -> list[str]:
    last = row.audit if row.status == "ok" else row.status
    names = ["within_people", "trial_balanced_accuracy", "accuracy"] if wide else []
    far = distance(row)
    if not wide:
        far = far.partition(" [")[0].replace(f", {BELOW}", "")
    values = [_number(row.balanced_accuracy), far, *(_number(row[name]) for name in names)]
    values += [_number(row.fit_seconds, 1)] if wide else []
    return [escape(row.estimator), *map(escape, values), escape(last)]


def _number(value: float, digits: int = 3) -> str:
    return "–" if pd.isna(value) else f"{value:.{digits}f}"
