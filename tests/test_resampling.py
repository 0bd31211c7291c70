"""Balancing the training windows."""

import numpy as np
import pytest

from bench.errors import PluginError
from bench.resampling import resample

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 2, 8)).astype(np.float32)
y = np.array(["low"] * 40 + ["high"] * 20)


@pytest.mark.parametrize("name", ["ros", "smote", "adasyn"])
def test_the_classes_are_balanced_and_the_given_windows_kept_in_front(name):
    made_X, made_y = resample(name, X, y, 0)
    assert made_X.dtype == np.float32
    assert made_X.shape[1:] == (2, 8)
    assert (made_X[:60] == X).all()
    assert (made_y[:60] == y).all()
    counts = dict(zip(*np.unique(made_y, return_counts=True), strict=True))
    assert counts["low"] == 40
    assert counts["high"] == pytest.approx(40, abs=8 if name == "adasyn" else 0)
    assert set(made_y[60:]) == {"high"}


@pytest.mark.parametrize("name", ["ros", "smote", "adasyn"])
def test_the_same_seed_makes_the_same_windows(name):
    first, second, other = (resample(name, X, y, seed)[0] for seed in (3, 3, 4))
    assert (first == second).all()
    assert first.shape != other.shape or (first != other).any()


def test_ros_makes_copies_and_smote_lies_between_two_windows_of_the_class():
    copies = resample("ros", X, y, 0)[0][60:]
    own = X[y == "high"]
    assert all((own == window).all(axis=(1, 2)).any() for window in copies)
    made = resample("smote", X, y, 0)[0][60:]
    assert not any((own == window).all(axis=(1, 2)).any() for window in made)
    assert (made >= own.min(axis=0) - 1e-6).all()
    assert (made <= own.max(axis=0) + 1e-6).all()


def test_a_class_too_small_for_smotes_neighbours_says_so():
    with pytest.raises(ValueError, match="n_neighbors"):
        resample("smote", X[:43], y[:43], 0)


def test_an_unknown_resampler_is_refused_with_the_nearest():
    with pytest.raises(PluginError, match="did you mean 'smote'"):
        resample("smot", X, y, 0)
