"""Recall by class, published and ours. `bench.report.recall_rule` says which protocol gives the published pattern."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.cells.store import Store
from bench.registry import SIGNAL_FREE
from bench.report.leaderboard import Leaderboard
from bench.report.rows import read_rows
from bench.spec import parse_spec
from bench.study.suite import Published, Suite

PUBLISHED = "published"

# Okabe and Ito's colours, which colour-blind readers can tell apart; markers differ as well.
_LINES = (("#D55E00", "s", "-"), ("#0072B2", "^", "-"), ("#CC79A7", "v", "-"), ("#E69F00", "P", "-"))
_PLAIN_LINE = ("#009E73", "D", "--")


def specs(texts: Sequence[str]) -> list[str]:
    """Return specs as the store writes them."""
    return list(dict.fromkeys(str(parse_spec(text)) for text in texts))


def recordings_of(board: Leaderboard) -> str:
    """Return ``"SIMULATED"`` or ``"real"``."""
    return "SIMULATED" if board.about["simulated"] else "real"


def recall_table(board: Leaderboard, suite: Suite) -> pd.DataFrame:
    """Return recall by class, and its mean, of the published figures and of every row with predictions.

    Columns are ``estimator``, ``protocol`` (``published`` for published figures), ``recordings``, the
    classes and ``mean``; NaN where a class was never tested.
    """
    classes: list[str] = []
    rows: list[dict[str, Any]] = []
    for figure in suite.published:
        names = _published_classes(suite, board, figure)
        if names:
            classes = max(classes, names, key=len)
            row = {"estimator": str(parse_spec(figure.estimator)), "protocol": PUBLISHED}
            row["recordings"] = "as published"
            values = dict(zip(names, figure.recall, strict=True))
            rows.append({**row, **values, "mean": np.mean(figure.recall)})
    for (_, protocol, estimator), (own, counts) in board.confusions.items():
        row = {"estimator": estimator, "protocol": protocol, "recordings": recordings_of(board)}
        rows.append({**row, **_recall(own, counts)})
    classes = classes + [name for name in board.about["classes"] if name not in classes]
    return pd.DataFrame(rows, columns=["estimator", "protocol", "recordings", *classes, "mean"])


def _published_classes(suite: Suite, board: Leaderboard, figure: Published) -> list[str]:
    """Return the names of the classes whose recall was published; none if they cannot be told."""
    if suite.target.rule == "levels":  # 1 to 9, whichever of them our recordings have
        return [str(level) for level in range(1, len(figure.recall) + 1)]
    own = board.about["classes"]
    return list(own) if len(own) == len(figure.recall) else []


def classes_of(recalls: pd.DataFrame) -> list[str]:
    """Return the classes that a table of `recall_table` has columns of."""
    return [str(name) for name in recalls.columns[3:-1]]


def class_counts(board: Leaderboard, suite: Suite) -> dict[str, int]:
    """Return the test windows of each class before any balancing; empty if no such row has run.

    They are those of a row under a protocol that no oversampled figure may stand for: its test side is
    never balanced, and has the classes in the proportions of the data set.
    """
    plain = plain_of(board, suite)
    for (_, protocol, _), (classes, counts) in board.confusions.items():
        if protocol == plain:
            return dict(zip(classes, counts.sum(axis=1).tolist(), strict=True))
    return {}


def plain_of(board: Leaderboard, suite: Suite) -> str:
    """Return the protocol without balancing that has run, one that figures stand for first; or ``""``."""
    balanced = {p for figure in suite.published if figure.oversampled for p in specs(figure.protocols)}
    named = [p for figure in suite.published if not figure.oversampled for p in specs(figure.protocols)]
    run = [protocol for _, protocol, _ in board.confusions if protocol not in balanced]
    return next((protocol for protocol in [*named, *run] if protocol in run), "")


def recall_by_seed(board: Leaderboard, store: Store, protocols: Sequence[str]) -> pd.DataFrame:
    """Return recall by class of each seed, its folds together, of the estimators that see the signal.

    Parameters
    ----------
    board : Leaderboard
    store : Store
        What the board was made of.
    protocols : sequence of str
        Rows of others are left out.

    Returns
    -------
    DataFrame
        Columns are ``estimator``, ``protocol``, ``seed``, the classes and ``mean``; NaN where a class was
        never tested.

    Raises
    ------
    DataError
        If a stored prediction file is damaged.
    """
    rows: list[dict[str, Any]] = []
    groups, _ = read_rows(store)
    for (_, protocol, estimator), cells in groups.items():
        if protocol not in protocols or estimator in signal_free(board):
            continue
        seeds: dict[int, list[np.ndarray]] = {}
        for cell in cells:
            if cell.ok:
                seeds.setdefault(cell.result["cell"]["seed"], []).extend(cell.counts.values())
        classes = cells[0].result["suite"]["classes"]
        for seed, counts in sorted(seeds.items()):
            row = {"estimator": estimator, "protocol": protocol, "seed": seed}
            rows.append({**row, **_recall(classes, np.sum(counts, axis=0))})
    return pd.DataFrame(rows, columns=["estimator", "protocol", "seed", *board.about["classes"], "mean"])


def signal_free(board: Leaderboard) -> set[str]:
    """Return the estimators that see ids only; none in a table that does not tell the family."""
    family = board.table.get("family")
    return set() if family is None else set(board.table.estimator[family == SIGNAL_FREE])


def _recall(classes: Sequence[str], counts: np.ndarray) -> dict[str, float]:
    tested = counts.sum(axis=1)
    recall = np.divide(np.diag(counts), tested, out=np.full(len(classes), np.nan), where=tested > 0)
    return {**dict(zip(classes, recall.tolist(), strict=True)), "mean": float(np.nanmean(recall))}


def draw_recall(
    path: Path, board: Leaderboard, suite: Suite, recalls: pd.DataFrame, orders: Sequence[str]
) -> bool:
    """Draw a panel for each estimator that sees the signal and has all orders; False if there is none."""
    rows = {(row.estimator, row.protocol): row for _, row in recalls.iterrows()}
    published = next((row for (_, protocol), row in rows.items() if protocol == PUBLISHED), None)
    seeing = [name for name in recalls.estimator.unique() if name not in signal_free(board)]
    estimators = [name for name in seeing if all((name, order) in rows for order in orders)]
    if published is None or not estimators:
        return False
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    classes, plain = classes_of(recalls), plain_of(board, suite)
    styles = {**dict(zip(orders, _LINES, strict=False)), plain: _PLAIN_LINE}
    across = min(len(estimators), 3)
    down = -(-len(estimators) // across)
    # Inches. A single column is made wider, so that the legend has room.
    wide, high = (3.6 if across > 1 else 6.5), 2.9
    below, above = (1.0 if across > 1 else 1.45), 0.4
    width, height = wide * across, high * down + below + above
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    lines: dict[str, Any] = {}
    for number, name in enumerate(estimators):
        left, bottom = number % across * wide + 0.6, below + (down - 1 - number // across) * high + 0.5
        axes = figure.add_axes((left / width, bottom / height, (wide - 0.75) / width, (high - 0.9) / height))
        axes.set_title(name, fontsize=9)
        axes.set(ylim=(-0.03, 1.03), xlabel=f"class of {suite.target.name}", ylabel="recall")
        axes.set_xticks(range(len(classes)), classes, fontsize=9)
        axes.grid(alpha=0.3)
        drawn = [(f"published, {published.estimator}", published, ("black", "o", "-"))]
        for protocol, style in styles.items():
            if (name, protocol) in rows:
                what = f"{protocol} (no oversampling)" if protocol == plain else protocol
                drawn.append((what, rows[name, protocol], style))
        for what, row, (color, marker, dash) in drawn:
            values = row[classes].to_numpy(dtype=float)
            (lines[what],) = axes.plot(values, color=color, marker=marker, linestyle=dash)
    figure.legend(
        lines.values(), lines.keys(), loc="lower center", bbox_to_anchor=(0.5, 0.3 / height),
        ncols=2 if across > 1 else 1, fontsize=9, frameon=False,
    )  # fmt: skip
    figure.suptitle("Recall by class, published and ours", fontsize=11, y=1 - 0.12 / height)
    simulated = board.about["simulated"]
    what = f"{board.about['title']}; profile {board.about['profile']}"
    what += "\nOurs: SIMULATED recordings" if simulated else ""
    figure.supxlabel(what, fontsize=8, color="firebrick" if simulated else "dimgray", y=0.06 / height)
    figure.savefig(path, dpi=120)
    return True
