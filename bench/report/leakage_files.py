"""What each leak buys, in a table and a figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from tabulate import tabulate

from bench.cells.store import Store
from bench.registry import SIGNAL_FREE
from bench.report.leaderboard import Leaderboard, notes, title
from bench.report.leaderboard_files import with_limits
from bench.report.leakage import KNOWN, LEAK, make_leakage
from bench.splits.audit import united

FILES = ("leakage.md", "leakage.csv", "leakage.png")


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
    several = table.dataset.nunique() > 1
    for dataset, part in table.groupby("dataset", sort=False):
        head = f"{dataset}: " if several else ""
        score = part[part.kind == "score"]
        lines += ["", f"## {head}Balanced accuracy under each protocol", "", _score_table(score), ""]
        lines.append(
            "floor: what the best estimator without signals scores on the same splits, from ids alone. Points below "
            "are of the people and seeds that both protocols tested."
        )
        blind = _level_blind(score)
        if blind:
            lines += ["", blind]
        for kind, heading in (
            (LEAK, "Points that each leak buys"),
            (KNOWN, "Points between clean protocols: what is known is no leak"),
        ):
            steps = part[part.kind == kind]
            if len(steps):
                lines += ["", f"## {head}{heading}", "", *_step_table(steps, score)]
    return "\n".join(lines) + "\n"


def _level_blind(score: pd.DataFrame) -> str:
    names = score.estimator[score.level_blind.astype(bool)].unique().tolist()
    if not names:
        return ""
    return (
        f"Level-blind: {', '.join(names)}. A constant added to a channel of a window changes nothing that they see, so "
        "they cannot recognise a trial by its levels."
    )


def _score_table(score: pd.DataFrame) -> str:
    shares = {"trial": "shared_trials", "samples": "shared_samples", "subject": "shared_subjects",
              "stimulus": "shared_stimuli", "copy": "copies"}  # fmt: skip
    rows = []
    for protocol, own in score.groupby("name", sort=False):
        first = own.iloc[0]
        verdict = united(own.verdict.tolist())
        row = {"protocol": protocol, "audit": f"**{verdict}**" if verdict.startswith("LEAKS") else verdict}
        for name, column in shares.items():
            known = first.get(column, np.nan)  # cells of earlier versions have no share of some kinds
            row[f"{name} in training"] = "–" if np.isnan(known) else f"{100 * known:.0f} %"
        row |= {"people tested": int(own.n_people.max()), "seeds": int(own.n_seeds.max())}
        row["floor"] = _floor(own)
        for estimator in _with_signals(score):
            row[estimator] = _with_interval(own[own.estimator == estimator], "{:.3f}")
        rows.append(row)
    return tabulate(rows, headers="keys", tablefmt="pipe", disable_numparse=True)


def _floor(own: pd.DataFrame) -> str:
    if own.floor.isna().all():
        return "not run"
    best = own.iloc[int(own.floor.fillna(0).to_numpy().argmax())]
    return f"{best.floor:.3f}, {best.floor_estimator}"


def _step_table(steps: pd.DataFrame, score: pd.DataFrame) -> list[str]:
    rows = []
    floors = score.groupby("name").floor.max().to_dict()
    for (name, without, given), own in steps.groupby(["name", "without", "given"], sort=False):
        row = {"step": name, "from": without, "to": given}
        row["people"] = "–" if own.n_people.isna().all() else f"{own.n_people.max():.0f}"
        row["floor"] = f"{100 * (floors[given] - floors[without]):+.1f}"
        for estimator in _with_signals(score):
            row[estimator] = _with_interval(own[own.estimator == estimator], "{:+.1f}")
        rows.append(row)
    table = tabulate(rows, headers="keys", tablefmt="pipe", disable_numparse=True)
    shown = steps[steps.family != SIGNAL_FREE]
    said = [table, "", f"Comparisons with an interval: {int(shown.low.notna().sum())}."]
    if "not_compared" in steps:
        reasons = steps.not_compared.dropna().unique().tolist()
        said += [f"Not compared: {reason}." for reason in reasons]
    return said


def _with_signals(score: pd.DataFrame) -> list[str]:
    return [str(name) for name in score.estimator[score.family != SIGNAL_FREE].unique()]


def _with_interval(own: pd.DataFrame, form: str) -> str:
    return "–" if own.empty else with_limits(own.value.iloc[0], own.low.iloc[0], own.high.iloc[0], form)


def _draw(path: Path, table: pd.DataFrame, board: Leaderboard) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    score = table[table.kind == "score"]
    score = score[score.dataset == score.dataset.iloc[0]]
    floors = score.groupby("name", sort=False).floor.max()
    score = score[score.family != SIGNAL_FREE]
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
        below = [value < floors[name] for value, name in zip(own.value, own["name"], strict=True)]
        colour = f"C{number % 10}"
        for at, value, limits, low in zip(y, own.value, away.T, below, strict=True):
            axes.errorbar(
                value,
                at,
                xerr=None if np.isnan(limits).any() else limits[:, None],
                fmt=markers[number % len(markers)],
                color="silver" if low else colour,
                mec=colour,
                ms=5,
                capsize=2,
                lw=1,
            )
        axes.plot([], [], markers[number % len(markers)], color=colour, ms=5, label=estimator)
    leaky = score.groupby("name", sort=False).verdict.first().str.startswith("LEAKS")
    axes.set_yticks(range(len(protocols)), protocols)
    for tick, name in zip(axes.get_yticklabels(), protocols, strict=True):
        tick.set_color("firebrick" if leaky[name] else "black")
    axes.invert_yaxis()
    for number, name in enumerate(protocols):
        if not np.isnan(floors[name]):
            label = "floor: ids alone, no signal; what is below it is gray" if number == 0 else None
            axes.plot([floors[name]] * 2, [number - 0.46, number + 0.46], color="black", lw=1.5, label=label)
    axes.set_xlabel("balanced accuracy, 95 % intervals over people; leaking protocols in red")
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(
        *axes.get_legend_handles_labels(),
        loc="outside upper right",
        ncols=min(3, len(estimators)),
        fontsize=9,
        frameon=False,
    )
    simulated = board.about["simulated"]
    figure.supxlabel(title(board), fontsize=7, color="firebrick" if simulated else "dimgray")
    figure.savefig(path, dpi=120)
