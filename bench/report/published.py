"""Published figures beside ours: accuracies, recall by class, and which protocol gives the published pattern."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tabulate import tabulate

from bench.report.leaderboard import Leaderboard, notes, title
from bench.report.rows import read_rows
from bench.spec import parse_spec
from bench.store import Store
from bench.suite import Published, Suite

NOT_RUN = "not run"
PUBLISHED = "published"

# Of the rule in `conclude`: what a correlation has to reach, its lead over the others, and the mean recall,
# in multiples of chance, that shows that something was learned.
_CORRELATION, _LEAD, _LEARNED = 0.5, 0.3, 3.0

# Okabe and Ito's colours, which colour-blind readers can tell apart; markers differ as well.
_LINES = (("#D55E00", "s", "-"), ("#0072B2", "^", "-"), ("#CC79A7", "v", "-"), ("#E69F00", "P", "-"))
_PLAIN_LINE = ("#009E73", "D", "--")


def write_published(board: Leaderboard, suite: Suite, store: Store) -> list[Path]:
    """Write the published figures beside ours into the store's folder, if the suite has any.

    ``published.md`` and ``published.csv`` hold a row for each figure under each protocol that it may have
    been made under; ``not run`` or ``failed`` stands in the place of numbers that there are none of.
    ``recall.csv`` has recall by class, and ``recall-by-class.png`` draws it for the estimators that have
    run under all protocols of the first published figure with recall by class.

    Parameters
    ----------
    board : Leaderboard
        Of one data set.
    suite : Suite
    store : Store

    Returns
    -------
    list of Path
        The files written; none if the suite has no published figures.
    """
    if not suite.published:
        return []
    accuracies, recalls = _accuracies(board, suite, store), recall_table(board, suite)
    # The candidates for the published pattern of recall by class.
    orders = next((_specs(figure.protocols) for figure in suite.published if figure.recall), [])
    text = _markdown(board, accuracies, recalls, measure(recalls, orders, class_counts(board, suite)), orders)
    names = ("published.md", "published.csv", "recall.csv", "recall-by-class.png")
    files = [store.folder / name for name in names]
    files[0].write_text(text, encoding="utf-8")
    accuracies.to_csv(files[1], index=False, lineterminator="\n")
    recalls.to_csv(files[2], index=False, float_format="%.6g", na_rep="–", lineterminator="\n")
    if _draw(files[3], board, suite, recalls, orders):
        return files
    files[3].unlink(missing_ok=True)
    return files[:3]


def _specs(texts: Sequence[str]) -> list[str]:
    """Return specs as the store writes them."""
    return list(dict.fromkeys(str(parse_spec(text)) for text in texts))


def _recordings(board: Leaderboard) -> str:
    return "SIMULATED" if board.about["simulated"] else "real"


def _accuracies(board: Leaderboard, suite: Suite, store: Store) -> pd.DataFrame:
    """Return a row for each figure and protocol; every value is text."""
    ours = {(row.estimator, row.protocol): row for _, row in board.table.iterrows()}
    groups, _ = read_rows(store)
    parameters = {
        (estimator, protocol): cells[0].result["cell"]["parameters"]
        for (_, protocol, estimator), cells in groups.items()
    }
    rows = []
    for figure in suite.published:
        estimator = str(parse_spec(figure.estimator))
        for protocol in _specs(figure.protocols):
            key = (estimator, protocol)
            row, own = dict.fromkeys(("audit", "our epochs", "our cells"), NOT_RUN), ours.get(key)
            scores = dict.fromkeys(("ours %", "difference", "our balanced accuracy %"), NOT_RUN)
            if own is not None:
                row["audit"], row["our cells"] = own.audit, str(own.n_cells)
                row["our epochs"] = str(parameters.get(key, {}).get("epochs", "–"))
                differs = own.accuracy - figure.accuracy
                values = (
                    f"{100 * own.accuracy:.2f}",
                    f"{100 * differs:+.2f}",
                    f"{100 * own.balanced_accuracy:.2f}",
                )
                scores = dict(zip(scores, values if own.n_cells else ("failed",) * 3, strict=True))
            rows.append(
                {
                    "estimator": estimator,
                    "protocol": protocol,
                    "oversampled": "yes" if figure.oversampled else "no",
                    "published %": f"{100 * figure.accuracy:.2f}",
                    **scores,
                    "chance %": f"{100 / len(board.about['classes']):.2f}",
                    "published epochs": "not stated" if figure.epochs is None else str(figure.epochs),
                    **row,
                    "our recordings": _recordings(board),
                    "source": figure.source,
                }
            )
    return pd.DataFrame(rows)


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
        row = {"estimator": estimator, "protocol": protocol, "recordings": _recordings(board)}
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
    balanced = {p for figure in suite.published if figure.oversampled for p in _specs(figure.protocols)}
    named = [p for figure in suite.published if not figure.oversampled for p in _specs(figure.protocols)]
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


def _caveat(board: Leaderboard) -> str:
    """Say why the conclusion is none about the published work; ``""`` for a full run on recordings."""
    reasons = ["the recordings are SIMULATED"] if board.about["simulated"] else []
    if board.about["profile"] != "full":
        reasons.append(f"the profile {board.about['profile']} thins the suite as said above")
    if not reasons:
        return ""
    return (
        f"Caveat: {' and '.join(reasons)}. This tells what the protocols do to such data and models; about "
        "the published work it proves nothing."
    )


def _markdown(
    board: Leaderboard,
    accuracies: pd.DataFrame,
    recalls: pd.DataFrame,
    measures: pd.DataFrame,
    orders: Sequence[str],
) -> str:
    lines = [f"# Published figures beside ours: {title(board)}", ""]
    lines += [f"- {note}" for note in notes(board)]
    shown = accuracies.drop(columns=["our recordings", "source"])
    if board.about["simulated"]:
        shown = shown.rename(columns={"ours %": "ours % (SIMULATED)"})
    lines += ["", "## Accuracy", "", _pipes(shown), ""]
    lines.append("Differences are in points, ours minus published. Chance is one over the number of classes.")
    lines.append("")
    for source, part in accuracies.groupby("source", sort=False):
        pairs = zip(part["published %"], part.estimator, strict=True)
        lines.append(f"- {', '.join(dict.fromkeys(f'{a} % ({b})' for a, b in pairs))}: {source}.")
    lines += ["", "## Recall by class", "", _pipes(recalls)]
    if orders:
        lines += [
            "",
            "## Which protocol gives the published recall",
            "",
            _pipes(measures),
            "",
            "correlation: Spearman's rank correlation of recall by class with the published. rare - common: "
            "mean recall of the rarest third of the classes minus that of the commonest third, by their sizes "
            "in these recordings before balancing.",
            "",
            conclude(measures, orders, 1 / len(board.about["classes"])),
            "",
            _caveat(board),
        ]
    return "\n".join(lines).rstrip() + "\n"


def _pipes(table: pd.DataFrame) -> str:
    def text(value: Any, form: str) -> str:
        if not isinstance(value, float):
            return str(value).replace("|", "\\|")
        return "–" if np.isnan(value) else f"{value:{form}}"

    signed = ("correlation", "rare - common")
    readable = {
        str(name): [text(value, "+.2f" if name in signed else ".2f") for value in values]
        for name, values in table.items()
    }
    return tabulate(readable, headers="keys", tablefmt="pipe", disable_numparse=True)


def _draw(path: Path, board: Leaderboard, suite: Suite, recalls: pd.DataFrame, orders: Sequence[str]) -> bool:
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
