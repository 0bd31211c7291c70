"""How far the profile `quick` may thin: whether MLSTM-FCN is trained out on what is left, and what the fit costs.

``python tests/benchmarks/quick_training.py`` fits a row a setting and seed on simulated DEAP, and with
``--hku956 DIR`` on HKU956, and writes ``training.csv``, ``.md`` and ``.png`` into ``results/quick``. What is in the
csv already is not computed again; the two data sets may be worked on side by side.

A learning rate that falls to nothing makes every loss end flat. So each setting is also shown with twice the
epochs: it is trained out if that changes the balanced accuracy on training windows by `SAME` at most, or if both are
`ALL` or more.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import filelock
import numpy as np
import pandas as pd
from tabulate import tabulate

from bench.cells.making import make_estimator
from bench.cells.prepare import Sides, prepare
from bench.registry import get
from bench.report.training import still_falling
from bench.spec import parse_spec
from bench.splits.divide import divide
from bench.study.panels import load_all, suite_panel
from bench.study.suite_files import read_suite

SAME, ALL = 0.01, 0.99
NETWORK = "mlstm-fcn"
CHEAP = ("minirocket", "moments-forest", "physio-features")
# Title, suite, protocol.
DATA = {
    "deap": ("Simulated DEAP", "deap-arousal", "subject-stratified"),
    "hku956": ("HKU956", "hku956-arousal", "subject-blocked"),
}
COLUMNS = [
    *("data", "estimator", "people", "per_trial", "rate", "epochs", "batch_size", "seed"),
    *("windows", "seconds", "cpu_seconds", "loss", "training", "falling", "test", "curve"),
]
KEY = COLUMNS[:8]


class Setting(NamedTuple):
    """What is thinned, and how the network is trained; no epochs, no batch: another estimator."""

    people: str
    per_trial: int
    rate: float
    epochs: int = 0
    batch_size: int = 0


# With one window a trial, nothing would leak under `random-windows`: candidates have two or more.
GRID = {
    "deap": [Setting("1-8", 3, 4, e, 32) for e in (40, 80, 50, 100)],
    "hku956": [Setting("all", 2, 4, e, 32) for e in (60, 120)],
}
# Looked at with one seed.
ONCE = {
    "deap": [
        *(Setting("1-8", 2, 4, e, 32) for e in (40, 80)),
        *(Setting("1-8", 2, 8, e, 32) for e in (40, 60, 80, 120)),
        *(Setting("1-8", 2, 8, e, 64) for e in (40, 80)),
        Setting("1-8", 3, 8, 40, 64),
    ],
    "hku956": [
        *(Setting("all", 2, 8, e, 32) for e in (40, 60)),
        Setting("all", 2, 10, 60, 64),
        Setting("1903-1918", 2, 10, 80, 32),
        *(Setting("all", 1, rate, 120, 32) for rate in (10, 8)),
    ],
}
THINNED = {
    "deap": [Setting("1-8", n, rate) for n in (1, 2, 3) for rate in (4, 8, 16)] + [Setting("1-10", 3, 16)],
    "hku956": [Setting("all", n, rate) for n in (1, 2, 4) for rate in (4, 8, 16)],
}


def sides_of(data: str, setting: Setting, root: Path | None, seed: int) -> tuple[Sides, tuple[str, ...]]:
    """Return the windows of the suite, thinned as a profile thins them, and the names of their channels."""
    _, name, protocol = DATA[data]
    suite = read_suite(name)
    windows = suite.windows.model_copy(update={"per_trial": setting.per_trial, "sampling_rate": setting.rate})
    people = None if setting.people == "all" else setting.people
    suite = suite.model_copy(update={"windows": windows, "subjects": people})
    ((_, recordings),), _ = load_all(suite, root, print)
    panel = suite_panel(suite, recordings, print)
    ((_, split),) = divide(parse_spec(protocol), panel, seed)
    return prepare(panel, split, suite.scaling, seed=seed), panel.channels


def fit(data: str, estimator: str, setting: Setting, seed: int, root: Path | None) -> dict[str, Any]:
    """Fit once; return what its line of the csv is made of."""
    from sklearn.metrics import balanced_accuracy_score

    network = estimator == NETWORK
    parameters = {"epochs": setting.epochs, "batch_size": setting.batch_size} if network else {}
    sides, channels = sides_of(data, setting, root, seed)
    made = make_estimator(
        get("estimator", estimator), parameters, seed, channels=channels, sampling_rate=setting.rate
    )
    wall, cpu = time.perf_counter(), time.process_time()
    made.fit(sides.X_train, sides.y_train)
    line: dict[str, Any] = {
        **{"data": data, "estimator": estimator, **setting._asdict(), "seed": seed},
        "windows": len(sides.X_train),
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "training": balanced_accuracy_score(sides.y_train, made.predict(sides.X_train)),
        "test": balanced_accuracy_score(sides.y_test, made.predict(sides.X_test)),
    }
    if network:
        loss = np.array(made.history_["loss"])
        line |= {"loss": loss[made.best_epoch_], "falling": still_falling(loss)}
        line["curve"] = json.dumps([round(v, 4) for v in loss.tolist()])
    return line


def wanted(data: str, seeds: int) -> Iterator[tuple[str, Setting, int]]:
    """Yield what is to be fitted, a seed of all settings after the other."""
    for seed in range(seeds):
        yield from ((NETWORK, setting, seed) for setting in GRID[data])
        yield from ((estimator, setting, seed) for setting in THINNED[data] for estimator in CHEAP)
    yield from ((NETWORK, setting, 0) for setting in ONCE[data])


def means(lines: pd.DataFrame) -> pd.DataFrame:
    """Return a row a setting: means over seeds, and what twice the epochs bring on the same splits."""
    setting = KEY[:-1]
    numbers = ["windows", "cpu_seconds", "loss", "training", "falling", "test"]
    grouped = lines.groupby(setting, sort=False)
    rows = grouped[numbers].mean().assign(seeds=grouped.size(), spread=grouped.test.std()).reset_index()
    twice = lines[[*KEY, "training", "test"]].assign(epochs=lines.epochs // 2)
    paired = lines.merge(twice[twice.epochs > 0], on=KEY, suffixes=("", "_twice"))
    paired = paired.assign(more=paired.test_twice - paired.test)
    brought = paired.groupby(setting)[["training", "training_twice", "more"]].mean().reset_index()
    return rows.merge(brought.rename(columns={"training": "training_paired"}), on=setting, how="left")


def verdict(row: Any) -> str:
    """Return whether a setting is trained out, in words; a dash where nobody doubled its epochs."""
    if np.isnan(row.training_twice):
        return "–"
    before, after = row.training_paired, row.training_twice
    return "yes" if abs(after - before) <= SAME or min(before, after) >= ALL else "no"


def write_tables(lines: pd.DataFrame, folder: Path) -> None:
    """Write the tables, a data set after the other, and the figure of the loss curves."""
    text = ["# How far `quick` may thin\n"]
    order = ["people", "per_trial", "rate", "batch_size", "epochs"]
    for data, part in lines.groupby("data"):
        title, suite, protocol = DATA[str(data)]
        rows = means(part).sort_values(order)
        shown = [
            {
                "people": row.people,
                "windows a trial": row.per_trial,
                "Hz": f"{row.rate:g}",
                "training windows": round(row.windows),
                "batch": row.batch_size,
                "epochs": row.epochs,
                "fits": row.seeds,
                "CPU seconds a fit": f"{row.cpu_seconds:.1f}",
                "loss": f"{row.loss:.3f}",
                "still falling": f"{row.falling:.1f} %",
                "on training windows": f"{row.training:.3f}",
                "with twice the epochs": _number(row.training_twice),
                "trained out": verdict(row),
                "on test windows": _score(row.test, row.spread),
                "twice the epochs bring": _number(row.more, "+"),
            }
            for row in rows[rows.estimator == NETWORK].itertuples()
        ]
        text += [f"## {title}: {NETWORK}\n", f"Suite `{suite}`, protocol `{protocol}`.\n"]
        text += [tabulate(shown, "keys", "pipe", disable_numparse=True), ""]
        cheap = rows[rows.estimator.isin(CHEAP)]
        score = [_score(test, spread) for test, spread in zip(cheap.test, cheap.spread, strict=True)]
        wide = cheap.assign(score=score).pivot_table(
            index=order[:3], columns="estimator", values="score", aggfunc="first"
        )
        names = {"per_trial": "windows a trial", "rate": "Hz"}
        text += [
            f"## {title}: what others lose by the thinning\n",
            f"Test windows, {cheap.seeds.max()} seeds.\n",
        ]
        text += [tabulate(wide.reset_index().rename(columns=names), "keys", "pipe", showindex=False), ""]
    (folder / "training.md").write_text("\n".join([*text, NOTE]), encoding="utf-8")
    draw(lines[lines.curve.notna()], folder / "training.png")


def _score(mean: float, deviation: float) -> str:
    return f"{mean:.3f}" if np.isnan(deviation) else f"{mean:.3f} ± {deviation:.3f}"


def _number(value: float, sign: str = "") -> str:
    return "–" if np.isnan(value) else f"{value:{sign}.3f}"


def draw(lines: pd.DataFrame, file: Path) -> None:
    """Draw the training loss of seed 0 over epochs, a panel for what is thinned alike."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = lines[lines.seed == 0].sort_values(["data", "people", "per_trial", "rate"])
    panels = list(lines.groupby(["data", "people", "per_trial", "rate"], sort=False))
    across = 4
    down = -(-len(panels) // across)
    figure = Figure(figsize=(3.4 * across, 2.7 * down), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(down, across, squeeze=False, sharey=True)
    for axis in grid.flat[len(panels) :]:
        axis.remove()
    for axis, ((data, people, per_trial, rate), part) in zip(grid.flat, panels, strict=False):
        for row in part.sort_values(["batch_size", "epochs"]).itertuples():
            label = f"{row.epochs} epochs" + ("" if row.batch_size == 32 else f", batch {row.batch_size}")
            axis.plot(json.loads(row.curve), linewidth=1, label=label)
        people = people if people == "all" else f"people {people}"
        axis.set_title(f"{DATA[data][0]}, {people}\n{per_trial} windows a trial, {rate:g} Hz", fontsize=9)
        axis.legend(fontsize=7, frameon=False)
    for axis in grid[:, 0]:
        axis.set_ylabel("training loss")
    figure.supxlabel("epoch", fontsize=10)
    figure.savefig(file, dpi=120)


NOTE = f"""High against low arousal; windows of 5 s, consecutive ones from the middle of a trial. Means over fits (a seed each: another
split, other weights); ± is the standard deviation. One thread a fit, other work on the machine: hence CPU seconds, compiling included. Loss: of the epoch whose weights
predict; still falling: by how much it fell over the last tenth of the epochs. Accuracies are balanced. Trained out: twice the epochs, on
the same splits, change that on training windows by {SAME} at most, or both are {ALL} or more. Test windows chose nothing. Recordings of DEAP are
SIMULATED. HKU956: Hu, Li and Liu 2022, doi 10.3390/app12189354, CC BY-NC 4.0.
"""


def main() -> None:
    """Fit what is missing; write tables and figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hku956", type=Path, help="folder of HKU956, to work on that")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--results", type=Path, default=Path("results/quick"))
    asked = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["OMP_NUM_THREADS"] = "1"
    asked.results.mkdir(parents=True, exist_ok=True)
    csv = asked.results / "training.csv"
    data = "hku956" if asked.hku956 else "deap"
    for estimator, setting, seed in wanted(data, asked.seeds):
        key = (data, estimator, *setting, seed)
        if csv.is_file() and key in set(pd.read_csv(csv)[KEY].itertuples(index=False, name=None)):
            continue
        print(*key, flush=True)
        line = fit(data, estimator, setting, seed, asked.hku956)
        with filelock.FileLock(asked.results / "training.lock"):  # another process may add its own
            new = pd.DataFrame([line], columns=COLUMNS)
            lines = pd.concat([pd.read_csv(csv), new]) if csv.is_file() else new
            lines.to_csv(csv, index=False, float_format="%.6g", lineterminator="\n")
    (asked.results / "training.lock").unlink(missing_ok=True)
    write_tables(pd.read_csv(csv), asked.results)


if __name__ == "__main__":
    main()
