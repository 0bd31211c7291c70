"""MLSTM-FCN against hand-computed figures, and on data small enough to train on."""

import pickle
from collections import Counter

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sktime.datasets import load_basic_motions

from bench.estimators._keras_classifier.windows import class_weights
from bench.estimators.mlstm_fcn import MLSTMFCN


def build_network(*args, **options):
    """Import it as late as the estimator does: pytest collects these tests without TensorFlow."""
    from bench.estimators.mlstm_fcn.network import build_network

    return build_network(*args, **options)


def named(windows):
    """Return windows and their labels as text."""
    X, labels = windows
    return X, np.array([f"class {label}" for label in labels])


@pytest.fixture(scope="module")
def whole(toy) -> MLSTMFCN:
    """The network in its full size, fitted; to be read only."""
    return MLSTMFCN(epochs=12, batch_size=4, random_state=0, n_jobs=2).fit(*named(toy()))


# The convolution branch, for C channels; kernels width x inputs x filters, then biases; four
# values a filter in batch normalisation (scale, offset, running mean and variance); two matrices
# without biases in squeeze-excite, 128 x 8 and 256 x 16:
#   C=4:  8*4*128+128 + 4*128 + 2*128*8      =   6,784
#         5*128*256+256 + 4*256 + 2*256*16   = 173,312
#         3*256*128+128 + 4*128              =  98,944     together 279,040
# The LSTM has four gates of (features + units + 1) * units: with 8 cells and steps of 640 features,
# 4*(640+8+1)*8 = 20,768; with steps of 4 features, 4*(4+8+1)*8 = 416.
# The softmax on 8 + 128 values and 9 classes: 136*9+9 = 1,233.
@pytest.mark.parametrize(
    ("shuffle", "expected"), [(True, 279_040 + 20_768 + 1_233), (False, 279_040 + 416 + 1_233)]
)
def test_number_of_parameters(shuffle, expected):
    network = build_network((4, 640), 9, cells=8, shuffle=shuffle)
    assert network.count_params() == expected
    # All but the running means and variances are trained.
    assert sum(int(np.prod(w.shape)) for w in network.trainable_weights) == expected - 2 * (128 + 256 + 128)


# Each part of the network for windows of 4 x 640, 8 cells and 2 classes. Of the sums above, the
# squeeze-excites are 2*128*8 + 2*256*16 = 10,240. An attention LSTM of 640 features has four gates
# of (640 + 640 + 8 + 1) * 8 = 41,248 in all, on the step and the weighted mean, and the attention
# itself: W 8*8, U 640*8, b 8 and v 8 = 5,200; one of 4 features has 4*(4+4+8+1)*8 = 544 and
# 8*8 + 4*8 + 8 + 8 = 112. The softmax has (8+128)*2 + 2 = 274, or 128*2 + 2 = 258 without an LSTM.
FCN, SQUEEZE_EXCITE, LSTM = 268_800, 10_240, 20_768


@pytest.mark.parametrize(
    ("switches", "expected", "layers"),
    [
        ({}, FCN + SQUEEZE_EXCITE + LSTM + 274, {"LSTM": 1, "Dropout": 1, "Multiply": 2}),
        ({"lstm": False}, FCN + SQUEEZE_EXCITE + 258, {"Multiply": 2}),
        ({"squeeze_excite": False}, FCN + LSTM + 274, {"LSTM": 1, "Dropout": 1}),
        ({"lstm": False, "squeeze_excite": False}, FCN + 258, {}),
        (
            {"attention": True},
            FCN + SQUEEZE_EXCITE + 41_248 + 5_200 + 274,
            {"AttentionLSTM": 1, "Dropout": 1, "Multiply": 2},
        ),
        (
            {"attention": True, "squeeze_excite": False},
            FCN + 41_248 + 5_200 + 274,
            {"AttentionLSTM": 1, "Dropout": 1},
        ),
        (
            {"attention": True, "shuffle": False},
            FCN + SQUEEZE_EXCITE + 544 + 112 + 274,
            {"AttentionLSTM": 1, "Dropout": 1, "Multiply": 2},
        ),
    ],
    ids=[
        "whole",
        "no LSTM",
        "no squeeze-excite",
        "convolutions only",
        "attention",
        "attention, no squeeze-excite",
        "attention, not shuffled",
    ],
)
def test_each_switch_takes_away_its_part(switches, expected, layers):
    network = build_network((4, 640), 2, cells=8, **switches)
    assert network.count_params() == expected
    kinds = Counter(type(layer).__name__ for layer in network.layers)
    assert {
        kind: kinds[kind] for kind in ("LSTM", "AttentionLSTM", "Dropout", "Multiply") if kinds[kind]
    } == layers
    assert kinds["Conv2D"] == kinds["FusedBatchNormalization"] == kinds["ReLU"] == 3


@pytest.mark.parametrize(
    ("shape", "steps"),
    [((5, 29), 5), ((29, 5), 5), ((7, 7), 7), ((1, 12), 1)],
    ids=["more time points", "more channels", "as many", "one channel"],
)
def test_lstm_walks_the_shorter_axis_by_default(shape, steps):
    lstm = next(layer for layer in build_network(shape, 2).layers if "lstm" in layer.name)
    n_channels, n_timepoints = shape
    assert tuple(lstm.input.shape[1:]) == (steps, n_channels * n_timepoints // steps)


def test_the_shuffle_is_by_channel():
    # Shuffled, a step of the LSTM is one channel: the layer is given the windows as they are.
    network = build_network((4, 16), 2, shuffle=True)
    lstm = next(layer for layer in network.layers if "lstm" in layer.name)
    assert lstm.input is network.input
    plain = build_network((4, 16), 2, shuffle=False)
    lstm = next(layer for layer in plain.layers if "lstm" in layer.name)
    assert tuple(lstm.input.shape[1:]) == (16, 4)


def attention_lstm(n_steps: int, unroll: bool, n_features: int = 3, units: int = 4):
    """Return an attention LSTM of fixed random weights, and these by name."""
    from bench.estimators.mlstm_fcn.attention import AttentionLSTM

    layer = AttentionLSTM(units, unroll=unroll)
    layer.build((None, n_steps, n_features))
    rng = np.random.default_rng(0)
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.weights])
    return layer, {
        w.path.rsplit("/")[-1]: np.asarray(v) for w, v in zip(layer.weights, layer.get_weights(), strict=True)
    }


@pytest.mark.parametrize("unroll", [True, False], ids=["written out", "loop"])
def test_attention_lstm_against_its_equations(unroll):
    layer, w = attention_lstm(6, unroll)
    x = np.random.default_rng(1).normal(size=(5, 6, 3)).astype(np.float32)
    h = cell = np.zeros((5, 4))
    for t in range(6):
        scores = np.tanh((h @ w["attention_W"])[:, None] + x @ w["attention_U"] + w["attention_b"])
        alpha = np.exp(scores @ w["attention_v"])
        context = (alpha / alpha.sum(axis=1, keepdims=True) * x).sum(axis=1)
        gates = np.hstack([x[:, t], context]) @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"]
        i, f, new, o = np.split(gates, 4, axis=1)
        cell = cell / (1 + np.exp(-f)) + np.tanh(new) / (1 + np.exp(-i))
        h = np.tanh(cell) / (1 + np.exp(-o))
    np.testing.assert_allclose(layer(x), h, rtol=1e-4, atol=1e-6)


def test_attention_weights():
    layer, _ = attention_lstm(6, unroll=True)
    rng = np.random.default_rng(1)
    projected, state = rng.normal(size=(5, 6, 4)), rng.normal(size=(5, 4))
    alpha = np.asarray(layer.attend(projected.astype(np.float32), state.astype(np.float32)))
    assert alpha.shape == (5, 1, 6)
    np.testing.assert_allclose(alpha.sum(axis=2), 1, rtol=1e-5)
    assert alpha.std(axis=2).min() > 0.01
    # Untrained, v is zero: every step weighs the same.
    fresh = type(layer)(4)
    fresh.build((None, 6, 3))
    alpha = fresh.attend(projected.astype(np.float32), state.astype(np.float32))
    np.testing.assert_allclose(alpha, np.full((5, 1, 6), 1 / 6), rtol=1e-5)


def test_the_loop_of_the_attention_lstm_is_trained_as_it_is_written_out():
    import keras

    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(8, 4, 3)).astype(np.float32), rng.normal(size=(8, 4)).astype(np.float32)
    trained = []
    for unroll in (True, False):
        layer, before = attention_lstm(4, unroll)
        model = keras.Sequential([keras.Input((4, 3)), layer])
        model.compile(keras.optimizers.SGD(0.5), "mse", jit_compile=False)
        model.train_on_batch(x, y)
        trained.append(layer.get_weights())
        moved = [np.abs(a - b).max() for a, b in zip(before.values(), trained[-1], strict=True)]
        assert min(moved) > 1e-4  # every weight has a gradient
    for written_out, loop in zip(*trained, strict=True):
        np.testing.assert_allclose(loop, written_out, rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings("error::UserWarning")
def test_attention_to_a_single_step():
    layer, _ = attention_lstm(1, unroll=True)
    alpha = layer.attend(np.ones((2, 1, 4), np.float32), np.ones((2, 4), np.float32))
    np.testing.assert_allclose(alpha, np.ones((2, 1, 1)), rtol=1e-6)


def test_many_steps_are_looped_over():
    for shape, shuffle, unrolled in (((4, 300), None, True), ((4, 300), False, False)):
        network = build_network(shape, 2, attention=True, shuffle=shuffle)
        lstm = next(layer for layer in network.layers if "lstm" in layer.name)
        assert lstm.unroll is unrolled


def test_class_weights_by_hand():
    # 6 windows, 3 classes, 3 + 2 + 1 of them: 6/(3*3), 6/(3*2), 6/(3*1)
    assert class_weights(np.array([0, 0, 0, 1, 1, 2])) == pytest.approx({0: 2 / 3, 1: 1.0, 2: 2.0})


def test_learns_a_separable_toy(whole, toy):
    X, y = named(toy(seed=1))
    assert (whole.predict(X) == y).mean() >= 0.9
    assert whole.predict(X).dtype == y.dtype
    assert whole.classes_.tolist() == ["class 0", "class 1"]


def test_probabilities(whole, toy):
    X, _ = toy(seed=1)
    probabilities = whole.predict_proba(X)
    assert probabilities.shape == (len(X), 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(whole.predict_proba(X[:1]), probabilities[:1], rtol=1e-4)


def test_pickled_it_predicts_the_same(whole, toy):
    X, _ = toy(seed=1)
    copy = pickle.loads(pickle.dumps(whole))
    np.testing.assert_array_equal(copy.predict_proba(X), whole.predict_proba(X))
    assert copy.get_params() == whole.get_params()


def test_scikit_learn_takes_it_for_a_classifier():
    estimator = MLSTMFCN(cells=64)
    assert is_classifier(estimator)
    assert clone(estimator).set_params(epochs=3).get_params() == MLSTMFCN(cells=64, epochs=3).get_params()
    with pytest.raises(ValueError, match="no parameter 'cell'"):
        estimator.set_params(cell=8)


@pytest.mark.parametrize(
    "switches",
    [
        {"lstm": False, "standardize": "z-score"},
        {"squeeze_excite": False},
        {"lstm": False, "squeeze_excite": False},
        {"attention": True},
        {"attention": True, "squeeze_excite": False, "shuffle": False},
    ],
    ids="-".join,
)
def test_every_variant_learns_a_separable_toy(switches, variant, toy):
    estimator = variant(**switches)
    X, y = toy(shape=(2, 20), seed=1)
    assert (estimator.predict(X) == y).mean() >= 0.9
    assert clone(estimator).get_params() == estimator.get_params()
    assert {name: estimator.get_params()[name] for name in switches} == switches


def test_attention_without_lstm_is_refused(toy):
    with pytest.raises(ValueError, match="attention=True needs the LSTM, but lstm=False"):
        MLSTMFCN(attention=True, lstm=False).fit(*toy())


def test_a_new_process_unpickles_attention_and_imports_keras_only_then(elsewhere, variant, toy):
    assert elsewhere["said"] == ["[]", "[]"]
    expected = variant(attention=True).predict_proba(toy(shape=(2, 20))[0])
    np.testing.assert_allclose(elsewhere["pickled"], expected, rtol=1e-5)


def test_sample_weight_takes_the_place_of_the_class_weights(toy, tiny):
    X, _ = toy(n_windows=12, shape=(2, 8))
    y = np.array(["rare"] * 3 + ["usual"] * 9)
    network = {**tiny, "epochs": 3, "batch_size": 4}
    by_class = MLSTMFCN(**network).fit(X, y).predict_proba(X)
    # n / (n_classes * count): 12/(2*3) and 12/(2*9)
    weights = np.where(y == "rare", 2, 2 / 3)
    by_window = MLSTMFCN(class_weight=False, **network).fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(by_window.predict_proba(X), by_class)
    ignored = MLSTMFCN(**network).fit(X, y, sample_weight=np.ones(12)).predict_proba(X)
    assert np.abs(ignored - by_class).max() > 1e-3


@pytest.fixture(scope="module")
def restless(toy, uncompiled) -> MLSTMFCN:
    """Nine classes, and a learning rate so high that the first steps make the loss several times larger."""
    estimator = MLSTMFCN(
        epochs=3, batch_size=36, schedule="plateau", learning_rate=0.3, patience=1, random_state=0
    )
    with uncompiled():
        return estimator.fit(*toy(n_classes=9, n_windows=36))


def test_learning_rate_falls_when_the_loss_does_not(restless):
    # The schedule replayed: what Keras calls no improvement is a loss within 1e-4 of the best.
    rate, best, waited, expected = 0.3, np.inf, 0, []
    for loss in restless.history_["loss"]:
        expected.append(rate)
        waited = 0 if loss < best - 1e-4 else waited + 1
        best = loss if waited == 0 else best
        if waited == 1:
            rate, waited = rate / np.cbrt(2), 0
    assert expected[-1] < expected[0]
    np.testing.assert_allclose(restless.history_["learning_rate"], expected, rtol=1e-5)


def test_the_weights_of_the_best_epoch_are_kept_and_a_seed_repeats(restless, toy, uncompiled):
    losses = restless.history_["loss"]
    best = int(np.argmin(losses))
    assert best < len(losses) - 1
    # The same seed goes the same way; stopped after its best epoch, it ends with that epoch's weights.
    with uncompiled():
        stopped = clone(restless).set_params(epochs=best + 1).fit(*toy(n_classes=9, n_windows=36))
    assert stopped.history_["loss"] == losses[: best + 1]
    X, _ = toy(n_classes=9, n_windows=36, seed=1)
    np.testing.assert_array_equal(stopped.predict_proba(X), restless.predict_proba(X))
    assert restless.predict_proba(X[:1]).shape == (1, 9)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_finite_names_the_channel(value, fitted, toy):
    X, y = toy()
    X = X.copy()
    X[5, 2, 7] = value
    with pytest.raises(ValueError, match="channel 2"):
        MLSTMFCN(epochs=1).fit(X, y)
    with pytest.raises(ValueError, match="channel 2"):
        fitted(epochs=4).predict(X)


def test_wrong_shapes_are_refused(fitted, toy):
    X, y = toy()
    with pytest.raises(ValueError, match=r"expected \(n_windows, n_channels, n_timepoints\)"):
        MLSTMFCN(epochs=1).fit(X[0], y)
    with pytest.raises(ValueError, match="24 windows but y has 23 labels"):
        MLSTMFCN(epochs=1).fit(X, y[:-1])
    with pytest.raises(ValueError, match=r"24 windows but sample_weight has shape \(23,\)"):
        MLSTMFCN(epochs=1).fit(X, y, sample_weight=np.ones(23))
    with pytest.raises(ValueError, match=r"24 windows but sample_weight has shape \(24, 1\)"):
        MLSTMFCN(epochs=1).fit(X, y, sample_weight=np.ones((24, 1)))
    with pytest.raises(ValueError, match=r"\(3, 31\).*\(3, 32\)"):
        fitted(epochs=4).predict(X[:, :, :-1])


@pytest.mark.parametrize(
    ("filters", "epochs"),
    [
        pytest.param((16, 32, 16), 15, id="an eighth"),
        # Four updates an epoch: the running means of batch normalisation need some 100 to settle.
        pytest.param((128, 256, 128), 25, id="full size", marks=pytest.mark.slow),
    ],
)
def test_basic_motions(filters, epochs):
    X, y = load_basic_motions(split="train", return_X_y=True, return_type="numpy3D")
    X_test, y_test = load_basic_motions(split="test", return_X_y=True, return_type="numpy3D")
    mean, deviation = X.mean(axis=(0, 2), keepdims=True), X.std(axis=(0, 2), keepdims=True)
    estimator = MLSTMFCN(epochs=epochs, batch_size=10, filters=filters, random_state=0)
    estimator.fit((X - mean) / deviation, y)
    assert (estimator.predict((X_test - mean) / deviation) == y_test).mean() >= 0.75
