"""Scores are those of scikit-learn."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    matthews_corrcoef,
    roc_auc_score,
)

from bench.cells.metrics import (
    confusion,
    probability_scores,
    scores,
    trial_confusion_by,
    within_people,
)

CLASSES = ("low", "high", "middle")
labels = st.lists(st.tuples(st.sampled_from(CLASSES), st.sampled_from(CLASSES)), min_size=1, max_size=50)


@settings(max_examples=50)
@given(labels)
def test_counts_and_scores_are_those_of_scikit_learn(pairs):
    y_true, y_pred = (np.array(column) for column in zip(*pairs, strict=True))
    counts = confusion(y_true, y_pred, CLASSES)
    assert (counts == confusion_matrix(y_true, y_pred, labels=list(CLASSES))).all()
    found = scores(counts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of classes that only the predictions have
        assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(y_true, y_pred))
        assert found["f1_macro"] == pytest.approx(f1_score(y_true, y_pred, average="macro", zero_division=0))
        assert found["mcc"] == pytest.approx(matthews_corrcoef(y_true, y_pred), abs=1e-12)
    assert found["accuracy"] == pytest.approx(accuracy_score(y_true, y_pred))


@pytest.mark.parametrize("strange", ["", "lo", "zzz", "lower"])
def test_a_label_that_is_no_class_is_refused(strange):
    with pytest.raises(ValueError, match=f"label '{strange}' is none of the classes low, high"):
        confusion(np.array(["low", "high"]), np.array(["low", strange]), ("low", "high"))


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 3, 5]))
def test_scores_of_probabilities_are_those_of_scikit_learn(seed, n_classes):
    rng = np.random.default_rng(seed)
    true = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, 30)])
    given_ = rng.dirichlet(np.ones(n_classes), len(true)).astype(np.float32)
    found = probability_scores(true, given_)
    exact = given_.astype(float) / given_.astype(float).sum(axis=1, keepdims=True)
    expected = roc_auc_score(true, exact[:, 1] if n_classes == 2 else exact, multi_class="ovr")
    assert found["auroc"] == pytest.approx(expected)
    assert found["log_loss"] == pytest.approx(-np.log(exact[np.arange(len(true)), true]).mean())
    assert 0 <= found["calibration_error"] <= 1


def test_a_forecast_that_is_right_as_often_as_it_says_is_calibrated():
    true = np.array([0] * 8 + [1] * 2)
    assert probability_scores(true, np.tile([0.8, 0.2], (10, 1)))["calibration_error"] == pytest.approx(0)
    assert probability_scores(true, np.tile([1.0, 0.0], (10, 1)))["calibration_error"] == pytest.approx(0.2)
    assert np.isnan(probability_scores(np.zeros(3, int), np.full((3, 2), 0.5))["auroc"])


def test_of_people_with_one_class_there_is_no_score_within():
    both, one = np.array([[3, 1], [1, 3]]), np.array([[0, 0], [2, 5]])
    assert within_people({1: both, 2: one}) == 0.75
    assert np.isnan(within_people({2: one}))


def test_the_windows_of_a_trial_vote_with_their_probability():
    people, trials = np.array([1, 1, 1, 2]), np.array([7, 7, 8, 7])
    true, predicted = np.array([1, 1, 0, 0]), np.array([0, 0, 0, 0])
    sure = np.array([[0.6, 0.4], [0.1, 0.9], [0.9, 0.1], [0.8, 0.2]])
    assert trial_confusion_by(people, trials, true, predicted, sure, 2)[1].tolist() == [[1, 0], [0, 1]]
    # Without probabilities, by the classes that were predicted.
    assert trial_confusion_by(people, trials, true, predicted, None, 2)[1].tolist() == [[1, 0], [1, 0]]
