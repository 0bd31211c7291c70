"""Intervals hold what they say, and none is given where none can be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ttest_1samp
from sklearn.metrics import balanced_accuracy_score

from bench.report.intervals import FEWEST_PEOPLE, balanced_accuracy, difference, estimate


def counts_of(right, n=20):
    """Return counts of one seed: each person with half the windows of each class, and so many of each right."""
    return {0: {who: np.array([[hits, n - hits], [n - hits, hits]]) for who, hits in enumerate(right)}}


def accuracy(counts):
    return np.trace(counts, axis1=-2, axis2=-1) / counts.sum(axis=(-1, -2))


@given(arrays(np.int64, (3, 3), elements=st.integers(0, 6)))
def test_balanced_accuracy_is_scikit_learns(counts):
    if counts.sum() == 0:
        assert np.isnan(balanced_accuracy(counts))
        return
    true, guess = (np.repeat(axis.ravel(), counts.ravel()) for axis in np.indices((3, 3)))
    assert balanced_accuracy(counts) == pytest.approx(balanced_accuracy_score(true, guess))


def test_of_a_plain_mean_it_is_students_interval():
    right = [8, 11, 14, 9, 16, 12, 13, 10, 15, 7]
    found = estimate(counts_of(right), accuracy)
    low, high = ttest_1samp(np.array(right) / 20, 0).confidence_interval()
    assert (found.value, found.low, found.high) == pytest.approx((np.mean(right) / 20, low, high))
    assert not found.over_seeds


@pytest.mark.parametrize("n_people", [4, FEWEST_PEOPLE - 1])
def test_c2_of_few_people_no_interval_is_given(n_people):
    found = estimate(counts_of(range(5, 5 + n_people)))
    assert np.isfinite(found.value)
    assert np.isnan([found.low, found.high]).all()
    assert found.n_people == n_people


def test_c2_seeds_that_test_few_people_each_get_no_interval_together():
    own = counts_of(range(5, 17))[0]
    few = {seed: {who: own[who] for who in range(seed, seed + FEWEST_PEOPLE - 1)} for seed in range(5)}
    found = estimate(few)
    assert found.n_people == 11
    assert np.isnan([found.low, found.high]).all()


def test_c2_a_difference_is_of_the_people_and_seeds_that_both_have():
    one, other = counts_of(range(5, 15)), counts_of(range(3, 11))
    found = difference(one, other)
    assert found.n_people == 8
    assert found.value == pytest.approx(0.1)
    same = difference(one, one)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    nobody = difference(one, {1: one[0]})
    assert np.isnan(nobody.value)
    assert nobody.n_people == 0


def test_c2_what_all_people_share_in_a_seed_widens_the_interval():
    rng = np.random.default_rng(0)
    hits = rng.integers(8, 15, 12)
    steady = {seed: counts_of(hits)[0] for seed in range(5)}
    shaken = {
        seed: counts_of(np.clip(hits + shift, 0, 20))[0] for seed, shift in enumerate((-4, -2, 0, 2, 4))
    }
    narrow, wide = estimate(steady), estimate(shaken)
    assert narrow.over_seeds
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_c2_intervals_of_ten_people_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(1)
    held, held_by_bootstrap = [], []
    for _ in range(400):
        rates = np.clip(rng.normal(0.6, 0.15, 8), 0.02, 0.98)
        right = rng.binomial(20, rates)
        found = estimate(counts_of(right), accuracy)
        held.append(found.low <= 0.6 <= found.high)
        draws = rng.choice(right / 20, (300, 8)).mean(axis=1)
        low, high = np.percentile(draws, [2.5, 97.5])
        held_by_bootstrap.append(low <= 0.6 <= high)
    assert 0.92 <= np.mean(held) <= 0.97
    assert np.mean(held_by_bootstrap) < 0.92
