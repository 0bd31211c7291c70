"""The tests over people: each against its source, and against what anybody can work out."""

import itertools

import numpy as np
import pytest
from scipy import stats

from bench.report.statistics import (
    FEWEST_PEOPLE,
    bayesian_signed_rank,
    compare_people,
    corrected_t,
    friedman,
    holm,
    person_scores,
    rank_intervals,
    sign_flip,
    signed_rank,
    stouffer,
)

# Accuracy of AODE less that of naive Bayes on 54 data sets of UCI, in hundredths of a point, and of J48 grafted less that of
# J48: means over ten times ten folds of Data/Percent_correct.dat in github.com/BayesianTestsML/tutorial, to [1] of
# bench/report/statistics.py.
AODE_LESS_NBC = [
    194, 26, -47, 72, -200, 46, 101, 15, 727, 79, 260, -436, 61, 0, 62, 7, 21, 168, -27, 324, 83, 0, 176, 186, 1000, 34, 419,
    243, 475, 355, -58, 1004, 44, -133, 67, 392, 278, 69, 400, 34, 111, 328, 168, 70, 37, 560, 40, 1691, 504, 181, -50, -14,
    20, 68,
]  # fmt: skip


def test_the_worked_example_of_benavoli_et_al():
    differences = np.array(AODE_LESS_NBC) / 10_000
    below, within, above = bayesian_signed_rank(differences)
    # Their notebook Bsignedrank.ipynb prints P(NBC > AODE) = 0.0, P(rope) = 0.1232, P(AODE > NBC) = 0.8768, of 50,000 draws.
    assert below == pytest.approx(0, abs=0.001)
    assert within == pytest.approx(0.1232, abs=0.005)
    assert above == pytest.approx(0.8768, abs=0.005)


@pytest.mark.parametrize("n_people", [6, 15, 30])
@pytest.mark.parametrize("shift", [0.0, 0.01, 0.03])
def test_the_bayesian_test_is_that_of_baycomp(n_people, shift):
    # Not among the test requirements: it puts a package called `tests` beside itself, which hides ours from processes.
    baycomp = pytest.importorskip("baycomp", reason="needs baycomp, which has to be installed by hand")
    differences = np.random.default_rng(n_people).normal(shift, 0.05, n_people)
    found = bayesian_signed_rank(differences)
    theirs = baycomp.SignedRankTest.probs(np.zeros(n_people), differences, rope=0.01, random_state=1)
    assert found == pytest.approx(
        theirs, abs=0.015
    )  # four standard errors of 20,000 draws here, 50,000 there


def test_wilcoxon_and_sign_flips_are_what_counting_gives():
    differences = np.array([0.05, 0.02, -0.01, 0.04, 0.03, 0.06, -0.02])
    flips = np.array(list(itertools.product([-1, 1], repeat=7)))
    means = np.abs((flips * differences).mean(axis=1))
    assert sign_flip(differences) == pytest.approx((means >= means[-1] - 1e-12).mean())
    # Ranks 6, 2.5, 1, 5, 4, 7, 2.5 of the absolute values: the smaller sum is 1 + 2.5.
    ranks = stats.rankdata(np.abs(differences))
    smaller = np.minimum((flips > 0) @ ranks, (flips < 0) @ ranks)
    assert signed_rank(differences) == pytest.approx(
        (smaller <= 3.5).mean(), abs=0.03
    )  # a tie: scipy approximates


def test_nobody_who_differs_is_no_evidence():
    zero = np.zeros(10)
    assert sign_flip(zero) == signed_rank(zero) == 1.0
    assert bayesian_signed_rank(zero) == (0.0, 1.0, 0.0)
    assert friedman(np.zeros((10, 3))) == 1.0


def test_holm_as_worked_by_hand():
    # .01 x 4, .02 x 3, .03 x 2 = .06, no less than the one before, .04 x 1 = .04, no less than .06.
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.03, np.nan, 0.5])[0] == pytest.approx(0.06)
    assert np.isnan(holm([np.nan])[0])


def test_the_corrected_t_test_counts_what_is_in_both_draws():
    draws = [0.02, 0.05, 0.01, 0.04, 0.03]
    plain = stats.ttest_1samp(draws, 0).pvalue
    assert corrected_t(draws, n_train=10**9, n_test=1) == pytest.approx(plain)
    # By hand: mean .03, variance .00025; t = .03 / sqrt((.2 + 9 / 21) x .00025) = 2.393, 4 degrees of freedom.
    assert corrected_t(draws, n_train=21, n_test=9) == pytest.approx(2 * stats.t.sf(2.3932, 4), rel=1e-3)
    assert corrected_t([0.0, 0.0], 14, 6) == 1.0
    assert corrected_t([0.1, 0.1], 14, 6) == 0.0
    assert np.isnan(corrected_t(draws, n_train=10, n_test=4))  # too few people to be divided


def test_p_values_of_three_data_sets_add_up_in_one_direction_only():
    alike = stouffer([0.1, 0.1, 0.1], [0.02, 0.03, 0.01])
    # z = 1.645 each; their sum over sqrt(3) is 2.849.
    assert alike == pytest.approx(2 * stats.norm.sf(3 * stats.norm.isf(0.05) / np.sqrt(3)), rel=1e-6)
    assert stouffer([0.1, 0.1, 0.1], [0.02, -0.03, 0.01]) > 0.3
    assert stouffer([0.1, 0.1, 0.1], [-0.02, -0.03, -0.01]) == pytest.approx(alike)
    with pytest.raises(ValueError, match="2 data sets"):
        stouffer([0.1, 0.1], [1, 1])


def test_friedman_as_in_the_worked_example_of_demsar():
    # Table 6 of [3]: C4.5, with m, with cf, with both on 14 data sets; chi square 9.28 on 3 degrees of freedom. Two of its
    # accuracies are printed alike and ranked apart.
    scores = np.array([
        (0.763, 0.768, 0.771, 0.798), (0.599, 0.591, 0.590, 0.569), (0.954, 0.971, 0.968, 0.967),
        (0.628, 0.661, 0.654, 0.657), (0.882, 0.888, 0.886, 0.898), (0.936, 0.931, 0.916, 0.931),
        (0.661, 0.668, 0.609, 0.685), (0.583, 0.583, 0.563, 0.625), (0.775, 0.838, 0.866, 0.875),
        (1.000, 1.000, 1.000, 1.000), (0.940, 0.962, 0.965, 0.962), (0.619, 0.666, 0.614, 0.669),
        (0.972, 0.981, 0.9751, 0.975), (0.957, 0.978, 0.946, 0.970),
    ])  # fmt: skip
    ranks = stats.rankdata(-scores, axis=1).mean(axis=0)
    assert ranks == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=0.001)
    # Three ties of two and one of four, for which scipy corrects and he does not.
    ties = (3 * (2**3 - 2) + 4**3 - 4) / (14 * (4**3 - 4))
    assert friedman(scores) == pytest.approx(stats.chi2.sf(9.28 / (1 - ties), 3), abs=2e-4)


def test_a_score_a_person_is_within_the_person_and_over_seeds():
    one, two = np.array([[8, 2], [4, 6]]), np.array([[6, 4], [0, 10]])
    only_high = np.array([[0, 0], [3, 7]])
    counts = {0: {1: one, 2: only_high}, 1: {1: two, 2: only_high}}
    assert person_scores(counts) == {1: pytest.approx((0.7 + 0.8) / 2)}


def test_a_comparison_is_of_the_people_whom_both_tested():
    first = {person: 0.6 + 0.01 * (person % 3) for person in range(10)}
    second = {person: 0.5 for person in range(1, 20)}
    found = compare_people(first, second)
    assert found.n_people == 9
    assert found.low < found.difference < found.high
    assert found.difference == pytest.approx(np.mean([first[person] - 0.5 for person in range(1, 10)]))
    assert found.better == pytest.approx(1, abs=0.01)
    assert found.sign_flip == pytest.approx(2 / 2**9)
    assert found.better + found.equal + found.worse == pytest.approx(1)
    other_way = compare_people(second, first)
    assert (other_way.worse, other_way.sign_flip) == (found.better, found.sign_flip)


def test_few_people_have_no_test():
    few = {person: float(person) for person in range(FEWEST_PEOPLE - 1)}
    found = compare_people(few, dict.fromkeys(few, 0.0))
    assert not found.enough_people
    assert np.isnan([found.sign_flip, found.wilcoxon, found.better]).all()
    assert np.isnan(compare_people({}, {}).difference)


def test_ranks_are_as_sure_as_people_are_alike():
    rng = np.random.default_rng(0)
    person = rng.normal(0.6, 0.1, (30, 1))
    clear = person + np.array([0.2, 0.1, 0.0]) + rng.normal(0, 0.01, (30, 3))
    assert [(rank.low, rank.high, rank.tied) for rank in rank_intervals(clear)] == [
        (1, 1, True),
        (2, 2, False),
        (3, 3, False),
    ]
    same = person + rng.normal(0, 0.1, (30, 3))
    assert all((rank.low, rank.high, rank.tied) == (1, 3, True) for rank in rank_intervals(same))
    equal = np.repeat(person, 3, axis=1)
    assert all(rank.low == 1 and rank.tied for rank in rank_intervals(equal))
