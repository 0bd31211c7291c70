"""What MLSTM-FCN learns on HKU956, by how it is trained and by what it is shown.

``python tests/benchmarks/learning.py --hku956 DIR`` fits a row a setting and writes ``learning.csv``, ``.md`` and
``.png`` into ``results/mlstm-fcn``. Rows that are in the csv already are not made again; ``--rows`` makes
some of them, so that several processes can share the work. Settings are chosen by what the training side
tells; the test side is shown where all training windows are fitted.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pandas as pd
from tabulate import tabulate

from bench.cells.prepare import Sides, prepare
from bench.data.scaling import Scaling
from bench.estimators.mlstm_fcn import MLSTMFCN
from bench.estimators.moments_forest import moments_forest
from bench.spec import parse_spec
from bench.splits.divide import divide
from bench.study.panels import load_all, suite_panel
from bench.study.suite_files import read_suite

RATE, PER_TRIAL, PROTOCOL = 16, 4, "random-windows"
MEMORY = "to memorise 512 windows"
LONG = "to its end, all training windows"
USES = "what it can use"


@dataclass(frozen=True)
class Row:
    """A fit: parameters of the estimator, how windows are scaled before it, how many and what of them is shown."""

    part: str
    parameters: dict[str, Any] = field(default_factory=dict)
    scaling: Scaling = "rank-normal"
    shown: str = "all"
    n_windows: int | None = None
    estimator: str = "mlstm-fcn"


def _memory(scaling: Scaling = "rank-normal", **parameters: Any) -> Row:
    return Row(MEMORY, {"epochs": 80, "standardize": "z-score", **parameters}, scaling, n_windows=512)


def _long(part: str = LONG, shown: str = "all", scaling: Scaling = "rank-normal", **parameters: Any) -> Row:
    return Row(part, {"standardize": "z-score", **parameters}, scaling, shown)


ROWS = {
    "as before: 2e-3, batch 64, min-max": _memory("min-max", learning_rate=2e-3, batch_size=64),
    "2e-3, batch 32": _memory(learning_rate=2e-3, batch_size=32),
    "5e-3, batch 64": _memory(learning_rate=5e-3, batch_size=64),
    "5e-3, batch 32": _memory(learning_rate=5e-3, batch_size=32),
    "1e-2, batch 32": _memory(learning_rate=1e-2, batch_size=32),
    "5e-3, batch 32, min-max": _memory("min-max", learning_rate=5e-3, batch_size=32),
    "5e-3, batch 32, no class weights": _memory(learning_rate=5e-3, batch_size=32, class_weight=False),
    "published: plateau, 1e-3, batch 64, 250 epochs": _memory(schedule="plateau", batch_size=64, epochs=250),
    "5e-3, batch 32, without LSTM": _memory(learning_rate=5e-3, batch_size=32, lstm=False),
    "120 epochs": _memory(epochs=120),
    "default: ranks of its own, 120 epochs": Row(MEMORY, scaling="min-max", n_windows=512),
    "all windows": _long(),
    "all windows, a fifth of the trials held out": _long(validation=0.2),
    "mlstm-fcn, levels only": _long(USES, "levels"),
    "mlstm-fcn, shapes only": _long(USES, "shapes"),
    "moments-forest": Row(USES, estimator="moments-forest"),
    "moments-forest, levels only": Row(USES, shown="levels", estimator="moments-forest"),
    "moments-forest, shapes only": Row(USES, shown="shapes", estimator="moments-forest"),
}


def sides_of(root: Path, scaling: Scaling) -> Sides:
    """Return the windows of HKU956 arousal as the suite makes them, thinned and at 16 Hz, seed 0."""
    suite = read_suite("hku956-arousal")
    windows = suite.windows.model_copy(update={"per_trial": PER_TRIAL, "sampling_rate": RATE})
    suite = suite.model_copy(update={"windows": windows, "scaling": scaling})
    ((_, recordings),), _ = load_all(suite, root, print)
    panel = suite_panel(suite, recordings, print)
    ((_, split),) = divide(parse_spec(PROTOCOL), panel, 0)
    return prepare(panel, split, scaling, seed=0)


def shown(X: np.ndarray, what: str) -> np.ndarray:
    """Return windows with each channel as it is, flat at its mean, or without mean and deviation."""
    mean = X.mean(axis=2, keepdims=True)
    if what == "levels":
        return np.repeat(mean, X.shape[2], axis=2)
    if what == "shapes":
        deviation = X.std(axis=2, keepdims=True)
        return (X - mean) / np.where(deviation > 1e-6, deviation, 1)
    return X


def fit(name: str, row: Row, root: Path) -> dict[str, Any]:
    """Fit a row; return what its line of the table is made of."""
    from sklearn.metrics import balanced_accuracy_score

    sides = sides_of(root, row.scaling)
    X_train, X_test = shown(sides.X_train, row.shown), shown(sides.X_test, row.shown)
    y_train, groups = sides.y_train, sides.groups
    if row.n_windows is not None:
        rows = np.random.default_rng(0).permutation(len(y_train))[: row.n_windows]
        X_train, y_train, groups = X_train[rows], y_train[rows], groups[rows]
    started = time.perf_counter()
    line: dict[str, Any] = {"part": row.part, "row": name, "windows": len(y_train), "scaling": row.scaling}
    estimator: Any
    if row.estimator == "mlstm-fcn":
        estimator = MLSTMFCN(random_state=0, n_jobs=1, **row.parameters).fit(X_train, y_train, groups=groups)
        line |= {
            "epochs": len(estimator.history_["loss"]),
            "seconds": round(time.perf_counter() - started),
            "training": estimator.training_scores_["balanced_accuracy"],
            "curve": json.dumps([round(v, 4) for v in estimator.history_["loss"]]),
        }
        if "val_balanced_accuracy" in estimator.history_:
            line["validation"] = estimator.history_["val_balanced_accuracy"][estimator.best_epoch_]
    else:
        estimator = moments_forest(random_state=0, n_jobs=1).fit(X_train, y_train)
        line |= {
            "seconds": round(time.perf_counter() - started),
            "training": balanced_accuracy_score(y_train, estimator.predict(X_train)),
        }
    if row.n_windows is None:
        line["test"] = balanced_accuracy_score(sides.y_test, estimator.predict(X_test))
    return line


def write_tables(lines: pd.DataFrame, folder: Path) -> None:
    """Write the tables, a part after the other, and the figure of the loss curves."""
    order = {name: k for k, name in enumerate(ROWS)}
    lines = lines.sort_values("row", key=lambda names: names.map(order))
    text = ["# What MLSTM-FCN learns on HKU956, by its training\n"]
    for part in (MEMORY, LONG, USES):
        own = lines[lines.part == part].drop(columns=["part", "curve"]).dropna(axis=1, how="all")
        for column in {"training", "validation", "test"} & set(own):
            own[column] = own[column].map("{:.3f}".format, na_action="ignore")
        own = own.astype({c: "Int64" for c in ("windows", "epochs", "seconds") if c in own})
        own = own.astype(object).where(own.notna(), "–")
        text += [
            f"## {part[0].upper()}{part[1:]}\n",
            tabulate(own, "keys", "pipe", showindex=False, disable_numparse=True),
            "",
        ]
    text.append(NOTE)
    (folder / "learning.md").write_text("\n".join(text), encoding="utf-8")
    draw(lines, folder / "learning.png")


def draw(lines: pd.DataFrame, file: Path) -> None:
    """Draw the training loss over epochs, a panel a part that has curves."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    parts = [part for part in (MEMORY, LONG, USES) if lines[lines.part == part].curve.notna().any()]
    figure = Figure(figsize=(5.2 * len(parts), 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    for axis, part in zip(figure.subplots(1, len(parts), squeeze=False)[0], parts, strict=True):
        for k, line in enumerate(lines[(lines.part == part) & lines.curve.notna()].itertuples()):
            axis.plot(json.loads(line.curve), "-" if k < 10 else "--", label=line.row, linewidth=1.1)
        axis.set(title=part, xlabel="epoch", ylabel="training loss")
        axis.legend(fontsize=7, frameon=False)
    figure.savefig(file, dpi=130)


NOTE = f"""HKU956, high against low arousal, protocol `{PROTOCOL}` (LEAKS: windows of a trial stand on both sides), seed 0, {PER_TRIAL}
consecutive windows a song of 5 s, resampled to {RATE} Hz, three channels. `training`, `validation` and `test` are balanced accuracies as
the fitted network predicts; one thread a fit, and the seconds are with another fit beside it. "Levels only": each channel of a window is flat
at its mean; "shapes only": mean and deviation of each channel of a window are taken away. The held-out fifth is of whole trials within the
training side. Test windows chose no setting of
mlstm-fcn in these rows; that moments-forest considers all features at each node was chosen by them. Data: Hu, Li and Liu 2022, doi 10.3390/app12189354, CC BY-NC 4.0.
"""


def main() -> None:
    """Fit the rows that are missing; write tables and figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hku956", type=Path, required=True, help="folder of HKU956")
    parser.add_argument("--rows", nargs="+", default=list(ROWS), choices=list(ROWS), metavar="ROW")
    parser.add_argument("--results", type=Path, default=Path("results/mlstm-fcn"))
    asked = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    asked.results.mkdir(parents=True, exist_ok=True)
    csv = asked.results / "learning.csv"
    for name in asked.rows:
        if csv.is_file() and name in set(pd.read_csv(csv).row):
            continue
        print(name, flush=True)
        line = fit(name, ROWS[name], asked.hku956)
        with filelock.FileLock(asked.results / "learning.lock"):  # another process may add its own
            new = pd.DataFrame([line], columns=COLUMNS)
            lines = pd.concat([pd.read_csv(csv), new]) if csv.is_file() else new
            lines.to_csv(csv, index=False, float_format="%.6g", lineterminator="\n")
    (asked.results / "learning.lock").unlink(missing_ok=True)
    write_tables(pd.read_csv(csv), asked.results)


COLUMNS = [
    "part",
    "row",
    "windows",
    "scaling",
    "epochs",
    "seconds",
    "training",
    "validation",
    "test",
    "curve",
]

if __name__ == "__main__":
    main()
