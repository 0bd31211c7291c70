"""Scores are those of scikit-learn."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, f1_score

from bench.cells.metrics import confusion, scores

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
    assert found["accuracy"] == pytest.approx(accuracy_score(y_true, y_pred))


@pytest.mark.parametrize("strange", ["", "lo", "zzz", "lower"])
def test_a_label_that_is_no_class_is_refused(strange):
    with pytest.raises(ValueError, match=f"label '{strange}' is none of the classes low, high"):
        confusion(np.array(["low", "high"]), np.array(["low", strange]), ("low", "high"))
