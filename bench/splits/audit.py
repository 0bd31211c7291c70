"""What a split leaks: judged from the ids and contents of its windows, and again after resampling."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bench.data.windows import content_keys

# What leaks, as verdicts name it, in their order.
_KINDS = ("trials", "samples", "copies", "synthetic", "scaler", "resampler")


@dataclass(frozen=True)
class Audit:
    """Shares of the test windows (0 to 1), and what saw any of them before they were to be predicted.

    Attributes
    ----------
    shared_samples : float
        That share samples with a training window of the same trial.
    shared_trials, shared_subjects, shared_stimuli : float
        Whose trial, whose subject, whose stimulus has a training window.
    copies : float
        Of which an identical copy, by content, is in training.
    parents : float
        That parented a synthetic training window.
    scaler_saw_test, resampler_saw_test, selection_saw_test : bool
        Whether a test window was among those that the scaler, a resampler, or the estimator's own
        choices (weights, parameters: all made on what `fit` is given) were fitted on.
    verdict : str
        ``clean``, ``clean (subjects shared)``, ``clean (subjects not known)`` or ``LEAKS ...``.
    """

    shared_samples: float
    shared_trials: float
    shared_subjects: float
    shared_stimuli: float
    copies: float
    parents: float
    scaler_saw_test: bool
    resampler_saw_test: bool
    selection_saw_test: bool
    verdict: str

    @property
    def clean(self) -> bool:
        """Whether nothing of the test windows but their subjects and stimuli reaches training."""
        return self.verdict.startswith("clean")


def audit_split(
    windows: pd.DataFrame,
    train: np.ndarray,
    test: np.ndarray,
    n_timepoints: int,
    *,
    content: np.ndarray | None = None,
    scaler_rows: np.ndarray | None = None,
    resampler_rows: np.ndarray | None = None,
) -> Audit:
    """Audit one split.

    Parameters
    ----------
    windows : DataFrame of n_windows rows
        ``subject`` (0: not known), ``trial``, ``start`` and, if there is one, ``stimulus`` of each window.
    train, test : ndarray of int
        Rows of `windows` on each side; a row given twice is a window and its copy.
    n_timepoints : int
        Length of a window in samples.
    content : ndarray of shape (n_windows,), optional
        A number for each window, the same for identical samples (`bench.data.windows.content_keys`); by default no two
        windows are identical.
    scaler_rows, resampler_rows : ndarray of int, optional
        Rows that the scaler and resamplers are fitted on; by default the training side.
    """
    subject = windows["subject"].to_numpy()
    trial = windows.groupby(["subject", "trial"], sort=False).ngroup().to_numpy()
    stimulus = windows["stimulus"].to_numpy() if "stimulus" in windows else trial
    content = np.arange(len(windows)) if content is None else content

    # One number line with the trials laid end to end, too far apart for their windows to meet: a test
    # window shares samples with training if a neighbour on the line is nearer than a window's length.
    start = windows["start"].to_numpy()
    place = trial * (start.max() + 2 * n_timepoints) + start
    trained = np.sort(place[train])
    after = np.searchsorted(trained, place[test])
    ahead = trained[np.minimum(after, len(trained) - 1)]
    behind = trained[np.maximum(after - 1, 0)]
    gap = np.minimum(np.abs(ahead - place[test]), np.abs(behind - place[test]))

    def share(values: np.ndarray) -> float:
        return float(np.isin(values[test], values[train]).mean())

    def saw(rows: np.ndarray | None) -> bool:
        return bool(np.isin(test, train if rows is None else rows).any())

    copies = share(content)
    return _judged(
        Audit(
            shared_samples=float((gap < n_timepoints).mean()),
            shared_trials=share(trial),
            shared_subjects=share(subject),
            shared_stimuli=share(stimulus),
            copies=copies,
            parents=0.0,  # what a resampler makes is not there yet: `audit_made`
            scaler_saw_test=saw(scaler_rows),
            resampler_saw_test=saw(resampler_rows),
            selection_saw_test=copies > 0,
            verdict="",
        ),
        subjects_known=bool((subject != 0).any()),
    )


def audit_made(
    audit: Audit, test: np.ndarray, X_test: np.ndarray, parents: np.ndarray, X_made: np.ndarray
) -> Audit:
    """Add to a split's audit what the windows that a resampler made give away.

    Parameters
    ----------
    audit : Audit
        Of the split.
    test : ndarray of shape (n_test,), int
        The test rows.
    X_test : ndarray of shape (n_test, n_channels, n_timepoints)
    parents : ndarray of int
        The rows that the made windows were made from.
    X_made : ndarray of shape (n_made, n_channels, n_timepoints)
        The made windows, scaled as `X_test` is.
    """
    if not len(X_made):
        return audit
    copies = max(audit.copies, float(np.isin(content_keys(X_test), content_keys(X_made)).mean()))
    audit = replace(
        audit,
        copies=copies,
        parents=float(np.isin(test, parents).mean()),
        selection_saw_test=copies > 0,
    )
    return _judged(audit, subjects_known="not known" not in audit.verdict)


def _judged(audit: Audit, *, subjects_known: bool) -> Audit:
    shares = (
        audit.shared_trials,
        audit.shared_samples,
        audit.copies,
        audit.parents,
        audit.scaler_saw_test,
        audit.resampler_saw_test,
    )
    found = [name for name, share in zip(_KINDS, shares, strict=True) if share]
    if found:
        verdict = "LEAKS " + ", ".join(found)
    elif not subjects_known:
        verdict = "clean (subjects not known)"
    elif audit.shared_subjects:
        verdict = "clean (subjects shared)"
    else:
        verdict = "clean"
    return replace(audit, verdict=verdict)


def united(verdicts: Collection[str]) -> str:
    """Return the verdict of several splits together: what any of them leaks, else what any of them shares."""
    leaks = [part for one in verdicts if one.startswith("LEAKS") for part in one[6:].split(", ")]
    if leaks:
        return "LEAKS " + ", ".join(sorted(set(leaks), key=[*_KINDS, *leaks].index))
    notes = [part for one in verdicts if "(" in one for part in one[one.index("(") + 1 : -1].split(", ")]
    return f"clean ({', '.join(dict.fromkeys(sorted(notes)))})" if notes else "clean"
