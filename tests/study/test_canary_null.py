"""The null of a canary: valid, corrected for the tests of a run, and honest on what could have been found."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from bench.study.canary import ALARM, DEMONSTRATION, PERMUTED, QUIET, TOO_FEW, Canary, settle
from bench.study.canary_null import POWER, Null, Votes, null_of


def votes_of(label, known_by, tested=None, stratum=None) -> Votes:
    """Votes of units for units: a row a tested one."""
    known_by = np.asarray(known_by, float)
    n = len(label)
    return Votes(
        np.asarray(label),
        np.zeros(n, int) if stratum is None else np.asarray(stratum),
        np.arange(n) if tested is None else np.asarray(tested),
        csr_array(known_by),
        csr_array(np.eye(n)),
    )


def test_windows_of_a_trial_vote_and_a_tie_counts_its_share():
    label = [0, 0, 1, 1, 2]
    votes = votes_of(
        label,
        [
            [0, 2, 1, 0, 0],  # two for 0, one for 1: right
            [1, 0, 1, 0, 0],  # one for 0, one for 1: half
            [2, 0, 0, 1, 0],  # wrong
            [0, 0, 0, 0, 0],  # nothing tells: one of three
        ],
        tested=[0, 1, 2, 4],
    )
    assert votes.correct(votes.label[:, None]) == pytest.approx([1 + 1 / 2 + 0 + 1 / 3])
    assert votes.n_told == 3


def test_classes_are_dealt_anew_within_strata_only():
    rng = np.random.default_rng(0)
    label, stratum = rng.integers(0, 3, 60), np.repeat(np.arange(6), 10)
    votes = votes_of(label, np.eye(60), stratum=stratum)
    dealt = np.concatenate(list(votes.relabelings(500, rng)), axis=1)
    assert dealt.shape == (60, 500)
    for own in range(6):
        assert (np.sort(dealt[stratum == own], axis=0) == np.sort(label[stratum == own])[:, None]).all()
        assert (dealt[stratum == own] == dealt[stratum == own][:, :1]).mean() < 0.7


@settings(max_examples=20, deadline=None)
@given(
    people=st.integers(1, 5),
    trials=st.integers(2, 8),
    share=st.sampled_from([0.3, 0.5, 0.8]),
    nearest=st.booleans(),
    seed=st.integers(0, 999),
)
def test_c1_p_is_valid_whoever_votes_for_whom(people, trials, share, nearest, seed):
    """Trials that train each other's folds in pairs, few people, rare classes: in no case is p too often small."""
    rng = np.random.default_rng(seed)
    n = people * trials
    stratum = np.repeat(np.arange(people), trials)
    # Each other's nearest in pairs, or any: what made the scores of two trials hang together before.
    known_by = np.eye(n)[np.arange(n) ^ 1 if n % 2 == 0 and nearest else rng.permutation(n)]
    p = []
    for _ in range(200):
        label = rng.random(n) < share
        label[:2] = True, False
        label = rng.permutation(label).astype(int)
        p.append(null_of(votes_of(label, known_by, stratum=stratum), rng, n=99).p)
    for level in (0.05, 0.2):
        # Of 200 p at most as many as level says are as small; four standard errors more by chance.
        assert np.mean(np.array(p) <= level) <= level + 4 * math.sqrt(level * (1 - level) / 200)


def test_p_is_never_zero_and_small_only_for_more_than_ties_alone_score():
    counts = np.arange(99.0)
    assert Null(200.0, 300, 300.0, 0.0, counts).p == pytest.approx(1 / 100)
    assert Null(98.0, 300, 300.0, 0.0, counts).p == pytest.approx(2 / 100)
    assert Null(98.0, 300, 300.0, 150.0, counts).p == 1


def binomial(seen, n=400, chance=0.5, relabelings=2000, seed=0) -> Null:
    counts = np.random.default_rng(seed).binomial(n, chance, relabelings).astype(float)
    return Null(float(seen), n, float(n), 0.0, counts)


@pytest.mark.parametrize("sensitivity", [1.0, 0.6])
@pytest.mark.parametrize("level", [0.05, 0.005])
def test_c1_the_detectable_share_is_found_four_times_in_five(level, sensitivity):
    null = replace(binomial(0), sensitivity=sensitivity)
    share = null.detectable(level)
    assert 0.03 < share < 0.5
    rng = np.random.default_rng(1)
    told = rng.binomial(round(share * 400), sensitivity, 4000)
    seen = told + rng.binomial(400 - told, 0.5)
    found = np.mean([replace(null, seen=float(one)).p <= level for one in seen])
    assert found == pytest.approx(POWER, abs=0.06)


def test_nothing_is_detectable_where_all_trials_are_too_few():
    assert math.isnan(binomial(0, n=5).detectable(0.001))
    assert math.isnan(replace(binomial(0, n=100), reachable=60.0).detectable(0.001))
    assert math.isnan(binomial(0).detectable(1e-6))  # no p is as small with so few relabelings
    assert math.isnan(replace(binomial(0, n=400), sensitivity=0.1).detectable(0.001))


def measured(null, finding=ALARM):
    return Canary("toy", PERMUTED, "any", "any", "clean", finding=finding), null


def test_c1_false_discoveries_are_controlled_among_the_tests_that_can_alarm():
    quiet = [measured(binomial(200, seed=k)) for k in range(8)]
    # p of about .013 alone is enough, and of nine is not.
    borderline = measured(binomial(223))
    assert settle([borderline])[0].finding == ALARM
    assert settle([borderline, *quiet])[0].finding == QUIET
    # However much leaky protocols demonstrate, that makes no room for false alarms; another alarm does.
    demonstrations = [measured(binomial(400), DEMONSTRATION) for _ in range(20)]
    assert settle([borderline, *quiet, *demonstrations])[0].finding == QUIET
    alarms = [measured(binomial(400)) for _ in range(8)]
    assert {one.finding for one in settle([borderline, *alarms])} == {ALARM}


def test_what_was_not_possible_is_no_test():
    impossible = Canary("toy", PERMUTED, "any", "any", finding="not possible: no class")
    alone = settle([measured(binomial(215))])[0]
    found, last = settle([measured(binomial(215)), (impossible, None)])
    assert found == alone
    assert last is impossible


def test_too_few_trials_are_not_called_quiet():
    assert settle([measured(binomial(2, n=4))])[0].finding == TOO_FEW
    found = settle([measured(binomial(4, n=7)), measured(binomial(200))])
    assert [one.finding for one in found] == [QUIET, QUIET]
    found = settle([measured(binomial(4, n=7))] * 20)
    assert {one.finding for one in found} == {TOO_FEW}
    # Where all classes tie whatever is dealt there is nothing to be found.
    silent = Null(50.0, 100, 50.0, 50.0, np.full(200, 50.0))
    assert settle([measured(silent)])[0].finding == QUIET


def test_a_quiet_test_says_what_it_would_have_found():
    one, other = settle([measured(binomial(200)), measured(binomial(2000, n=4000, seed=1))])
    assert one.finding == other.finding == QUIET
    assert 0.1 < one.detectable < 0.2
    assert 0.03 < other.detectable < 0.06
