"""MLSTM-FCN against hand-computed figures, and on data small enough to train on."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sktime.datasets import load_basic_motions

from bench.estimators.mlstm_fcn import MLSTMFCN, build_network, class_weights


def toy(n_classes: int = 2, n_windows: int = 24, shape: tuple[int, int] = (3, 32), seed: int = 0):
    """Sines, one frequency a class, in noise; the arrays are read-only, as from a memory map."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n_windows) % n_classes
    time = np.linspace(0, 2 * np.pi, shape[1])
    waves = np.sin((1 + 2 * labels)[:, None, None] * time + rng.uniform(0, 6, (n_windows, shape[0], 1)))
    X = (waves + rng.normal(0, 0.1, waves.shape)).astype(np.float32)
    X.flags.writeable = False
    return X, np.array([f"class {label}" for label in labels])


@pytest.fixture(scope="module")
def fitted() -> MLSTMFCN:
    return MLSTMFCN(epochs=12, batch_size=4, random_state=0, n_jobs=2).fit(*toy())


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


def test_class_weights_by_hand():
    # 6 windows, 3 classes, 3 + 2 + 1 of them: 6/(3*3), 6/(3*2), 6/(3*1)
    assert class_weights(np.array([0, 0, 0, 1, 1, 2])) == pytest.approx({0: 2 / 3, 1: 1.0, 2: 2.0})


def test_learns_a_separable_toy(fitted):
    X, y = toy(seed=1)
    assert (fitted.predict(X) == y).mean() >= 0.9
    assert fitted.predict(X).dtype == y.dtype
    assert fitted.classes_.tolist() == ["class 0", "class 1"]


def test_probabilities(fitted):
    X, _ = toy(seed=1)
    probabilities = fitted.predict_proba(X)
    assert probabilities.shape == (len(X), 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(fitted.predict_proba(X[:1]), probabilities[:1], rtol=1e-4)


def test_pickled_it_predicts_the_same(fitted):
    X, _ = toy(seed=1)
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copy.predict_proba(X), fitted.predict_proba(X))
    assert copy.get_params() == fitted.get_params()


def test_scikit_learn_takes_it_for_a_classifier():
    estimator = MLSTMFCN(cells=64)
    assert is_classifier(estimator)
    assert clone(estimator).set_params(epochs=3).get_params() == MLSTMFCN(cells=64, epochs=3).get_params()
    with pytest.raises(ValueError, match="no parameter 'cell'"):
        estimator.set_params(cell=8)


@pytest.fixture(scope="module")
def restless() -> MLSTMFCN:
    """Nine classes, and a learning rate so high that the first steps make the loss several times larger."""
    estimator = MLSTMFCN(epochs=3, batch_size=36, learning_rate=0.3, patience=1, random_state=0)
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


def test_the_weights_of_the_best_epoch_are_kept_and_a_seed_repeats(restless):
    losses = restless.history_["loss"]
    best = int(np.argmin(losses))
    assert best < len(losses) - 1
    # The same seed goes the same way; stopped after its best epoch, it ends with that epoch's weights.
    stopped = clone(restless).set_params(epochs=best + 1).fit(*toy(n_classes=9, n_windows=36))
    assert stopped.history_["loss"] == losses[: best + 1]
    X, _ = toy(n_classes=9, n_windows=36, seed=1)
    np.testing.assert_array_equal(stopped.predict_proba(X), restless.predict_proba(X))
    assert restless.predict_proba(X[:1]).shape == (1, 9)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_finite_names_the_channel(value, fitted):
    X, y = toy()
    X = X.copy()
    X[5, 2, 7] = value
    with pytest.raises(ValueError, match="channel 2"):
        MLSTMFCN(epochs=1).fit(X, y)
    with pytest.raises(ValueError, match="channel 2"):
        fitted.predict(X)


def test_wrong_shapes_are_refused(fitted):
    X, y = toy()
    with pytest.raises(ValueError, match=r"expected \(n_windows, n_channels, n_timepoints\)"):
        MLSTMFCN(epochs=1).fit(X[0], y)
    with pytest.raises(ValueError, match="24 windows but y has 23 labels"):
        MLSTMFCN(epochs=1).fit(X, y[:-1])
    with pytest.raises(ValueError, match=r"\(3, 31\).*\(3, 32\)"):
        fitted.predict(X[:, :, :-1])


def test_basic_motions():
    X, y = load_basic_motions(split="train", return_X_y=True, return_type="numpy3D")
    X_test, y_test = load_basic_motions(split="test", return_X_y=True, return_type="numpy3D")
    mean, deviation = X.mean(axis=(0, 2), keepdims=True), X.std(axis=(0, 2), keepdims=True)
    # Four updates an epoch: the running means of batch normalisation need some 100 to settle.
    estimator = MLSTMFCN(epochs=25, batch_size=10, random_state=0).fit((X - mean) / deviation, y)
    assert (estimator.predict((X_test - mean) / deviation) == y_test).mean() >= 0.75
