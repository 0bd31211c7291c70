"""Published figures beside ours: accuracies, recall by class, and which protocol gives the published pattern."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tabulate import tabulate

from bench.report.leaderboard import Leaderboard, notes, title
from bench.report.recall import (
    class_counts,
    conclude,
    draw_recall,
    measure,
    recall_table,
    recordings_of,
    specs,
)
from bench.report.rows import read_rows
from bench.spec import parse_spec
from bench.store import Store
from bench.suite import Suite

NOT_RUN = "not run"


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
    orders = next((specs(figure.protocols) for figure in suite.published if figure.recall), [])
    text = _markdown(board, accuracies, recalls, measure(recalls, orders, class_counts(board, suite)), orders)
    names = ("published.md", "published.csv", "recall.csv", "recall-by-class.png")
    files = [store.folder / name for name in names]
    files[0].write_text(text, encoding="utf-8")
    accuracies.to_csv(files[1], index=False, lineterminator="\n")
    recalls.to_csv(files[2], index=False, float_format="%.6g", na_rep="–", lineterminator="\n")
    if draw_recall(files[3], board, suite, recalls, orders):
        return files
    files[3].unlink(missing_ok=True)
    return files[:3]


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
        for protocol in specs(figure.protocols):
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
                    "our recordings": recordings_of(board),
                    "source": figure.source,
                }
            )
    return pd.DataFrame(rows)


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
