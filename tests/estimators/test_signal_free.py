"""Estimators that see no signal: what they know is what they are given."""

import numpy as np
import pandas as pd
import pytest

from bench.estimators.signal_free import (
    majority,
    order_prior,
    place_prior,
    stratified_chance,
    subject_prior,
    trial_prior,
)

X = np.random.default_rng(0).normal(size=(1000, 4, 16)).astype(np.float32)
X.flags.writeable = False
Y = np.array(["low"] * 700 + ["high"] * 300)


def test_majority():
    estimator = majority().fit(X, Y)
    assert set(estimator.predict(X)) == {"low"}
    assert estimator.predict(X[:1]).tolist() == ["low"]
    assert estimator.classes_.tolist() == ["high", "low"]
    np.testing.assert_array_equal(estimator.predict_proba(X[:2]), [[0, 1], [0, 1]])


def test_stratified_chance_draws_with_the_frequencies_of_training():
    estimator = stratified_chance(random_state=0).fit(X, Y)
    drawn = estimator.predict(X)
    # Four standard deviations of a share of 1,000 draws: 4 * sqrt(.7 * .3 / 1000) = .058
    assert (drawn == "low").mean() == pytest.approx(0.7, abs=0.058)
    np.testing.assert_array_equal(drawn, estimator.classes_[estimator.predict_proba(X).argmax(axis=1)])
    np.testing.assert_array_equal(drawn, stratified_chance(random_state=0).fit(X, Y).predict(X))
    assert (drawn != stratified_chance(random_state=1).fit(X, Y).predict(X)).any()


@pytest.mark.parametrize("make", [majority, lambda: stratified_chance(random_state=0)])
def test_nine_classes(make):
    y = np.array([str(k % 9) for k in range(len(X))])
    estimator = make().fit(X, y)
    assert estimator.predict_proba(X).shape == (len(X), 9)
    assert set(estimator.predict(X)) <= set(y)


def ids(**columns):
    return pd.DataFrame(columns)


def test_the_person_tells_what_it_rates_more_often_than_people_do():
    X = ids(subject=[1] * 10 + [2] * 10)
    y = np.array(["high"] * 7 + ["low"] * 3 + ["high"] * 6 + ["low"] * 4)
    estimator = subject_prior().fit(X, y)
    # Person 2 is high more often than not, and less often than people are: of the two, balanced accuracy wants low.
    assert estimator.predict(ids(subject=[1, 2])).tolist() == ["high", "low"]
    np.testing.assert_allclose(estimator.predict_proba(ids(subject=[3])), [[0.5, 0.5]])
    assert estimator.predict_proba(ids(subject=[1, 2, 3])).sum(axis=1) == pytest.approx(1)


def test_the_nearest_trials_of_the_same_person_tell_by_their_order():
    X = ids(subject=[1, 1, 1, 2, 2], order=[1, 4, 9, 4, 5])
    y = np.array(["low", "high", "low", "low", "low"])
    estimator = order_prior().fit(X, y)
    found = estimator.predict(ids(subject=[1, 1, 1, 2], order=[3, 8, 2, 4]))
    assert found.tolist() == ["high", "low", "low", "low"]
    assert estimator.predict_proba(ids(subject=[9], order=[1])).tolist() == [[0.5, 0.5]]


def test_a_plan_of_the_sessions_tells_people_that_are_not_in_training():
    X = ids(order=[1, 2, 3, 1, 2, 3, 1, 2, 3])
    y = np.array(["rest", "stress", "fun", "rest", "fun", "stress", "rest", "stress", "fun"])
    estimator = place_prior().fit(X, y)
    assert estimator.predict(ids(order=[1, 2, 3])).tolist() == ["rest", "stress", "fun"]
    np.testing.assert_allclose(estimator.predict_proba(ids(order=[9])), [[1 / 3, 1 / 3, 1 / 3]])


def test_who_knows_the_trial_knows_it():
    X = ids(subject=[1, 1, 2, 2], trial=[1, 2, 1, 2])
    y = np.array(["low", "high", "high", "low"])
    assert (trial_prior().fit(X, y).predict(X) == y).all()
