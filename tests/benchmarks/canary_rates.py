"""How often do canaries raise a false alarm, and how small a leak do they find? Whole runs of `run_canaries`.

``python tests/benchmarks/canary_rates.py --hku956 DIR`` writes ``rates.csv``, ``.md`` and ``.png`` into
``results/reference/canaries``; without ``--hku956``, simulated recordings only. What is in the csv already is not
computed again.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import binomtest
from tabulate import tabulate

from bench.data.loading import find_sources, load_recordings
from bench.data.windows import Panel, Target, Windowing, make_panel
from bench.recordings import Recordings
from bench.spec import parse_spec
from bench.splits.divide import divide
from bench.study.canary import ALARM, LEVEL, PERMUTED, Canary, run_canaries
from bench.study.canary_null import RELABELINGS
from bench.study.suite_files import read_suite

PROTOCOLS = ("subject-stratified", "loso", "leave-one-stimulus-out[folds=4]")
HELD_OUT, PEOPLE, TRIALS = 0.3, 8, 20
SHARES = (0.0, 0.05, 0.1, 0.2, 0.4)  # of the test trials of `subject-stratified`, with their twin in training
NOISE, SIMULATED, HKU956 = "noise", "deap-simulated", "HKU956"
KEYS = ["recordings", "share", "run"]


def noise(seed: int) -> Panel:
    """Return windows that know their trial and their person, with classes that know neither, nor stimulus nor order."""
    rng = np.random.default_rng([seed, 1])
    ids = pd.DataFrame(
        [(s, t, o) for s in range(1, PEOPLE + 1) for t, o in enumerate(rng.permutation(TRIALS) + 1, 1)],
        columns=["subject", "trial", "order"],
    )
    ids = ids.assign(stimulus=ids["trial"], arousal=np.where(rng.random(len(ids)) < 0.6, 7.0, 3.0))
    person = rng.normal(size=(PEOPLE + 1, 2, 1))
    signals = [
        (person[s] + rng.normal(size=(2, 1)) + 0.3 * rng.normal(size=(2, 96))).astype(np.float32)
        for s in ids["subject"]
    ]
    recordings = Recordings("noise", signals, ("a", "b"), 16.0, ids, simulated=True)
    return make_panel(recordings, Target(name="arousal"), Windowing(seconds=2, overlap=1))


def simulated(seed: int) -> Panel:
    """Return simulated DEAP of ten people, as the profile `quick` cuts it, made with a seed of its own."""
    return _of_suite("deap-arousal", f"deap-simulated[seed={seed}]", None, range(1, 11))


def hku956(root: Path) -> Panel:
    """Return HKU956 as the profile `quick` cuts it."""
    return _of_suite("hku956-arousal", "hku956", root, None)


def _of_suite(suite: str, dataset: str, root: Path | None, subjects: range | None) -> Panel:
    read = read_suite(suite).thinned("quick")
    source = find_sources(parse_spec(dataset), root)[0][0]
    return make_panel(load_recordings(source, subjects), read.target, read.windows)


def with_twins(panel: Panel, share: float, seed: int) -> Panel:
    """Call the halves of some recordings two trials, of two stimuli: nothing but the signals ties them together.

    As many recordings are cut as that `share` of all trials have a twin in training if 70 % of them are there.
    """
    rows = panel.windows["row"].unique()
    of_all = share / (2 * (1 - HELD_OUT) - share)
    cut = np.random.default_rng([seed, 2]).permutation(rows)[: round(of_all * len(rows))]
    by_row = panel.windows.groupby("row")["row"]
    later = (by_row.cumcount() >= by_row.transform("size") / 2) & panel.windows["row"].isin(cut)
    windows = panel.windows.copy()
    for column in ("trial", "stimulus"):
        windows[column] = windows[column] * 2 + later.astype(int)
    return replace(panel, windows=windows)


def share_of_windows(panel: Panel, seed: int) -> float:
    """Return the share of test windows of `subject-stratified` whose recording is in training too."""
    row = panel.windows["row"].to_numpy()
    (_, split), *_ = divide(parse_spec(PROTOCOLS[0]), panel, seed)
    return float(np.isin(row[split.test], row[split.train]).mean())


def runs(asked: argparse.Namespace) -> Iterator[tuple[str, float, int]]:
    """Yield what is to be computed: recordings, share and the number of the run."""
    yield from ((NOISE, 0.0, run) for run in range(asked.noise))
    named = [SIMULATED, *([HKU956] if asked.hku956 else [])]
    yield from ((name, share, run) for run in range(asked.planted) for name in named for share in SHARES)


def compute(asked: argparse.Namespace, file: Path) -> pd.DataFrame:
    """Compute the runs that are not in the csv, a line each; return all lines."""
    lines = pd.read_csv(file, keep_default_na=False).to_dict("records") if file.exists() else []
    done = {tuple(line[key] for key in KEYS) for line in lines}
    real = hku956(asked.hku956) if asked.hku956 else None
    made: tuple[int, Panel] | None = None
    for name, share, run in runs(asked):
        if (name, share, run) in done:
            continue
        if name == SIMULATED and (made is None or made[0] != run):
            made = run, simulated(run)
        panel = noise(run) if name == NOISE else real if name == HKU956 else made[1] if made else None
        assert panel is not None
        panel = with_twins(panel, share, run)
        start = time.perf_counter()
        found = run_canaries([panel], [parse_spec(one) for one in PROTOCOLS], "min-max", seed=run)
        lines.append(
            {
                **dict(zip(KEYS, (name, share, run), strict=True)),
                "test windows": round(share_of_windows(panel, run), 4),
                "alarms": "; ".join(
                    sorted({f"{c.canary}, {c.protocol}" for c in found if c.finding == ALARM})
                ),
                "p": round(min(c.p for c in found if _of_twins(c)), 5),
                "detectable": round(np.nanmin([c.detectable for c in found if _of_twins(c)]), 4),
                "seconds": round(time.perf_counter() - start, 1),
            }
        )
        pd.DataFrame(lines).to_csv(file, index=False)
        print(lines[-1], file=sys.stderr, flush=True)
    return pd.DataFrame(lines).sort_values(["recordings", "share", "run"], key=_in_order, kind="stable")


def _in_order(column: pd.Series) -> pd.Series:
    return column.map([NOISE, SIMULATED, HKU956].index) if column.name == "recordings" else column


def _of_twins(found: Canary) -> bool:
    return found.canary == PERMUTED and found.protocol == PROTOCOLS[0]


def rates(lines: pd.DataFrame) -> pd.DataFrame:
    """Return a row a kind of recordings and share: how many runs found it, with a 95 % interval (Clopper-Pearson)."""
    rows = []
    for (name, share), own in lines.groupby(["recordings", "share"], sort=False):
        # Permuted labels alone where the recordings are no noise: what people, stimuli and order tell is real there.
        hits = own["alarms"] != "" if name == NOISE else own["alarms"].str.contains(PERMUTED)
        low, high = binomtest(int(hits.sum()), len(own)).proportion_ci()
        rows.append(
            {
                "recordings": name,
                "share": share,
                "test windows": own["test windows"].mean(),
                "runs": len(own),
                "with an alarm": int(hits.sum()),
                "rate": hits.mean(),
                "low": low,
                "high": high,
                "detectable": own["detectable"].median(),
                "seconds": own["seconds"].mean(),
            }
        )
    return pd.DataFrame(rows)


def draw(table: pd.DataFrame, png: Path) -> None:
    """Draw the rate of alarms over the planted share."""
    figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
    kinds = zip(table.groupby("recordings", sort=False), ("0.4", "#0072B2", "#D55E00"), strict=False)
    for shift, ((name, own), colour) in zip((0, 0.4, -0.4), kinds, strict=False):
        error = np.abs(own[["low", "high"]].to_numpy().T - own["rate"].to_numpy())
        axes.errorbar(
            100 * own["share"] + shift,
            100 * own["rate"],
            100 * error,
            fmt="o-",
            color=colour,
            capsize=3,
            label=name,
        )
    axes.axhline(100 * LEVEL, color="0.7", linewidth=1)
    axes.set(
        xlabel="test trials with their twin in training, %", ylabel="runs with an alarm, %", ylim=(-3, 103)
    )
    axes.legend(frameon=False, loc="lower right")
    figure.savefig(png, dpi=110)
    plt.close(figure)


def text(table: pd.DataFrame, command: str) -> str:
    """Return the page."""

    def percent(values: pd.Series) -> pd.Series:
        return (100 * values).map("{:.1f}".format)

    shown = table.assign(
        **{name: percent(table[name]) for name in ("share", "test windows", "rate", "detectable")},
        interval=percent(table["low"]) + " to " + percent(table["high"]),
        seconds=table["seconds"].map("{:.1f}".format),
    )
    columns = [
        "recordings",
        "share",
        "test windows",
        "runs",
        "with an alarm",
        "rate",
        "interval",
        "detectable",
        "seconds",
    ]
    grid = tabulate(shown[columns], headers="keys", tablefmt="pipe", showindex=False, disable_numparse=True)
    clean = table[table["recordings"] == NOISE].iloc[0]
    return f"""# Canaries: false alarms, and how small a leak they find

Whole runs of `bench.study.canary.run_canaries`: all canaries under {", ".join(f"`{name}`" for name in PROTOCOLS)}, {RELABELINGS:,} relabelings
a test, false discovery rate {100 * LEVEL:.0f} %. Made by `{command}`.

Where nothing leaks, {clean["with an alarm"]} of {clean["runs"]} runs raise an alarm: {100 * clean["rate"]:.1f} % ({100 * clean["low"]:.1f} to {100 * clean["high"]:.1f} %).

{grid}

All numbers but those of runs and the seconds of one are in %. `interval`: 95 %, Clopper-Pearson. `detectable`: the share of twins that a run said it would have found in four
runs of five, of the better of the two classifiers under `{PROTOCOLS[0]}`; the median over the runs.

**noise**: {PEOPLE} people, {TRIALS} trials each of 5 windows and 2 channels, whose levels tell the person and the trial; the class is drawn for each trial
by itself, high in 60 %. Any alarm of any canary counts.

**deap-simulated** and **HKU956**: as the profile `quick` of `deap-arousal` and `hku956-arousal` cuts them (400 trials, simulated anew for each run; 936). Some recordings, drawn
anew for each run, are cut in two halves with trial ids and stimuli of their own, so that `share` of the test trials have
their twin in training under `{PROTOCOLS[0]}` (`test windows`: share of test windows whose recording is in training; half a recording has half the windows). No audit by ids can see it. Counted are alarms of
`{PERMUTED}`; what people, stimuli and the order of a session tell is real there.

![rate of alarms over the planted share](rates.png)
"""


def main() -> None:
    """Compute what is missing; write the page and the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--noise", type=int, default=200, help="runs on noise")
    parser.add_argument("--planted", type=int, default=12, help="runs a share of twins and data set")
    parser.add_argument("--hku956", type=Path, help="folder of HKU956")
    parser.add_argument("--results", type=Path, default=Path("results/reference/canaries"))
    asked = parser.parse_args()
    asked.results.mkdir(parents=True, exist_ok=True)
    table = rates(compute(asked, asked.results / "rates.csv"))
    command = f"python tests/benchmarks/canary_rates.py --noise {asked.noise} --planted {asked.planted}"
    command += " --hku956 DIR" if asked.hku956 else ""
    (asked.results / "rates.md").write_text(text(table, command), encoding="utf-8")
    draw(table, asked.results / "rates.png")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
