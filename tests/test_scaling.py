"""Scalers learn from training windows alone."""

import json

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from bench.scaling import FittedScaling, make_scaler

RNG = np.random.default_rng(0)
TRAIN = (RNG.normal(5, 3, (40, 2, 30)) * [[[1], [100]]]).astype(np.float32)
TEST = TRAIN[:7] * 3 + 1
SUBJECTS = np.repeat([1, 2, 3, 4], 10)


def test_min_max_takes_each_channel_of_the_training_windows_to_zero_and_one():
    scaler = make_scaler("min-max").fit(TRAIN, SUBJECTS)
    X = scaler.transform(TRAIN.copy(), SUBJECTS)
    assert X.min(axis=(0, 2)) == pytest.approx([0, 0], abs=1e-6)
    assert X.max(axis=(0, 2)) == pytest.approx([1, 1], abs=1e-6)
    low, high = TRAIN.min(axis=(0, 2))[:, None], TRAIN.max(axis=(0, 2))[:, None]
    assert scaler.transform(TEST.copy(), SUBJECTS[:7]) == pytest.approx((TEST - low) / (high - low), rel=1e-5)


def test_subject_z_score_uses_each_subjects_own_training_windows():
    scaler = make_scaler("subject-z-score").fit(TRAIN, SUBJECTS)
    X = scaler.transform(TRAIN.copy(), SUBJECTS)
    for subject in np.unique(SUBJECTS):
        own = X[subject == SUBJECTS]
        assert own.mean(axis=(0, 2)) == pytest.approx([0, 0], abs=1e-4)
        assert own.std(axis=(0, 2)) == pytest.approx([1, 1], rel=1e-4)


def test_subject_z_score_of_a_subject_without_training_windows_says_what_to_do():
    scaler = make_scaler("subject-z-score").fit(TRAIN, SUBJECTS)
    with pytest.raises(ValueError, match="subject 9 has no training window; use scaling min-max"):
        scaler.transform(TEST.copy(), np.full(7, 9))


def test_none_changes_nothing():
    assert (make_scaler("none").fit(TRAIN, SUBJECTS).transform(TEST.copy(), SUBJECTS) == TEST).all()


def restored(content):
    return TypeAdapter(FittedScaling).validate_python(json.loads(json.dumps(content))).scaler()


@pytest.mark.parametrize("name", ["min-max", "subject-z-score", "none"])
def test_a_fitted_scaler_is_the_same_after_json(name):
    scaler = make_scaler(name).fit(TRAIN, SUBJECTS)
    again = restored(scaler.fitted().model_dump(mode="json"))
    assert (again.transform(TEST.copy(), SUBJECTS[:7]) == scaler.transform(TEST.copy(), SUBJECTS[:7])).all()


@pytest.mark.parametrize(
    "content",
    [
        {"name": "max"},
        {"name": "none", "low": [1.0]},
        {"name": "min-max", "low": [0.0]},
        {"name": "min-max", "low": [0.0], "spread": [0.0]},
        {"name": "min-max", "low": [float("nan")], "spread": [1.0]},
        {"name": "subject-z-score", "mean": {}, "deviation": {}},
        {"name": "subject-z-score", "mean": {"1": [0.0]}, "deviation": {"2": [1.0]}},
    ],
)
def test_what_is_no_fitted_scaler_is_refused(content):
    with pytest.raises(ValidationError):
        restored(content)


@pytest.mark.parametrize("name", ["min-max", "subject-z-score"])
def test_padding_is_ignored_and_kept(name):
    padded = np.concatenate([TRAIN, np.full((40, 2, 5), np.nan, np.float32)], axis=2)
    X = make_scaler(name).fit(padded, SUBJECTS).transform(padded.copy(), SUBJECTS)
    plain = make_scaler(name).fit(TRAIN, SUBJECTS).transform(TRAIN.copy(), SUBJECTS)
    assert X[:, :, :30] == pytest.approx(plain, abs=1e-5)
    assert np.isnan(X[:, :, 30:]).all()


@pytest.mark.parametrize("name", ["min-max", "subject-z-score"])
def test_a_constant_channel_stays_finite(name):
    flat = TRAIN.copy()
    flat[:, 1] = 7
    X = make_scaler(name).fit(flat, SUBJECTS).transform(flat, SUBJECTS)
    assert np.isfinite(X).all()
    assert (X[:, 1] == 0).all()
