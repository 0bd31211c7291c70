"""The leaderboard: a row for each estimator under each protocol, from the stored predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from tabulate import tabulate

from bench.cells.metrics import scores
from bench.cells.store import Store
from bench.cells.stored_cell import StoredCell
from bench.report.rows import newest_of, read_rows

SCORES = ("accuracy", "balanced_accuracy", "f1_macro")
COSTS = ("fit_seconds", "predict_seconds")
COLUMNS = (
    "dataset", "estimator", "protocol", "audit", "n_cells",
    "accuracy", "accuracy_std", "balanced_accuracy", "balanced_accuracy_std", "f1_macro", "f1_macro_std",
    *COSTS, "simulated", "status", "reason",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """The table, and what must be said with it.

    Attributes
    ----------
    table : DataFrame with `COLUMNS`
        Clean rows first, then leaking ones; within a data set and protocol the best balanced accuracy
        first. Scores are means over cells and their standard deviation (ddof 1; NaN for one cell),
        seconds medians.
    confusions : dict
        ``(dataset, protocol, estimator) -> (classes, counts)``, summed over the cells.
    about : dict
        The ``suite`` entry of the newest result.
    setting, hardware : dict
        Of the newest result.
    left_out : int
        Stored cells that were made on other data, windows, parameters or code than the newest ones.
    """

    table: pd.DataFrame
    confusions: dict[tuple[str, str, str], tuple[tuple[str, ...], np.ndarray]]
    about: dict[str, Any]
    setting: dict[str, Any]
    hardware: dict[str, Any]
    left_out: int


def make_leaderboard(store: Store) -> Leaderboard:
    """Compute the leaderboard of a store.

    Raises
    ------
    DataError
        If nothing is stored, or a stored prediction file is damaged.
    """
    groups, left_out = read_rows(store)
    rows, confusions = [], {}
    for key, cells in groups.items():
        row, counts = _row(key, cells)
        rows.append(row)
        if counts is not None:
            confusions[key] = (tuple(cells[0].result["suite"]["classes"]), counts)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    order = table.assign(leaks=table.audit.str.startswith("LEAKS"), best=-table.balanced_accuracy)
    order = order.sort_values(["dataset", "leaks", "protocol", "best", "estimator"], kind="stable")
    newest = newest_of([cell for cells in groups.values() for cell in cells]).result
    return Leaderboard(
        table.loc[order.index].reset_index(drop=True),
        confusions,
        newest["suite"],
        newest["identity"]["setting"],
        newest["hardware"],
        left_out,
    )


def _row(key: tuple[str, str, str], cells: list[StoredCell]) -> tuple[dict[str, Any], np.ndarray | None]:
    good = [cell for cell in cells if cell.ok]
    bad = [cell for cell in cells if not cell.ok]
    verdicts = sorted({cell.result["audit"]["verdict"] for cell in cells})
    row: dict[str, Any] = {
        **dict(zip(("dataset", "protocol", "estimator"), key, strict=True)),
        # 'LEAKS' sorts before 'clean': the worst verdict of the row is the one shown.
        "audit": verdicts[0],
        "n_cells": len(good),
        "simulated": bool(cells[0].result["suite"]["simulated"]),
        "status": "ok" if not bad else "failed" if not good else f"{len(bad)} of {len(cells)} failed",
        "reason": bad[0].result["reason"] if bad else "",
    }
    counts = None
    found: list[dict[str, float]] = []
    for cell in good:
        own = np.sum(list(cell.counts.values()), axis=0)
        found.append(scores(own))
        counts = own if counts is None else counts + own
    for name in SCORES:
        values = np.array([score[name] for score in found])
        row[name] = values.mean() if good else np.nan
        row[f"{name}_std"] = values.std(ddof=1) if len(good) > 1 else np.nan
    for name in COSTS:
        row[name] = float(np.median([cell.result[name] for cell in good])) if good else np.nan
    return row, counts


def write_leaderboard(board: Leaderboard, store: Store) -> None:
    """Write ``leaderboard.csv``, ``.md`` and ``.tex`` into the store's folder."""
    files = {
        "leaderboard.csv": board.table.to_csv(index=False, float_format="%.6g", lineterminator="\n"),
        "leaderboard.md": _markdown(board),
        "leaderboard.tex": _latex(board),
    }
    for name, text in files.items():
        (store.folder / name).write_text(text, encoding="utf-8")


def sections(board: Leaderboard) -> list[tuple[str, pd.DataFrame]]:
    """Return the parts of the table with their headings: each data set, clean and leaking rows apart."""
    table = board.table
    leaks = table.audit.str.startswith("LEAKS")
    several = table.dataset.nunique() > 1
    parts = []
    for dataset in table.dataset.unique():
        for branded, heading in (
            (False, "Clean protocols"),
            (True, "Leaking protocols, not to be ranked with the above"),
        ):
            part = table[(table.dataset == dataset) & (leaks == branded)]
            if len(part):
                parts.append((f"{dataset}: {heading[0].lower()}{heading[1:]}" if several else heading, part))
    return parts


def notes(board: Leaderboard) -> list[str]:
    """Return what a reader of the table has to know, a sentence or two each."""
    about = board.about
    lines = []
    if about["simulated"]:
        lines.append(
            "SIMULATED recordings: a program made them up. No figure here says anything about people."
        )
    size = (
        f"{about['n_windows']:,} windows of {about['n_subjects']} subjects, "
        if board.table.dataset.nunique() == 1
        else ""
    )
    changes = "; ".join(about["changes"]) or "nothing of the suite is changed"
    lines.append(
        f"Data: {size}channels {', '.join(about['channels'])}." if size else "Data: one table a data set."
    )
    lines.append(_how(board.setting, about.get("recorded_rate")))
    lines.append(f"Profile {about['profile']}: {changes}.")
    lines.append(
        "Scores are means over n cells (seeds and folds) on windows, ± their standard deviation; seconds are "
        f"medians, on {board.hardware['processor']}, {board.hardware['cores']} cores."
    )
    if board.left_out:
        lines.append(
            f"{board.left_out} stored cells are left out: made on other data, windows, parameters or code."
        )
    if about["credit"]:
        lines.append(about["credit"])
    return lines


def _how(setting: dict[str, Any], recorded_rate: float | None) -> str:
    """Say how trials became labelled, scaled windows; `recorded_rate` in Hz if they were resampled."""
    target, windows, scaling = setting["target"], setting["windows"], setting["scaling"]
    limit = target["threshold"]
    limit = "the subject's own median" if limit == "subject-median" else f"{limit:g}"
    rules = {
        "high-low": f"{target['name']} is high above {limit}",
        "levels": f"{target['name']} rounded to 1 to 9",
        "quadrants": f"arousal and valence each cut at {limit}",
        "label": f"{target['name']} as the data set has it",
    }
    classes = rules[target["rule"]] + (
        ", trials rated so are left out" if target["drop_at_threshold"] else ""
    )
    cut = f"{windows['seconds']:g} s, {windows['overlap']:g} s of them shared with the window before"
    baseline = "with the baseline" if windows["baseline"] else "without the baseline"
    cut = "each trial whole, shorter ones filled up" if windows["whole"] else f"{cut}, {baseline}"
    if recorded_rate is not None:
        cut += f", resampled from {recorded_rate:g} to {windows['sampling_rate']:g} Hz"
    return (
        f"Windows: {cut}. Classes: {classes}. Scaling: {scaling}, fitted on training windows unless the audit "
        "says that the scaler saw the test side."
    )


def _readable(part: pd.DataFrame, bold: str, plus_minus: str) -> pd.DataFrame:
    def score(row: pd.Series, name: str) -> str:
        if np.isnan(row[name]):
            return "–"
        spread = row[f"{name}_std"]
        return f"{row[name]:.3f}" + ("" if np.isnan(spread) else f" {plus_minus} {spread:.3f}")

    def cost(value: float, digits: int) -> str:
        return "–" if np.isnan(value) else f"{value:.{digits}f}"

    return pd.DataFrame(
        {
            "estimator": part.estimator,
            "protocol": part.protocol,
            "audit": [bold.format(a) if a.startswith("LEAKS") else a for a in part.audit],
            "n": part.n_cells,
            "balanced accuracy": [score(row, "balanced_accuracy") for _, row in part.iterrows()],
            "accuracy": [score(row, "accuracy") for _, row in part.iterrows()],
            "F1 macro": [score(row, "f1_macro") for _, row in part.iterrows()],
            "fit s": [cost(v, 1) for v in part.fit_seconds],
            "predict s": [cost(v, 1) for v in part.predict_seconds],
            "status": [
                status if status == "ok" else f"{status}: {' '.join(str(reason).split())[:160]}"
                for status, reason in zip(part.status, part.reason, strict=True)
            ],
        }
    )


def title(board: Leaderboard) -> str:
    """Return the suite's title, and that the recordings are simulated where they are."""
    return f"{board.about['title']}{' (SIMULATED recordings)' if board.about['simulated'] else ''}"


def _markdown(board: Leaderboard) -> str:
    lines = [f"# {title(board)}", ""]
    lines += [f"- {note}" for note in notes(board)]
    for heading, part in sections(board):
        readable = _readable(part, "**{}**", "±").map(lambda cell: str(cell).replace("|", "\\|"))
        lines += ["", f"## {heading}", "", _tabulated(readable, "pipe")]
    return "\n".join(lines) + "\n"


def _latex(board: Leaderboard) -> str:
    lines = [f"% {line}" for line in (title(board), *notes(board))]
    for heading, part in sections(board):
        lines += ["", f"% {heading}"]
        table = _tabulated(_readable(part, "{}", "±"), "latex_booktabs")
        lines.append(table.replace("±", r"$\pm$").replace("–", "--"))
    return "\n".join(lines) + "\n"


def _tabulated(table: pd.DataFrame, form: str) -> str:
    return tabulate(table.to_dict("list"), headers="keys", tablefmt=form, disable_numparse=True)
