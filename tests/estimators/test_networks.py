"""The networks beside MLSTM-FCN: they keep the interface, learn, repeat, and are what their names say."""

import numpy as np
import pytest

from bench.estimators._keras_classifier import NetworkEnsemble
from bench.estimators.fcn import FCN
from bench.estimators.gru import GRU
from bench.estimators.mlstm_fcn import MLSTMFCN
from bench.registry import get, plugins
from bench.spec import parse_spec
from bench.study.check import check_estimator

# Small enough to compile in seconds, and trained for long enough to tell slow waves from fast ones.
SMALL = {
    "fcn": "fcn[epochs=4]",
    "gru": "gru[units=16,epochs=40]",
    "resnet": "resnet[blocks=1,epochs=6]",
    "inception-time": "inception-time[networks=2,depth=1,filters=8,epochs=8]",
    "lite-time": "lite-time[networks=2,filters=8,kernel_size=8,epochs=25]",
    "lstm-fcn": "lstm-fcn[n_epochs=30,batch_size=8]",
}


def needs(name):
    marks = [
        pytest.mark.skipif(bool(plugins("estimator")[name].missing), reason="needs what is not installed")
    ]
    if name not in ("fcn", "gru"):
        marks.append(pytest.mark.slow)  # Keras builds and compiles the others for many seconds
    return pytest.param(name, marks=marks)


EACH = pytest.mark.parametrize("name", [needs(name) for name in SMALL])


def make(name, seed=0):
    spec = parse_spec(SMALL[name])
    return get("estimator", name).factory(random_state=seed, n_jobs=2, **spec.parameters)


def waves(n=40, seed=0):
    """Noisy waves of random phase in three channels, one class faster than the other; float32, read-only."""
    rng = np.random.default_rng(seed)
    y = np.array(["slow", "fast"] * (n // 2))
    cycles = np.where(y == "fast", 5, 2)[:, None, None]
    turns = np.linspace(0, 1, 40, endpoint=False) * cycles + rng.random((n, 3, 1))
    X = (np.sin(2 * np.pi * turns) + rng.normal(0, 0.1, (n, 3, 40))).astype(np.float32)
    X.flags.writeable = False
    return X, y


@EACH
def test_it_keeps_the_interface(name):
    faults = [check for check in check_estimator(parse_spec(SMALL[name])) if check.fault]
    assert not faults


@EACH
def test_it_learns_and_tells_how(name):
    X, y = waves(80)
    fitted = make(name).fit(X, y)
    X_test, y_test = waves(40, seed=1)
    assert (fitted.predict(X_test) == y_test).mean() >= 0.9
    assert fitted.training_scores_["balanced_accuracy"] >= 0.9
    assert fitted.history_["loss"][-1] < fitted.history_["loss"][0] / 2


def test_fcn_is_mlstm_fcn_without_its_lstm_and_squeeze_excite():
    X, y = waves(16)
    common = {"filters": (8, 4), "kernel_sizes": (5, 3), "epochs": 2, "random_state": 0}
    fcn = FCN(**common).fit(X, y)
    less = MLSTMFCN(lstm=False, squeeze_excite=False, **common).fit(X, y)
    np.testing.assert_array_equal(fcn.predict_proba(X), less.predict_proba(X))


@pytest.mark.parametrize(
    "unfitted",
    [FCN(filters=(4,), kernel_sizes=(3,), epochs=1, random_state=0), GRU(units=4, epochs=1, random_state=0)],
    ids=["fcn", "gru"],
)
def test_what_comes_after_a_windows_end_changes_nothing_and_a_file_predicts_the_same(unfitted, tmp_path):
    X, y = waves(16)
    cut = [window[:, : 40 - k] for k, window in enumerate(X)]
    fitted = unfitted.fit(cut, y)
    padded = np.full_like(X, np.nan)
    for row, window in zip(padded, cut, strict=True):
        row[:, : window.shape[1]] = window
    np.testing.assert_array_equal(fitted.predict_proba(padded), fitted.predict_proba(cut))
    # Alone or beside the longest one: what a shorter window is filled up with tells nothing.
    np.testing.assert_allclose(
        fitted.predict_proba([cut[9]]), fitted.predict_proba([cut[0], cut[9]])[1:], rtol=1e-5
    )

    fitted.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        type(unfitted).load(tmp_path / "model.keras").predict_proba(cut), fitted.predict_proba(cut)
    )
    with pytest.raises(ValueError, match=r"model\.keras: no saved MLSTMFCN"):
        MLSTMFCN.load(tmp_path / "model.keras")


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (FCN(filters=(8, 8)), "differ in number"),
        (FCN(filters=(0, 8, 8)), "filters"),
        (GRU(units=0), "units"),
        (GRU(dropout=1.0), "dropout"),
        (GRU(epochs=0), "epochs"),
    ],
    ids=["numbers", "filters", "units", "dropout", "epochs"],
)
def test_a_value_that_cannot_be_is_named(network, message):
    with pytest.raises(ValueError, match=message):
        network.fit(*waves(8))


def test_an_ensemble_is_the_mean_of_networks_that_differ_and_repeats(tmp_path):
    X, y = waves(16)
    parameters = {"units": 4, "epochs": 2}
    first = NetworkEnsemble(GRU, 3, random_state=5, log_dir=str(tmp_path), **parameters).fit(X, y)
    each = [member.predict_proba(X) for member in first.members_]
    assert len({member.random_state for member in first.members_}) == 3
    assert not np.allclose(each[0], each[1])
    np.testing.assert_allclose(first.predict_proba(X), np.mean(each, axis=0))
    losses = [member.history_["loss"] for member in first.members_]
    np.testing.assert_allclose(first.history_["loss"], np.mean(losses, axis=0))
    assert {folder.name for folder in tmp_path.iterdir()} == {"network-0", "network-1", "network-2"}
    again = NetworkEnsemble(GRU, 3, random_state=5, **parameters).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), first.predict_proba(X))
    with pytest.raises(ValueError, match="networks=0"):
        NetworkEnsemble(GRU, 0, random_state=0)
