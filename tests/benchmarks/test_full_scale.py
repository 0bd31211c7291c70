"""A full DEAP split in minutes: minirocket fitted and predicting, and the physiological features of all windows.

``pytest tests/benchmarks/test_full_scale.py --benchmark-enable -s``: 17,920 training and 7,680 test windows of 4 x 640,
of simulated DEAP, the seconds before the stimulus included. Nothing is compiled within the seconds.
"""

import time

import numpy as np
import pytest

from bench.cells.job import hardware
from bench.cells.making import available_cores
from bench.cells.memory import PeakMemory
from bench.cells.prepare import prepare
from bench.estimators.physio_features.features import PhysioFeatures
from bench.estimators.rocket import minirocket
from bench.spec import parse_spec
from bench.splits.divide import divide
from bench.study.panels import load_all, suite_panel
from bench.study.suite_files import read_suite


@pytest.fixture(scope="module")
def full_split(measured):
    """Scaled windows of both sides, their labels, and the channels; of two people where nobody measures."""
    suite = read_suite("deap-arousal")
    windows = suite.windows.model_copy(update={"baseline": True})
    suite = suite.model_copy(update={"windows": windows, "subjects": None if measured else "1-2"})
    ((_, recordings),), _ = load_all(suite, None, print)
    panel = suite_panel(suite, recordings, print)
    ((_, split),) = divide(parse_spec("subject-stratified"), panel, 0)
    return prepare(panel, split, suite.scaling), tuple(recordings.channels), recordings.sampling_rate


def run_once(benchmark, measured, what, n_windows):
    """Measure one run of `what`; print seconds, megabytes and the processor."""

    def with_memory():
        cpu = time.process_time()
        with PeakMemory() as held:
            what()
        return held.megabytes, time.process_time() - cpu

    megabytes, cpu = benchmark.pedantic(with_memory, rounds=1)
    if measured:
        benchmark.extra_info |= {
            "windows": n_windows,
            "MB": round(megabytes),
            "CPU s": round(cpu),  # of all cores; what others do on the machine hardly changes it
            "processor": f"{hardware()['processor']}, {available_cores()} cores",
        }
        print("\n", benchmark.name, f"{benchmark.stats.stats.median:.1f} s", benchmark.extra_info)


@pytest.mark.benchmark(group="full-scale")
def test_minirocket(benchmark, measured, full_split):
    sides, _, _ = full_split
    estimator = minirocket(num_kernels=10_000 if measured else 168, random_state=0, n_jobs=available_cores())
    some = np.arange(0, len(sides.X_train), 50)
    estimator.fit(sides.X_train[some], sides.y_train[some]).predict(sides.X_test[:8])  # compiled

    def fit_and_predict():
        estimator.fit(sides.X_train, sides.y_train)
        fit_and_predict.predicted = estimator.predict(sides.X_test)

    run_once(benchmark, measured, fit_and_predict, len(sides.X_train) + len(sides.X_test))
    assert fit_and_predict.predicted.shape == sides.y_test.shape


@pytest.mark.benchmark(group="full-scale")
def test_physio_features(benchmark, measured, full_split):
    sides, channels, rate = full_split
    estimator = PhysioFeatures(channels, rate)
    estimator.fit(sides.X_train[:8]).transform(sides.X_test[:8])  # imported

    def features():
        features.tables = (
            estimator.fit(sides.X_train).transform(sides.X_train),
            estimator.transform(sides.X_test),
        )

    run_once(benchmark, measured, features, len(sides.X_train) + len(sides.X_test))
    table = np.concatenate(features.tables)
    assert table.shape == (len(sides.X_train) + len(sides.X_test), len(estimator.feature_names_))
    assert np.isfinite(table).all()
