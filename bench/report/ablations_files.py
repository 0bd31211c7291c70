"""The table of ablations as Markdown, CSV and a figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tabulate import tabulate

from bench.cells.store import Store
from bench.report.ablations import make_ablations
from bench.report.floor import BELOW
from bench.report.leaderboard import Leaderboard, notes, title
from bench.report.leaderboard_files import with_limits
from bench.study.ablations import REFERENCE

FILES = ("ablations.md", "ablations.csv", "ablations.png")


def write_ablations(board: Leaderboard, store: Store) -> list[Path]:
    """Write ``ablations.{md,csv,png}`` if ablations were run."""
    table = make_ablations(store)
    if table.empty:
        return []
    files = [store.folder / name for name in FILES]
    simulated = table.assign(simulated=board.about["simulated"])
    simulated.to_csv(files[1], index=False, float_format="%.6g", lineterminator="\n")
    files[0].write_text(_markdown(table, board), encoding="utf-8")
    _draw(files[2], table, board)
    return files


def _markdown(table: pd.DataFrame, board: Leaderboard) -> str:
    first = table.iloc[0]
    lines = [f"# {title(board)}: ablations", ""]
    lines += [f"- {note}" for note in notes(board)]
    lines += [
        f"- Each row changes one thing of the reference, {first.estimator} under {first.protocol}, or of the row that "
        "it is compared with, and tests the same trials. Differences and distances are in points of balanced accuracy, "
        "paired by split and person; the floor is the best estimator without signals on the same windows.",
    ]
    for dataset, part in table.groupby("dataset", sort=False):
        compared = part[part.difference.notna() | (part.ablation == REFERENCE) | (part.status != "ok")]
        others = part.drop(compared.index)
        lines += ["", f"## {dataset!s}" if dataset else "## Differences", "", _table(compared), ""]
        lines.append(_comparisons(compared))
        if len(others):
            head = f"{dataset!s}: other" if dataset else "Other"
            lines += ["", f"## {head} classes, compared with their own floor only", "", _table(others)]
    return "\n".join(lines) + "\n"


def _comparisons(compared: pd.DataFrame) -> str:
    n = int(compared.difference_low.notna().sum())
    if not n:
        return "No interval: there are too few people."
    return (
        f"Comparisons with an interval: {n}; of as many rows that change nothing, {0.05 * n:.2g} would lie outside "
        "theirs by luck."
    )


def _table(part: pd.DataFrame) -> str:
    return tabulate(
        [_cells(line) for _, line in part.iterrows()], headers="keys", tablefmt="pipe", disable_numparse=True
    )


def _cells(line: pd.Series) -> dict[str, Any]:
    row: dict[str, Any] = {"ablation": line.ablation, "estimator": line.estimator or "–"}
    if line.status != "ok":
        reason = " ".join(str(line.reason).split())[:160].replace("|", "\\|")
        row |= dict.fromkeys(
            ("seeds", "classes", "balanced accuracy", "floor", "above the floor", "compared with"), "–"
        )
        row |= {"difference": f"{line.status}: {reason}".rstrip(": "), "train windows": "–", "fit s": "–"}
        return row
    row |= {"seeds": int(line.n_seeds), "classes": int(line.classes)}
    row["balanced accuracy"] = with_limits(line.balanced_accuracy, line.low, line.high, "{:.3f}")
    row["floor"] = "not run" if np.isnan(line.floor) else f"{line.floor:.3f}, {line.floor_estimator}"
    distance = with_limits(line.above_floor, line.above_floor_low, line.above_floor_high, "{:+.1f}")
    row["above the floor"] = f"{distance}, {BELOW}" if line.against_floor == BELOW else distance
    row["compared with"] = line.compared_with if isinstance(line.compared_with, str) else "–"
    row["difference"] = with_limits(line.difference, line.difference_low, line.difference_high, "{:+.1f}")
    return row | {"train windows": f"{line.n_train:,.0f}", "fit s": f"{line.fit_seconds:.1f}"}


def _draw(path: Path, table: pd.DataFrame, board: Leaderboard) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = table[table.difference.notna() & (table.ablation != REFERENCE)]
    figure = Figure(figsize=(7.5, 1.4 + 0.26 * max(len(shown), 1)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    y = np.arange(len(shown))
    away = np.array([shown.difference - shown.difference_low, shown.difference_high - shown.difference])
    axes.errorbar(shown.difference, y, xerr=np.clip(away, 0, None), fmt="o", ms=4, capsize=2, lw=1)
    other = shown.compared_with != REFERENCE
    names = shown.ablation.where(~other, shown.ablation + " (against " + shown.compared_with.fillna("") + ")")
    axes.set_yticks(y, names, fontsize=8)
    axes.invert_yaxis()
    axes.axvline(0, color="gray", ls=":", lw=1)
    reference = table.iloc[0]
    if not np.isnan(reference.floor):
        at = 100 * (reference.floor - reference.balanced_accuracy)
        axes.axvline(at, color="black", lw=1.5)
        axes.annotate(
            "floor: ids alone", (at, 1), xycoords=("data", "axes fraction"), xytext=(2, 2),
            textcoords="offset points", fontsize=7,
        )  # fmt: skip
    axes.set_xlabel("points of balanced accuracy, row minus what it is compared with", fontsize=8)
    axes.set_title(f"reference: {table.iloc[0].estimator}, {table.iloc[0].protocol}", fontsize=9)
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    simulated = board.about["simulated"]
    figure.supxlabel(title(board), fontsize=7, color="firebrick" if simulated else "dimgray")
    figure.savefig(path, dpi=120)
