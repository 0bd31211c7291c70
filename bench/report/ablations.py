"""The table of ablations: each row's difference to the reference, paired by split and subject."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tabulate import tabulate

from bench.cells.store import Store
from bench.cells.stored_cell import StoredCell
from bench.report.bootstrap import DRAWS, Counts, SubjectBootstrap, interval
from bench.report.leaderboard import Leaderboard, notes, title
from bench.report.rows import newest_of
from bench.study.ablations import REFERENCE

FILES = ("ablations.md", "ablations.csv", "ablations.png")
COLUMNS = (
    "dataset", "ablation", "estimator", "protocol", "n_cells", "n_paired", "classes", "balanced_accuracy",
    "low", "high", "difference", "difference_low", "difference_high", "n_train", "fit_seconds", "status", "reason",
)  # fmt: skip


def make_ablations(store: Store) -> pd.DataFrame:
    """Compute the rows of the table from the stored predictions.

    ``difference`` is in points of chance-corrected balanced accuracy, (score - 1/k) / (1 - 1/k) for k
    classes times 100 (scikit-learn's ``adjusted``), so that rows of two and of nine classes stand by one
    rule; it is taken over the splits that row and reference both have, which hold the same trials out.
    Intervals are 95 % percentile bootstraps over subjects with the same draws everywhere.

    Returns
    -------
    DataFrame with `COLUMNS`
        The reference first. Empty if no ablations were run.
    """
    planned = store.read_ablations()
    stored = list(store.cells()) if planned else []
    lines = []
    for variant in dict.fromkeys(row.get("variant", "") for row in planned):
        rows = [row for row in planned if row.get("variant", "") == variant]
        cells = {row["name"]: _cells_of(row, stored) for row in rows}
        counts = {name: _counts(own) for name, own in cells.items()}
        subjects = [s for own in counts.values() for part in own.values() for s in part]
        if not counts.get(REFERENCE) or not subjects:
            continue
        bootstrap = SubjectBootstrap(subjects)
        for row in rows:
            own = cells[row["name"]]
            line = {"dataset": variant, "ablation": row["name"], "estimator": row.get("estimator", "")}
            line |= {"protocol": row["protocol"], "status": "ok", "reason": row.get("left_out", "")}
            good = [cell for cell in own if cell.ok]
            if good:
                line |= _scored(good, counts[row["name"]], cells[REFERENCE], counts[REFERENCE], bootstrap)
            else:
                failed = next((cell.result for cell in own), {"status": "left out", "reason": line["reason"]})
                line |= {"status": failed["status"] if line["reason"] or own else "not run yet"}
                line |= {"reason": failed["reason"], "n_cells": 0}
            lines.append(line)
    return pd.DataFrame(lines, columns=list(COLUMNS))


def _cells_of(row: dict[str, Any], stored: list[StoredCell]) -> list[StoredCell]:
    """Return the newest like cells that make up a row; none of other data, windows, parameters or code."""
    if "setting" not in row:
        return []
    place = ("ablation", "variant", "protocol", "estimator")
    own = [
        cell
        for cell in stored
        if all(cell.result["cell"].get(key, "") == row[key] for key in place)
        and cell.result["identity"]["setting"] == row["setting"]
    ]
    if not own:
        return []
    same = newest_of(own).result["identity"]["row"]
    return [cell for cell in own if cell.result["identity"]["row"] == same]


def _split(cell: StoredCell) -> tuple[int, int | None]:
    return cell.result["cell"]["seed"], cell.result["cell"]["fold"]


def _counts(cells: list[StoredCell]) -> dict[tuple[int, int | None], Counts]:
    good = [cell for cell in cells if cell.ok]
    return {_split(cell): cell.counts for cell in good}


def _scored(
    cells: list[StoredCell],
    own: dict[tuple[int, int | None], Counts],
    reference_cells: list[StoredCell],
    reference: dict[tuple[int, int | None], Counts],
    bootstrap: SubjectBootstrap,
) -> dict[str, Any]:
    classes = len(cells[0].result["suite"]["classes"])
    others = len(next(cell for cell in reference_cells if cell.ok).result["suite"]["classes"])
    value, draws = bootstrap.scores(_sum(own.values()))
    low, high = interval(draws)
    paired = [split for split in own if split in reference]
    line: dict[str, Any] = {
        "n_cells": len(cells), "n_paired": len(paired), "classes": classes,
        "balanced_accuracy": value, "low": low, "high": high,
        "n_train": float(np.mean([cell.result["n_train"] for cell in cells])),
        "fit_seconds": float(np.median([cell.result["fit_seconds"] for cell in cells])),
    }  # fmt: skip
    if paired:
        here, draws = bootstrap.scores(_sum(own[split] for split in paired))
        there, reference_draws = bootstrap.scores(_sum(reference[split] for split in paired))
        low, high = interval(_points(draws, classes) - _points(reference_draws, others))
        difference = _points(here, classes) - _points(there, others)
        line |= {"difference": difference, "difference_low": low, "difference_high": high}
    return line


def _points(score: Any, classes: int) -> Any:
    return 100 * (score - 1 / classes) / (1 - 1 / classes)


def _sum(parts: Any) -> Counts:
    total: Counts = {}
    for part in parts:
        for subject, counts in part.items():
            total[subject] = total.get(subject, 0) + counts
    return total


def write_ablations(board: Leaderboard, store: Store) -> list[Path]:
    """Write ``ablations.{md,csv,png}`` if ablations were run."""
    table = make_ablations(store)
    if table.empty:
        return []
    files = [store.folder / name for name in FILES]
    simulated = table.assign(simulated=board.about["simulated"])
    simulated.to_csv(files[1], index=False, float_format="%.6g", lineterminator="\n")
    files[0].write_text(_markdown(table, board), encoding="utf-8")
    _draw(files[2], table, board)
    return files


def _markdown(table: pd.DataFrame, board: Leaderboard) -> str:
    first = table.iloc[0]
    lines = [f"# {title(board)}: ablations", ""]
    lines += [f"- {note}" for note in notes(board)]
    lines += [
        f"- Each row changes one thing of the reference, {first.estimator} under {first.protocol}, and tests the "
        "same trials. Balanced accuracy is over all test windows of a row; the difference is in points of "
        "chance-corrected balanced accuracy (0 chance, 100 perfect), over the n splits that both have. In brackets: "
        f"95 % bootstrap over subjects ({DRAWS:,} draws), paired by split and subject. No correction for the number "
        "of rows: of twenty rows that change nothing, one is expected outside its interval.",
    ]
    for dataset, part in table.groupby("dataset", sort=False):
        lines += ["", f"## {dataset!s}" if dataset else "## Differences to the reference", "", _table(part)]
    return "\n".join(lines) + "\n"


def _table(part: pd.DataFrame) -> str:
    rows = []
    for _, line in part.iterrows():
        row = {"ablation": line.ablation, "estimator": line.estimator or "–"}
        if line.status != "ok":
            reason = " ".join(str(line.reason).split())[:160].replace("|", "\\|")
            row |= dict.fromkeys(("n", "classes", "balanced accuracy"), "–")
            row |= {"difference": f"{line.status}: {reason}".rstrip(": "), "train windows": "–", "fit s": "–"}
        else:
            row |= {"n": int(line.n_paired), "classes": int(line.classes)}
            row |= {"balanced accuracy": f"{line.balanced_accuracy:.3f} [{line.low:.3f}, {line.high:.3f}]"}
            limits = f"[{line.difference_low:+.1f}, {line.difference_high:+.1f}]"
            none = line.ablation == REFERENCE or np.isnan(line.difference)
            row |= {"difference": "–" if none else f"{line.difference:+.1f} {limits}"}
            row |= {"train windows": f"{line.n_train:,.0f}", "fit s": f"{line.fit_seconds:.1f}"}
        rows.append(row)
    return tabulate(rows, headers="keys", tablefmt="pipe", disable_numparse=True)


def _draw(path: Path, table: pd.DataFrame, board: Leaderboard) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = table[table.difference.notna() & (table.ablation != REFERENCE)]
    figure = Figure(figsize=(7.5, 1.4 + 0.26 * max(len(shown), 1)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    y = np.arange(len(shown))
    away = [shown.difference - shown.difference_low, shown.difference_high - shown.difference]
    axes.errorbar(shown.difference, y, xerr=np.clip(away, 0, None), fmt="o", ms=4, capsize=2, lw=1)
    axes.set_yticks(y, shown.ablation, fontsize=8)
    axes.invert_yaxis()
    axes.axvline(0, color="gray", ls=":", lw=1)
    axes.set_xlabel("points of chance-corrected balanced accuracy, row minus reference", fontsize=8)
    axes.set_title(f"reference: {table.iloc[0].estimator}, {table.iloc[0].protocol}", fontsize=9)
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    simulated = board.about["simulated"]
    figure.supxlabel(title(board), fontsize=7, color="firebrick" if simulated else "dimgray")
    figure.savefig(path, dpi=120)
