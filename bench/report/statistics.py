"""Whether one estimator is better than another: tests whose unit is the person, one score each, seeds averaged first.

Windows of a person are no independent samples, and seeds draw from the same people: a test over either finds
differences where there are none. ``tests/benchmarks/type_one_errors.py`` measures how often each of these errs.

References
----------
.. [1] A. Benavoli, G. Corani, J. Demsar, M. Zaffalon, "Time for a change: a tutorial for comparing multiple
   classifiers through Bayesian analysis", JMLR 18 (2017), section 4.2; prior of strength .5 at 0.
.. [2] C. Nadeau, Y. Bengio, "Inference for the generalization error", Machine Learning 52 (2003), equation 9.
.. [3] J. Demsar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7 (2006), section 3.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import stats

from bench.report.intervals import CONFIDENCE, Counts, balanced_accuracy

FEWEST_PEOPLE = 6  # below, no two-sided test over people can be significant after a correction
SIGNIFICANT = 0.05  # below it a p value tells a difference
PRACTICALLY_EQUAL = 0.01  # balanced accuracy: a smaller difference is none in practice
TOO_FEW = "too few people"
_FEWEST_DRAWN_FROM = 15  # people whom draws divide
_PRIOR = 0.5  # strength of the pseudo-observation at 0
_SAMPLES = 20_000
_FLIPS, _BATCH = 10_000, 200  # of signs, all of them where they are fewer; and how many at a time


def person_scores(counts: Counts) -> dict[int, float]:
    """Return one balanced accuracy a person: within each seed, then the mean over seeds.

    A person who in a seed was tested on one class only has no balanced accuracy there, and is left out where that
    is so in all seeds.

    Parameters
    ----------
    counts : mapping of seed to mapping of person to int64 array of shape (n_classes, n_classes)
    """
    found: dict[int, list[float]] = {}
    for people in counts.values():
        for person, own in people.items():
            if (own.sum(axis=1) > 0).sum() > 1:
                found.setdefault(person, []).append(float(balanced_accuracy(own)))
    return {person: float(np.mean(scores)) for person, scores in sorted(found.items())}


@dataclass(frozen=True)
class Comparison:
    """How much better one estimator is than another, over people.

    Attributes
    ----------
    n_people : int
        Whom both tested.
    difference, low, high : float
        Mean over people of the first's score less the second's, and its 95 % interval (Student's t over people).
    sign_flip, wilcoxon : float
        Two-sided p values that the signs of the differences are chance, and that they lie about 0; NaN for fewer than
        `FEWEST_PEOPLE`.
    better, equal, worse : float
        Probabilities that the first is better by more than `PRACTICALLY_EQUAL`, that there is no difference in
        practice, and that it is worse; NaN likewise.
    """

    n_people: int
    difference: float
    low: float
    high: float
    sign_flip: float
    wilcoxon: float
    better: float
    equal: float
    worse: float

    @property
    def enough_people(self) -> bool:
        """Whether there are tests at all."""
        return self.n_people >= FEWEST_PEOPLE


def compare_people(first: Mapping[int, float], second: Mapping[int, float]) -> Comparison:
    """Compare two estimators by the scores of the people whom both tested.

    Parameters
    ----------
    first, second : mapping of person to score
        As `person_scores` gives them.
    """
    differences = np.array(
        [first[person] - second[person] for person in sorted(first.keys() & second.keys())]
    )
    n = len(differences)
    mean = float(differences.mean()) if n else np.nan
    half = np.nan
    if n > 1:
        half = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * differences.std(ddof=1) / np.sqrt(n))
    if n < FEWEST_PEOPLE:
        return Comparison(n, mean, mean - half, mean + half, *[np.nan] * 5)
    worse, equal, better = bayesian_signed_rank(differences)
    return Comparison(
        n,
        mean,
        mean - half,
        mean + half,
        float(sign_flip(differences)),
        signed_rank(differences),
        better,
        equal,
        worse,
    )


def sign_flip(differences: np.ndarray) -> np.ndarray:
    """Return the two-sided p value that the mean of paired differences is chance: their signs flipped at random.

    Exact up to 13 people; above by 10,000 draws, always the same ones.

    Parameters
    ----------
    differences : ndarray of shape (n_people,) or (n_people, n_comparisons)

    Returns
    -------
    ndarray of shape () or (n_comparisons,)
    """
    found = stats.permutation_test(
        (differences,),
        lambda x, axis: x.mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=_FLIPS,
        batch=_BATCH,
        axis=0,
        rng=np.random.default_rng(0),
    )
    return np.asarray(found.pvalue)


def signed_rank(differences: np.ndarray) -> float:
    """Return the two-sided p value of Wilcoxon's signed-rank test; differences of 0 are shared by both sides [3]_.

    Parameters
    ----------
    differences : ndarray of shape (n_people,)
    """
    if not differences.any():
        return 1.0
    return float(stats.wilcoxon(differences, zero_method="zsplit").pvalue)


def bayesian_signed_rank(
    differences: np.ndarray, equal: float = PRACTICALLY_EQUAL, prior: float = _PRIOR
) -> tuple[float, float, float]:
    """Return the probabilities that differences are below, within and above a region of practical equivalence [1]_.

    Parameters
    ----------
    differences : ndarray of shape (n,)
    equal : float, default .01
        The region reaches from minus to plus this.
    prior : float, default .5
        Strength of the prior, a pseudo-observation at 0.

    Returns
    -------
    below, within, above : float
        They add up to 1. By 20,000 draws, always the same ones: each has an error of .004 or less.
    """
    observed = np.concatenate([[0.0], differences])
    sums = observed[:, None] + observed
    weights = _weights(len(differences), prior)

    def mass(beyond: np.ndarray, at: np.ndarray) -> np.ndarray:
        return np.asarray(((weights @ (beyond + 0.5 * at)) * weights).sum(axis=1))

    below = mass(sums < -2 * equal, sums == -2 * equal)
    above = mass(sums > 2 * equal, sums == 2 * equal)
    regions = np.stack([below, 1 - below - above, above], axis=1)
    most = regions == regions.max(axis=1, keepdims=True)
    left, middle, right = (most / most.sum(axis=1, keepdims=True)).mean(axis=0).tolist()
    return left, middle, right


@lru_cache(maxsize=8)
def _weights(n: int, prior: float) -> np.ndarray:
    return np.random.default_rng(0).dirichlet([prior, *np.ones(n)], _SAMPLES)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values adjusted by Holm's method for the family that they make; NaN stays, and counts for nothing."""
    from statsmodels.stats.multitest import multipletests

    given = np.array(p_values, dtype=float)
    known = np.isfinite(given)
    if known.any():
        given[known] = multipletests(given[known], method="holm")[1]
    return [float(value) for value in given]


def corrected_t(differences: Sequence[float], n_train: int, n_test: int) -> float:
    """Return the two-sided p value of the corrected resampled t test, where only scores of draws are known [2]_.

    Parameters
    ----------
    differences : sequence of float
        One a draw of a division into training and test, two at least.
    n_train, n_test : int
        **People** on either side of a division, not windows. Of fewer than 15 in all the result is NaN: with two or three
        test people the test errs twice as often as it says.
    """
    if n_train + n_test < _FEWEST_DRAWN_FROM:
        return np.nan
    values = np.asarray(differences, dtype=float)
    variance = values.var(ddof=1)
    if variance == 0:
        return 1.0 if values.mean() == 0 else 0.0
    t = values.mean() / np.sqrt((1 / len(values) + n_test / n_train) * variance)
    return float(2 * stats.t.sf(abs(t), len(values) - 1))


def stouffer(p_values: Sequence[float], effects: Sequence[float]) -> float:
    """Return one two-sided p value of the same comparison on three data sets or more.

    Parameters
    ----------
    p_values : sequence of float
        Two-sided, one a data set.
    effects : sequence of float
        Their differences, whose signs say in which direction each lies.

    Raises
    ------
    ValueError
        If there are fewer than three: then each is shown by itself.
    """
    if len(p_values) < 3:
        raise ValueError(f"{len(p_values)} data sets; p values are combined of three at least")
    one_sided = [p / 2 if effect > 0 else 1 - p / 2 for p, effect in zip(p_values, effects, strict=True)]
    clipped = np.clip(one_sided, 1e-16, 1 - 1e-16)
    upper = float(stats.combine_pvalues(clipped, method="stouffer").pvalue)
    return min(1.0, 2 * min(upper, 1 - upper))


def friedman(scores: np.ndarray) -> float:
    """Return the p value that all estimators have the same ranks over people.

    Parameters
    ----------
    scores : ndarray of shape (n_people, n_estimators)
        Three estimators at least.
    """
    if (scores == scores[:, :1]).all():
        return 1.0
    return float(stats.friedmanchisquare(*scores.T).pvalue)


@dataclass(frozen=True)
class Rank:
    """Where an estimator stands among others.

    Attributes
    ----------
    low, high : int
        95 % of the samples of people put it there, 1 being the first.
    tied : bool
        Whether the one with the best mean is not better than it in 95 % of the samples: it may be the first itself.
    """

    low: int
    high: int
    tied: bool


def rank_intervals(scores: np.ndarray, n_samples: int = 10_000) -> list[Rank]:
    """Return how sure the place of each estimator is, by drawing people anew.

    Parameters
    ----------
    scores : ndarray of shape (n_people, n_estimators)
        Of people whom all estimators were tested on.
    n_samples : int, default 10,000
        Drawn with replacement, always the same ones.
    """
    n_people, n_estimators = scores.shape
    drawn = np.random.default_rng(0).multinomial(n_people, np.full(n_people, 1 / n_people), n_samples)
    means = drawn @ scores / n_people
    places = n_estimators + 1 - stats.rankdata(means, axis=1, method="max")
    low, high = np.quantile(places, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0, method="nearest")
    best = int(scores.mean(axis=0).argmax())
    behind = (means < means[:, [best]]).mean(axis=0)
    return [
        Rank(int(first), int(last), bool(share < CONFIDENCE))
        for first, last, share in zip(low, high, behind, strict=True)
    ]
