"""What an estimator without signals is given of a split: the ids of its windows, and their classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.data.windows import Panel
from bench.splits.split import Split

if TYPE_CHECKING:
    import pandas as pd


def known_ids(panel: Panel) -> set[str]:
    """Return which of `bench.registry.IDS` tell something about the windows of a panel.

    The subject does unless the data set does not know it (0), the stimulus if one was met in more than one
    trial, the order if the data set has it.
    """
    windows = panel.windows
    known = {"trial"} | ({"order"} & set(windows))
    if (windows["subject"] != 0).any():
        known.add("subject")
    trials = windows[["subject", "trial", "stimulus"]].drop_duplicates()
    if trials["stimulus"].duplicated().any():
        known.add("stimulus")
    return known


def ids_of(panel: Panel, split: Split, columns: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the ids of the training and of the test windows, a row each.

    Raises
    ------
    ValueError
        If the data set does not know one of the columns.
    """
    known = known_ids(panel)
    unknown = [column for column in columns if column not in known]
    if unknown:
        raise ValueError(f"{panel.recordings.name} does not tell the {', '.join(unknown)} of its trials")
    ids = panel.windows[list(columns)]
    return ids.iloc[split.train].reset_index(drop=True), ids.iloc[split.test].reset_index(drop=True)
