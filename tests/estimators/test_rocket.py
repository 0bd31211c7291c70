"""ROCKET and MiniROCKET on real and small data."""

import numpy as np
import pytest
from sktime.classification.kernel_based import RocketClassifier
from sktime.datasets import load_basic_motions

from bench.estimators.rocket import minirocket, rocket

BOTH = pytest.mark.parametrize("make", [rocket, minirocket])


@pytest.fixture(scope="module")
def motions():
    """BasicMotions: 40 + 40 windows of 6 x 100, 4 classes; read-only float32, as from a memory map."""
    arrays = []
    for split in ("train", "test"):
        X, y = load_basic_motions(split=split, return_X_y=True, return_type="numpy3D")
        X = X.astype(np.float32)
        X.flags.writeable = False
        arrays += [X, y]
    return arrays


@BOTH
def test_basic_motions(make, motions):
    X, y, X_test, y_test = motions
    estimator = make(num_kernels=500, random_state=0, n_jobs=1).fit(X, y)
    assert (estimator.predict(X_test) == y_test).mean() >= 0.95
    assert estimator.classes_.tolist() == sorted(set(y))
    assert estimator.predict(X_test[:1]).shape == (1,)


@pytest.mark.parametrize("name", ["rocket", "minirocket"])
def test_agrees_with_sktimes_classifier(name, motions):
    X, y, X_test, _ = motions
    ours = {"rocket": rocket, "minirocket": minirocket}[name](num_kernels=200, random_state=3, n_jobs=1)
    theirs = RocketClassifier(num_kernels=200, rocket_transform=name, random_state=3)
    same = ours.fit(X, y).predict(X_test) == theirs.fit(X, y).predict(X_test)
    assert same.mean() >= 0.95


@BOTH
def test_the_same_seed_repeats_with_any_number_of_threads(make, motions):
    X, y, X_test, _ = motions
    one = make(num_kernels=168, random_state=5, n_jobs=1).fit(X, y)
    two = make(num_kernels=168, random_state=5, n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(one.predict(X_test), two.predict(X_test))
    np.testing.assert_allclose(one.transform.transform(X_test), two.transform.transform(X_test), rtol=1e-5)


@BOTH
@pytest.mark.parametrize("n_classes", [2, 9])
def test_one_channel_and_number_of_classes(make, n_classes):
    labels = np.arange(36) % n_classes
    waves = np.sin((1 + 2 * labels)[:, None, None] * np.linspace(0, 6, 50)).astype(np.float32)
    y = np.array([f"class {label}" for label in labels])
    estimator = make(num_kernels=300, random_state=0, n_jobs=1).fit(waves, y)
    assert (estimator.predict(waves) == y).all()


def test_minirocket_says_that_windows_are_too_short():
    X = np.zeros((4, 2, 8), np.float32)
    with pytest.raises(ValueError, match="n_timepoints must be >= 9, but found 8"):
        minirocket(num_kernels=84, random_state=0, n_jobs=1).fit(X, np.array(["a", "b", "a", "b"]))


def test_a4_what_says_that_it_is_blind_to_levels_is_and_minirocket_is_not():
    from bench.registry import plugins

    blind = [name for name, plugin in plugins("estimator").items() if plugin.about.get("level_blind")]
    assert blind == ["catch22", "rocket"]
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 2, 40)).astype(np.float32)
    y = np.array(["low", "high"] * 30)
    levels = rng.normal(0, 5, (60, 2, 1)).astype(np.float32)
    fitted = rocket(num_kernels=100, random_state=0, n_jobs=1).fit(X, y)
    assert (fitted.predict(X + levels) == fitted.predict(X)).all()
    # Its kernels add up to zero, but beyond a window's ends it sees zeros: levels alone tell it the class.
    X[y == "high"] += 5
    fitted = minirocket(num_kernels=500, random_state=0, n_jobs=1).fit(X[:30], y[:30])
    assert (fitted.predict(X[30:]) == y[30:]).all()
