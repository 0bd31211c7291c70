"""Trials that a protocol has to keep on one side: the same stimulus, or the same recording, met twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def kept_together(windows: pd.DataFrame) -> np.ndarray:
    """Return a number for each window, the same for trials of a subject that belong on one side.

    These are trials in which the subject met the same ``stimulus``, or that are of the same ``recording`` from
    the same ``onset``, as far as the data set knows; all others are alone.

    Parameters
    ----------
    windows : DataFrame of n_windows rows
        ``subject``, ``trial`` and, if they are known, ``stimulus``, ``recording`` and ``onset``.

    Returns
    -------
    ndarray of shape (n_windows,), int64
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    trial = windows.groupby(["subject", "trial"], sort=False).ngroup().to_numpy()
    n = trial.max() + 1
    first = np.unique(trial, return_index=True)[1]
    ids = windows.iloc[first]
    ties = []
    for columns in (["subject", "stimulus"], ["subject", "recording", "onset"]):
        if set(columns) <= set(ids):
            number = ids.groupby(columns, sort=False).ngroup().to_numpy()
            chief = np.unique(number, return_index=True)[
                1
            ]  # of each group a trial that the others are tied to
            ties.append((np.arange(n), chief[number]))
    if not ties:
        return np.asarray(trial)
    one, other = (np.concatenate(side) for side in zip(*ties, strict=True))
    _, together = connected_components(coo_array((np.ones(len(one)), (one, other)), shape=(n, n)))
    return np.asarray(together[trial], dtype=np.int64)
