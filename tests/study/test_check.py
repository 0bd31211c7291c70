"""``check`` tells the author of a plugin what is wrong with it."""

import pytest

from bench.spec import parse_spec
from bench.study.check import check_dataset, check_estimator


def faults(name):
    return [f"{found.sentence}: {found.fault}" for found in check_estimator(parse_spec(name)) if found.fault]


@pytest.mark.parametrize(
    "name",
    [
        "majority",
        "stratified-chance",
        "nearest-mean",
        "nearest-window",
        "dtw-knn[n_neighbors=2]",
        "moments-forest[n_estimators=20]",
    ],
)
def test_estimators_that_keep_the_interface_pass(toy_plugins, name):
    assert faults(name) == []


@pytest.mark.parametrize(
    ("how", "fault"),
    [
        ("fit", "RuntimeError: the loss is nan"),
        ("shape", "predict gave shape (3,) for 24 windows"),
        ("class", "predict gave 'medium', which is no class"),
    ],
)
def test_a_fault_is_named(toy_plugins, how, fault):
    assert fault in faults(f"breaks[how={how}]")[0]


def test_an_estimator_that_does_not_predict_the_most_probable_class_may_not_say_so(toy_plugins):
    (fault,) = faults("liar")
    assert "predict gives another class than predict_proba" in fault


def test_an_estimator_that_looks_at_the_windows_beside_is_told_so(toy_plugins):
    assert any(
        "predicts a window alone as among others: it says otherwise" in fault
        for fault in faults("of-neighbours")
    )


def test_data_sets_are_read_and_described(toy_plugins):
    sentences = [found.sentence for found in check_dataset(parse_spec("toy"), None)]
    assert "40 trials of 4 subjects, 2 channels at 16 Hz; to predict: arousal, valence" in sentences


@pytest.mark.parametrize(
    "name", ["majority", "stratified-chance", "subject-prior", "order-prior", "trial-prior"]
)
def test_what_sees_ids_only_is_checked_on_ids(name):
    checks = list(check_estimator(parse_spec(name)))
    assert [check.fault for check in checks if check.fault] == []
    assert "ids of 24 windows" in checks[0].sentence
