"""The two baselines take windows and ignore them."""

import numpy as np
import pytest

from bench.estimators.signal_free import majority, stratified_chance

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
