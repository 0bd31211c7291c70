"""What a canary would score if it told nothing: classes dealt out anew, thousands of times, and counted again.

A classifier whose structure does not depend on the classes, as a nearest neighbour, is a table of who votes for
whom. Another deal of the classes costs one product with that table, so the distribution of the score under
"training tells nothing of the tested trials" is had by trying: a permutation test (Fisher 1935; Good,
"Permutation, Parametric and Bootstrap Tests of Hypotheses", ch. 3), exact whatever the number of trials, the
balance of the classes, or how folds that train on each other tie their scores together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.sparse import csr_array
from scipy.stats import norm

# So many that p can be as small as .0005, enough for an alarm among a hundred tests.
RELABELINGS = 2000
POWER = 0.8
_SAME = 1e-9  # votes and counts that differ by less are equal
_ENTRIES = 2_000_000  # of votes at a time: 16 MB


@dataclass(frozen=True, eq=False)
class Votes:
    """Who votes for which tested trial.

    Attributes
    ----------
    label : ndarray of shape (n_units,), int
        Class of each unit: a trial as it is relabelled, see `bench.study.canary_votes.Units`.
    stratum : ndarray of shape (n_units,), int
        Units among which the classes may be dealt anew.
    tested : ndarray of shape (n_tested,), int
        The units that are tested.
    known_by : sparse array of shape (n_tested, n_values)
        What each tested unit is known by, as a nearest training window, its subject, a start.
    tells : sparse array of shape (n_values, n_units)
        With what weight each training unit speaks for that.
    division : ndarray of shape (n_tested,), int, or None
        With `trained`: in which division each is tested. The votes of a class are then divided by its size in
        the training of that division: what is commoner there than on the whole wins. None: plain majority.
    trained : sparse array of shape (n_divisions, n_units), or None
        The weight of each unit in training.
    lacking : bool, default False
        Whether the class that is *least* common wins instead.
    """

    label: np.ndarray
    stratum: np.ndarray
    tested: np.ndarray
    known_by: csr_array
    tells: csr_array
    division: np.ndarray | None = None
    trained: csr_array | None = None
    lacking: bool = False

    @property
    def n_told(self) -> int:
        """For how many tested units there is a vote at all."""
        weight = self.known_by @ (self.tells @ np.ones(len(self.label)))
        return int((np.abs(weight) > _SAME).sum())

    def correct(self, labels: np.ndarray) -> np.ndarray:
        """Count the tested units whose class wins; one that ties with m - 1 others counts 1 / m.

        Parameters
        ----------
        labels : ndarray of shape (n_units, n), int
            Classes, a column a deal.

        Returns
        -------
        ndarray of shape (n,), float
        """
        votes = np.stack([self._votes(labels == k) for k in range(int(self.label.max()) + 1)])
        winning = votes >= votes.max(axis=0) - _SAME
        own = np.take_along_axis(winning, labels[self.tested][None], axis=0)[0]
        shares: np.ndarray = (own / winning.sum(axis=0)).sum(axis=0)
        return shares

    def relabelings(self, n: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Yield `n` deals of the classes within strata, in parts of shape (n_units, at most n), int."""
        order = np.argsort(self.stratum, kind="stable")
        ends = np.flatnonzero(np.diff(self.stratum[order])) + 1
        strata = [rows for rows in np.split(order, ends) if len(np.unique(self.label[rows])) > 1]
        size = max(1, _ENTRIES // (max(len(self.label), 1) * (int(self.label.max()) + 1)))
        for first in range(0, n, size):
            dealt = np.repeat(self.label[:, None], min(size, n - first), axis=1)
            for rows in strata:
                dealt[rows] = rng.permuted(dealt[rows], axis=0)
            yield dealt

    def _votes(self, of_class: np.ndarray) -> np.ndarray:
        votes: np.ndarray = self.known_by @ (self.tells @ of_class.astype(float))
        if self.trained is not None:
            size = (self.trained @ of_class.astype(float))[self.division]
            votes = np.divide(votes, size, out=np.zeros_like(votes), where=size > 0)
        return -votes if self.lacking else votes


@dataclass(frozen=True, eq=False)
class Null:
    """What was seen, beside what is seen where classes tell nothing.

    Attributes
    ----------
    seen : float
        Correct trials.
    n_trials : int
        Tested trials.
    reachable : float
        Correct trials if every trial that had a vote were right.
    tied : float
        Correct trials if all classes tied for every trial: fewer than these tell nothing, however rare they are.
    counts : ndarray of shape (n_relabelings,)
        Correct trials of each relabeling.
    sensitivity : float, default 1
        Chance (0 to 1) that a trial whose twin is in training is told by it: `sensitivity_of`, or 1 where trials
        have one window each and it cannot be measured.
    """

    seen: float
    n_trials: int
    reachable: float
    tied: float
    counts: np.ndarray
    sensitivity: float = 1.0

    def __add__(self, other: Null) -> Null:
        """Pool another deal: what is counted of each is added, relabeling by relabeling."""
        return Null(
            self.seen + other.seen,
            self.n_trials + other.n_trials,
            self.reachable + other.reachable,
            self.tied + other.tied,
            self.counts + other.counts,
            self.sensitivity,
        )

    @property
    def chance(self) -> float:
        """Mean share of correct trials under the null (0 to 1)."""
        return float(self.counts.mean()) / self.n_trials

    @property
    def p(self) -> float:
        """(1 + relabelings with as many correct or more) / (1 + relabelings): exact and never 0 [1]_.

        References
        ----------
        .. [1] B. Phipson, G. K. Smyth, "Permutation P-values Should Never Be Zero", Statistical Applications
           in Genetics and Molecular Biology 9(1):39, 2010, doi 10.2202/1544-6115.1585.
        """
        return self._p(self.seen)

    @property
    def least_p(self) -> float:
        """The smallest p that these trials could give: 1 where no relabeling changes what is counted."""
        return 1.0 if np.ptp(self.counts) <= _SAME * self.n_trials else self._p(self.reachable)

    @property
    def silent(self) -> bool:
        """Whether all classes tie for all trials whatever the classes are: there is nothing that could tell."""
        return bool((np.abs(self.counts - self.tied) <= _SAME * self.n_trials).all())

    def detectable(self, level: float) -> float:
        """Return how large a share of trials with their twin in training is found with a power of 80 %.

        Found is what has a p of `level` at most: a count `c` that no more relabelings reach than that. If a
        share `t` of the `N` tested trials is told for certain and the others behave as under the null, with
        mean share `m` and standard deviation `s` of the count, the count is about normal with mean
        ``N (t + (1 - t) m)`` and standard deviation ``s sqrt(1 - t)``. Solved for the `t` that exceeds `c`
        four times in five, and divided by the sensitivity. NaN if all of them would not be enough.
        """
        most = math.floor(level * (1 + len(self.counts)) + _SAME) - 1
        if not 0 <= most < len(self.counts):
            return math.nan
        needed = max(float(np.sort(self.counts)[::-1][most]), self.tied) + 0.5
        if self.reachable < needed or np.ptp(self.counts) <= _SAME:
            return math.nan
        mean, deviation = self.chance, float(self.counts.std())

        def beyond(told: float) -> float:
            count = self.n_trials * (told + (1 - told) * mean)
            return count - float(norm.ppf(POWER)) * deviation * math.sqrt(1 - told) - needed

        if beyond(1.0) < 0 or self.sensitivity <= 0:
            return math.nan
        share = float(brentq(beyond, 0.0, 1.0)) / self.sensitivity
        return share if share <= 1 else math.nan

    def _p(self, correct: float) -> float:
        if correct <= self.tied + _SAME * self.n_trials:
            return 1.0
        return float((1 + (self.counts >= correct - _SAME * self.n_trials).sum()) / (1 + len(self.counts)))


def null_of(votes: Votes, rng: np.random.Generator, n: int = RELABELINGS) -> Null:
    """Count the correct trials as the classes are, and in each of `n` relabelings."""
    counts = np.concatenate([votes.correct(dealt) for dealt in votes.relabelings(n, rng)])
    n_tested, told = len(votes.tested), votes.n_told
    tied = n_tested / (int(votes.label.max()) + 1)
    return Null(
        seen=float(votes.correct(votes.label[:, None])[0]),
        n_trials=n_tested,
        reachable=told + (n_tested - told) * tied / n_tested,
        tied=tied,
        counts=counts,
    )


def sensitivity_of(twins: Votes, chance: float, rng: np.random.Generator) -> float:
    """Return how often a trial is told by its twin (0 to 1), in the mean over 100 relabelings.

    Parameters
    ----------
    twins : Votes
        Halves of trials, tested among the other halves and all other trials.
    chance : float
        Share that is right without a twin, of which the sensitivity is cleared: (right - chance) / (1 - chance).
    rng : Generator
    """
    right = np.concatenate([twins.correct(dealt) for dealt in twins.relabelings(100, rng)])
    if chance >= 1:
        return 0.0
    return float(np.clip((right.mean() / len(twins.tested) - chance) / (1 - chance), 0.0, 1.0))
