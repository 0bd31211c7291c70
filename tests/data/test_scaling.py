"""Scalers learn from training windows alone."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from scipy.stats import norm, rankdata

from bench.data.scaling import FittedScaling, make_scaler

RNG = np.random.default_rng(0)
TRAIN = (RNG.normal(5, 3, (40, 2, 30)) * [[[1], [100]]]).astype(np.float32)
TEST = TRAIN[:7] * 3 + 1
SUBJECTS = np.repeat([1, 2, 3, 4], 10)


@dataclass
class Known:
    """What is known of where windows come from."""

    subjects: np.ndarray
    levels: np.ndarray | None = None


EVERYBODY, FIRST = Known(SUBJECTS), Known(SUBJECTS[:7])


def test_min_max_takes_each_channel_of_the_training_windows_to_zero_and_one():
    scaler = make_scaler("min-max").fit(TRAIN, EVERYBODY)
    X = scaler.transform(TRAIN.copy(), EVERYBODY)
    assert X.min(axis=(0, 2)) == pytest.approx([0, 0], abs=1e-6)
    assert X.max(axis=(0, 2)) == pytest.approx([1, 1], abs=1e-6)
    low, high = TRAIN.min(axis=(0, 2))[:, None], TRAIN.max(axis=(0, 2))[:, None]
    assert scaler.transform(TEST.copy(), FIRST) == pytest.approx((TEST - low) / (high - low), rel=1e-5)


def test_subject_z_score_uses_each_subjects_own_training_windows():
    scaler = make_scaler("subject-z-score").fit(TRAIN, EVERYBODY)
    X = scaler.transform(TRAIN.copy(), EVERYBODY)
    for subject in np.unique(SUBJECTS):
        own = X[subject == SUBJECTS]
        assert own.mean(axis=(0, 2)) == pytest.approx([0, 0], abs=1e-4)
        assert own.std(axis=(0, 2)) == pytest.approx([1, 1], rel=1e-4)


def test_subject_z_score_of_a_subject_without_training_windows_says_what_to_do():
    scaler = make_scaler("subject-z-score").fit(TRAIN, EVERYBODY)
    with pytest.raises(
        ValueError, match="subject 9 has no training window; use scaling min-max or first-seconds"
    ):
        scaler.transform(TEST.copy(), Known(np.full(7, 9)))


def test_none_changes_nothing():
    assert (make_scaler("none").fit(TRAIN, EVERYBODY).transform(TEST.copy(), EVERYBODY) == TEST).all()


def restored(content):
    return TypeAdapter(FittedScaling).validate_python(json.loads(json.dumps(content))).scaler()


def skewed(n=200):
    """Training windows of a channel that is not normal by far and of one in steps, as skin conductance is."""
    level = np.exp(2 * RNG.normal(size=(n, 1, 30)))
    return np.concatenate([level, np.floor(level)], axis=1).astype(np.float32)


def test_rank_normal_takes_each_channel_of_the_training_windows_to_a_normal_distribution():
    train = skewed()
    X = make_scaler("rank-normal").fit(train, EVERYBODY).transform(train.copy(), EVERYBODY)
    shares = np.linspace(0.01, 0.99, 99)
    assert np.quantile(X[:, 0], shares) == pytest.approx(norm.ppf(shares), abs=0.01)
    for channel in range(2):  # of 6,000 samples all are near one of the knots
        ranks = rankdata(train[:, channel]).reshape(X[:, channel].shape)
        assert X[:, channel] == pytest.approx(norm.ppf((ranks - 0.5) / ranks.size), abs=0.01)
    assert X.dtype == np.float32


def test_rank_normal_is_fitted_on_the_training_windows_alone():
    train = skewed()
    scaler = make_scaler("rank-normal").fit(train, EVERYBODY)
    before = scaler.fitted()
    test = 3 * train[:50]
    X = scaler.transform(test.copy(), EVERYBODY)
    assert scaler.fitted() == before
    assert np.median(X[:, 0]) > 0.3  # three times as much: higher than most of training
    shares = np.array([(train[:, 0] < value).mean() for value in test[:, 0].ravel()])
    inside = (shares > 0.001) & (shares < 0.999)
    assert X[:, 0].ravel()[inside] == pytest.approx(norm.ppf(shares[inside]), abs=0.02)


def test_rank_normal_takes_equal_samples_to_the_middle_of_their_ranks():
    steps = np.repeat([3, 5, 9], [50, 40, 10]).astype(np.float32).reshape(10, 1, 10)
    X = make_scaler("rank-normal").fit(steps, EVERYBODY).transform(steps.copy(), EVERYBODY)
    assert np.unique(X) == pytest.approx(norm.ppf([0.25, 0.7, 0.95]), abs=1e-6)


def test_rank_normal_tames_what_is_far_out_in_training_or_in_test():
    train = RNG.standard_cauchy((300, 1, 100)).astype(np.float32)
    train[7, 0, :50] = 1e30  # the electrode came off
    scaler = make_scaler("rank-normal").fit(train, EVERYBODY)
    X = scaler.transform(train.copy(), EVERYBODY)
    assert np.abs(X).max() <= 4
    assert X.std() == pytest.approx(1, abs=0.01)
    far = np.array([-3e38, 3e38, np.inf, -np.inf], np.float32).reshape(1, 1, 4)
    assert scaler.transform(far, EVERYBODY)[0, 0] == pytest.approx([X.min(), X.max(), X.max(), X.min()])


@given(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=60),
    st.lists(st.floats(allow_nan=False, width=32), min_size=1, max_size=60),
)
def test_rank_normal_keeps_the_order_and_never_leaves_four_deviations(train, test):
    scaler = make_scaler("rank-normal").fit(np.array(train, np.float32).reshape(1, 1, -1), FIRST)
    ordered = np.sort(np.array(test, np.float32))
    X = scaler.transform(ordered.reshape(1, 1, -1).copy(), FIRST)[0, 0]
    assert (np.diff(X) >= 0).all()
    assert (np.abs(X) <= 4).all()
    alone = [scaler.transform(value.reshape(1, 1, 1), FIRST).item() for value in ordered.copy()]
    assert alone == X.tolist()  # a window is scaled the same whatever comes with it


def test_rank_normal_of_a_channel_that_is_padding_alone_is_finite_elsewhere():
    train = np.full((3, 1, 4), np.nan, np.float32)
    X = make_scaler("rank-normal").fit(train, EVERYBODY).transform(TEST[:, :1].copy(), EVERYBODY)
    assert (X == 0).all()


@pytest.mark.parametrize("name", ["min-max", "subject-z-score", "rank-normal", "none"])
def test_a_fitted_scaler_is_the_same_after_json(name):
    scaler = make_scaler(name).fit(TRAIN, EVERYBODY)
    again = restored(scaler.fitted().model_dump(mode="json"))
    assert (again.transform(TEST.copy(), FIRST) == scaler.transform(TEST.copy(), FIRST)).all()


@pytest.mark.parametrize(
    "content",
    [
        {"name": "max"},
        {"name": "none", "low": [1.0]},
        {"name": "min-max", "low": [0.0]},
        {"name": "min-max", "low": [0.0], "spread": [0.0]},
        {"name": "min-max", "low": [float("nan")], "spread": [1.0]},
        {"name": "rank-normal", "values": [[0.0, 1.0]], "normal": [[0.0]]},
        {"name": "rank-normal", "values": [[0.0], [1.0]], "normal": [[0.0]]},
        {"name": "rank-normal", "values": [[]], "normal": [[]]},
        {"name": "rank-normal", "values": [[1.0, 1.0]], "normal": [[0.0, 1.0]]},
        {"name": "rank-normal", "values": [[0.0, 1.0]], "normal": [[1.0, 0.0]]},
        {"name": "rank-normal", "values": [[0.0, float("inf")]], "normal": [[0.0, 1.0]]},
        {"name": "subject-z-score", "mean": {}, "deviation": {}},
        {"name": "subject-z-score", "mean": {"1": [0.0]}, "deviation": {"2": [1.0]}},
        {"name": "baseline", "deviation": [0.0]},
        {"name": "first-seconds", "mean": {"1": [0.0]}, "deviation": {"1": [1.0]}},
        {"name": "first-seconds", "seconds": 5.0, "mean": {"1": [0.0]}, "deviation": {"1": [0.0]}},
    ],
)
def test_what_is_no_fitted_scaler_is_refused(content):
    with pytest.raises(ValidationError):
        restored(content)


@pytest.mark.parametrize("name", ["min-max", "subject-z-score", "rank-normal"])
def test_padding_is_ignored_and_kept(name):
    padded = np.concatenate([TRAIN, np.full((40, 2, 5), np.nan, np.float32)], axis=2)
    X = make_scaler(name).fit(padded, EVERYBODY).transform(padded.copy(), EVERYBODY)
    plain = make_scaler(name).fit(TRAIN, EVERYBODY).transform(TRAIN.copy(), EVERYBODY)
    assert X[:, :, :30] == pytest.approx(plain, abs=1e-5)
    assert np.isnan(X[:, :, 30:]).all()


@pytest.mark.parametrize("name", ["min-max", "subject-z-score", "rank-normal"])
def test_a_constant_channel_stays_finite(name):
    flat = TRAIN.copy()
    flat[:, 1] = 7
    X = make_scaler(name).fit(flat, EVERYBODY).transform(flat, EVERYBODY)
    assert np.isfinite(X).all()
    assert (X[:, 1] == 0).all()
