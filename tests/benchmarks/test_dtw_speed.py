"""Exact search for nearest neighbours under DTW beside sktime's: seconds, and the pairs that no bound could tell apart.

``pytest tests/benchmarks/test_dtw_speed.py --benchmark-enable -s``: 320 test windows against 2,240 training windows of
one split. sktime is given 16 of the test windows, and its time is multiplied: it computes every pair. HKU956 is looked
for in `HKU956_ROOT`.
"""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from sktime.classification.distance_based import KNeighborsTimeSeriesClassifier

from bench.cells.prepare import prepare
from bench.estimators.dtw_knn import dtw_knn
from bench.spec import parse_spec
from bench.splits.divide import divide
from bench.study.panels import load_all, suite_panel
from bench.study.suite_files import read_suite

N_TRAIN, N_TEST, N_SKTIME = 2240, 320, 16


def of_suite(name, rate, root=None, subjects=None):
    """Return training and test windows of 5 s, some of a split."""
    suite = read_suite(name)
    windows = suite.windows.model_copy(update={"per_trial": 4, "sampling_rate": rate})
    suite = suite.model_copy(update={"windows": windows, "subjects": subjects})
    ((_, recordings),), _ = load_all(suite, root, print)
    panel = suite_panel(suite, recordings, print)
    ((_, split),) = divide(parse_spec("subject-stratified"), panel, 0)
    sides = prepare(panel, split, suite.scaling)
    rng = np.random.default_rng(0)
    return tuple(
        (X[rows := rng.permutation(len(X))[:n]], y[rows])
        for X, y, n in ((sides.X_train, sides.y_train, N_TRAIN), (sides.X_test, sides.y_test, N_TEST))
    )


def hku956(rate):
    root = os.environ.get("HKU956_ROOT", "")
    if not root:
        pytest.skip("HKU956_ROOT names no folder of HKU956")
    return of_suite("hku956-arousal", rate, Path(root))


def noise():
    """z-normalised noise, of which no bound tells anything: 40 against 400."""
    X = np.random.default_rng(0).standard_normal((440, 4, 320))
    X = ((X - X.mean(axis=2, keepdims=True)) / X.std(axis=2, keepdims=True)).astype(np.float32)
    y = np.arange(len(X)) % 2
    return (X[:400], y[:400]), (X[400:], y[400:])


@pytest.mark.benchmark(group="dtw-knn")
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("data", ["HKU956 at 16 Hz", "HKU956 at 64 Hz", "simulated DEAP at 128 Hz", "noise"])
def test_dtw_knn(benchmark, measured, data, n_jobs):
    if not measured:
        (X, y), (X_test, _) = noise()
        X, y, X_test = X[:40, :, :60], y[:40], X_test[:8, :, :60]
    elif data == "noise":
        (X, y), (X_test, _) = noise()
    elif data.startswith("HKU956"):
        (X, y), (X_test, _) = hku956(int(data.split()[2]))
    else:
        (X, y), (X_test, _) = of_suite("deap-arousal", None, subjects="1-20")
    estimator = dtw_knn(n_jobs=n_jobs).fit(X[:8], y[:8])
    estimator.predict(X_test[:2])  # compiled

    def ours():
        return estimator.fit(X, y).predict(X_test)

    found = benchmark.pedantic(ours, rounds=3)
    few = X_test[:N_SKTIME]
    theirs = KNeighborsTimeSeriesClassifier(distance="dtw", distance_params={"window": 0.1}).fit(X, y)
    theirs.predict(few[:1])  # compiled
    clock = time.perf_counter()
    expected = theirs.predict(few)
    seconds = (time.perf_counter() - clock) * len(X_test) / len(few)
    assert (found[: len(few)] == expected).all()
    if measured:
        pairs = len(X) * len(X_test)
        searched = estimator.searched_
        benchmark.extra_info |= {
            "sktime s": round(seconds, 1),
            "times as fast": round(seconds / benchmark.stats.stats.median, 1),
            "LB_Keogh": f"{searched.bounded / pairs:.2%}",
            "DTW": f"{searched.computed / pairs:.2%}",
        }
        print(
            "\n",
            data,
            X.shape,
            f"{n_jobs} threads",
            round(benchmark.stats.stats.median, 2),
            "s",
            benchmark.extra_info,
        )
