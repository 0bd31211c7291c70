"""What each leak buys: the same estimators under every protocol, and the points between protocols."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tabulate import tabulate

from bench.cells.store import Store
from bench.cells.stored_cell import StoredCell
from bench.report.bootstrap import DRAWS, Counts, SubjectBootstrap, count_by_subject, interval
from bench.report.leaderboard import Leaderboard, notes, title
from bench.report.rows import read_rows

FILES = ("leakage.md", "leakage.csv", "leakage.png")

# Protocols from the strictest to the one that leaks most: the order of the table and the figure.
LADDER = (
    "loso", "subject-independent", "leave-one-stimulus-out", "subject-stratified",
    "random-windows", "split-then-oversample", "oversample-then-split",
)  # fmt: skip


@dataclass(frozen=True)
class Leak:
    """What one protocol gives away that the other does not."""

    name: str
    without: str
    given: str


LEAKS = (
    Leak("the person is in training", "loso", "subject-stratified"),
    Leak("the person is in training", "subject-independent", "subject-stratified"),
    Leak("the stimulus is in training", "leave-one-stimulus-out", "subject-stratified"),
    Leak("windows of the trial are in training", "subject-stratified", "random-windows"),
    Leak("each side balanced by copies, scaled over all windows", "random-windows", "split-then-oversample"),
    Leak("copies of the window are in training", "split-then-oversample", "oversample-then-split"),
    Leak("from whole trials held out to copies in training", "subject-stratified", "oversample-then-split"),
)


def make_leakage(store: Store) -> pd.DataFrame:
    """Compute scores under each protocol and the points that each leak buys.

    A score is the balanced accuracy over all test windows of a row, its seeds and folds together; so
    it differs a little from the leaderboard's mean over cells. Intervals are 95 % percentile bootstraps
    over subjects with the same draws everywhere: differences are paired by subject.

    Returns
    -------
    DataFrame
        Columns ``dataset``, ``kind`` (``score`` or ``leak``), ``name`` (protocol or leak), ``without``,
        ``given``, ``estimator``, ``value``, ``low``, ``high`` (scores 0 to 1, leaks in points of 100),
        ``n_subjects`` and ``n_windows`` tested, ``classes``, and, for scores, the audit: ``verdict`` and
        its shares. Empty if no two protocols of the store differ by a leak.
    """
    rows, _ = read_rows(store)
    parts: dict[str, dict[tuple[str, str], list[StoredCell]]] = {}
    for (dataset, protocol, estimator), cells in rows.items():
        good = [cell for cell in cells if cell.ok]
        if good:
            parts.setdefault(dataset, {})[estimator, protocol] = good
    found: list[dict[str, Any]] = []
    for dataset, own in parts.items():
        if _steps(sorted({protocol for _, protocol in own})):
            found += [{"dataset": dataset, **line} for line in _lines(own)]
    return pd.DataFrame(found)


def _lines(rows: dict[tuple[str, str], list[StoredCell]]) -> list[dict[str, Any]]:
    counts: dict[tuple[str, str], Counts] = {}
    for key, cells in rows.items():
        counts[key] = count_by_subject(cells)
    bootstrap = SubjectBootstrap(subject for own in counts.values() for subject in own)
    estimators = list(dict.fromkeys(estimator for estimator, _ in rows))
    protocols = sorted({protocol for _, protocol in rows}, key=_rung)
    scores = {key: bootstrap.scores(own) for key, own in counts.items()}
    lines: list[dict[str, Any]] = []
    for protocol in protocols:
        for estimator in estimators:
            if (estimator, protocol) not in scores:
                continue
            key = estimator, protocol
            value, draws = scores[key]
            low, high = interval(draws)
            cells = rows[key]
            audits = pd.DataFrame([cell.result["audit"] for cell in cells])
            lines.append(
                {
                    "kind": "score", "name": protocol, "without": "", "given": "", "estimator": estimator,
                    "value": value, "low": low, "high": high, "n_subjects": len(counts[key]),
                    "n_windows": int(sum(own.sum() for own in counts[key].values())),
                    "n_cells": len(cells), "classes": len(cells[0].result["suite"]["classes"]),
                    "verdict": max(audits["verdict"], key=len),
                    **{str(name): share for name, share in audits.select_dtypes(float).mean().items()},
                }
            )  # fmt: skip
    for leak, without, given in _steps(protocols):
        for estimator in estimators:
            if (estimator, without) not in scores or (estimator, given) not in scores:
                continue
            (before, draws_before), (after, draws_after) = (
                scores[estimator, without],
                scores[estimator, given],
            )
            low, high = interval(100 * (draws_after - draws_before))
            tested = counts[estimator, without].keys() | counts[estimator, given].keys()
            lines.append(
                {
                    "kind": "leak", "name": leak.name, "without": without, "given": given,
                    "estimator": estimator, "value": 100 * (after - before), "low": low, "high": high,
                    "n_subjects": len(tested),
                }
            )  # fmt: skip
    return lines


def _rung(protocol: str) -> tuple[int, str]:
    name = protocol.partition("[")[0]
    return (LADDER.index(name) if name in LADDER else len(LADDER)), protocol


def _steps(protocols: list[str]) -> list[tuple[Leak, str, str]]:
    """Return the leaks that lie between two of the protocols; of several variants, the plainest counts."""
    plainest = {protocol.partition("[")[0]: protocol for protocol in sorted(protocols, key=len, reverse=True)}
    return [
        (leak, plainest[leak.without], plainest[leak.given])
        for leak in LEAKS
        if leak.without in plainest and leak.given in plainest
    ]


def write_leakage(board: Leaderboard, store: Store) -> list[Path]:
    """Write ``leakage.{md,csv,png}``; where no two protocols differ by a leak, remove older ones."""
    table = make_leakage(store)
    files = [store.folder / name for name in FILES]
    if table.empty:
        for file in files:
            file.unlink(missing_ok=True)
        return []
    simulated = table.assign(simulated=board.about["simulated"])
    simulated.to_csv(files[1], index=False, float_format="%.6g", lineterminator="\n")
    files[0].write_text(_markdown(table, board), encoding="utf-8")
    _draw(files[2], table, board)
    return files


def _markdown(table: pd.DataFrame, board: Leaderboard) -> str:
    lines = [f"# {title(board)}", "", "What each leak buys: the same estimators under every protocol.", ""]
    lines += [f"- {note}" for note in notes(board)]
    lines += [
        "- Scores here are balanced accuracy over all test windows of a row, its seeds and folds together. In "
        f"brackets: 95 % bootstrap over subjects ({DRAWS:,} draws, the same for every figure, so that differences "
        "are paired by subject).",
    ]
    several = table.dataset.nunique() > 1
    for dataset, part in table.groupby("dataset", sort=False):
        head = f"{dataset}: " if several else ""
        score, leak = part[part.kind == "score"], part[part.kind == "leak"]
        chance = 1 / int(score.classes.iloc[0])
        lines += ["", f"## {head}Balanced accuracy under each protocol (chance {chance:.3f})", ""]
        lines += [_score_table(score), "", f"## {head}Points that each leak buys", "", _leak_table(leak)]
    return "\n".join(lines) + "\n"


def _score_table(score: pd.DataFrame) -> str:
    shares = {"trial": "shared_trials", "samples": "shared_samples", "subject": "shared_subjects",
              "stimulus": "shared_stimuli", "copy": "copies"}  # fmt: skip
    rows = []
    for protocol, own in score.groupby("name", sort=False):
        first = own.iloc[0]
        verdict = f"**{first.verdict}**" if first.verdict.startswith("LEAKS") else first.verdict
        row = {"protocol": protocol, "audit": verdict}
        for name, column in shares.items():
            known = first.get(column, np.nan)  # cells of earlier versions have no share of some kinds
            row[f"{name} in training"] = "–" if np.isnan(known) else f"{100 * known:.0f} %"
        row |= {"n": int(first.n_cells), "subjects tested": int(first.n_subjects)}
        for estimator in score.estimator.unique():
            row[estimator] = _with_interval(own[own.estimator == estimator], "{:.3f}")
        rows.append(row)
    return tabulate(rows, headers="keys", tablefmt="pipe", disable_numparse=True)


def _leak_table(leak: pd.DataFrame) -> str:
    rows = []
    for (name, without, given), own in leak.groupby(["name", "without", "given"], sort=False):
        row = {"leak": name, "from": without, "to": given}
        for estimator in leak.estimator.unique():
            row[estimator] = _with_interval(own[own.estimator == estimator], "{:+.1f}")
        rows.append(row)
    return tabulate(rows, headers="keys", tablefmt="pipe", disable_numparse=True)


def _with_interval(own: pd.DataFrame, form: str) -> str:
    if own.empty:
        return "–"
    line = own.iloc[0]
    limits = "no interval" if np.isnan(line.low) else f"{form.format(line.low)}, {form.format(line.high)}"
    return f"{form.format(line.value)} [{limits}]"


def _draw(path: Path, table: pd.DataFrame, board: Leaderboard) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    score = table[table.kind == "score"]
    score = score[score.dataset == score.dataset.iloc[0]]
    protocols, estimators = list(score["name"].unique()), list(score.estimator.unique())
    figure = Figure(
        figsize=(8.5, 1.6 + 0.26 * len(protocols) * max(2, len(estimators))), layout="constrained"
    )
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    markers = "osD^vP*X"
    for number, estimator in enumerate(estimators):
        own = score[score.estimator == estimator]
        offset = (number - (len(estimators) - 1) / 2) * 0.7 / len(estimators)
        y = [protocols.index(name) + offset for name in own["name"]]
        away = np.clip([own.value - own.low, own.high - own.value], 0, None)
        axes.errorbar(
            own.value,
            y,
            xerr=away,
            fmt=markers[number % len(markers)],
            ms=5,
            capsize=2,
            lw=1,
            label=estimator,
        )
    leaky = score.groupby("name", sort=False).verdict.first().str.startswith("LEAKS")
    axes.set_yticks(range(len(protocols)), protocols)
    for tick, name in zip(axes.get_yticklabels(), protocols, strict=True):
        tick.set_color("firebrick" if leaky[name] else "black")
    axes.invert_yaxis()
    axes.axvline(1 / int(score.classes.iloc[0]), color="gray", ls=":", lw=1)
    axes.annotate(
        "chance", (1 / int(score.classes.iloc[0]), 1), xycoords=("data", "axes fraction"),
        xytext=(2, 2), textcoords="offset points", fontsize=8, color="gray",
    )  # fmt: skip
    axes.set_xlabel("balanced accuracy, 95 % bootstrap over subjects; leaking protocols in red")
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(
        *axes.get_legend_handles_labels(),
        loc="outside upper right",
        ncols=min(4, len(estimators)),
        frameon=False,
    )
    simulated = board.about["simulated"]
    figure.supxlabel(title(board), fontsize=7, color="firebrick" if simulated else "dimgray")
    figure.savefig(path, dpi=120)
