"""Balancing the training windows."""

import numpy as np
import pytest
from imblearn.over_sampling import ADASYN, SMOTE, RandomOverSampler

from bench.cells.balance import balance
from bench.errors import PluginError

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 2, 8)).astype(np.float32)
y = np.array(["low"] * 40 + ["high"] * 20)


@pytest.mark.parametrize(
    ("name", "sampler"), [("ros", RandomOverSampler), ("smote", SMOTE), ("adasyn", ADASYN)]
)
def test_the_windows_made_are_those_of_imbalanced_learn(name, sampler):
    made = balance(name, X, y, 3)
    whole, labels = sampler(random_state=3).fit_resample(X.reshape(60, -1), y)
    assert made.X.dtype == np.float32
    assert made.X.shape[1:] == (2, 8)
    np.testing.assert_allclose(made.X.reshape(len(made.X), -1), whole[60:], atol=1e-5)
    assert (made.y == labels[60:]).all()
    assert len(made.X) == pytest.approx(20, abs=8 if name == "adasyn" else 0)


@pytest.mark.parametrize("name", ["ros", "smote", "adasyn"])
def test_every_made_window_lies_on_the_line_between_its_parents(name):
    made = balance(name, X, y, 0)
    assert made.parents.shape == (len(made.X), 2)
    assert (y[made.parents] == "high").all()
    first, second = X[made.parents[:, 0]], X[made.parents[:, 1]]
    line = (second - first).reshape(len(made.X), -1).astype(float)
    along = (made.X - first).reshape(len(made.X), -1).astype(float)
    length = (line**2).sum(axis=1)
    step = np.divide((along * line).sum(axis=1), length, out=np.zeros(len(line)), where=length > 0)
    assert ((step >= -1e-6) & (step <= 1 + 1e-6)).all()
    np.testing.assert_allclose(along, step[:, None] * line, atol=1e-5)
    copies = made.parents[:, 0] == made.parents[:, 1]
    assert copies.all() if name == "ros" else not copies.any()


@pytest.mark.parametrize("name", ["ros", "smote", "adasyn"])
def test_the_same_seed_makes_the_same_windows(name):
    first, second, other = (balance(name, X, y, seed).X for seed in (3, 3, 4))
    assert (first == second).all()
    assert first.shape != other.shape or (first != other).any()


def test_class_weights_make_no_window_and_weigh_each_class_alike():
    made = balance("class-weight", X, y, 0)
    assert len(made.X) == len(made.parents) == 0
    assert made.sample_weight[y == "low"].sum() == pytest.approx(made.sample_weight[y == "high"].sum())
    assert made.sample_weight.mean() == pytest.approx(1)


@pytest.mark.parametrize("name", ["smote", "adasyn"])
def test_a_class_too_small_for_its_neighbours_says_so(name):
    with pytest.raises(ValueError, match="class 'high' has 3 training windows: too few for 5 neighbours"):
        balance(name, X[:43], y[:43], 0)


def test_an_unknown_resampler_is_refused_with_the_nearest():
    with pytest.raises(PluginError, match="did you mean 'smote'"):
        balance("smot", X, y, 0)
