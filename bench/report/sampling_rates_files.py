"""The table of sampling rates as Markdown, CSV and a figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from tabulate import tabulate

from bench.cells.store import Store
from bench.report.floor import BELOW
from bench.report.leaderboard import Leaderboard, notes, title
from bench.report.leaderboard_files import with_limits
from bench.report.sampling_rates import make_sampling_rates

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FILES = ("sampling_rates.md", "sampling_rates.csv", "sampling_rates.png")
# Okabe and Ito's colours, which the colour-blind tell apart, but for the yellow that is pale on white.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_LINES = ("-", "--", ":", "-.")
_ASIDE, _SPREAD = (
    0.04,
    0.3,
)  # octaves between two estimators at one rate, side by side, and between all, at most


def write_sampling_rates(board: Leaderboard, store: Store) -> list[Path]:
    """Write ``sampling_rates.{md,csv,png}`` if any were run; where there are none, remove older ones."""
    table = make_sampling_rates(store)
    files = [store.folder / name for name in FILES]
    written = files if (table.status == "ok").any() else files[:2] if len(table) else []
    for file in set(files) - set(written):
        file.unlink(missing_ok=True)
    if written:
        files[0].write_text(_markdown(table, board), encoding="utf-8")
        simulated = table.assign(simulated=board.about["simulated"])
        simulated.to_csv(files[1], index=False, float_format="%.6g", lineterminator="\n")
    if files[2] in written:
        _draw(files[2], table[table.status == "ok"], board)
    return written


def _markdown(table: pd.DataFrame, board: Leaderboard) -> str:
    lines = [f"# {title(board)}: sampling rates", ""]
    lines += [f"- {note}" for note in notes(board)]
    lines.append(
        "- Each trial is resampled behind a low-pass filter and then cut: at every rate the same trials are tested, in "
        f"windows of the same seconds. The protocol is {_protocol(table)}. Differences, to the highest rate, and distances from the "
        "floor, the best estimator without signals, are in points of balanced accuracy, paired by split and person. "
        "Seconds: fit and prediction, and how many times as fast as at the highest rate."
    )
    left_out = table[table.status == "left out"]
    for reason, part in left_out.groupby("reason", sort=False):
        rates = ", ".join(f"{rate:g}" for rate in part.sampling_rate.unique())
        lines.append(f"- Left out: {rates} Hz: {reason}.")
    shown = table.drop(left_out.index)
    for dataset, part in shown.groupby("dataset", sort=False):
        lines += ["", f"## {dataset!s}" if dataset else "## Every estimator at every rate", ""]
        rows = [_cells(line) for _, line in part.iterrows()]
        lines.append(tabulate(rows, headers="keys", tablefmt="pipe", disable_numparse=True))
    return "\n".join(lines) + "\n"


def _protocol(table: pd.DataFrame) -> str:
    leaks = sorted({str(audit) for audit in table.audit.dropna() if str(audit).startswith("LEAKS")})
    return str(table.protocol.iloc[0]) + (f", which **{leaks[0]}**" if leaks else "")


def _cells(line: pd.Series) -> dict[str, Any]:
    row: dict[str, Any] = {"estimator": line.estimator, "Hz": f"{line.sampling_rate:g}"}
    names = ("seeds", "balanced accuracy", "above the floor", "difference", "fit s", "predict s")
    if line.status != "ok":
        reason = " ".join(str(line.reason).split())[:160].replace("|", "\\|")
        row |= dict.fromkeys(names, "–")
        return row | {"difference": f"{line.status}: {reason}".rstrip(": "), "times as fast": "–"}
    above = with_limits(line.above_floor, line.above_floor_low, line.above_floor_high, "{:+.1f}")
    shown = (
        int(line.n_seeds),
        with_limits(line.balanced_accuracy, line.low, line.high, "{:.3f}"),
        f"{above}, {BELOW}" if line.against_floor == BELOW else above,
        with_limits(line.difference, line.difference_low, line.difference_high, "{:+.1f}"),
        f"{line.fit_seconds:.2f}",
        f"{line.predict_seconds:.2f}",
    )
    row |= dict(zip(names, shown, strict=True))
    return row | {"times as fast": "–" if np.isnan(line.times_as_fast) else f"{line.times_as_fast:.1f}"}


def _draw(path: Path, table: pd.DataFrame, board: Leaderboard) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator

    datasets, estimators = list(table.dataset.unique()), list(table.estimator.unique())
    height = max(3.4 * len(datasets), 0.6 + 0.19 * len(estimators))
    figure = Figure(figsize=(10, height + 0.4), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(datasets), 2, squeeze=False)
    for (scores, seconds), dataset in zip(grid, datasets, strict=True):
        part = table[table.dataset == dataset]
        _draw_lines(scores, seconds, part, estimators)
        floor = part[part.floor.notna()].drop_duplicates("sampling_rate").sort_values("sampling_rate")
        if len(floor):
            (line,) = scores.plot(floor.sampling_rate, floor.floor, color="0.45", lw=2.5, alpha=0.7, zorder=1)
            line.set_label("floor: ids alone")
        name = f"{dataset}: balanced accuracy" if dataset else "balanced accuracy"
        scores.set_title(f"{name}, 95 % intervals", fontsize=9)
        seconds.set_title("seconds of fit and prediction", fontsize=9)
        seconds.set_yscale("log")
        seconds.yaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
        seconds.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        for axes in (scores, seconds):
            _label_rates(axes, sorted(part.sampling_rate.unique()))
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", frameon=False, fontsize=8)
    what = f"{title(board)}; {_protocol(table).replace('*', '')}"
    figure.supxlabel(what, fontsize=7, color="firebrick" if board.about["simulated"] else "dimgray")
    figure.savefig(path, dpi=120)


def _draw_lines(scores: Axes, seconds: Axes, table: pd.DataFrame, estimators: list[str]) -> None:
    spread = min(_SPREAD, _ASIDE * (len(estimators) - 1))
    aside = np.linspace(-spread / 2, spread / 2, len(estimators))
    for number, estimator in enumerate(estimators):
        own = table[table.estimator == estimator].sort_values("sampling_rate")
        turn, colour = divmod(number, len(_COLOURS))
        style: dict[str, Any] = {
            "color": _COLOURS[colour],
            "ms": 4,
            "lw": 1.2,
            "ls": _LINES[turn % len(_LINES)],
        }
        style["marker"] = _MARKERS[(number + turn) % len(_MARKERS)]  # with the colour, one of 49 pairs
        away = np.array([own.balanced_accuracy - own.low, own.high - own.balanced_accuracy])
        x = own.sampling_rate * 2.0 ** aside[number]
        scores.errorbar(x, own.balanced_accuracy, yerr=away, elinewidth=0.6, label=estimator, **style)
        seconds.plot(own.sampling_rate, own.seconds, **style)


def _label_rates(axes: Axes, rates: list[float]) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xticks(rates, [f"{rate:g}" for rate in rates])
    axes.minorticks_off()
    axes.set_xlabel("sampling rate, Hz", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
