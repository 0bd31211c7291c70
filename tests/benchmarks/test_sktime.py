"""The same six estimators and splits as cells of a suite and in sktime's `ClassificationBenchmark` (loky).

``pytest tests/benchmarks/test_sktime.py --benchmark-enable``: seconds from the recordings to the scores, processes
and their imports included, two estimators at a time.
"""

from functools import partial
from typing import ClassVar

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score
from sktime.classification.base import BaseClassifier

from bench.cells.making import make_estimator
from bench.data.scaling import MinMax
from bench.registry import get
from bench.running.local import Limits, run_local
from bench.running.runner import execute
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite

ESTIMATORS = {
    "majority": {},
    "stratified-chance": {},
    "minirocket": {"num_kernels": 500},
    "rocket": {"num_kernels": 200},
    "dtw-knn": {"n_neighbors": 1, "window": 0.1},
    "mlstm-fcn": {"epochs": 1},
}


class Ours(BaseClassifier):
    """One of our estimators as sktime wants it, with the scaling that the harness does."""

    _tags: ClassVar = {
        "X_inner_mtype": "numpy3D",
        "capability:multivariate": True,
        "capability:predict_proba": False,
    }

    def __init__(self, name: str = "majority", random_state: int = 0):
        self.name = name
        self.random_state = random_state
        super().__init__()

    def _fit(self, X, y):
        X = X.astype(np.float32)
        self.scaler_ = MinMax().fit(X, np.zeros(len(X)))
        self.estimator_ = make_estimator(
            get("estimator", self.name), ESTIMATORS[self.name], self.random_state
        )
        self.estimator_.fit(self.scaler_.transform(X, np.zeros(len(X))), y.astype(str))
        return self

    def _predict(self, X):
        return self.estimator_.predict(self.scaler_.transform(X.astype(np.float32), np.zeros(len(X))))


class Given:
    """Splits that are known."""

    def __init__(self, splits):
        self.splits = splits

    def split(self, X, y=None):
        yield from self.splits

    def get_n_splits(self, X=None, y=None):
        return len(self.splits)


@pytest.fixture(scope="module")
def plan(measured, tmp_path_factory):
    def make(estimators=tuple(ESTIMATORS if measured else ["majority", "stratified-chance"])):
        changes = {
            "estimators": list(estimators),
            "protocols": ["loso"],
            "seeds": 1,
            "subjects": "1-4" if measured else "1-2",
            "parameters": {name: values for name, values in ESTIMATORS.items() if name in estimators},
        }
        results = tmp_path_factory.mktemp("results")
        return make_plan(read_suite("deap-arousal"), "quick", changes, results=results)

    make()  # the recordings are made up once
    return make


@pytest.fixture(scope="module")
def scores():
    """What each has found."""
    return {}


def harness(plan):
    """Return the balanced accuracy of each estimator and fold."""
    from multiprocessing import forkserver

    forkserver._forkserver._stop()
    done = execute(plan(), partial(run_local, limits=Limits(2)))
    return {
        (t.cell.plugin, t.cell.fold or 0): stored.result["scores"]["balanced_accuracy"] for t, stored in done
    }


def sktime_benchmark(plan, file):
    """Return the same from sktime."""
    from joblib.externals.loky import get_reusable_executor
    from sktime.benchmarking.classification import ClassificationBenchmark

    get_reusable_executor().shutdown(wait=True)
    todo = plan()
    names = list(dict.fromkeys(task.cell.plugin for task in todo.tasks))
    tasks = [task for task in todo.tasks if task.cell.plugin == names[0]]
    panel = tasks[0].panel
    benchmark = ClassificationBenchmark(backend="loky", backend_params={"n_jobs": 2})
    for name in names:
        benchmark.add_estimator(Ours(name), estimator_id=name)
    splitter = Given([(task.split.train, task.split.test) for task in tasks])
    benchmark.add_task((panel.X, panel.y), splitter, [balanced_accuracy_score], task_id="deap")
    table = benchmark.run(str(file)).set_index("model_id")
    get_reusable_executor().shutdown(wait=True)
    return {
        (name, fold): float(table.loc[name, f"balanced_accuracy_score_fold_{fold}_test"])
        for name in names
        for fold in range(len(tasks))
    }


@pytest.mark.benchmark(group="six estimators, four folds of 800 windows")
@pytest.mark.parametrize("which", ["this harness", "sktime with loky"])
def test_end_to_end(benchmark, plan, tmp_path, which, scores):
    numbers = iter(range(100))
    run = partial(harness, plan)
    if which != "this harness":

        def run():
            return sktime_benchmark(plan, tmp_path / f"{next(numbers)}.csv")

    scores[which] = benchmark.pedantic(run, rounds=2 if len(plan().tasks) > 4 else 1)
    first, *others = scores.values()
    assert all(other == pytest.approx(first) for other in others)
