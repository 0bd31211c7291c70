"""Does HKU956 tell as much at a lower sampling rate? minirocket and dtw-knn at 64, 32, 16 and 8 Hz.

``python tests/benchmarks/sampling_rates.py --hku956 DIR`` writes ``sampling_rates.csv`` and ``.md`` into
``results/mlstm-fcn``. What is in the csv already is not computed again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from sklearn.metrics import balanced_accuracy_score
from tabulate import tabulate

from bench.cells.cell import make_estimator
from bench.cells.prepare import prepare
from bench.registry import get
from bench.spec import parse_spec
from bench.splits.divide import divide
from bench.study.panels import load_all, suite_panel
from bench.study.suite_files import read_suite

RATES, SEEDS, PER_TRIAL = (64, 32, 16, 8), range(4), 4
PROTOCOLS = ("random-windows", "subject-stratified")
PAIRED = (
    "subject-stratified",
)  # a split of trials is the same at every rate; one of windows hashes their starts
ESTIMATORS = ("minirocket[num_kernels=2000]", "dtw-knn")
KEYS = ["estimator", "protocol", "rate", "seed"]


def compute(root: Path, csv: Path) -> pd.DataFrame:
    """Compute what the csv lacks; return all of it."""
    scores = pd.read_csv(csv) if csv.is_file() else pd.DataFrame(columns=[*KEYS, "balanced_accuracy"])
    done = set(scores[KEYS].itertuples(index=False, name=None))
    suite = read_suite("hku956-arousal")
    ((_, recordings),), _ = load_all(suite, root, print)
    for rate in RATES:
        windows = suite.windows.model_copy(update={"per_trial": PER_TRIAL, "sampling_rate": rate})
        panel = suite_panel(suite.model_copy(update={"windows": windows}), recordings, print)
        for seed in SEEDS:
            for protocol in PROTOCOLS:
                missing = [text for text in ESTIMATORS if (text, protocol, rate, seed) not in done]
                if not missing:
                    continue
                ((_, split),) = divide(parse_spec(protocol), panel, seed)
                for text in missing:
                    sides, spec = prepare(panel, split, "min-max"), parse_spec(text)
                    estimator = make_estimator(get("estimator", spec.name), spec.parameters, seed)
                    estimator.fit(sides.X_train, sides.y_train)
                    score = balanced_accuracy_score(sides.y_test, estimator.predict(sides.X_test))
                    print(text, protocol, rate, seed, round(score, 3), flush=True)
                    line = pd.DataFrame(
                        [(text, protocol, rate, seed, round(score, 4))], columns=scores.columns
                    )
                    scores = pd.concat([scores, line]) if len(scores) else line
                    scores.sort_values(KEYS).to_csv(csv, index=False, lineterminator="\n")
    return scores


def table(scores: pd.DataFrame) -> pd.DataFrame:
    """Return a row an estimator, protocol and rate: mean over splits, and the difference to the highest rate."""
    wide = scores.pivot_table(
        index=[k for k in KEYS if k != "rate"], columns="rate", values="balanced_accuracy"
    )
    rows = []
    for (estimator, protocol), own in wide.groupby(level=["estimator", "protocol"]):
        for rate in RATES:
            off = 100 * (own[rate] - own[RATES[0]])
            rows.append(
                {
                    "estimator": estimator,
                    "protocol": protocol,
                    "Hz": rate,
                    "balanced accuracy": f"{own[rate].mean():.3f} ± {own[rate].std():.3f}",
                    f"points to {RATES[0]} Hz": f"{off.mean():+.1f}",
                    "by split": f"{off.min():+.1f} to {off.max():+.1f}"
                    if protocol in PAIRED
                    else "other splits",
                }
            )
    return pd.DataFrame(rows)


def main() -> None:
    """Compute what is missing; write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hku956", type=Path, required=True, help="folder of HKU956")
    parser.add_argument("--results", type=Path, default=Path("results/mlstm-fcn"))
    asked = parser.parse_args()
    asked.results.mkdir(parents=True, exist_ok=True)
    shown = table(compute(asked.hku956, asked.results / "sampling_rates.csv"))
    text = tabulate(shown, headers="keys", tablefmt="pipe", showindex=False, disable_numparse=True)
    head = "# HKU956 arousal by sampling rate\n\n"
    (asked.results / "sampling_rates.md").write_text(head + text + "\n\n" + NOTE, encoding="utf-8")
    print(text)


NOTE = f"""{len(SEEDS)} splits, {PER_TRIAL} consecutive windows of 5 s a song, scaled by min-max; recorded at 64 Hz (pulse) and 4 Hz or less, resampled trial
by trial behind a low-pass filter. ± is the standard deviation over splits. `random-windows` LEAKS trials and samples, and its splits are others at every
rate.
Data: Hu, Li and Liu 2022, doi 10.3390/app12189354, CC BY-NC 4.0.
"""

if __name__ == "__main__":
    main()
