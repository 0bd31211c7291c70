"""How fast MLSTM-FCN trains and predicts, beside the same layers in plain Keras and beside sktime's LSTM-FCN.

``pytest tests/benchmarks/test_mlstm_fcn_speed.py --benchmark-enable --benchmark-json speed.json`` measures,
``python tests/benchmarks/speed_table.py speed.json`` makes the table of it.
"""

from __future__ import annotations

import numpy as np
import pytest

from bench.estimators.mlstm_fcn import MLSTMFCN

SHAPE, N_CLASSES, BATCH = (5, 640), 9, 64
SMALL = {"SHAPE": (5, 32), "BATCH": 18}  # where nothing is measured


@pytest.fixture(scope="module", autouse=True)
def _size(request, measured):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ({} if measured else SMALL).items():
            patch.setattr(request.module, name, value)
        yield


@pytest.fixture(scope="module")
def windows(measured):
    """Noise: 8 batches when measured, one otherwise."""
    n_windows = 8 * BATCH if measured else BATCH
    rng = np.random.default_rng(0)
    return rng.normal(size=(n_windows, *SHAPE)).astype(np.float32), np.arange(n_windows) % N_CLASSES


@pytest.fixture(scope="module")
def plain(plain_network):
    """The network of Keras's own layers, compiled as one does."""
    import keras

    network = plain_network(SHAPE, N_CLASSES)
    optimizer = keras.optimizers.Adam(1e-3)
    network.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    return network


def epoch_of(X, y, **options):
    """Return a function that trains our network for one more epoch."""
    from bench.estimators._keras_classifier import training
    from bench.estimators._keras_classifier.progress import Progress
    from bench.estimators._keras_classifier.windows import Windows

    fitted = MLSTMFCN(epochs=1, random_state=0, **options).fit(X[:BATCH], y[:BATCH])
    settings = training.Settings(1000, BATCH, "one-cycle", 5e-3, 100, None, None, 0)
    trained, sums = training._compiled(fitted.model_, settings.learning_rate)
    progress = Progress()
    return lambda: training._run_epoch(trained, sums, Windows(X, y), settings, progress)


def convolutions(gradients):
    """Return a function of a batch: the three convolutions of the network, and nothing else of it.

    They are a bound: a step in float32 cannot be faster than these, whatever surrounds them.
    """
    import tensorflow as tf

    channels, (n_channels, n_timepoints) = (128, 256, 128), SHAPE
    layers = zip((8, 5, 3), (n_channels, *channels), channels, strict=False)
    kernels = [tf.random.stateless_normal((1, *shape), (0, 0)) for shape in layers]
    given = [tf.zeros((BATCH, 1, n_timepoints, width)) for width in (n_channels, *channels)]

    @tf.function
    def call(batch):
        made = []
        for x, kernel, after in zip((batch, *given[1:]), kernels, given[1:], strict=False):
            with tf.GradientTape() as tape:
                watched = (kernel,) if x is batch else (x, kernel)
                tape.watch(watched)
                y = tf.nn.conv2d(x, kernel, 1, "SAME")
            made.append(y[0, 0, 0, 0])
            if gradients:
                made += [part[(0,) * 4] for part in tape.gradient(y, watched, output_gradients=after)]
        return tf.stack(made)

    return call


def measure(benchmark, call, windows):
    benchmark.extra_info["windows"] = len(windows[0])
    benchmark.pedantic(call, rounds=7, warmup_rounds=1)


def measure_convolutions(benchmark, windows, gradients):
    batches = windows[0].transpose(0, 2, 1)[:, None].reshape(-1, BATCH, 1, *SHAPE[::-1])
    call = convolutions(gradients)
    measure(benchmark, lambda: [call(batch).numpy() for batch in batches], windows)


@pytest.mark.benchmark(group="training")
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_training(benchmark, windows, dtype):
    measure(benchmark, epoch_of(*windows, dtype=dtype), windows)


@pytest.mark.benchmark(group="training")
def test_training_plain_keras_fit(benchmark, windows, plain):
    measure(benchmark, lambda: plain.fit(*windows, batch_size=BATCH, verbose=0), windows)


@pytest.mark.benchmark(group="training")
def test_training_plain_keras_train_on_batch(benchmark, windows, plain):
    """The same without Keras's input pipeline."""
    X, y = windows

    def epoch():
        for k in range(0, len(X), BATCH):
            plain.train_on_batch(X[k : k + BATCH], y[k : k + BATCH])

    measure(benchmark, epoch, windows)


@pytest.mark.benchmark(group="training")
def test_training_sktime_lstm_fcn(benchmark, windows):
    """sktime's LSTM-FCN has no squeeze-excite and no dimension shuffle: its LSTM walks all time points."""
    from sktime.classification.deep_learning.lstmfcn import LSTMFCNClassifier

    X, y = windows
    classifier = LSTMFCNClassifier(n_epochs=1, batch_size=BATCH, random_state=0, verbose=0)
    classifier.fit(X[:BATCH], y[:BATCH])
    one_hot, series = np.eye(N_CLASSES)[y], X.transpose(0, 2, 1)
    measure(benchmark, lambda: classifier.model_.fit(series, one_hot, batch_size=BATCH, verbose=0), windows)


@pytest.mark.benchmark(group="training")
def test_training_convolutions_alone(benchmark, windows):
    measure_convolutions(benchmark, windows, gradients=True)


@pytest.mark.benchmark(group="prediction")
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_prediction(benchmark, windows, dtype):
    X, y = windows
    fitted = MLSTMFCN(epochs=1, random_state=0, dtype=dtype).fit(X[:BATCH], y[:BATCH])
    measure(benchmark, lambda: fitted.predict_proba(X), windows)


@pytest.mark.benchmark(group="prediction")
def test_prediction_plain_keras_predict(benchmark, windows, plain):
    measure(benchmark, lambda: plain.predict(windows[0], batch_size=BATCH, verbose=0), windows)


@pytest.mark.benchmark(group="prediction")
def test_prediction_convolutions_alone(benchmark, windows):
    measure_convolutions(benchmark, windows, gradients=False)
