"""The leaderboard on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.report.leaderboard import Leaderboard, notes, sections


def print_leaderboard(board: Leaderboard, console: Console) -> None:
    """Print the leaderboard in as many columns as the terminal is wide."""
    wide = console.width >= 96
    for heading, part in sections(board):
        table = Table(title=heading, title_justify="left", box=None, pad_edge=False)
        table.add_column("estimator", overflow="fold")
        if wide:
            table.add_column("protocol")
        table.add_column("balanced\naccuracy", justify="right")
        table.add_column("accuracy", justify="right")
        if wide:
            for column in ("F1 macro", "fit s", "predict s"):
                table.add_column(column, justify="right")
        table.add_column("audit" if wide else "protocol", overflow="fold")
        for _, row in part.iterrows():
            good = row.n_cells > 0
            values = [f"{row.balanced_accuracy:.3f}", f"{row.accuracy:.3f}"] if good else ["–", "–"]
            if wide:
                values += (
                    [f"{row.f1_macro:.3f}", f"{row.fit_seconds:.1f}", f"{row.predict_seconds:.1f}"]
                    if good
                    else ["–"] * 3
                )
            last = row.audit if wide else row.protocol
            last = last if row.status == "ok" else f"{row.status}"
            table.add_row(escape(row.estimator), *([escape(row.protocol)] if wide else []), *values, last)
        console.print(table, "")
    for note in notes(board)[:1] if board.about["simulated"] else []:
        console.print(f"[bold red]{note}[/]")
