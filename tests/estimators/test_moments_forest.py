"""A forest on four moments of each channel."""

import numpy as np
import pytest

from bench.estimators.moments_forest import moments, moments_forest

RNG = np.random.default_rng(0)


def windows(n_classes=2, n=60):
    """Windows whose classes differ in the level of one channel and in the slope of the other; read-only."""
    labels = np.arange(n) % n_classes
    X = RNG.normal(size=(n, 2, 50))
    X[:, 0] += labels[:, None] % 3
    X[:, 1] += (labels[:, None] // 3) * np.linspace(-2, 2, 50)
    X = X.astype(np.float32)
    X.flags.writeable = False
    return X, np.array([f"class {label}" for label in labels])


@pytest.mark.parametrize("n", [1, 7, 2001])
def test_the_moments_are_those_of_a_plain_computation(n):
    X = (RNG.normal(size=(n, 3, 20)).cumsum(axis=2) * 50 + 1000).astype(np.float32)
    found = moments(X)
    assert found.shape == (n, 12)
    for row in (0, n // 2, n - 1):
        channels = X[row].astype(np.float64)
        slopes = [np.polyfit(np.arange(20), channel, 1)[0] for channel in channels]
        means, deviations = [c.mean() for c in channels], [np.std(c) for c in channels]
        ranges = [c.max() - c.min() for c in channels]
        assert found[row] == pytest.approx([*means, *deviations, *slopes, *ranges], rel=1e-6, abs=1e-9)


def test_a_single_time_point_has_no_slope():
    np.testing.assert_array_equal(moments(np.full((2, 1, 1), 3, np.float32)), [[3, 0, 0, 0]] * 2)


@pytest.mark.parametrize("n_classes", [2, 6])
def test_it_learns_levels_and_slopes(n_classes):
    X, y = windows(n_classes, 120)
    estimator = moments_forest(n_estimators=50, random_state=0, n_jobs=1).fit(X[:60], y[:60])
    assert (estimator.predict(X[60:]) == y[60:]).mean() > 0.95
    assert estimator.classes_.tolist() == sorted(set(y))
    probabilities = estimator.predict_proba(X[60:])
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(60))
    np.testing.assert_array_equal(estimator.predict(X[60:]), estimator.classes_[probabilities.argmax(axis=1)])


def test_the_same_seed_repeats_with_any_number_of_threads():
    X, y = windows()
    y = RNG.permutation(y)  # nothing to learn: every tree is another one
    one, two, other = (
        moments_forest(n_estimators=20, random_state=seed, n_jobs=jobs).fit(X, y).predict_proba(X[::-1] + 0.1)
        for seed, jobs in ((3, 1), (3, 2), (4, 1))
    )
    assert one == pytest.approx(two)
    assert (one != other).any()


def test_classes_and_windows_can_weigh_more():
    X, y = RNG.normal(size=(300, 1, 10)).astype(np.float32), np.array(["low"] * 280 + ["high"] * 20)
    fresh = RNG.normal(size=(300, 1, 10)).astype(np.float32)

    def share_of_high(class_weight=None, sample_weight=None):
        forest = moments_forest(n_estimators=100, class_weight=class_weight, random_state=0, n_jobs=1)
        return forest.fit(X, y, sample_weight).predict_proba(fresh)[:, 0].mean()

    weights = np.where(y == "high", 14.0, 1.0)
    assert share_of_high("balanced") == pytest.approx(share_of_high(None, weights), abs=0.02)
    with pytest.raises(ValueError, match="class_weight"):
        share_of_high("heavy")
