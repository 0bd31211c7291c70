"""Recall by class, published and ours, and which protocol gives the published pattern."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.report.leaderboard import Leaderboard
from bench.spec import parse_spec
from bench.study.suite import Published, Suite

PUBLISHED = "published"

# Of the rule in `conclude`: what a correlation has to reach, its lead over the others, and the mean recall,
# in multiples of chance, that shows that something was learned.
_CORRELATION, _LEAD, _LEARNED = 0.5, 0.3, 3.0

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
        tested = counts.sum(axis=1)
        recall = np.divide(np.diag(counts), tested, out=np.full(len(own), np.nan), where=tested > 0)
        row = {"estimator": estimator, "protocol": protocol, "recordings": recordings_of(board)}
        rows.append({**row, "mean": np.nanmean(recall), **dict(zip(own, recall, strict=True))})
    classes = classes + [name for name in board.about["classes"] if name not in classes]
    return pd.DataFrame(rows, columns=["estimator", "protocol", "recordings", *classes, "mean"])


def _published_classes(suite: Suite, board: Leaderboard, figure: Published) -> list[str]:
    """Return the names of the classes whose recall was published; none if they cannot be told."""
    if suite.target.rule == "levels":  # 1 to 9, whichever of them our recordings have
        return [str(level) for level in range(1, len(figure.recall) + 1)]
    own = board.about["classes"]
    return list(own) if len(own) == len(figure.recall) else []


def _classes(recalls: pd.DataFrame) -> list[str]:
    return [str(name) for name in recalls.columns[3:-1]]


def class_counts(board: Leaderboard, suite: Suite) -> dict[str, int]:
    """Return the test windows of each class before any balancing; empty if no such row has run.

    They are those of a row under a protocol that no oversampled figure may stand for: its test side is
    never balanced, and has the classes in the proportions of the data set.
    """
    plain = _plain(board, suite)
    for (_, protocol, _), (classes, counts) in board.confusions.items():
        if protocol == plain:
            return dict(zip(classes, counts.sum(axis=1).tolist(), strict=True))
    return {}


def _plain(board: Leaderboard, suite: Suite) -> str:
    """Return the protocol without balancing that has run, one that figures stand for first; or ``""``."""
    balanced = {p for figure in suite.published if figure.oversampled for p in specs(figure.protocols)}
    named = [p for figure in suite.published if not figure.oversampled for p in specs(figure.protocols)]
    run = [protocol for _, protocol, _ in board.confusions if protocol not in balanced]
    return next((protocol for protocol in [*named, *run] if protocol in run), "")


def measure(recalls: pd.DataFrame, orders: Sequence[str], counts: dict[str, int]) -> pd.DataFrame:
    """Compare recall by class with the first published one.

    Parameters
    ----------
    recalls : DataFrame
        Of `recall_table`.
    orders : sequence of str
        The protocols that the published recall may stand for.
    counts : dict
        Windows of each class before balancing; may be empty.

    Returns
    -------
    DataFrame
        For the published recall and each estimator under each of these protocols: ``correlation``,
        Spearman's rank correlation over the classes with the published recall (NaN with fewer than three
        classes, or where recall is the same for all); ``rare - common``, the mean recall of the rarest
        third of the classes minus that of the commonest third; and ``mean``, the mean recall.
    """
    from scipy.stats import spearmanr

    third = max(len(counts) // 3, 1)
    by_size = sorted(counts, key=lambda name: counts[name])
    published = recalls[recalls.protocol == PUBLISHED].head(1)
    rows = []
    for _, row in pd.concat([published, recalls[recalls.protocol.isin(orders)]]).iterrows():
        gap = correlation = np.nan
        if len(counts) > 1:
            gap = row[by_size[:third]].mean() - row[by_size[-third:]].mean()
        if len(published) and row.protocol != PUBLISHED:
            pair = np.array([published.iloc[0][_classes(recalls)], row[_classes(recalls)]], dtype=float)
            pair = pair[:, np.isfinite(pair).all(axis=0)]
            if pair.shape[1] > 2 and (np.ptp(pair, axis=1) > 0).all():
                correlation = float(spearmanr(*pair).statistic)
        rows.append((row.estimator, row.protocol, correlation, gap, row["mean"]))
    return pd.DataFrame(rows, columns=["estimator", "protocol", "correlation", "rare - common", "mean"])


def conclude(measures: pd.DataFrame, orders: Sequence[str], chance: float) -> str:
    """Say in a sentence under which protocol recall by class falls and rises as published.

    The rule: estimators count whose correlation is defined under all protocols in question, and whose
    mean recall is at least three times chance under one of them: the recall of a model that learned next
    to nothing has no pattern. A protocol reproduces the published pattern if its correlation, the mean over the
    estimators that count, is at least .5 and at least .3 above that of every other protocol. Otherwise,
    or if none counts, the sentence says "cannot tell".
    """
    unknown = "Which of these protocols gives the published pattern of recall by class: cannot tell,"
    ours = measures[measures.protocol.isin(orders)]
    absent = [order for order in orders if order not in set(ours.protocol)]
    if absent:
        return f"{unknown} {absent[0]} has no results."
    if len(orders) < 2:
        return f"{unknown} there is one only to choose from."
    table = ours.pivot_table(index="estimator", columns="protocol", values="correlation", sort=False)
    table = table.reindex(columns=list(orders)).dropna()
    best = ours.groupby("estimator")["mean"].max()
    table = table[best.reindex(table.index) >= _LEARNED * chance]
    if table.empty:
        return (
            f"{unknown} no estimator has a correlation under each protocol and a mean recall of "
            "three times chance under one."
        )
    means = table.mean().sort_values(ascending=False, kind="stable")
    stated = "; ".join(f"{order}: correlation {value:.2f}" for order, value in means.items())
    stated += f"; counted: {', '.join(table.index)}, of {ours.estimator.nunique()} estimators"
    if means.iloc[0] < _CORRELATION:
        return f"{unknown} none comes near it ({stated})."
    if means.iloc[0] - means.iloc[1] < _LEAD:
        return f"{unknown} they are too close ({stated})."
    return f"Of these protocols, {means.index[0]} gives the published pattern of recall by class ({stated})."


def draw_recall(
    path: Path, board: Leaderboard, suite: Suite, recalls: pd.DataFrame, orders: Sequence[str]
) -> bool:
    """Draw a panel for each estimator that has all orders; False if there is none."""
    rows = {(row.estimator, row.protocol): row for _, row in recalls.iterrows()}
    published = next((row for (_, protocol), row in rows.items() if protocol == PUBLISHED), None)
    estimators = [
        name for name in recalls.estimator.unique() if all((name, order) in rows for order in orders)
    ]
    if published is None or not estimators:
        return False
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    classes, plain = _classes(recalls), _plain(board, suite)
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
