"""Canaries: cheap classifiers on what must tell nothing, through the same splits and `prepare` as every cell.

The audit judges a split by the ids of its windows; a canary finds out by trying. Three are sent:

``permuted labels``
    The classes are dealt out anew between the trials and the panel is divided anew; mean and deviation of
    each channel of each scaled window are given to a 1-nearest-neighbour and to a forest of extremely
    randomised trees. Above chance, a window gives away which trial it is from, and training knows the class.
``subject identity``
    True classes; given is only whose window it is.
``window position``
    True classes; given is only at which sample of its trial a window starts.

The unit is the trial, since its windows are no independent draws. What counts as one trial is a row of the
recordings, whatever the ids say: ids that make two trials of one recording hide a leak from the audit, but
not from the first canary. None of them can know of one recording that a data set brings twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from bench.cells.cell import available_cores
from bench.cells.prepare import prepare
from bench.data.scaling import Scaling
from bench.data.windows import Panel
from bench.errors import ProtocolError
from bench.spec import Spec
from bench.splits.audit import Audit
from bench.splits.divide import divide
from bench.splits.split import Split

# X_train, y_train, X_test, y_test of a split.
Features = Callable[[Split], tuple[np.ndarray, ...]]

PERMUTED, IDENTITY, POSITION = "permuted labels", "subject identity", "window position"
QUIET, DEMONSTRATION, ALARM = "quiet", "demonstration", "ALARM"
SUBJECTS_SHARED, TOO_FEW = "subjects shared", "too few trials"

# Runs in which nothing leaks should raise an alarm in less than one of a hundred, however many tests they
# make: an alarm has to be worth looking into.
LEVEL = 0.01


@dataclass(frozen=True)
class Canary:
    """One classifier on one canary's features under one protocol.

    Attributes
    ----------
    dataset, canary, classifier, protocol : str
    verdict : str
        The audit's, of the worst fold; ``""`` where the windows could not be divided.
    folds : int
        How many divisions there were; their test trials are put together.
    n_trials : int
        Trials with a test window.
    correct : int
        Of which most windows were given the trial's class; see `count_correct`.
    chance : float
        Share of the commonest class among the tested trials (0 to 1).
    p : float
        Probability of so many correct or more (see `p_value`), times the number of tests of the run.
    finding : str
        ``quiet``: not above chance. ``demonstration``: above chance under a protocol that is known to leak:
        what the leak is worth. ``ALARM``: above chance where the audit saw nothing. ``subjects shared``:
        subjects who are on both sides are told by their habit to rate high or low, which the verdict
        already admits. ``too few trials``: no number of correct ones would have been above chance.
        ``not possible: <reason>``: the windows could not be divided or scaled so.
    """

    dataset: str
    canary: str
    classifier: str
    protocol: str
    verdict: str
    folds: int
    n_trials: int
    correct: int
    chance: float
    p: float
    finding: str


def run_canaries(
    panels: Iterable[Panel],
    protocols: Iterable[Spec],
    scaling: Scaling,
    seed: int = 0,
    say: Callable[[str], None] = lambda text: None,
) -> list[Canary]:
    """Send all canaries through all protocols.

    Parameters
    ----------
    panels : iterable of Panel
        One, or one for each variant of a data set; each is looked at once, so they may be made on the way.
    protocols : iterable of Spec
    scaling : str
    seed : int, default 0
        Of the permutation, the splits and the forest.
    say : callable
        Told in a line what is being tried.

    Returns
    -------
    list of Canary
        In the order tried.

    Raises
    ------
    LeakError
        If a protocol that promises a clean split breaks the promise before the audit's eyes.
    """
    protocols = list(protocols)
    return correct_p([found for panel in panels for found in _measure(panel, protocols, scaling, seed, say)])


def correct_p(measured: list[Canary]) -> list[Canary]:
    """Correct `p` by Bonferroni for all tests that were made, and settle what was found.

    Parameters
    ----------
    measured : list of Canary
        With `p` of the single test (NaN where none was made) and the finding that holds if that is above chance.
    """
    tests = sum(not math.isnan(found.p) for found in measured)
    settled = []
    for found in measured:
        if not math.isnan(found.p):
            p = min(1.0, found.p * tests)
            best = p_value(found.n_trials, found.n_trials, found.chance, found.folds) * tests
            finding = found.finding if p < LEVEL else QUIET if best < LEVEL else TOO_FEW
            found = replace(found, p=p, finding=finding)
        settled.append(found)
    return settled


def permute_labels(panel: Panel, seed: int) -> Panel:
    """Deal the classes of all trials out anew, evenly over the subjects; the windows stay as they are.

    A plain permutation leaves some subjects with more of one class, and a split that is stratified within
    subjects gives both sides that surplus: to know the subject would be to know something, a false alarm. So
    the classes take turns by their shares, and are dealt subject by subject, within a subject at random.

    Parameters
    ----------
    panel : Panel
    seed : int
        The same seed gives the same classes to the same trials, whatever the order of the rows.
    """
    ids = panel.windows[["subject", "trial", "row"]].assign(label=panel.y)
    trials = ids.sort_values(["subject", "trial", "row"]).drop_duplicates("row")
    rng = np.random.default_rng(seed)
    counts = trials["label"].value_counts().sort_index()
    turns = [((np.arange(n) + rng.random()) / n, np.full(n, label)) for label, n in counts.items()]
    turn, labels = (np.concatenate(part) for part in zip(*turns, strict=True))
    order = np.lexsort((rng.random(len(trials)), trials["subject"].to_numpy()))
    dealt = pd.Series(labels[np.argsort(turn, kind="stable")], index=trials["row"].to_numpy()[order])
    return replace(panel, y=dealt.loc[panel.windows["row"]].to_numpy().astype(panel.y.dtype))


def count_correct(trial: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray) -> tuple[int, int, float]:
    """Let the test windows of each trial vote.

    A trial is correct if its class has more votes than any other: a tie counts against the classifier.

    Parameters
    ----------
    trial : ndarray of shape (n_test,)
        What trial each test window is from.
    y_true, y_pred : ndarray of shape (n_test,), str
        The true class, the same for all windows of a trial, and the predicted one.

    Returns
    -------
    n_trials : int
    correct : int
    chance : float
        Share of the commonest class among these trials.
    """
    truth = pd.Series(y_true, index=trial).groupby(level=0).first()
    votes = pd.crosstab(trial, y_pred).reindex(columns=np.union1d(y_true, y_pred), fill_value=0)
    own = votes.columns.to_numpy() == truth.loc[votes.index].to_numpy()[:, None]
    counts = votes.to_numpy()
    won = np.where(own, counts, 0).max(axis=1) > np.where(own, 0, counts).max(axis=1)
    return len(truth), int(won.sum()), float(truth.value_counts(normalize=True).iloc[0])


def p_value(correct: int, n_trials: int, chance: float, folds: int) -> float:
    """Return the p-value of the exact one-sided binomial test.

    Where there are several folds a tested trial is also trained on. Two that resemble each other are then
    right or wrong together, and the count varies more than that of independent trials: as that of half as
    many where all are each other's nearest neighbours in pairs. So half of them are counted.
    """
    if folds > 1:
        correct, n_trials = correct // 2, (n_trials + 1) // 2
    return float(binomtest(correct, n_trials, chance, alternative="greater").pvalue)


def _measure(
    panel: Panel, protocols: list[Spec], scaling: Scaling, seed: int, say: Callable[[str], None]
) -> Iterator[Canary]:
    permuted = permute_labels(panel, seed)
    windows = panel.windows

    def signals(split: Split) -> tuple[np.ndarray, ...]:
        sides = prepare(permuted, split, scaling, seed=seed)
        return _moments(sides.X_train), sides.y_train, _moments(sides.X_test), sides.y_test

    def column(name: str) -> Features:
        values = windows[[name]].to_numpy()
        return lambda s: (values[s.train], panel.y[s.train], values[s.test], panel.y[s.test])

    canaries: list[tuple[str, Panel, Features]] = [(PERMUTED, permuted, signals)]
    if (windows["subject"] != 0).any():
        canaries.append((IDENTITY, panel, column("subject")))
    if windows["start"].nunique() > 1:
        canaries.append((POSITION, panel, column("start")))
    for protocol in protocols:
        for canary, labelled, features in canaries:
            say(f"{panel.recordings.name}, {protocol}: {canary}")
            yield from _send(canary, labelled, protocol, features, seed)


def _send(canary: str, panel: Panel, protocol: Spec, features: Features, seed: int) -> Iterator[Canary]:
    """Yield a canary's result for each classifier, before correction; folds are put together."""
    classifiers = _recognisers(seed) if canary == PERMUTED else _counters()
    blank = Canary(panel.recordings.name, canary, "", str(protocol), "", 0, 0, 0, math.nan, math.nan, "")
    trial = panel.windows["row"].to_numpy()
    audits, tested, truth = [], [], []
    predicted: dict[str, list[np.ndarray]] = {name: [] for name in classifiers}
    try:
        for _, split in divide(protocol, panel, seed):
            X_train, y_train, X_test, y_test = features(split)
            audits.append(split.audit)
            tested.append(trial[split.test])
            truth.append(y_test)
            for name, classifier in classifiers.items():
                predicted[name].append(classifier.fit(X_train, y_train).predict(X_test))
    except (ProtocolError, ValueError) as error:  # ValueError: a scaler that does not know a subject
        yield from (replace(blank, classifier=c, finding=f"not possible: {error}") for c in classifiers)
        return
    worst = max(audits, key=lambda audit: (not audit.clean, audit.shared_subjects))
    for name, parts in predicted.items():
        n, correct, chance = count_correct(*map(np.concatenate, (tested, truth, parts)))
        yield replace(
            blank,
            classifier=name,
            verdict=worst.verdict,
            folds=len(audits),
            n_trials=n,
            correct=correct,
            chance=chance,
            p=p_value(correct, n, chance, len(audits)),
            finding=_if_above_chance(canary, worst),
        )


def _if_above_chance(canary: str, audit: Audit) -> str:
    # Whoever is on both sides is known by habit, under a leaky split no less than under a clean one: that
    # is never what the leak is worth, and no error either.
    if canary == IDENTITY and audit.shared_subjects:
        return SUBJECTS_SHARED
    return ALARM if audit.clean else DEMONSTRATION


def _moments(X: np.ndarray) -> np.ndarray:
    """Mean and deviation of each channel: (n, n_channels, n_timepoints) to (n, 2 * n_channels)."""
    return np.concatenate([X.mean(axis=2), X.std(axis=2)], axis=1)


def _recognisers(seed: int) -> dict[str, Any]:
    return {
        # Not standardised: the noise of the deviations would drown the levels, which tell the trial.
        "1-nearest-neighbour": KNeighborsClassifier(1),
        # All features at every cut: often a single one, as a temperature, tells the trial.
        "extra-trees": ExtraTreesClassifier(
            100, max_features=None, random_state=seed, n_jobs=available_cores()
        ),
    }


def _counters() -> dict[str, Any]:
    # Naive Bayes of a single one-hot feature, all but unsmoothed, is counting: the commonest class of the
    # training windows with that value, and, of a value never seen (all zeros), of all training windows. So a
    # new subject is given one class, whoever it is, and can never beat the commonest.
    counting = make_pipeline(OneHotEncoder(handle_unknown="ignore"), MultinomialNB(alpha=1e-9))
    return {"counting": counting}
