"""What a split leaks: judged from the ids and contents of its windows, and again after resampling and predicting."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from bench.data.windows import content_keys

# What leaks, as verdicts name it, in their order.
_KINDS = (
    "trials",
    "samples",
    "copies",
    "near-copies",
    "synthetic",
    "scaler",
    "resampler",
    "resampled test",
    "test block",
)
# What both sides of a clean split may have in common, as verdicts name it, in their order.
_SHARED = ("subjects", "stimuli", "neighbours", "repeats")


@dataclass(frozen=True)
class Audit:
    """Shares of the test windows (0 to 1), and what saw any of them before they were to be predicted.

    Attributes
    ----------
    shared_samples : float
        That share samples with a training window of the same trial or, where the data set knows recording and
        onset, of the same recording.
    shared_trials, shared_subjects, shared_stimuli : float
        Whose trial, whose subject, whose stimulus has a training window.
    shared_neighbours : float
        Of which the trial before or after in the same subject's session has a training window; 0 where the
        order is not known.
    repeats : float
        Whose subject met the same stimulus in another trial, which has a training window.
    copies : float
        Of which an identical copy, by content, is in training.
    near_copies : float
        Whose trial holds the same signal, but for gain, level, noise or a shift in time, as another trial that has a
        training window.
    parents : float
        That parented a synthetic training window.
    resampled_test : float
        That are copies of other test windows.
    scaler_saw_test, resampler_saw_test : bool
        Whether a test window was among those that the scaler or a resampler was fitted on.
    thresholds_saw_test : bool
        Whether the classes were cut at thresholds that ratings of test trials went into.
    test_block : bool or None
        Whether a test window was predicted differently alone than among the others; None where that was not tried.
    dropped : float
        Of all trials, those that have no class by their rating and are on neither side.
    left_out : float
        Of all windows, those that the protocol puts on neither side.
    subjects_known : bool
        Whether the data set says who is who.
    scaler_saw : str
        What unlabelled signals of the test side's people the scaler saw, in words; ``""``: none.
    chosen : str
        The estimator's parameters that were chosen by windows held out of training, in words; ``""``: none.
    verdict : str
        ``clean``, ``clean (subjects, stimuli shared)``, ``clean (subjects not known)`` or ``LEAKS ...``.
    """

    shared_samples: float
    shared_trials: float
    shared_subjects: float
    shared_stimuli: float
    shared_neighbours: float = 0.0
    repeats: float = 0.0
    copies: float = 0.0
    near_copies: float = 0.0
    parents: float = 0.0
    resampled_test: float = 0.0
    scaler_saw_test: bool = False
    resampler_saw_test: bool = False
    thresholds_saw_test: bool = False
    test_block: bool | None = None
    dropped: float = 0.0
    left_out: float = 0.0
    subjects_known: bool = True
    scaler_saw: str = ""
    chosen: str = ""
    verdict: str = field(init=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "verdict", self._judged())

    @property
    def clean(self) -> bool:
        """Whether nothing of the test windows but what the verdict names as shared reaches training."""
        return self.verdict.startswith("clean")

    def _judged(self) -> str:
        found = (
            self.shared_trials,
            self.shared_samples,
            self.copies,
            self.near_copies,
            self.parents,
            self.scaler_saw_test,
            self.resampler_saw_test,
            self.resampled_test,
            self.test_block,
        )
        leaks = [name for name, share in zip(_KINDS, found, strict=True) if share]
        if leaks:
            return "LEAKS " + ", ".join(leaks)
        shared = (
            self.subjects_known and self.shared_subjects,
            self.shared_stimuli,
            self.shared_neighbours,
            self.repeats,
        )
        notes = [] if self.subjects_known else ["subjects not known"]
        notes.append(_in_common([name for name, share in zip(_SHARED, shared, strict=True) if share]))
        notes += ["thresholds saw test ratings"] if self.thresholds_saw_test else []
        notes += [f"scaled by {self.scaler_saw}"] if self.scaler_saw else []
        notes += [f"{self.chosen} chosen in training"] if self.chosen else []
        notes += [f"{max(1, round(100 * self.dropped))} % out"] if self.dropped else []
        return _clean(notes)


def audit_split(
    windows: pd.DataFrame,
    train: np.ndarray,
    test: np.ndarray,
    n_timepoints: int,
    *,
    sampling_rate: float = 1.0,
    content: np.ndarray | None = None,
    near_copies: np.ndarray | None = None,
    scaler_rows: np.ndarray | None = None,
    resampler_rows: np.ndarray | None = None,
    thresholds_of_ratings: bool = False,
    dropped: float = 0.0,
) -> Audit:
    """Audit one split.

    Parameters
    ----------
    windows : DataFrame of n_windows rows
        ``subject`` (0: not known), ``trial``, ``start`` and, if they are known, ``stimulus``, ``order``,
        ``recording`` and ``onset`` of each window.
    train, test : ndarray of int
        Rows of `windows` on each side; a row given twice is a window and its copy.
    n_timepoints : int
        Length of a window in samples.
    sampling_rate : float, default 1
        Samples a second: what an ``onset`` in seconds is to be multiplied with.
    content : ndarray of shape (n_windows,), optional
        A number for each window, the same for identical samples (`bench.data.windows.content_keys`); by default no two
        windows are identical.
    near_copies : ndarray of shape (n_trials,), int, optional
        A number for each row of the recordings (column ``row`` of `windows`), the same for those that hold nearly the
        same signal (`bench.splits.near_copies.near_copies`).
    scaler_rows, resampler_rows : ndarray of int, optional
        Rows that the scaler and resamplers are fitted on; by default the training side.
    thresholds_of_ratings : bool, default False
        Whether the classes were cut at thresholds that follow from all ratings, as a subject's median does.
    dropped : float, default 0
        Share of the trials without a class by their rating.
    """
    subject = windows["subject"].to_numpy()
    trial = windows.groupby(["subject", "trial"], sort=False).ngroup().to_numpy()
    stimulus = windows["stimulus"].to_numpy() if "stimulus" in windows else trial
    content = np.arange(len(windows)) if content is None else content
    start = windows["start"].to_numpy()
    trained = np.unique(trial[train])

    def share(values: np.ndarray) -> float:
        return float(np.isin(values[test], values[train]).mean())

    def saw(rows: np.ndarray | None) -> bool:
        return bool(np.isin(test, train if rows is None else rows).any())

    def of_trials(which: np.ndarray) -> float:
        return float(which[trial[test]].mean())

    near = _distance(trial, start, train, test, n_timepoints) < n_timepoints
    if "recording" in windows:
        recording = pd.factorize(windows["recording"])[0]
        begins = np.rint(windows["onset"].to_numpy(dtype=float) * sampling_rate).astype(np.int64) + start
        near |= _distance(recording, begins - begins.min(), train, test, n_timepoints) < n_timepoints
    return Audit(
        shared_samples=float(near.mean()),
        shared_trials=share(trial),
        shared_subjects=share(subject),
        shared_stimuli=share(stimulus),
        shared_neighbours=of_trials(_beside(windows, trial, trained)) if "order" in windows else 0.0,
        repeats=of_trials(_met_again(windows, trial, trained)) if "stimulus" in windows else 0.0,
        copies=share(content),
        near_copies=0.0 if near_copies is None else _copied(windows, near_copies, train, test),
        parents=0.0,  # what a resampler makes is not there yet: `audit_made`
        resampled_test=1 - np.unique(test).size / len(test),
        scaler_saw_test=saw(scaler_rows),
        resampler_saw_test=saw(resampler_rows),
        thresholds_saw_test=thresholds_of_ratings,
        dropped=dropped,
        left_out=1 - np.union1d(train, test).size / len(windows),
        subjects_known=bool((subject != 0).any()),
    )


def _distance(
    line: np.ndarray, start: np.ndarray, train: np.ndarray, test: np.ndarray, n_timepoints: int
) -> np.ndarray:
    """Return how far, in samples, each test window is from the nearest training window of the same line.

    All lines (trials, or recordings) are laid end to end, too far apart for their windows to meet: what is
    nearest on that one line is found by a search in it.
    """
    place = line * (start.max() + 2 * n_timepoints) + start
    trained = np.sort(place[train])
    after = np.searchsorted(trained, place[test])
    ahead = trained[np.minimum(after, len(trained) - 1)]
    behind = trained[np.maximum(after - 1, 0)]
    distance: np.ndarray = np.minimum(np.abs(ahead - place[test]), np.abs(behind - place[test]))
    return distance


def _of_each_trial(windows: pd.DataFrame, trial: np.ndarray) -> pd.DataFrame:
    """Return the ids of each trial, by the numbers 0 to n - 1 in `trial`."""
    first = np.unique(trial, return_index=True)[1]
    return windows.iloc[first].reset_index(drop=True)


def _beside(windows: pd.DataFrame, trial: np.ndarray, trained: np.ndarray) -> np.ndarray:
    """Return of which trials one beside it in the session is among the `trained`: bool of shape (n_trials,)."""
    ids = _of_each_trial(windows, trial)
    session = ids.sort_values(["subject", "order", "trial"])
    own, subject = np.isin(session.index, trained), session["subject"].to_numpy()
    same = subject[1:] == subject[:-1]
    found = np.zeros(len(ids), dtype=bool)
    found[session.index[1:][same & own[:-1]]] = True
    found[session.index[:-1][same & own[1:]]] = True
    return found


def _met_again(windows: pd.DataFrame, trial: np.ndarray, trained: np.ndarray) -> np.ndarray:
    """Return of which trials the subject met the stimulus in another, `trained` trial: bool of shape (n_trials,)."""
    ids = _of_each_trial(windows, trial)
    own = np.isin(np.arange(len(ids)), trained)
    both = ids.groupby(["subject", "stimulus"], sort=False).ngroup().to_numpy()
    found: np.ndarray = np.bincount(both, weights=own)[both] > own
    return found


def _copied(windows: pd.DataFrame, near_copies: np.ndarray, train: np.ndarray, test: np.ndarray) -> float:
    """Return the share of test windows whose signal another trial holds that has a training window.

    Where the data set knows recordings, another trial of the same one is none: what they share is counted by samples.
    """
    row = windows["row"].to_numpy()
    same = pd.factorize(windows["recording"])[0] if "recording" in windows else row
    ids = pd.DataFrame({"signal": near_copies[row], "same": same, "row": row})
    trained = ids.iloc[train].drop_duplicates("row")
    of_signal = trained.groupby("signal").size()
    of_both = trained.groupby(["signal", "same"]).size()
    tested = ids.iloc[test]
    there = of_signal.reindex(tested["signal"], fill_value=0).to_numpy()
    own = of_both.reindex(pd.MultiIndex.from_frame(tested[["signal", "same"]]), fill_value=0).to_numpy()
    return float((there > own).mean())


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
    return replace(audit, copies=copies, parents=float(np.isin(test, parents).mean()))


def with_scaling(audit: Audit, saw: str) -> Audit:
    """Add to a split's audit which unlabelled signals of the test side's people the scaler saw, in words."""
    return replace(audit, scaler_saw=saw)


def united(verdicts: Collection[str]) -> str:
    """Return the verdict of several splits together: what any of them leaks, else what any of them shares."""
    leaks = [part for one in verdicts if one.startswith("LEAKS") for part in one[6:].split(", ")]
    if leaks:
        return "LEAKS " + ", ".join(sorted(set(leaks), key=[*_KINDS, *leaks].index))
    notes = [part for one in verdicts if "(" in one for part in one[one.index("(") + 1 : -1].split("; ")]
    shared = {name for note in notes if note.endswith(" shared") for name in note[:-7].split(", ")}
    others = list(dict.fromkeys(note for note in notes if not note.endswith(" shared")))
    return _clean([_in_common(sorted(shared, key=[*_SHARED, *sorted(shared)].index)), *others])


def _in_common(shared: list[str]) -> str:
    return f"{', '.join(shared)} shared" if shared else ""


def _clean(notes: list[str]) -> str:
    said = [note for note in notes if note]
    return f"clean ({'; '.join(said)})" if said else "clean"
