"""Learning curves: whether what trains in epochs has learnt the windows that it was given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tabulate import tabulate

from bench.cells.store import Store
from bench.cells.stored_cell import StoredCell
from bench.report.leaderboard import Leaderboard, notes, title
from bench.report.rows import Key, read_rows, verdict_of
from bench.report.scores import score_row

FILES = ("training.md", "training.csv", "training.png")
COLUMNS = (
    "dataset", "estimator", "protocol", "audit", "n_fits", "n_epochs", "best_epoch", "loss_first", "loss_best",
    "training_balanced_accuracy", "balanced_accuracy", "loss_still_falling",
)  # fmt: skip
_LEARNT = (
    "A network that has not learnt its training windows says nothing about the data: where the balanced accuracy "
    "on training windows is near chance, or the loss was still falling when training ended, the test score is a "
    "score of the training, and the remedy is more epochs or another learning rate. A network that has learnt "
    "them and is at chance on test windows has found nothing in them that carries over."
)
_COLUMNS_OF_PANELS = 3

Curves = dict[str, np.ndarray]


def make_training(store: Store) -> tuple[pd.DataFrame, dict[Key, list[Curves]]]:
    """Compute the table, and read the curves, of all rows whose estimators tell of their training.

    Returns
    -------
    table : DataFrame with `COLUMNS`
        A row a data set, estimator and protocol, leaking ones last. ``n_epochs``, ``best_epoch`` (from 0; the
        last one where the estimator names none), losses and ``loss_still_falling`` are medians over
        the fits; the balanced accuracy on training windows is the mean over fits, that on test windows the
        leaderboard's; NaN where nothing is known. ``loss_still_falling``: by how
        much the training loss fell over the last tenth of the epochs, in percent of what it was before them.
    curves : dict
        ``(dataset, protocol, estimator) -> history of each fit``.
    """
    rows, _ = read_rows(store)
    lines, curves = [], {}
    for key, cells in rows.items():
        told = [cell for cell in cells if cell.ok and isinstance(cell.result.get("training"), dict)]
        if told:
            curves[key] = [cell.history for cell in told]
            lines.append(_line(key, told, curves[key]))
    table = pd.DataFrame(lines, columns=list(COLUMNS))
    order = table.assign(leaks=table.audit.str.startswith("LEAKS").astype(bool))
    order = order.sort_values(["dataset", "leaks", "protocol", "estimator"])
    return table.loc[order.index].reset_index(drop=True), curves


def _line(key: Key, cells: list[StoredCell], curves: list[Curves]) -> dict[str, Any]:
    dataset, protocol, estimator = key
    fits = pd.DataFrame([_fit(cell, own) for cell, own in zip(cells, curves, strict=True)], dtype=float)
    line: dict[str, Any] = {"dataset": dataset, "estimator": estimator, "protocol": protocol}
    line["audit"] = verdict_of(cells)
    line["balanced_accuracy"] = score_row(cells).by_seed["balanced_accuracy"].mean()
    for name in fits:
        known = fits[name].dropna()
        line[str(name)] = known.mean() if name == "training_balanced_accuracy" else known.median()
    return {**line, "n_fits": len(cells)}


def _fit(cell: StoredCell, curves: Curves) -> dict[str, float | None]:
    told = cell.result["training"]
    loss = curves.get("loss", np.full(1, np.nan))
    n_epochs = told["n_epochs"] or None
    last = None if n_epochs is None else n_epochs - 1
    best = last if told["best_epoch"] is None else told["best_epoch"]
    return {
        "n_epochs": n_epochs,
        "best_epoch": best,
        "loss_first": loss[0],
        "loss_best": loss[best] if best is not None and best < len(loss) else None,
        "training_balanced_accuracy": told["scores"].get("balanced_accuracy"),
        "loss_still_falling": still_falling(loss),
    }


def still_falling(loss: np.ndarray) -> float:
    """Return by how many percent a loss fell over its last tenth, one epoch at least; NaN if that is not known."""
    last = max(1, round(len(loss) / 10))
    if len(loss) <= last or not loss[-1 - last] > 0:
        return np.nan
    return float(100 * (1 - loss[-1] / loss[-1 - last]))


def write_training(board: Leaderboard, store: Store) -> list[Path]:
    """Write ``training.{md,csv,png}``; where no estimator tells of its training, remove older ones."""
    table, curves = make_training(store)
    files = {name: store.folder / name for name in FILES}
    drawn = {key: [own for own in all_ if "loss" in own] for key, all_ in curves.items()}
    drawn = {key: own for key, own in drawn.items() if own}
    written = FILES if drawn else FILES[:2] if len(table) else ()
    for name in set(FILES) - set(written):
        files[name].unlink(missing_ok=True)
    if len(table):
        simulated = table.assign(simulated=board.about["simulated"])
        simulated.to_csv(files["training.csv"], index=False, float_format="%.6g", lineterminator="\n")
        missing = sum(not own for all_ in curves.values() for own in all_)
        files["training.md"].write_text(_markdown(table, board, missing), encoding="utf-8")
    if drawn:
        _draw(files["training.png"], table, drawn, board)
    return [files[name] for name in written]


def _markdown(table: pd.DataFrame, board: Leaderboard, missing: int) -> str:
    lines = [f"# {title(board)}: training", "", _LEARNT, ""]
    lines += [f"- {note}" for note in notes(board)]
    lines += [
        "- Epochs are counted from 0; the best one is that whose weights predict. Losses, epochs and falls are "
        "medians over n fits (seeds and folds). A loss is what the estimator itself "
        "reports, on windows as it trains on them (with dropout, weights and resampling, where it has these); the "
        "balanced accuracy on training windows is of the fitted estimator, as it predicts, the mean over fits, and that "
        "on test windows is the leaderboard's. Loss still falling: by "
        "how much it fell over the last tenth of the epochs.",
    ]
    if missing:
        lines.append(f"- Fits without a curve that can be read: {missing}.")
    several = table.dataset.nunique() > 1
    for dataset, part in table.groupby("dataset", sort=False):
        rows = [
            {
                "estimator": line.estimator,
                "protocol": line.protocol,
                "audit": f"**{line.audit}**" if line.audit.startswith("LEAKS") else line.audit,
                "n": line.n_fits,
                "epochs": _show(line.n_epochs, "g"),
                "best epoch": _show(line.best_epoch, "g"),
                "loss at first": _show(line.loss_first, ".4g"),
                "loss at best": _show(line.loss_best, ".4g"),
                "balanced accuracy on training windows": _show(line.training_balanced_accuracy, ".3f"),
                "on test windows": _show(line.balanced_accuracy, ".3f"),
                "loss still falling": _show(line.loss_still_falling, ".1f", " %"),
            }
            for _, line in part.iterrows()
        ]
        lines += ["", f"## {dataset!s}" if several else "## How the training went", ""]
        lines.append(tabulate(rows, headers="keys", tablefmt="pipe", disable_numparse=True))
    return "\n".join(lines) + "\n"


def _show(value: Any, form: str, unit: str = "") -> str:
    return "–" if np.isnan(value) else f"{value:{form}}{unit}"


def _draw(path: Path, table: pd.DataFrame, curves: dict[Key, list[Curves]], board: Leaderboard) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.ticker import MaxNLocator

    keys = list(zip(table.dataset, table.protocol, table.estimator, strict=True))
    panels = list(dict.fromkeys(key[:2] for key in keys if key in curves))
    leaking = {key[:2] for key, audit in zip(keys, table.audit, strict=True) if audit.startswith("LEAKS")}
    estimators = sorted({estimator for _, _, estimator in curves})
    several = len({dataset for dataset, _ in panels}) > 1
    across = 2 if len(panels) == 4 else min(len(panels), _COLUMNS_OF_PANELS)
    down = -(-len(panels) // across)
    # Below the panels' width a legend of several columns would be cut off.
    ncols = max(1, min(len(estimators) + 1, int(1.3 * across)))
    legend_rows = -(-(len(estimators) + 1) // ncols)
    figure = Figure(
        figsize=(max(4.6, 3.4 * across), 2.7 * down + 0.5 + 0.22 * legend_rows), layout="constrained"
    )
    FigureCanvasAgg(figure)
    grid = figure.subplots(down, across, squeeze=False, sharey=not several)
    for axes in grid.flat[len(panels) :]:
        axes.remove()
    colours = {name: f"C{number % 10}" for number, name in enumerate(estimators)}
    held_out = False
    for axes, (dataset, protocol) in zip(grid.flat, panels, strict=False):
        for estimator in estimators:
            fits = curves.get((dataset, protocol, estimator), [])
            alpha = max(0.25, min(1.0, 4 / max(len(fits), 1)))
            style: dict[str, Any] = {"color": colours[estimator], "lw": 0.9, "alpha": alpha}
            for own in fits:
                # A fit of one epoch is a point, which a line does not show.
                marker = "." if len(own["loss"]) == 1 else None
                axes.plot(own["loss"], marker=marker, **style)
                if "val_loss" in own:
                    held_out = True
                    axes.plot(own["val_loss"], marker=marker, ls="--", **style)
        colour = "firebrick" if (dataset, protocol) in leaking else "black"
        axes.set_title(f"{dataset}, {protocol}" if several else protocol, fontsize=9, color=colour)
        axes.set_xlabel("epoch, from 0", fontsize=8)
        axes.set_ylabel("loss", fontsize=8)
        axes.tick_params(labelsize=8)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    handles = [Line2D([], [], color=colours[name], label=name) for name in estimators]
    if held_out:
        handles.append(Line2D([], [], color="gray", ls="--", label="on windows held out of training"))
    figure.legend(handles=handles, loc="outside upper left", ncols=ncols, frameon=False, fontsize=8)
    simulated = board.about["simulated"]
    what = f"{title(board)}: training loss, a line a fit"
    if leaking:
        what += "; leaking protocols in red"
    figure.supxlabel(what, fontsize=7, color="firebrick" if simulated else "dimgray")
    figure.savefig(path, dpi=120)
