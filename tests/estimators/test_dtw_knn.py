"""DTW nearest neighbour, against a dynamic programme written out."""

from itertools import pairwise

import numpy as np
import pytest
from sktime.datasets import load_basic_motions

from bench.estimators.dtw_knn import dtw_knn, piecewise_means


def dependent_dtw(a: np.ndarray, b: np.ndarray) -> float:
    """Squared differences summed over the channels, along the cheapest path; no band."""
    cost = np.full((a.shape[1] + 1, b.shape[1] + 1), np.inf)
    cost[0, 0] = 0
    for i in range(a.shape[1]):
        for j in range(b.shape[1]):
            step = min(cost[i, j], cost[i, j + 1], cost[i + 1, j])
            cost[i + 1, j + 1] = step + ((a[:, i] - b[:, j]) ** 2).sum()
    return cost[-1, -1]


def test_neighbours_are_those_of_dependent_dtw():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(24, 3, 12)).cumsum(axis=2).astype(np.float32)
    train, test = X[:16], X[16:]
    train.flags.writeable = test.flags.writeable = False
    names = np.array([f"window {i:02}" for i in range(16)])  # every window its own class: the neighbour shows
    nearest = [names[np.argmin([dependent_dtw(a, b) for b in train])] for a in test]
    apart = [
        names[np.argmin([sum(dependent_dtw(a[c : c + 1], b[c : c + 1]) for c in range(3)) for b in train])]
        for a in test
    ]
    assert nearest != apart  # the other multivariate DTW, each channel warped by itself, would be told apart
    assert dtw_knn(window=1.0).fit(train, names).predict(test).tolist() == nearest


def test_basic_motions():
    X, y = load_basic_motions(split="train", return_X_y=True, return_type="numpy3D")
    X_test, y_test = load_basic_motions(split="test", return_X_y=True, return_type="numpy3D")
    X, X_test = X.astype(np.float32), X_test.astype(np.float32)
    X.flags.writeable = X_test.flags.writeable = False
    estimator = dtw_knn().fit(X, y)
    # .975 is also the published figure of DTW_D on these windows (Bagnall et al. 2018).
    assert (estimator.predict(X_test) == y_test).mean() == pytest.approx(0.975)
    assert estimator.predict(X_test[:1]).shape == (1,)
    short = dtw_knn(segments=50).fit(X, y)
    assert (short.predict(X_test) == y_test).mean() >= 0.9


def test_probabilities_are_shares_of_the_votes():
    X = np.array([0, 0.1, 0.2, 5, 5.1, 5.2], np.float32)[:, None, None] * np.ones((1, 2, 10), np.float32)
    y = np.array(["a", "a", "b", "c", "c", "c"])
    estimator = dtw_knn(n_neighbors=3).fit(X, y)
    assert estimator.classes_.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(estimator.predict_proba(X[[1, 4]]), [[2 / 3, 1 / 3, 0], [0, 0, 1]])


@pytest.mark.parametrize("segments", [1, 3, 7, 10])
def test_piecewise_means_by_hand(segments):
    X = np.random.default_rng(0).normal(size=(2, 3, 10)).astype(np.float32)
    bounds = [k * 10 // segments for k in range(segments + 1)]
    expected = [X[:, :, a:b].mean(axis=2) for a, b in pairwise(bounds)]
    means = piecewise_means(X, segments)
    np.testing.assert_allclose(means, np.stack(expected, axis=2), rtol=1e-5)
    assert means.dtype == np.float32
    widths = np.diff(bounds)
    assert widths.max() - widths.min() <= 1


@pytest.mark.parametrize("segments", [None, 10, 11])
def test_no_fewer_segments_than_time_points_change_nothing(segments):
    X = np.arange(20, dtype=np.float32).reshape(1, 2, 10)
    assert piecewise_means(X, segments) is X


def test_no_segment_at_all_is_refused():
    with pytest.raises(ValueError, match="segments is 0"):
        piecewise_means(np.zeros((1, 1, 5)), 0)
