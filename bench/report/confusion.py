"""Confusion matrices of the leaderboard's rows, as CSV and PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bench.cells.store import Store
from bench.registry import SIGNAL_FREE
from bench.report.leaderboard import Leaderboard


def write_confusions(board: Leaderboard, store: Store) -> list[Path]:
    """Write ``confusion/<protocol>--<estimator>.{csv,png}`` for each row that has signals and predictions.

    The CSV holds counts, rows true and columns predicted. Files made from simulated recordings have
    ``--simulated`` in their names and a line in the figure. Files of rows that are no longer in the
    leaderboard are removed.
    """
    folder = store.folder / "confusion"
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    several = board.table.dataset.nunique() > 1
    rows = zip(
        board.table.dataset, board.table.protocol, board.table.estimator, board.table.family, strict=True
    )
    signal_free = {tuple(key) for *key, family in rows if family == SIGNAL_FREE}
    for key, (classes, counts) in board.confusions.items():
        if key in signal_free:
            continue
        dataset, protocol, estimator = key
        parts = [dataset] if several else []
        parts += [protocol, estimator] + (["simulated"] if board.about["simulated"] else [])
        path = folder / "--".join(parts)
        csv, png = Path(f"{path}.csv"), Path(f"{path}.png")
        table = pd.DataFrame(counts, index=pd.Index(classes, name="true \\ predicted"), columns=list(classes))
        table.to_csv(csv, lineterminator="\n")
        title = f"{estimator}, {protocol}" + (f", {dataset}" if several else "")
        _draw(png, counts, classes, title, board)
        written += [csv, png]
    for old in folder.glob("*.*"):
        if old not in written and old.suffix in (".csv", ".png"):
            old.unlink()
    return written


def _draw(path: Path, counts: np.ndarray, classes: tuple[str, ...], title: str, board: Leaderboard) -> None:
    # The classes of matplotlib that need no global state: nothing is kept from one figure to the next.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    n = len(classes)
    longest = max(map(len, classes))
    turned = n > 4 and longest > 3
    # Inches. The room for labels is set by hand: letting matplotlib find it draws everything twice.
    side, names = max(2.4, 0.42 * n), 0.08 * longest
    left, below, above = 0.5 + names, 0.65 + (names if turned else 0.1), 0.65
    width, height = 2 * (left + side) + 0.2, below + side + above
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    panels = [
        figure.add_axes((at / width, below / height, side / width, side / height))
        for at in (left, 2 * left + side)
    ]
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    for axes, values, name in zip(
        panels, (counts, shares), ("windows", "share of the true class"), strict=True
    ):
        axes.imshow(values, cmap="Blues", vmin=0, vmax=values.max() if name == "windows" else 1)
        axes.set(xlabel="predicted", ylabel="true")
        axes.set_title(name, fontsize=9)
        axes.set_xticks(range(n), classes, rotation=90 if turned else 0, fontsize=8)
        axes.set_yticks(range(n), classes, fontsize=8)
        if n <= 12:
            middle = 0.5 * (values.max() or 1) if name == "windows" else 0.5
            for row in range(n):
                for column in range(n):
                    value = values[row, column]
                    axes.text(
                        column, row, f"{value:,d}" if name == "windows" else f"{value:.2f}",
                        ha="center", va="center", fontsize=9 if n <= 4 else 7,
                        color="white" if value > middle else "black",
                    )  # fmt: skip
    figure.suptitle(title, fontsize=10, y=1 - 0.2 / height)
    what = f"{board.about['title']}" + (". SIMULATED recordings" if board.about["simulated"] else "")
    figure.supxlabel(what, fontsize=7, color="firebrick" if board.about["simulated"] else "dimgray")
    figure.savefig(path, dpi=120)
