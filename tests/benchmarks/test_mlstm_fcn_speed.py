"""How fast MLSTM-FCN trains and predicts, beside the same layers in plain Keras and beside sktime's LSTM-FCN.

``pytest tests/benchmarks/test_mlstm_fcn_speed.py --benchmark-enable --benchmark-json speed.json`` measures,
``python tests/benchmarks/speed_table.py speed.json`` makes the table of it.
"""

from __future__ import annotations

import numpy as np
import pytest

from bench.estimators.mlstm_fcn import MLSTMFCN

SHAPE, N_CLASSES, BATCH = (5, 640), 9, 64


@pytest.fixture(scope="module")
def windows(request):
    """Noise: 16 batches when measured, one otherwise."""
    n_windows = BATCH if request.config.getoption("benchmark_disable") else 16 * BATCH
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
    from bench.estimators import _mlstm_fcn_training as training

    fitted = MLSTMFCN(epochs=1, random_state=0, **options).fit(X[:BATCH], y[:BATCH])
    settings = training.Settings(1000, BATCH, "one-cycle", 2e-3, 100, None, None, 0)
    progress = training.Progress()
    return lambda: training._run_epoch(fitted.model_, training.Windows(X, y), settings, progress)


def measure(benchmark, call, windows):
    benchmark.extra_info["windows"] = len(windows[0])
    benchmark.pedantic(call, rounds=5, warmup_rounds=1)


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


@pytest.mark.benchmark(group="prediction")
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_prediction(benchmark, windows, dtype):
    X, y = windows
    fitted = MLSTMFCN(epochs=1, random_state=0, dtype=dtype).fit(X[:BATCH], y[:BATCH])
    measure(benchmark, lambda: fitted.predict_proba(X), windows)


@pytest.mark.benchmark(group="prediction")
def test_prediction_plain_keras_predict(benchmark, windows, plain):
    measure(benchmark, lambda: plain.predict(windows[0], batch_size=BATCH, verbose=0), windows)
