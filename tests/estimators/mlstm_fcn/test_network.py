"""The network of MLSTM-FCN beside Keras's own layers, in other precisions, and with windows of unequal length."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

from bench.estimators.mlstm_fcn import MLSTMFCN


def build_network(*args, **options):
    """Import it as late as the estimator does: pytest collects these tests without TensorFlow."""
    from bench.estimators.mlstm_fcn.network import build_network

    return build_network(*args, **options)


@pytest.fixture
def pair(plain_network):
    """The plain network and ours, with the same weights."""
    import keras

    keras.utils.set_random_seed(0)
    plain, ours = plain_network((4, 48), 3), build_network((4, 48), 3)
    assert len(plain.weights) == len(ours.weights)

    def counted(weights):
        """Kind of layer, its number among its kind, name of the weight."""
        seen: dict[str, list[str]] = {}
        for w in weights:
            layer, name = w.path.split("/")[-2:]
            kind = layer.rstrip("0123456789").rstrip("_").replace("conv1d", "conv2d")
            kind = kind.replace("fused_batch_normalization", "batch_normalization")
            layers = seen.setdefault(kind, [])
            if layer not in layers:
                layers.append(layer)
            yield (kind, layers.index(layer), name), w

    values = dict(counted(plain.weights))
    for key, weight in counted(ours.weights):
        weight.assign(np.asarray(values[key]).reshape(weight.shape))
    return plain, ours


def test_it_computes_what_keras_own_layers_compute(pair):
    plain, ours = pair
    rng = np.random.default_rng(0)
    for layers in (plain.layers, ours.layers):
        for k, layer in enumerate(layer for layer in layers if hasattr(layer, "moving_mean")):
            rng = np.random.default_rng(k)
            layer.moving_mean.assign(rng.normal(size=layer.moving_mean.shape))
            layer.moving_variance.assign(rng.uniform(0.5, 2, layer.moving_variance.shape))
    X = rng.normal(size=(6, 4, 48)).astype(np.float32)
    np.testing.assert_allclose(ours.predict_on_batch(X), plain.predict_on_batch(X), rtol=1e-4, atol=1e-6)


def test_it_is_trained_as_keras_own_layers_are(pair):
    import keras

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(16, 4, 48)).astype(np.float32), np.arange(16) % 3
    losses, moments = [], []
    for network in pair:
        for layer in network.layers:
            if isinstance(layer, keras.layers.Dropout):
                layer.rate = 0.0
        network.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", jit_compile=False)
        losses.append([float(network.train_on_batch(X, y)) for _ in range(5)])
        moments.append([np.asarray(w) for w in network.weights if "moving" in w.path])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-3)
    for own, plain in zip(moments[1], moments[0], strict=True):
        np.testing.assert_allclose(own, plain, rtol=1e-2, atol=1e-3)


# 3 channels, 2 classes, no LSTM: kernels width*inputs*filters + filters, 4 values a filter of batch normalisation,
# squeeze-excite 2 * 6 * (6/3) after the first: 5*3*6+6 + 24 + 24 = 144; 2*6*10+10 + 40 = 170; softmax 10*2+2 = 22.
def test_filters_kernels_and_ratio_by_hand():
    options = {"lstm": False, "filters": (6, 10), "kernel_sizes": (5, 2), "squeeze_ratio": 3}
    assert build_network((3, 40), 2, **options).count_params() == 144 + 170 + 22


def test_bfloat16_is_for_the_convolutions_and_nearly_the_same():
    import keras

    keras.utils.set_random_seed(0)
    exact, short = build_network((4, 48), 3), build_network((4, 48), 3, dtype="mixed_bfloat16")
    short.set_weights(exact.get_weights())
    assert {str(w.dtype) for w in short.trainable_weights} == {"float32"}
    computed = {type(layer).__name__: layer.compute_dtype for layer in short.layers}
    assert computed["Conv2D"] == computed["FusedBatchNormalization"] == "bfloat16"
    assert computed["LSTM"] == "float32"
    X = np.random.default_rng(0).normal(size=(6, 4, 48)).astype(np.float32)
    np.testing.assert_allclose(short.predict_on_batch(X), exact.predict_on_batch(X), atol=0.02)


def test_bfloat16_learns(variant, toy):
    fitted = variant(dtype="mixed_bfloat16")
    X, y = toy(shape=(2, 20), seed=1)
    assert fitted.predict_proba(X).dtype == np.float32
    assert (fitted.predict(X) == y).mean() >= 0.9


VARIANTS = [{}, {"shuffle": False}, {"attention": True}, {"attention": True, "shuffle": False}]
VARIANTS += [{"squeeze_excite": False}, {"lstm": False}]


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("training", [False, True], ids=["predicting", "training"])
def test_masked_steps_change_no_output(variant, training):
    """The same windows in a network that is longer by 9 steps, all of them masked."""
    import keras

    rng = np.random.default_rng(0)
    options = {"filters": (6, 8), "kernel_sizes": (8, 5), "squeeze_ratio": 2, "dropout": 0.0, "unequal": True}
    keras.utils.set_random_seed(0)
    short, long = (build_network((3, n), 2, **options, **variant) for n in (20, 29))
    weights = []
    for mine, theirs in zip(long.weights, short.weights, strict=True):
        value = rng.normal(size=mine.shape) if "variance" not in mine.path else rng.uniform(1, 2, mine.shape)
        same = tuple(slice(n) for n in theirs.shape)
        if "attention_lstm" in mine.path and mine.path.endswith("/kernel") and variant.get("shuffle", True):
            # Of the step and of the weighted mean of steps: each is longer.
            theirs.assign(np.concatenate([value[:20], value[29:49]]))
        else:
            theirs.assign(value[same])
        weights.append(value)
    long.set_weights(weights)
    lengths = np.array([20, 13, 7, 20, 18])
    X = np.full((5, 3, 29), np.nan, np.float32)
    for window, length in zip(X, lengths, strict=True):
        window[:, :length] = rng.normal(size=(3, length))
    outputs = [np.asarray(network(x, training=training)) for network, x in ((long, X), (short, X[:, :, :20]))]
    assert np.ptp(outputs[0], axis=0).min() > 1e-3
    np.testing.assert_allclose(outputs[0], outputs[1], rtol=2e-4, atol=1e-6)


def test_windows_of_unequal_length_are_learned_from(fitted_on_unequal, unequal):
    windows, y = unequal(seed=1)
    assert (fitted_on_unequal.predict(windows) == y).mean() >= 0.9


def test_a_list_and_padding_with_nan_are_the_same(fitted_on_unequal, unequal):
    windows, _ = unequal(seed=1)
    padded = np.full((len(windows), 3, 32), np.nan)
    for row, window in zip(padded, windows, strict=True):
        row[:, : window.shape[1]] = window
    expected = fitted_on_unequal.predict_proba(windows)
    np.testing.assert_array_equal(fitted_on_unequal.predict_proba(padded), expected)
    np.testing.assert_allclose(
        fitted_on_unequal.predict_proba(windows[:1]), expected[:1], rtol=1e-4, atol=1e-6
    )


def test_what_is_no_padding_is_refused_by_channel(fitted_on_unequal, unequal):
    windows, y = unequal()
    windows[3][1, 4] = np.nan
    with pytest.raises(ValueError, match=r"not finite .* in channel 1"):
        MLSTMFCN(epochs=1).fit(windows, y)
    windows, _ = unequal(seed=1)
    windows[3][2, -2:] = np.nan  # the other channels go on
    with pytest.raises(ValueError, match=r"not finite .* in channel 2"):
        fitted_on_unequal.predict(windows)
    with pytest.raises(ValueError, match="window 1 of X holds no value"):
        fitted_on_unequal.predict(np.stack([np.ones((3, 32)), np.full((3, 32), np.nan)]))
    with pytest.raises(ValueError, match="of as many channels"):
        MLSTMFCN(epochs=1).fit([np.ones((3, 9)), np.ones((2, 9))], [0, 1])


def test_longer_and_unexpectedly_shorter_windows_are_refused(fitted_on_unequal, fitted, toy):
    with pytest.raises(ValueError, match=r"\(3, 40\).*trained on \(3, 32\)"):
        fitted_on_unequal.predict([np.ones((3, 40))])
    X = toy()[0].copy()
    X[2, :, 10:] = np.nan
    with pytest.raises(ValueError, match="shorter windows, padded with NaN"):
        fitted(epochs=4).predict(X)


@pytest.fixture(scope="module")
def unscaled(tiny, uncompiled):
    """Windows, one channel of which never changes, their classes, and a function: parameters, windows -> predictions."""
    X, y = np.random.default_rng(0).normal(size=(16, 4, 24)), np.arange(16) % 2
    X[:, 1] = 7
    moved = 1000 + 50 * X

    def predicted(windows, standardize):
        options = {**tiny, "epochs": 2, "batch_size": 16, "standardize": standardize}
        with uncompiled():
            return MLSTMFCN(**options).fit(windows, y).predict_proba(windows)

    return X, moved, predicted, predicted(moved, "none")


@pytest.mark.parametrize("standardize", ["rank-normal", "z-score"])
def test_windows_are_standardized_by_the_estimator(standardize, unscaled):
    X, moved, predicted, raw = unscaled
    plain = predicted(X, standardize)
    np.testing.assert_allclose(predicted(moved, standardize), plain, rtol=1e-3, atol=1e-4)
    assert np.abs(raw - plain).max() > 1e-2
    assert np.isfinite(plain).all()  # a channel that never changes divides by nothing


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_another_backend_of_keras(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    code = f"""
import sys; sys.path[:0] = {sys.path!r}
import numpy as np
from bench.estimators.mlstm_fcn import MLSTMFCN
time = np.linspace(0, 2 * np.pi, 32)
y = np.arange(24) % 2
X = np.sin((1 + 2 * y)[:, None, None] * time + np.arange(24)[:, None, None] * np.ones((1, 3, 1)))
for options in ({{}}, {{"attention": True, "shuffle": False}}):
    fitted = MLSTMFCN(epochs=10, batch_size=6, random_state=0, **options).fit(X, y)
    assert (fitted.predict(X) == y).mean() >= 0.9
windows = [x[:, : 20 + k % 12] for k, x in enumerate(X)]
assert np.isfinite(MLSTMFCN(epochs=2, random_state=0).fit(windows, y).predict_proba(windows)).all()
"""
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
