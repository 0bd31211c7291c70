"""Published figures beside ours: accuracies, recall by class, and which protocol gives the published pattern."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tabulate import tabulate

from bench.cells.store import Store
from bench.report.leaderboard import Leaderboard, notes, title
from bench.report.recall import (
    PUBLISHED,
    class_counts,
    classes_of,
    draw_recall,
    plain_of,
    recall_by_seed,
    recall_table,
    recordings_of,
    signal_free,
    specs,
)
from bench.report.recall_rule import RULE, conclude, measure, rare_minus_common, summary
from bench.report.rows import read_rows
from bench.spec import parse_spec
from bench.study.suite import Suite

NOT_RUN = "not run"
FLOOR = "without the signal %"
NOT_STATED = "not stated"

# Columns of published.csv that only a suite with several data sets has.
_OF_SEVERAL = ("problem", "our standard deviation", "our seeds")
_WITHOUT = (
    "Without the signal: the highest accuracy, on the same splits, of the estimators that are told classes and ids "
    "only, of people, stimuli and trials."
)
# What is the same in all rows of such a suite is said once, below the table.
_SAID_ONCE = ("protocol", "oversampled", "published epochs", "audit")


def write_published(board: Leaderboard, suite: Suite, store: Store) -> list[Path]:
    """Write the published figures beside ours into the store's folder, if the suite has any.

    ``published.md`` and ``published.csv`` hold a row for each figure under each protocol that it may have
    been made under, and for each data set that it is of; ``not run`` or ``failed`` stands in the place of
    numbers that there are none of. ``published.md`` says as well what is not known of the published work.

    Where there is one data set and a figure has recall by class, ``recall.csv`` has recall by class, and
    ``recall-by-class.png`` draws it for the estimators that have run under all protocols of the first such
    figure. Otherwise there is no such file.

    Parameters
    ----------
    board : Leaderboard
    suite : Suite
    store : Store

    Returns
    -------
    list of Path
        The files written; none if the suite has no published figures.
    """
    if not suite.published:
        return []
    several = _several(board, suite)
    names = ("published.md", "published.csv", "recall.csv", "recall-by-class.png")
    files = [store.folder / name for name in names]
    accuracies = _accuracies(board, suite, store)
    lines = [f"# Published figures beside ours: {title(board)}", ""]
    lines += _parity(board, accuracies) if several else _accuracy(board, accuracies)
    (accuracies if several else accuracies.drop(columns=list(_OF_SEVERAL))).to_csv(
        files[1], index=False, lineterminator="\n"
    )
    written = 2
    if any(figure.recall for figure in suite.published):
        if several:
            lines += ["", "Recall by class is not compared: there are several data sets."]
        else:
            recalls = recall_table(board, suite)
            # The candidates for the published pattern of recall by class.
            orders = next(specs(figure.protocols) for figure in suite.published if figure.recall)
            lines += _recall(board, suite, store, recalls, orders)
            recalls.to_csv(files[2], index=False, float_format="%.6g", na_rep="–", lineterminator="\n")
            written = 4 if draw_recall(files[3], board, suite, recalls, orders) else 3
    if suite.unknown:
        lines += ["", "## What is not known", "", *(f"- {sentence}" for sentence in suite.unknown)]
    files[0].write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    for file in files[written:]:  # of an earlier run
        file.unlink(missing_ok=True)
    return files[:written]


def _several(board: Leaderboard, suite: Suite) -> bool:
    return any(figure.variant for figure in suite.published) or board.table.dataset.nunique() > 1


def _accuracies(board: Leaderboard, suite: Suite, store: Store) -> pd.DataFrame:
    """Return a row for each figure, data set and protocol, by data set; every value is text."""
    ours = {(row.dataset, row.protocol, row.estimator): row for _, row in board.table.iterrows()}
    groups, _ = read_rows(store)
    rows = []
    for figure in suite.published:
        estimator = str(parse_spec(figure.estimator))
        datasets = [figure.variant] if figure.variant else board.table.dataset.unique()
        for dataset, protocol in product(datasets, specs(figure.protocols)):
            key = (dataset, protocol, estimator)
            row = dict.fromkeys(("audit", "our epochs", "our cells", "our seeds"), NOT_RUN)
            scores = dict.fromkeys(
                ("ours %", "our standard deviation", "difference", "our balanced accuracy %"), NOT_RUN
            )
            own = ours.get(key)
            if own is not None:
                cells = groups[key]
                row["audit"], row["our cells"] = own.audit, str(own.n_cells)
                row["our seeds"] = str(len({cell.result["cell"]["seed"] for cell in cells if cell.ok}))
                row["our epochs"] = str(cells[0].result["cell"]["parameters"].get("epochs", "–"))
                differs = own.accuracy - figure.accuracy
                values = (
                    f"{100 * own.accuracy:.2f}",
                    "–" if np.isnan(own.accuracy_std) else f"{100 * own.accuracy_std:.2f}",
                    f"{100 * differs:+.2f}",
                    f"{100 * own.balanced_accuracy:.2f}",
                )
                scores = dict(zip(scores, values if own.n_cells else ("failed",) * 4, strict=True))
            rows.append(
                {
                    "problem": dataset,
                    "estimator": estimator,
                    "protocol": protocol,
                    "oversampled": "yes" if figure.oversampled else "no",
                    "published %": f"{100 * figure.accuracy:.2f}",
                    **scores,
                    FLOOR: _floor(board, dataset, protocol),
                    "published epochs": NOT_STATED if figure.epochs is None else str(figure.epochs),
                    **row,
                    "our recordings": recordings_of(board),
                    "source": figure.source,
                }
            )
    return pd.DataFrame(rows).sort_values("problem", kind="stable", ignore_index=True)


def _floor(board: Leaderboard, dataset: str, protocol: str) -> str:
    """Return the highest accuracy that an estimator without signals has on the same splits, in %."""
    rows = board.table[board.table.estimator.isin(signal_free(board))]
    scores = rows.accuracy[(rows.dataset == dataset) & (rows.protocol == protocol)].dropna()
    return f"{100 * scores.max():.2f}" if len(scores) else NOT_RUN


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


def _accuracy(board: Leaderboard, accuracies: pd.DataFrame) -> list[str]:
    """Return notes and accuracies of a suite with one data set, in lines."""
    shown = accuracies.drop(columns=["our recordings", "source", *_OF_SEVERAL])
    lines = [f"- {note}" for note in notes(board)]
    lines += ["", "## Accuracy", "", _pipes(_branded(board, shown)), ""]
    lines += [f"Differences are in points, ours minus published. {_WITHOUT}", ""]
    for source, part in accuracies.groupby("source", sort=False):
        pairs = zip(part["published %"], part.estimator, strict=True)
        lines.append(f"- {', '.join(dict.fromkeys(f'{a} % ({b})' for a, b in pairs))}: {source}.")
    return lines


def _parity(board: Leaderboard, accuracies: pd.DataFrame) -> list[str]:
    """Return notes and accuracies of a suite with several data sets, in lines."""
    spread = accuracies["our standard deviation"]
    numbers = spread.str.fullmatch(r"[0-9.]+")
    numbered = {source: str(n) for n, source in enumerate(accuracies.source.unique(), start=1)}
    told = {name: set(accuracies[name]) - {NOT_RUN} for name in _SAID_ONCE}
    shown = pd.DataFrame(
        {
            "problem": accuracies.problem,
            "estimator": accuracies.estimator,
            **{name: accuracies[name] for name, values in told.items() if len(values) > 1},
            "published %": accuracies["published %"],
            "ours %": accuracies["ours %"].where(~numbers, accuracies["ours %"] + " ± " + spread),
            "difference": accuracies.difference,
            FLOOR: accuracies[FLOOR],
            "seeds": accuracies["our seeds"],
            "our epochs": accuracies["our epochs"],
            "source": accuracies.source.map(numbered),
        }
    )
    # The leaderboard's note on its own layout.
    lines = [f"- {note}" for note in notes(board) if not note.startswith("Data: one table")]
    lines += ["", "## Accuracy", "", _pipes(_branded(board, shown)), ""]
    once = {name: values.pop() for name, values in told.items() if len(values) == 1}
    once = {name: value for name, value in once.items() if value not in ("no", NOT_STATED)}
    if once:
        lines += [f"In all rows: {', '.join(f'{name} {value}' for name, value in once.items())}.", ""]
    lines.append(
        "Differences are in points, ours minus published; one that is smaller than the rounding of the published "
        f"figure is none. {_WITHOUT}"
    )
    lines += ["", "Sources:", "", *(f"{number}. {source}." for source, number in numbered.items())]
    return lines


def _branded(board: Leaderboard, shown: pd.DataFrame) -> pd.DataFrame:
    return shown.rename(columns={"ours %": "ours % (SIMULATED)"}) if board.about["simulated"] else shown


def _recall(
    board: Leaderboard, suite: Suite, store: Store, recalls: pd.DataFrame, orders: Sequence[str]
) -> list[str]:
    """Return recall by class, and what it says of the protocols, in lines."""
    control, counts = plain_of(board, suite), class_counts(board, suite)
    protocols = [*orders, control] if control else list(orders)
    published = recalls[recalls.protocol == PUBLISHED].head(1)
    row = None
    if len(published):
        row = published.iloc[0].copy()
        row["rare - common"] = rare_minus_common(row, counts)
    classes = classes_of(recalls)
    wanted = pd.Series(np.nan, index=classes) if row is None else row[classes]
    measures = measure(recall_by_seed(board, store, protocols), wanted, counts)
    return [
        "",
        "## Recall by class",
        "",
        _pipes(recalls[~recalls.estimator.isin(signal_free(board))]),
        "",
        "Of estimators that see no signal it is in recall.csv.",
        "",
        "## Which protocol gives the published recall",
        "",
        _pipes(summary(measures, protocols, control, row)),
        "",
        "Means over seeds. correlation: Spearman's rank correlation of recall by class with the published. "
        "rare - common: mean recall of the rarest third of the classes minus that of the commonest third, by "
        "their sizes in these recordings before balancing. The control shows what needs no copies at all.",
        "",
        conclude(measures, orders, control, 1 / len(board.about["classes"])),
        "",
        RULE,
        "",
        _caveat(board),
    ]


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
