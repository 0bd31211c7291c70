"""``results.csv``: one tidy row a person, estimator, protocol and seed, for statistics of the reader's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.cells.store import Store
from bench.report.intervals import balanced_accuracy
from bench.report.leaderboard import Leaderboard
from bench.report.rows import read_rows, verdict_of
from bench.report.scores import counts_by_seed

FILE = "results.csv"
# What each column is; docs/comparing.md has the same.
DICTIONARY = {
    "dataset": "the data set, or the problem of one",
    "protocol": "how windows were divided, as in the leaderboard",
    "audit": "what the division leaks or shares, of all its folds",
    "estimator": "the spec",
    "family": "of the estimator; signal-free ones see ids only",
    "seed": "of the division and the estimator",
    "subject": "the person",
    "n_windows": "tested windows of the person, of all folds of the seed",
    "n_classes": "true classes among them",
    "accuracy": "share of them that were predicted right",
    "balanced_accuracy": "mean recall of their true classes; empty where there is one class only",
    "simulated": "whether a program made the recordings up",
}


def write_people(board: Leaderboard, store: Store) -> list[Path]:
    """Write ``results.csv``."""
    lines: list[dict[str, Any]] = []
    for (dataset, protocol, estimator), cells in read_rows(store)[0].items():
        good = [cell for cell in cells if cell.ok]
        about = {"dataset": dataset, "protocol": protocol, "audit": verdict_of(cells), "estimator": estimator}
        about["family"] = cells[0].result.get("family", "")
        for seed, people in counts_by_seed(good).items():
            lines += [
                about | {"seed": seed, "subject": who} | _scores(own) for who, own in sorted(people.items())
            ]
    table = pd.DataFrame(lines).assign(simulated=board.about["simulated"]).reindex(columns=list(DICTIONARY))
    path = store.folder / FILE
    table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
    return [path]


def _scores(counts: np.ndarray) -> dict[str, Any]:
    n_windows, n_classes = int(counts.sum()), int((counts.sum(axis=1) > 0).sum())
    return {
        "n_windows": n_windows,
        "n_classes": n_classes,
        "accuracy": float(np.trace(counts) / n_windows),
        "balanced_accuracy": float(balanced_accuracy(counts)) if n_classes > 1 else np.nan,
    }
