"""Classifiers of tables that are given windows: they see what is said, weigh, and can be copied."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.validation import has_fit_parameter

from bench.adapters import flattened, with_features

BOTH = pytest.mark.parametrize("adapt", [flattened, with_features])


def windows(n=30, channels=2, samples=20):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, channels, samples)).astype(np.float32)
    y = np.array(["high", "low"] * (n // 2))
    X[y == "high", 1] += 2
    return X, y


def test_flattened_is_the_classifier_on_the_samples():
    X, y = windows()
    plain = RandomForestClassifier(20, random_state=0).fit(X.reshape(len(X), -1), y)
    ours = flattened(RandomForestClassifier(20, random_state=0)).fit(X, y)
    np.testing.assert_array_equal(ours.predict_proba(X), plain.predict_proba(X.reshape(len(X), -1)))
    np.testing.assert_array_equal(ours.predict(X), plain.predict(X.reshape(len(X), -1)))
    assert list(ours.classes_) == ["high", "low"]


def test_features_are_mean_deviation_slope_and_range_of_each_channel():
    line = np.array(
        [[[1, 3, 5, 7], [2, 2, 2, 2]]] * 1001, np.float32
    )  # more windows than are taken at a time
    seen = with_features(KNeighborsClassifier(1)).fit(line, np.resize(["a", "b"], 1001)).classifier_._fit_X
    assert seen.shape == (1001, 8)
    np.testing.assert_allclose(seen, [[4, 2, np.sqrt(5), 0, 2, 0, 6, 0]] * 1001)


@BOTH
def test_a_clone_and_a_pickle_predict_the_same_and_the_classifier_given_stays_unfitted(adapt):
    X, y = windows()
    given = RandomForestClassifier(10, random_state=0)
    fitted = adapt(given).fit(X, y)
    assert not hasattr(given, "classes_")
    np.testing.assert_array_equal(clone(fitted).fit(X, y).predict_proba(X), fitted.predict_proba(X))
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(fitted)).predict_proba(X), fitted.predict_proba(X)
    )
    assert is_classifier(fitted)
    assert clone(fitted).set_params(classifier__n_estimators=3).classifier.n_estimators == 3


@BOTH
@pytest.mark.parametrize(
    "classifier",
    [LogisticRegression(), make_pipeline(StandardScaler(), LogisticRegression())],
    ids=["classifier", "pipeline"],
)
def test_weights_of_windows_reach_the_classifier(adapt, classifier):
    X, _ = windows()
    both, y = np.concatenate([X, X]), np.repeat(["low", "high"], len(X))  # each window is of either class
    for heavy in ("low", "high"):
        fitted = adapt(classifier).fit(both, y, sample_weight=np.where(y == heavy, 9.0, 1.0))
        assert (fitted.predict(X) == heavy).all()


@BOTH
def test_what_the_classifier_cannot_do_is_not_offered(adapt):
    assert not has_fit_parameter(adapt(KNeighborsClassifier()), "sample_weight")
    assert not hasattr(adapt(LinearSVC()), "predict_proba")
    X, y = windows()
    assert not hasattr(adapt(LinearSVC()).fit(X, y), "predict_proba")
