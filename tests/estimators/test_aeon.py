"""The estimators that compute with aeon, on small and real data; those that need torch where it is installed."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sktime.datasets import load_basic_motions

from bench.registry import get, plugins

# Small enough to be quick, large enough to learn.
SMALL = {
    "multirocket": {"num_kernels": 168},
    "hydra": {"num_groups": 8},
    "multirocket-hydra": {"num_groups": 8},
    "quant": {"n_estimators": 50},
    "catch22": {"n_estimators": 50},
    "rdst": {"max_shapelets": 200},
    "rstsf": {"n_estimators": 50, "n_intervals": 2},
}
TORCH = {"hydra", "multirocket-hydra", "quant"}


def needs(name):
    marks = [
        pytest.mark.skipif(bool(plugins("estimator")[name].missing), reason="needs what is not installed"),
        pytest.mark.slow,  # numba compiles most of them for half a minute
    ]
    return pytest.param(name, marks=marks)


EACH = pytest.mark.parametrize("name", [needs(name) for name in SMALL])


def make(name, seed=0, n_jobs=1, **parameters):
    return get("estimator", name).factory(random_state=seed, n_jobs=n_jobs, **(SMALL[name] | parameters))


def waves(n_channels, n=60, seed=0, fast=5):
    """Noisy waves of random phase, one class faster than the other in every channel; float32, read-only."""
    rng = np.random.default_rng(seed)
    y = np.array(["slow", "fast"] * (n // 2))
    cycles = np.where(y == "fast", fast, 3)[:, None, None]
    turns = np.linspace(0, 1, 80, endpoint=False) * cycles + rng.random((n, n_channels, 1))
    X = (np.sin(2 * np.pi * turns) + rng.normal(0, 0.3, (n, n_channels, 80))).astype(np.float32)
    X.flags.writeable = False
    return X, y


def motions(split):
    X, y = load_basic_motions(split=split, return_X_y=True, return_type="numpy3D")
    return X.astype(np.float32), y


@EACH
@pytest.mark.parametrize("n_channels", [1, 4])
def test_it_learns_the_speed_of_waves_from_windows_that_it_leaves_as_they_are(name, n_channels):
    X, y = waves(n_channels)
    X_test, y_test = waves(n_channels, seed=1)
    before = X.copy(), X_test.copy()
    estimator = make(name).fit(X, y)
    predicted = estimator.predict(X_test)
    assert (predicted == y_test).mean() >= 0.9
    assert list(estimator.classes_) == ["fast", "slow"]
    np.testing.assert_array_equal(before[0], X)
    np.testing.assert_array_equal(before[1], X_test)
    if hasattr(estimator, "predict_proba"):
        probabilities = estimator.predict_proba(X_test)
        assert probabilities.sum(axis=1) == pytest.approx(np.ones(len(X_test)))
        np.testing.assert_array_equal(estimator.classes_[probabilities.argmax(axis=1)], predicted)


@EACH
def test_the_same_seed_repeats_with_any_number_of_threads(name):
    X, _ = waves(2)
    y = np.random.default_rng(2).permutation(
        ["a", "b"] * 30
    )  # nothing to learn: what is predicted is the seed's
    X_test, _ = waves(2, seed=3)
    one, two, other = (
        make(name, seed, jobs).fit(X, y).predict(X_test) for seed, jobs in ((5, 1), (5, 2), (6, 1))
    )
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()


@EACH
def test_probabilities_are_those_of_an_ensemble_or_none(name):
    X, y = waves(1, fast=4)
    estimator = make(name).fit(X, y)
    if plugins("estimator")[name].about["most_probable"]:
        assert len(np.unique(estimator.predict_proba(waves(1, seed=1, fast=4)[0]))) > 2
    else:
        assert not hasattr(estimator, "predict_proba")


@pytest.mark.parametrize("name", [needs(name) for name in ["multirocket", "quant"]])
def test_basic_motions(name):
    X, y = motions("train")
    X_test, y_test = motions("test")
    assert (make(name).fit(X, y).predict(X_test) == y_test).mean() >= 0.95


@pytest.mark.parametrize("name", [needs(name) for name in ["hydra", "multirocket-hydra", "quant", "rdst"]])
def test_it_agrees_with_aeons_classifier(name):
    from aeon.classification.convolution_based import HydraClassifier, MultiRocketHydraClassifier
    from aeon.classification.interval_based import QUANTClassifier
    from aeon.classification.shapelet_based import RDSTClassifier

    theirs = {
        "hydra": lambda: HydraClassifier(n_groups=8, random_state=3),
        "multirocket-hydra": lambda: MultiRocketHydraClassifier(n_groups=8, random_state=3),
        "quant": lambda: QUANTClassifier(random_state=3),
        "rdst": lambda: RDSTClassifier(200, random_state=3),
    }[name]()
    X, y = motions("train")
    # Four hundred windows: more than Hydra convolves at a time.
    X_test = motions("test")[0].repeat(10, axis=0)
    X_test = X_test + np.random.default_rng(0).normal(0, 3, X_test.shape).astype(np.float32)
    ours = make(name, 3, **({"n_estimators": 200} if name == "quant" else {})).fit(X, y).predict(X_test)
    assert (ours == theirs.fit(X, y).predict(X_test)).mean() >= 0.98


@pytest.mark.slow
def test_minirocket_is_as_accurate_with_aeons_kernels_as_with_sktimes():
    convolutions = pytest.importorskip("aeon.transformations.collection.convolution_based")
    from bench.estimators._ridge_on_features import RidgeOnFeatures

    X, y = motions("train")
    X_test, y_test = motions("test")
    right = [
        (fitted.predict(X_test) == y_test).sum()
        for seed in range(3)
        for fitted in (
            RidgeOnFeatures(convolutions.MiniRocket(2_000, random_state=seed)).fit(X, y),
            get("estimator", "minirocket").factory(num_kernels=2_000, random_state=seed, n_jobs=1).fit(X, y),
        )
    ]
    assert max(right) - min(right) <= 2
    assert min(right) >= 0.95 * len(y_test)


@pytest.mark.slow
def test_shapelets_that_few_short_windows_do_not_hold_change_no_prediction():
    pytest.importorskip("aeon")
    X, y = waves(1, n=8)
    fitted = make("rdst", max_shapelets=2_000)
    with pytest.warns(UserWarning, match="invalid values"):
        fitted.fit(X, y)
    features = fitted.transform.transform(np.array(X, np.float64))
    constant = (features == features[0]).all(axis=0)
    not_found = np.isinf(fitted.transform.shapelets_[0]).all(axis=(1, 2))
    assert not_found.any()
    assert constant.reshape(-1, 3)[not_found].all()
    assert (fitted.scaler_.scale_[constant] == 1).all()
    moved = X + np.float32(1e-3)  # whatever the window is, their features stay the same
    later = fitted.transform.transform(np.array(moved, np.float64)).reshape(len(X), -1, 3)
    assert not later[:, not_found].any()


@pytest.mark.parametrize(
    "name",
    [needs(name) for name in ["multirocket", "hydra", "multirocket-hydra", "quant", "catch22", "rdst"]],
)
def test_windows_can_weigh_more(name):
    X, _ = waves(1, n=30)
    both, y = np.concatenate([X, X]), np.repeat(["low", "high"], 30)  # each window is of either class
    for heavy in ("low", "high"):
        fitted = make(name).fit(both, y, sample_weight=np.where(y == heavy, 5.0, 1.0))
        assert (fitted.predict(X) == heavy).all()


@given(st.floats(-100, 100), st.floats(0.1, 100))
def test_standardised_windows_know_no_level_and_no_scale(level, scale):
    from bench.estimators.aeon_features import standardise

    X, _ = waves(2, n=4)
    np.testing.assert_allclose(standardise(X * np.float64(scale) + level), standardise(X), atol=1e-8)
    assert not standardise(np.full_like(X, level)).any()


@pytest.mark.slow
def test_catch22_sees_shapes_only():
    X, y = waves(2)
    moved = X * np.float32(4) + np.float32(8)
    fitted = make("catch22").fit(X, y)
    np.testing.assert_allclose(fitted.predict_proba(moved), fitted.predict_proba(X), atol=0.05)
    levels = np.where(y == "fast", 5, 0)[:, None, None] + np.random.default_rng(0).normal(size=X.shape)
    X_levels = levels.astype(np.float32)
    fitted = make("catch22").fit(X_levels[:30], y[:30])
    assert (fitted.predict(X_levels[30:]) == y[30:]).mean() < 0.8


def test_without_aeon_they_are_listed_with_the_command_that_installs_it():
    without = "import sys; sys.modules.update(aeon=None, torch=None); sys.argv[1:] = ['list', 'estimators']\n"
    done = subprocess.run(
        [sys.executable, "-c", without + "from bench.cli.app import main; main()"],
        env=os.environ | {"COLUMNS": "250"},
        capture_output=True,
        text=True,
    )
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    for name in SMALL:
        extras = "aeon,torch" if name in TORCH else "aeon"
        assert f"UNAVAILABLE, pip install 'mlstm-bench[{extras}]'" in lines[name]
