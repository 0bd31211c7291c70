"""Nearest neighbours under dynamic time warping, against a dynamic programme written out and against sktime."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sktime.classification.distance_based import KNeighborsTimeSeriesClassifier
from sktime.datasets import load_basic_motions

from bench.data.loading import find_sources, load_recordings
from bench.estimators.dtw_knn import dtw_knn, euclidean_knn
from bench.estimators.dtw_knn.search import NearestByDTW, band
from bench.spec import parse_spec


def dependent_dtw(a: np.ndarray, b: np.ndarray) -> float:
    """Squared differences summed over the channels, along the cheapest path; no band."""
    cost = np.full((a.shape[1] + 1, b.shape[1] + 1), np.inf)
    cost[0, 0] = 0
    for i in range(a.shape[1]):
        for j in range(b.shape[1]):
            step = min(cost[i, j], cost[i, j + 1], cost[i + 1, j])
            cost[i + 1, j + 1] = step + ((a[:, i] - b[:, j]) ** 2).sum()
    return cost[-1, -1]


def by_sktime(train, test, window):
    """All distances, (n_test, n_train)."""
    y = np.arange(len(train)) % 2
    classifier = KNeighborsTimeSeriesClassifier(1, distance="dtw", distance_params={"window": window})
    classifier.fit(train, y)
    return classifier._dist_adapt._distance(test, classifier._X)


def assert_found_as_by_sktime(train, test, window, n_neighbors):
    """To the bit, and of equally distant ones the first."""
    distances = by_sktime(train, test, window)
    found = NearestByDTW(train, window).nearest(test, n_neighbors, n_jobs=2)
    expected = distances.argsort(axis=1, kind="stable")[:, :n_neighbors]
    np.testing.assert_array_equal(found.index, expected)
    np.testing.assert_array_equal(found.distance, np.take_along_axis(distances, expected, axis=1))
    assert found.computed <= found.bounded <= distances.size
    return found


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
    assert dtw_knn(window=1.0, n_jobs=1).fit(train, names).predict(test).tolist() == nearest


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 45)),
    window=st.sampled_from([0.0, 0.04, 0.1, 0.15, 0.5, 1.0]),
    kind=st.sampled_from(["walks", "noise", "integers", "levels", "constant"]),
    scale=st.sampled_from([1e-20, 1e-3, 1.0, 1e6]),
    n_neighbors=st.sampled_from([1, 3]),
)
def test_neighbours_and_distances_are_those_of_sktime(seed, shape, window, kind, scale, n_neighbors):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, *shape))
    if kind == "walks":
        X = X.cumsum(axis=2)
    elif kind == "integers":
        X = np.round(X / 2)  # many pairs are equally distant
    elif kind == "levels":
        X = 0.01 * X + rng.normal(size=(60, shape[0], 1))
    elif kind == "constant":
        X = np.round(rng.normal(size=(60, shape[0], 1))) + np.zeros(shape)
    X = (scale * X).astype(np.float32)
    X[10:15] = X[55:]  # some are in training, one twice
    X[20] = X[10]
    assert_found_as_by_sktime(X[:48], X[48:], window, n_neighbors)


@pytest.mark.parametrize("scaled", [False, True])
def test_neighbours_on_hku956_are_those_of_sktime(shared_data, scaled):
    (source,), _ = find_sources(parse_spec("hku956"), shared_data / "HKU956")
    signals = load_recordings(source, [1903, 1904]).signals
    X = np.stack([signal[:, start : start + 192] for signal in signals for start in (0, 640)])
    if scaled:
        X = (X - X.mean(axis=2, keepdims=True)) / (X.std(axis=2, keepdims=True) + 1e-6)
    X = X.astype(np.float32)
    found = assert_found_as_by_sktime(X[::2], X[1::6], 0.1, 1)
    if not scaled:
        assert found.computed < 0.2 * len(X[::2]) * len(X[1::6])


def test_of_windows_that_differ_by_level_few_pairs_are_computed():
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(400, 2, 1)) + 0.05 * rng.normal(size=(400, 2, 60))).astype(np.float32)
    estimator = dtw_knn(n_jobs=1).fit(X[:300], np.arange(300).astype(str))
    estimator.predict(X[300:])
    assert estimator.searched_.computed < 0.05 * 300 * 100


def test_basic_motions():
    X, y = load_basic_motions(split="train", return_X_y=True, return_type="numpy3D")
    X_test, y_test = load_basic_motions(split="test", return_X_y=True, return_type="numpy3D")
    X, X_test = X.astype(np.float32), X_test.astype(np.float32)
    X.flags.writeable = X_test.flags.writeable = False
    estimator = dtw_knn(n_jobs=2).fit(X, y)
    # .975 is also the published figure of DTW_D on these windows (Bagnall et al. 2018).
    assert (estimator.predict(X_test) == y_test).mean() == pytest.approx(0.975)
    assert estimator.predict(X_test[:1]).shape == (1,)
    euclidean = euclidean_knn(n_jobs=1).fit(X, y)
    without_warping = dtw_knn(window=0.0, n_jobs=1).fit(X, y)
    assert (without_warping.predict(X_test) == euclidean.predict(X_test)).all()


@pytest.mark.parametrize("make", [dtw_knn, euclidean_knn])
def test_probabilities_are_shares_of_the_votes(make):
    X = np.array([0, 0.1, 0.2, 5, 5.1, 5.2], np.float32)[:, None, None] * np.ones((1, 2, 10), np.float32)
    y = np.array(["a", "a", "b", "c", "c", "c"])
    estimator = make(n_neighbors=3, n_jobs=1).fit(X, y)
    assert estimator.classes_.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(estimator.predict_proba(X[[1, 4]]), [[2 / 3, 1 / 3, 0], [0, 0, 1]])


def test_the_number_of_threads_changes_nothing():
    X = np.random.default_rng(0).normal(size=(120, 2, 30)).cumsum(axis=2).astype(np.float32)
    search = NearestByDTW(X[:60], 0.1)
    one, many = (search.nearest(X[60:], 2, n_jobs) for n_jobs in (1, 5))
    np.testing.assert_array_equal(one.index, many.index)
    assert (one.bounded, one.computed) == (many.bounded, many.computed)


@pytest.mark.parametrize("window", [0.0, 0.033, 0.1, 0.3, 1.0])
@pytest.mark.parametrize("n_timepoints", [1, 2, 29, 80, 160])
def test_the_band_leads_from_corner_to_corner_and_never_back(n_timepoints, window):
    first, last = band(n_timepoints, window)
    assert first[0] == 0
    assert last[-1] == n_timepoints - 1
    assert (first <= np.arange(n_timepoints)).all()
    assert (last >= np.arange(n_timepoints)).all()
    assert (np.diff(first) >= 0).all()
    assert (np.diff(last) >= 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_neighbors": 5}, "n_neighbors is 5, of 4 training windows"),
        ({"n_neighbors": 0}, "n_neighbors is 0"),
        ({"window": 1.5}, "window is 1.5"),
    ],
)
def test_what_cannot_be_searched_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        dtw_knn(**options, n_jobs=1).fit(np.zeros((4, 1, 5), np.float32), np.array(list("abab")))
