"""What a split leaks, judged from the ids of its windows before anything is fitted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Audit:
    """Shares of the test windows (0 to 1).

    Attributes
    ----------
    shared_samples : float
        That share samples with a training window of the same trial.
    shared_trials, shared_subjects : float
        Whose trial, whose subject has a training window.
    verdict : str
        ``clean``, ``clean (subjects shared)``, ``clean (subjects not known)`` or ``LEAKS ...``.
    """

    shared_samples: float
    shared_trials: float
    shared_subjects: float
    verdict: str

    @property
    def clean(self) -> bool:
        """Whether no test window shares its trial, or a sample, with training."""
        return self.verdict.startswith("clean")


def audit_split(windows: pd.DataFrame, train: np.ndarray, test: np.ndarray, n_timepoints: int) -> Audit:
    """Audit one split.

    Parameters
    ----------
    windows : DataFrame of n_windows rows
        ``subject`` (0: not known), ``trial`` and ``start`` of each window.
    train, test : ndarray of int
        Rows of `windows` on each side.
    n_timepoints : int
        Length of a window in samples.
    """
    subject = windows["subject"].to_numpy()
    shared_subject = np.isin(subject[test], subject[train])
    trial = windows.groupby(["subject", "trial"], sort=False).ngroup().to_numpy()
    shared_trial = np.isin(trial[test], trial[train])

    # One number line with the trials laid end to end, too far apart for their windows to meet: a test
    # window shares samples with training if a neighbour on the line is nearer than a window's length.
    start = windows["start"].to_numpy()
    place = trial * (start.max() + 2 * n_timepoints) + start
    trained = np.sort(place[train])
    after = np.searchsorted(trained, place[test])
    ahead = trained[np.minimum(after, len(trained) - 1)]
    behind = trained[np.maximum(after - 1, 0)]
    gap = np.minimum(np.abs(ahead - place[test]), np.abs(behind - place[test]))
    shared_samples = gap < n_timepoints

    leaks = [name for name, found in (("trials", shared_trial), ("samples", shared_samples)) if found.any()]
    if leaks:
        verdict = "LEAKS " + ", ".join(leaks)
    elif (subject == 0).all():
        verdict = "clean (subjects not known)"
    elif shared_subject.any():
        verdict = "clean (subjects shared)"
    else:
        verdict = "clean"
    return Audit(
        float(shared_samples.mean()), float(shared_trial.mean()), float(shared_subject.mean()), verdict
    )
