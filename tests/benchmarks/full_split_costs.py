"""What does each estimator take for a full DEAP split? As ``run --plan`` predicts it, networks by their epochs.

``python tests/benchmarks/full_split_costs.py`` writes ``costs.csv`` and ``costs.md`` into ``results/costs``: the seconds
of one cell of 17,920 training and 7,680 test windows of 4 x 640, of simulated DEAP, on all cores of the
machine. Trials are kept in the cache folder: an estimator whose code is the same is not tried again.
"""

from __future__ import annotations

import argparse
import datetime
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
from tabulate import tabulate

from bench.cells.job import hardware
from bench.cells.making import available_cores, make_estimator
from bench.errors import BenchError
from bench.registry import Plugin, plugins
from bench.running.cost import Costs
from bench.running.local import Limits
from bench.running.probe import probe
from bench.study.plan import Plan, make_plan
from bench.study.suite_files import read_suite
from bench.study.tasks import Task

COLUMNS = ["estimator", "family", "n_train", "n_test", "seconds", "reason"]
EPOCHS = {"epochs", "n_epochs"}  # the parameter of what trains in epochs
FEW = 256  # windows that a network is tried on
LONG = 2 * 3600  # seconds: more than two cores are to be kept busy with


def predict(plugin: Plugin, results: Path) -> dict[str, Any]:
    """Return the row of one estimator with its default parameters: its seconds, or why there are none."""
    row = {"estimator": plugin.name, "family": plugin.about["family"]}
    try:
        plan = full_plan(plugin, results)
        (task,) = plan.waiting
        n_train, n_test = len(task.split.train), len(task.split.test)
        if epochs := EPOCHS & plugin.parameters().keys():
            seconds: float | None = by_epochs(plugin, epochs.pop(), task)
        else:
            costs = Costs()
            probe(plan, costs, Limits(jobs=1), print)
            seconds = costs.seconds(task)
    except BenchError as error:
        return {**row, "reason": str(error)}
    if seconds is None:
        return {**row, "reason": "its trials failed"}
    return {
        **row,
        "n_train": n_train,
        "n_test": n_test,
        "seconds": round(seconds, 1),
    }


def by_epochs(plugin: Plugin, name: str, task: Task) -> float:
    """Return the seconds of a network: those of an epoch, as fits of one and of four differ, times its epochs."""
    rows = task.split.train[:: len(task.split.train) // FEW][:FEW]
    X, y = task.panel.X[rows], task.panel.y[rows]
    make_estimator(plugin, {name: 1}, 0).fit(X, y)  # TensorFlow starts
    took = []
    for epochs in (1, 4):
        began = time.perf_counter()
        fitted = make_estimator(plugin, {name: epochs}, 0).fit(X, y)
        took.append(time.perf_counter() - began)
    fitted.predict(X)
    began = time.perf_counter()
    fitted.predict(X)
    predict_seconds = (time.perf_counter() - began) * len(task.split.test) / FEW
    fit_seconds = (took[1] - took[0]) / 3 * len(task.split.train) / FEW * plugin.parameters()[name]
    return fit_seconds + predict_seconds


def full_plan(plugin: Plugin, results: Path) -> Plan:
    """Return the plan of one cell of a full split."""
    suite = read_suite("deap-arousal")
    asked = {
        "windows": suite.windows.model_copy(
            update={"baseline": True}
        ),  # 20 windows of each of the 1,280 trials
        "protocols": ["subject-stratified"],
        "estimators": [plugin.name],
        "seeds": 1,
    }
    return make_plan(suite, "full", asked, results=results, say=print)


def in_words(seconds: float) -> str:
    """Return a time as `register_estimator` takes it for ``cost``: one or two digits that say something."""
    for unit, length in (("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= 1.5 * length:
            value = seconds / length
            return f"{value:.1f} {unit}" if value < 3 and unit == "h" else f"{value:.0f} {unit}"
    return f"{max(1, round(seconds))} s"


def table(costs: pd.DataFrame) -> str:
    """Return the table and the note below it, in Markdown."""
    timed = costs.dropna(subset="seconds").sort_values("seconds")
    rows = [
        (
            one.estimator,
            one.family,
            in_words(one.seconds),
            LONG_WORD * (one.seconds > LONG),
        )
        for one in timed.itertuples()
    ]
    head = ("estimator", "family", "time", f"over {LONG // 3600} h")
    text = "# What a full DEAP split takes\n\n" + tabulate(
        rows, headers=head, tablefmt="pipe", disable_numparse=True
    )
    text += (
        f"\n\nFit and predict of one cell with default parameters, {timed.n_train.max():,.0f} training and "
        f"{timed.n_test.max():,.0f} test windows of simulated DEAP. {hardware()['processor']}, "
        f"{available_cores()} cores, {datetime.date.today()}.\n\n{NOTE}"
    )
    for one in costs[costs["seconds"].isna()].itertuples():
        text += f"\n- not timed: {one.estimator}: {one.reason}"
    return text + "\n"


LONG_WORD = "yes"
NOTE = """Nothing of this was run in full. Networks: the seconds of an epoch on 256 windows, times windows and epochs. All others: what `run --plan` predicts, a straight line through trials on few windows (32, 128, 512, ...; the last
one takes 3 s or more). These are seconds of the wall clock: on a machine that does something else too they are too long. The seconds of the fit and
those of one test window each lie on such a line, which suits transforms, and `dtw-knn` and `euclidean-knn`, whose test windows take as long as
there are training windows. It does not suit ridge regression on thousands of features (`rocket`, `minirocket`, `multirocket`, `rdst`, `hydra`): its time
grows with the cube of the smaller number of windows and features, and beyond 2,000 of both, which trials may not reach, it is solved in another way.
The benchmark `test_full_scale.py` runs `minirocket` in full. `multirocket-hydra` does what its two parts do, one after the other: its own line is wrong.
"""


def main() -> None:
    """Predict for every estimator that is installed; write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("results/costs"))
    asked = parser.parse_args()
    asked.results.mkdir(parents=True, exist_ok=True)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for plugin in plugins("estimator").values():
            if plugin.missing:
                rows.append({"estimator": plugin.name, "reason": f"needs {', '.join(plugin.missing)}"})
            elif not plugin.signal_free:
                rows.append(predict(plugin, Path(folder)))
                print(rows[-1], flush=True)
    costs = pd.DataFrame(rows, columns=COLUMNS)
    costs.to_csv(asked.results / "costs.csv", index=False, lineterminator="\n")
    text = table(costs)
    (asked.results / "costs.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
