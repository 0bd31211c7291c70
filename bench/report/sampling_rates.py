"""Sampling rates: what every estimator scores at each, and the seconds that it takes."""

from __future__ import annotations

import pandas as pd

from bench.cells.store import Store
from bench.report.ablations import lines_of
from bench.report.leaderboard import COSTS

COLUMNS = (
    "dataset", "estimator", "protocol", "audit", "sampling_rate", "n_cells", "n_seeds", "n_people",
    "balanced_accuracy", "low", "high", "compared_with", "n_paired", "difference", "difference_low", "difference_high",
    "floor", "floor_estimator", "above_floor", "above_floor_low", "above_floor_high", "against_floor",
    "n_train", *COSTS, "seconds", "times_as_fast", "status", "reason",
)  # fmt: skip


def make_sampling_rates(store: Store) -> pd.DataFrame:
    """Compute the rows of the table from the stored predictions.

    Returns
    -------
    DataFrame with `COLUMNS`
        A row an estimator and sampling rate (Hz), the highest rate first, the estimators by their score at it.
        ``difference`` is in points of balanced accuracy to the rate in ``compared_with`` (Hz), the highest one that
        the recordings have, paired by person over the seeds that both have; NaN at that rate itself. ``seconds`` are
        those of fit and prediction, each the median over cells, and ``times_as_fast`` is how often they go into those
        at ``compared_with``. Empty if no sampling rates were run.
    """
    planned = [row for row in store.read_ablations() if "sampling_rate" in row]
    table = pd.DataFrame(lines_of(planned, store), columns=[*dict.fromkeys(["ablation", *COLUMNS])])
    if table.empty:
        return table[list(COLUMNS)]
    rows = {(row.get("variant", ""), row["name"]): row for row in planned}
    rate = {key: float(row["sampling_rate"]) for key, row in rows.items()}
    table["seconds"] = table[list(COSTS)].sum(axis=1, skipna=False)
    keys = list(zip(table.dataset, table.ablation, strict=True))
    compared = [(key[0], rows[key]["compared_with"]) for key in keys]
    seconds = dict(zip(keys, table.seconds, strict=True))
    table["sampling_rate"] = [rate[key] for key in keys]
    table["compared_with"] = [rate.get(key) for key in compared]
    table["times_as_fast"] = [
        seconds.get(other, float("nan")) / seconds[key] for key, other in zip(keys, compared, strict=True)
    ]
    table = table.sort_values("sampling_rate", ascending=False)
    highest = table.groupby(["dataset", "estimator"]).balanced_accuracy.transform("first")
    table = table.assign(best=-highest, down=-table.sampling_rate)
    table = table.sort_values(["dataset", "best", "estimator", "down"], ignore_index=True)
    return table[list(COLUMNS)]
