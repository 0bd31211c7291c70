"""Latency of live use: one window of 5 s, five channels at 128 Hz, scaled and classified by itself."""

import time

import numpy as np
import pytest

from bench.cells.saved import About, DataSet
from bench.data.scaling import make_scaler
from bench.data.windows import Target
from bench.estimators.mlstm_fcn import MLSTMFCN
from bench.live.classifier import Classifier

pytestmark = pytest.mark.benchmark(group="live use, windows of 5 x 640")
N_WINDOWS, WARM_UP = 600, 20


@pytest.fixture(scope="module")
def windows(measured):
    size = (64, 5, 640) if measured else (8, 5, 32)
    return np.random.default_rng(0).standard_normal(size).astype(np.float32)


@pytest.fixture(scope="module")
def classify(windows, tmp_path_factory):
    """A default mlstm-fcn, saved and loaded; how long it was trained does not matter to its speed."""
    n_windows, _, window_samples = windows.shape
    labels, subjects = np.array(["low", "high"] * (n_windows // 2)), np.ones(n_windows, dtype=int)
    file = tmp_path_factory.mktemp("model") / "model.keras"
    MLSTMFCN(epochs=1, random_state=0).fit(windows, labels).save(file)
    about = About(
        plugin="mlstm-fcn",
        estimator="mlstm-fcn",
        data=DataSet(name="noise", plugin="noise", parameters={}, simulated=True, credit=""),
        target=Target(name="arousal"),
        classes=["low", "high"],
        channels=["a", "b", "c", "d", "e"],
        sampling_rate=128.0,
        window_samples=window_samples,
        hop_samples=window_samples * 3 // 5,
        baseline=False,
        whole=False,
        protocol="subject-stratified",
        seed=0,
        fold=None,
        verdict="clean (subjects shared)",
        scaling=make_scaler("min-max").fit(windows, subjects).fitted(),
        trained_on={1: [1]},
    )
    return Classifier(about, MLSTMFCN.load(file))


@pytest.mark.parametrize("pause", [0.0, 0.05], ids=["back to back", "after pauses of 50 ms"])
def test_latency(benchmark, classify, windows, pause):
    """After a pause the processor's caches hold something else, as they do in real use."""
    calls = iter(range(10**9))

    def next_window():
        time.sleep(pause)
        return (windows[next(calls) % len(windows)],), {}

    label, probability = benchmark.pedantic(
        classify, setup=next_window, rounds=N_WINDOWS, warmup_rounds=WARM_UP
    )
    assert label in ("low", "high")
    assert 0.5 <= probability <= 1
    if benchmark.enabled:
        seconds = benchmark.stats.stats.data
        for name, share in (("p50", 50), ("p99", 99)):
            benchmark.extra_info[f"{name} ms"] = round(1000 * float(np.percentile(seconds, share)), 2)
