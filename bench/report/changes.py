"""What two sets of results of one study differ in: scores, by people, seconds, and which rows there are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bench.cells.store import Store
from bench.cells.stored_cell import StoredCell
from bench.report.rows import read_rows, verdict_of
from bench.report.scores import counts_by_seed
from bench.report.statistics import SIGNIFICANT, compare_people, holm, person_scores

COLUMNS = (
    "dataset", "protocol", "estimator", "before", "after", "change", "low", "high", "p_holm", "n_people",
    "times_as_long", "told",
)  # fmt: skip
SAME, BETTER, WORSE, UNTOLD = "the same predictions", "better", "worse", "no difference told"
ONLY_BEFORE, ONLY_AFTER = "only before", "only after"
FAILED_AFTER = "failed after"


def make_changes(before: Store, after: Store) -> pd.DataFrame:
    """Compare each estimator under each protocol with itself, in two sets of results.

    Returns
    -------
    DataFrame with `COLUMNS`
        A row a data set, protocol and estimator that either has. `before` and `after` are means over people of balanced
        accuracy within the person, of those splits' people whom both tested; `change`, `low`, `high` their difference with
        a 95 % interval over people, `p_holm` of sign flips, adjusted for all rows that are in both. `times_as_long`: median
        seconds of fit and prediction, after by before. `told`: what that says in words, with what the audit says otherwise.

    Raises
    ------
    DataError
        If nothing is stored in one of them.
    """
    old, new = read_rows(before)[0], read_rows(after)[0]
    lines: list[dict[str, Any]] = []
    for key in dict.fromkeys([*old, *new]):
        line: dict[str, Any] = dict(zip(("dataset", "protocol", "estimator"), key, strict=True))
        if key in old and key in new:
            lines.append(line | _change(old[key], new[key]))
        else:
            lines.append(line | {"remarks": ONLY_BEFORE if key in old else ONLY_AFTER})
    table = pd.DataFrame(lines).reindex(columns=[*COLUMNS, "remarks", "same"])
    table["p_holm"] = holm(table.p_holm.astype(float).tolist())
    table["told"] = [_told(row) for _, row in table.iterrows()]
    return table[list(COLUMNS)]


def _change(old: list[StoredCell], new: list[StoredCell]) -> dict[str, Any]:
    sides = [[cell for cell in own if cell.ok] for own in (old, new)]
    failed = [len(own) - len(good) for own, good in zip((old, new), sides, strict=True)]
    remarks = []
    if failed[1] > failed[0]:
        remarks.append(f"{failed[1]} of {len(new)} cells {FAILED_AFTER}")
    elif not sides[0]:
        remarks.append("failed before")
    audits = [verdict_of(own) for own in (old, new)]
    if audits[0] != audits[1]:
        remarks.append(f"audit: {audits[0]} -> {audits[1]}")
    line: dict[str, Any] = {"remarks": "; ".join(remarks), "same": all(sides) and _same(*sides)}
    if not all(sides):
        return line
    counts = [counts_by_seed(own) for own in sides]
    first, second = map(person_scores, counts)
    people = first.keys() & second.keys()
    found = compare_people(second, first)
    seconds = [
        float(np.median([cell.result["fit_seconds"] + cell.result["predict_seconds"] for cell in own]))
        for own in sides
    ]
    return line | {
        "before": float(np.mean([first[who] for who in people])) if people else np.nan,
        "after": float(np.mean([second[who] for who in people])) if people else np.nan,
        "change": found.difference,
        "low": found.low,
        "high": found.high,
        "p_holm": found.sign_flip,
        "n_people": found.n_people,
        "times_as_long": seconds[1] / seconds[0] if seconds[0] > 0 else np.nan,
    }


def _same(old: list[StoredCell], new: list[StoredCell]) -> bool:
    cells = [{cell.place: cell for cell in own} for own in (old, new)]
    if cells[0].keys() != cells[1].keys():
        return False
    return all(
        cells[0][place].result["identity"]["split"] == cells[1][place].result["identity"]["split"]
        and _labels(cells[0][place]).equals(_labels(cells[1][place]))
        for place in cells[0]
    )


def _labels(cell: StoredCell) -> pd.DataFrame:
    return cell.predictions()[["subject", "trial", "start", "y_true", "y_pred"]]


def _told(row: pd.Series) -> str:
    words = ""
    if row.same is True:
        words = SAME
    elif row.p_holm < SIGNIFICANT:
        words = BETTER if row.change > 0 else WORSE
    elif not np.isnan(row.n_people):
        words = UNTOLD
    return "; ".join(filter(None, (words, row.remarks)))
