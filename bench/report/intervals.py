"""95 % intervals of scores and of their differences: how far they would move with other people and splits.

Student's t over people by the jackknife [1]_. Seeds, each of which draws its own split and fits, are a second
factor crossed with people: the variances of the two are added and what they both contain, the noise of a
person in a seed, is taken off once [2]_. The degrees of freedom of the sum are Satterthwaite's [3]_.
``tests/benchmarks/interval_coverage.py`` measures how often such an interval holds the true score.

References
----------
.. [1] R. G. Miller, "The jackknife: a review", Biometrika 61 (1974), 1-15.
.. [2] A. B. Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1 (2007), 386-411, on the variance
   of a mean over two crossed random factors.
.. [3] F. E. Satterthwaite, "An approximate distribution of estimates of variance components", Biometrics
   Bulletin 2 (1946), 110-114.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2
from scipy.stats import t as student

CONFIDENCE = 0.95
FEWEST_PEOPLE = 8  # in a seed: more seeds do not make up for people whom each of them lacks
FEWEST_SEEDS = 5
# Seeds count as a source of variance of their own where they differ more than this share of sets of seeds without
# any effect would. A bar at zero, which half of those pass, makes intervals too long when seeds have no effect.
_SEEDS_DIFFER = 0.8
Counts = Mapping[int, Mapping[int, np.ndarray]]
Measure = Callable[[np.ndarray], np.ndarray]


def balanced_accuracy(counts: np.ndarray) -> np.ndarray:
    """Return the mean recall of the classes that occur, for confusion matrices on the last two axes.

    NaN where no class does: nobody was tested.
    """
    true = counts.sum(axis=-1)
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    recall = np.divide(hits, true, out=np.zeros(hits.shape), where=true > 0)
    occurs = (true > 0).sum(axis=-1)
    mean: np.ndarray = np.divide(
        recall.sum(axis=-1), occurs, out=np.full(occurs.shape, np.nan), where=occurs > 0
    )
    return mean


@dataclass(frozen=True)
class Estimate:
    """A score, or a difference of two, with its interval.

    Attributes
    ----------
    value : float
        Mean over seeds; NaN where nothing was tested.
    low, high : float
        Limits of the interval; both NaN where none may be given.
    n_people, n_seeds : int
        Those that were tested: of a difference, those that both sides have.
    over_seeds : bool
        Whether the interval holds for other splits and fits too. Otherwise it is over people only, for these
        splits and fits as they are.
    """

    value: float
    low: float
    high: float
    n_people: int
    n_seeds: int
    over_seeds: bool


def estimate(counts: Counts, measure: Measure = balanced_accuracy) -> Estimate:
    """Return the mean over seeds of a measure of all people's counts, with its interval.

    Parameters
    ----------
    counts : mapping of seed to mapping of person to int64 array of shape (n_classes, n_classes)
        Confusion counts, rows true classes, summed over the folds of a seed.
    measure : callable, default `balanced_accuracy`
        Takes confusion counts on the last two axes, any axes before them, and returns a score for each.

    Returns
    -------
    Estimate
        Without limits where

        - a seed tested fewer than `FEWEST_PEOPLE`;
        - a class of a seed is that of one person alone, without whom another thing would be measured;
        - no window at all is wrong, which says nothing about the spread;
        - the measure is undefined for a seed, or for one without a person.
    """
    return _estimate((counts,), measure)


def difference(above: Counts, below: Counts, measure: Measure = balanced_accuracy) -> Estimate:
    """Return the mean over seeds of how much higher ``above`` scores than ``below``, with its interval.

    It is paired: of the seeds that both have, and in each seed of the people whom both tested.

    Parameters
    ----------
    above, below : mapping of seed to mapping of person to int64 array of shape (n_classes, n_classes)
        Confusion counts as `estimate` takes them.
    measure : callable, default `balanced_accuracy`
        As `estimate` takes it.

    Returns
    -------
    Estimate
        Of value NaN where the two share no person of a seed; without limits where `estimate` gives none.
    """
    return _estimate((above, below), measure)


def _estimate(sides: tuple[Counts, ...], measure: Measure) -> Estimate:
    """Return the estimate of one side, or of the first less the second."""
    arrays, tested = _shared(sides)
    n_seeds, n_people = tested.shape
    if not n_people:
        return Estimate(np.nan, np.nan, np.nan, 0, 0, False)

    def score(counts: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = measure(counts)
            own: np.ndarray = scores[0] - scores[1] if len(sides) == 2 else scores[0]
        return own

    totals = arrays.sum(axis=2, keepdims=True)
    by_seed = score(totals)[:, 0]
    value, over_seeds = float(by_seed.mean()), n_seeds >= FEWEST_SEEDS
    low = high = np.nan
    if _may_have_limits(arrays, tested):
        influence = by_seed[:, None] - score(totals - arrays)
        variance, freedom = _variance(influence, tested, by_seed if over_seeds else None)
        half = student.ppf((1 + CONFIDENCE) / 2, freedom) * np.sqrt(variance)
        low, high = float(value - half), float(value + half)
    if measure is balanced_accuracy:
        low, high = max(low, 0.0 if len(sides) == 1 else -1.0), min(high, 1.0)
    return Estimate(value, low, high, n_people, n_seeds, over_seeds)


def _shared(sides: tuple[Counts, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the counts that all sides have.

    Returns
    -------
    arrays : int64 array of shape (n_sides, n_seeds, n_people, n_classes, n_classes)
        Zeros where a person was not tested in a seed.
    tested : bool array of shape (n_seeds, n_people)
    """
    first = sides[0]
    who = {}
    for seed in sorted(set(first).intersection(*sides)):
        own = [person for person in first[seed] if all(_is_tested(side[seed], person) for side in sides)]
        if own:
            who[seed] = own
    people = sorted(set().union(*who.values()))
    tested = np.zeros((len(who), len(people)), dtype=bool)
    shape = next(iter(first[next(iter(who))].values())).shape if who else (0, 0)
    arrays = np.zeros((len(sides), *tested.shape, *shape), dtype=np.int64)
    column = {person: at for at, person in enumerate(people)}
    for row, (seed, own) in enumerate(who.items()):
        at = [column[person] for person in own]
        tested[row, at] = True
        for array, side in zip(arrays, sides, strict=True):
            array[row, at] = [side[seed][person] for person in own]
    return arrays, tested


def _is_tested(counts: Mapping[int, np.ndarray], person: int) -> bool:
    return person in counts and bool(counts[person].any())


def _may_have_limits(arrays: np.ndarray, tested: np.ndarray) -> bool:
    """Return whether there are people enough, no class of a seed is one person's alone, and anything is wrong."""
    if tested.sum(axis=1).min() < FEWEST_PEOPLE:
        return False
    have_class = (arrays.sum(axis=-1) > 0).sum(axis=2)
    right = np.diagonal(arrays, axis1=-2, axis2=-1).sum()
    return bool((have_class != 1).all() and right < arrays.sum())


def _variance(influence: np.ndarray, tested: np.ndarray, by_seed: np.ndarray | None) -> tuple[float, float]:
    """Return the variance of the mean over seeds, and its degrees of freedom.

    Parameters
    ----------
    influence : array of shape (n_seeds, n_people)
        How much a seed's score falls without a person; 0 where the person was not tested in it.
    tested : bool array of the same shape
    by_seed : array of shape (n_seeds,) or None
        Scores of the seeds; None leaves out the variance over seeds.

    Returns
    -------
    variance, freedom : float
        Both NaN where the variance is undefined.

    Notes
    -----
    The scores of two seeds are correlated by the people whom both test; ``covariance[s, t]`` estimates that from
    the products of those people's influences. Let seeds s and t test m and n people, r of them both, and let
    the score be a mean over people: the mean of such a product is then ``1 - 1/m - 1/n + r/(m n)`` over
    ``(m - 1) (n - 1)`` times the variance of a person, and ``scale`` makes the covariance unbiased. Where each
    seed tests all n people it is ``(n - 1) / n``, and the sum over s and t is Miller's jackknife variance.
    """
    if not np.isfinite(influence).all():
        return np.nan, np.nan
    present = tested.astype(float)
    both = present @ present.T  # people whom two seeds share; on the diagonal, all of a seed
    n_seeds, own = len(both), np.diagonal(both)
    product = np.outer(own - 1, own - 1)
    scale = np.where(both > 0, product / (product + np.maximum(both, 1) - 1), 0)
    covariance = scale * (influence @ influence.T) / n_seeds**2
    people = covariance.sum()
    if people < 0:  # possible where few people are in two seeds
        return np.nan, np.nan
    # People who are tested in more seeds weigh more, which costs degrees of freedom: n - 1 where all weigh the same.
    weights = (present / own[:, None]).sum(axis=0) ** 2
    freedom = float(weights.sum() ** 2 / (weights**2).sum() - 1)
    if by_seed is None:
        return people, freedom
    seeds = by_seed.var(ddof=1) / n_seeds
    cells = max(
        0.0, (n_seeds * np.trace(covariance) - people) / (n_seeds - 1)
    )  # of `seeds`, without a seed effect
    if seeds <= cells * chi2.ppf(_SEEDS_DIFFER, n_seeds - 1) / (n_seeds - 1):
        return people, freedom
    variance = people + seeds - cells
    lost = people**2 / freedom + seeds**2 / (n_seeds - 1) + cells**2 / ((n_seeds - 1) * freedom)
    # With a component taken off, Satterthwaite's number can fall below that of every component.
    return variance, max(variance**2 / lost, min(n_seeds - 1, freedom))
