"""The leaderboard: a row for each estimator under each protocol, from the stored predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bench.cells.store import Store
from bench.cells.stored_cell import StoredCell
from bench.data.scaling import what_it_saw
from bench.report.floor import above, floor_of
from bench.report.intervals import FEWEST_PEOPLE, FEWEST_SEEDS, Counts, estimate
from bench.report.rows import Key, lacking, newest_of, read_rows, verdict_of
from bench.report.scores import SCORES, score_row, total

COSTS = ("fit_seconds", "predict_seconds")
COLUMNS = (
    "dataset", "estimator", "family", "protocol", "audit", "n_cells", "n_seeds", "n_people", "n_trials",
    "accuracy", "accuracy_std", "balanced_accuracy", "balanced_accuracy_std",
    "balanced_accuracy_low", "balanced_accuracy_high", "f1_macro", "f1_macro_std",
    "within_people", "within_people_std", "trial_balanced_accuracy", "trial_balanced_accuracy_std",
    "auroc", "auroc_std", "mcc", "mcc_std", "log_loss", "log_loss_std", "calibration_error", "calibration_error_std",
    "floor", "floor_estimator", "above_floor", "above_floor_low", "above_floor_high", "against_floor",
    *COSTS, "simulated", "status", "reason",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """The table, and what must be said with it.

    Attributes
    ----------
    table : DataFrame with `COLUMNS`
        Clean rows first, then leaking ones; within a data set and protocol those first that have a result for
        every split of the protocol, the best balanced accuracy first. A score is computed once a seed, over
        the windows of all its folds together; shown are the mean over seeds and their standard deviation
        (ddof 1; NaN for one seed), of seconds the median over cells. ``n_trials`` are tested a seed.
        ``floor`` is the best balanced accuracy without any signal on the row's splits, ``above_floor`` the
        row's distance from it, paired by person; no distance is measured under a leaking protocol, where ids
        alone tell the class, nor of what has no signal itself.
    confusions : dict
        ``(dataset, protocol, estimator) -> (classes, counts)``, summed over the cells.
    about : dict
        The ``suite`` entry of the newest result.
    setting : dict
        Of the newest result.
    machines : list of str
        What the cells ran on, in words.
    left_out : int
        Stored cells that were made on other data, windows, parameters or code than the newest ones.
    """

    table: pd.DataFrame
    confusions: dict[tuple[str, str, str], tuple[tuple[str, ...], np.ndarray]]
    about: dict[str, Any]
    setting: dict[str, Any]
    machines: list[str]
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
        beside = {e: own for (d, p, e), own in groups.items() if (d, p) == key[:2]}
        row, counts = _row(key, cells, beside)
        rows.append(row)
        if counts is not None:
            confusions[key] = (tuple(cells[0].result["suite"]["classes"]), counts)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    order = table.assign(
        leaks=table.audit.str.startswith("LEAKS"), lacks=table.status != "ok", best=-table.balanced_accuracy
    )
    order = order.sort_values(["dataset", "leaks", "protocol", "lacks", "best", "estimator"], kind="stable")
    newest = newest_of([cell for cells in groups.values() for cell in cells]).result
    return Leaderboard(
        table.loc[order.index].reset_index(drop=True),
        confusions,
        newest["suite"],
        newest["identity"]["setting"],
        sorted({_machine(cell.result["hardware"]) for cells in groups.values() for cell in cells}),
        left_out,
    )


def _row(
    key: Key, cells: list[StoredCell], beside: Mapping[str, list[StoredCell]]
) -> tuple[dict[str, Any], np.ndarray | None]:
    """Return a row, and its confusion matrix; `beside` are the cells of all rows of the protocol."""
    good = [cell for cell in cells if cell.ok]
    bad = [cell for cell in cells if not cell.ok]
    row: dict[str, Any] = {
        **dict(zip(("dataset", "protocol", "estimator"), key, strict=True)),
        "family": cells[0].result.get("family", ""),
        "audit": verdict_of(cells),
        "n_cells": len(good),
        "n_seeds": len({cell.place[0] for cell in good}),
        "simulated": bool(cells[0].result["suite"]["simulated"]),
        "status": lacking(cells, {cell.place for own in beside.values() for cell in own}) or "ok",
        "reason": bad[0].result["reason"] if bad else "",
    }
    for name in COSTS:
        row[name] = float(np.median([cell.result[name] for cell in good])) if good else np.nan
    if not good:
        return row, None
    scored = score_row(good)
    for name in SCORES:
        row[name] = scored.by_seed[name].mean()
        row[f"{name}_std"] = scored.by_seed[name].std(ddof=1)
    own = estimate(scored.counts)
    row |= {"balanced_accuracy_low": own.low, "balanced_accuracy_high": own.high}
    row |= {"n_people": own.n_people, "n_trials": scored.n_trials}
    row |= _against_floor(
        row, scored.counts, good, {e: own for e, own in beside.items() if own[0].signal_free}
    )
    return row, np.asarray(np.sum([total(people) for people in scored.counts.values()], axis=0))


def _against_floor(
    row: Mapping[str, Any],
    counts: Counts,
    cells: list[StoredCell],
    signal_free: Mapping[str, Sequence[StoredCell]],
) -> dict[str, Any]:
    floor = floor_of(cells, signal_free)
    if floor is None:
        return {}
    line = {"floor": floor.score, "floor_estimator": floor.estimator}
    if cells[0].signal_free or row["audit"].startswith("LEAKS"):
        return line
    distance, words = above(counts, floor)
    line |= {"above_floor": distance.value, "against_floor": words}
    return line | {"above_floor_low": distance.low, "above_floor_high": distance.high}


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
        f"{about['n_windows']:,} windows of {about['n_subjects']} people, "
        if board.table.dataset.nunique() == 1
        else ""
    )
    changes = "; ".join(about["changes"]) or "nothing of the suite is changed"
    lines.append(
        f"Data: {size}channels {', '.join(about['channels'])}." if size else "Data: one table a data set."
    )
    lines.append(how(board.setting, about.get("recorded_rate")))
    lines.append(f"Profile {about['profile']}: {changes}.")
    lines.append(
        "Scores: once a seed, on the windows of all its folds together; shown is the mean over seeds, ± their "
        "standard deviation. Brackets: 95 % intervals, t over people, with what the seeds add; none below "
        f"{FEWEST_PEOPLE} people, and with fewer than {FEWEST_SEEDS} seeds over people only: how far other splits "
        "and fits would move the score is then not in them."
    )
    lines.append(
        f"Seconds are medians over cells, on {' and on '.join(board.machines)}; other work on the machine can double them."
    )
    if board.left_out:
        lines.append(
            f"{board.left_out} stored cells are left out: made on other data, windows, parameters or code."
        )
    if about["credit"]:
        lines.append(about["credit"])
    return lines


def _machine(hardware: dict[str, Any]) -> str:
    return f"{hardware['processor']}, {hardware['cores']} core{'s' if hardware['cores'] != 1 else ''}"


def how(setting: dict[str, Any], recorded_rate: float | None) -> str:
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
    saw = what_it_saw(scaling)
    by = (
        f"by {saw}"
        if saw
        else "fitted on training windows unless the audit says that the scaler saw the test side"
    )
    return f"Windows: {cut}. Classes: {classes}. Scaling: {scaling}, {by}."


def title(board: Leaderboard) -> str:
    """Return the suite's title, and that the recordings are simulated where they are."""
    return f"{board.about['title']}{' (SIMULATED recordings)' if board.about['simulated'] else ''}"
