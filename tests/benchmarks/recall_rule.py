"""How often the rule on recall by class names an order: where both are the same, and where they differ.

``python tests/benchmarks/recall_rule.py`` draws recall by class of made-up runs, asks the rule of
`bench.report.recall_rule` and the one that came before it, and writes ``error.csv`` and ``error.md`` into
``results/recall-rule``.

A run has some seeds and three estimators. The log-odds of recall of a class are a mean, by order or common to
both, plus normal draws: of the split, shared by all that stands on it; of the estimator, the same in all seeds; of
the copies, own to seed and order; and of the single fit. Recall is then counted on 40 test windows a class.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import rankdata
from tabulate import tabulate

from bench.report.recall_rule import ALPHA, judge, seeds_needed

# Published, of arousal; what duplicating before the division gives.
PUBLISHED = np.array([0.94, 0.87, 0.76, 0.62, 0.55, 0.72, 0.48, 0.72, 0.94])
# Made up: recall that rises with the size of the class, and one that has nothing to do with the published.
BY_SIZE = np.array([0.15, 0.25, 0.35, 0.40, 0.50, 0.45, 0.55, 0.45, 0.20])
OTHER = np.array([0.45, 0.80, 0.50, 0.75, 0.55, 0.70, 0.65, 0.60, 0.40])
FLAT = np.full(9, 0.55)
SEEDS = (1, 5, 6, 8, 10)
ESTIMATORS, WINDOWS = 3, 40
SPLIT, ESTIMATOR, COPIES, FIT = 0.4, 0.3, 0.4, 0.3  # standard deviations in log-odds
OLD_CORRELATION, OLD_LEAD = 0.5, 0.3  # of the rule that came before


def _between(share: float) -> np.ndarray:
    """Return recall whose log-odds lie this share of the way from flat to the published."""
    return np.asarray(expit((1 - share) * logit(FLAT) + share * logit(PUBLISHED)))


@dataclass(frozen=True)
class Scenario:
    """Mean recall by class of the first and the second order and of the control; what may be named: 0, 1 or neither."""

    kind: str
    name: str
    orders: tuple[np.ndarray, np.ndarray]
    control: np.ndarray
    right: int | None


SAME, DIFFER, ELSE = "both orders are the same", "the orders differ as published", "they differ otherwise"
SCENARIOS = (
    Scenario(SAME, "recall is flat", (FLAT, FLAT), FLAT, None),
    Scenario(SAME, "a quarter of the published pattern", (_between(0.25),) * 2, FLAT, None),
    Scenario(SAME, "half of the published pattern", (_between(0.5),) * 2, BY_SIZE, None),
    Scenario(SAME, "the published pattern", (PUBLISHED,) * 2, BY_SIZE, None),
    Scenario(SAME, "recall rises with the size of the class", (BY_SIZE,) * 2, BY_SIZE, None),
    Scenario(DIFFER, "published; rises with size", (PUBLISHED, BY_SIZE), BY_SIZE, 0),
    Scenario(DIFFER, "published; flat", (PUBLISHED, FLAT), BY_SIZE, 0),
    Scenario(DIFFER, "half of it; flat", (_between(0.5), FLAT), FLAT, 0),
    Scenario(DIFFER, "published; half of it", (PUBLISHED, _between(0.5)), FLAT, 0),
    Scenario(ELSE, "flat; rises with size", (FLAT, BY_SIZE), FLAT, None),
    Scenario(ELSE, "one without likeness; flat", (OTHER, FLAT), FLAT, None),
    Scenario(ELSE, "published; flat; the control as published too", (PUBLISHED, FLAT), PUBLISHED, None),
)


def draw(scenario: Scenario, n_seeds: int, runs: int, rng: np.random.Generator) -> np.ndarray:
    """Draw recall of shape (3, runs, seeds, estimators, classes): of the orders, and of the control."""
    means = np.stack([*scenario.orders, scenario.control])[:, None, None, None]
    shape = (runs, n_seeds, ESTIMATORS, len(PUBLISHED))
    odds = logit(means) + SPLIT * rng.standard_normal((1, runs, n_seeds, 1, shape[-1]))
    odds = odds + ESTIMATOR * rng.standard_normal((1, runs, 1, *shape[2:]))
    odds = odds + COPIES * rng.standard_normal((3, runs, n_seeds, 1, shape[-1]))
    odds = odds + FIT * rng.standard_normal((3, *shape))
    return np.asarray(rng.binomial(WINDOWS, expit(odds)) / WINDOWS)


def correlations(recall: np.ndarray) -> np.ndarray:
    """Return Spearman's correlation over the last axis with the published recall; 0 where recall is the same for all."""
    own, theirs = rankdata(recall, axis=-1), rankdata(PUBLISHED)
    own, theirs = own - own.mean(axis=-1, keepdims=True), theirs - theirs.mean()
    size = np.sqrt((own**2).sum(axis=-1) * (theirs**2).sum())
    return np.asarray(np.divide(own @ theirs, size, out=np.zeros_like(size), where=size > 0))


def named_now(near: np.ndarray) -> list[int | None]:
    """Return what the rule names in each run; `near` is of shape (3, runs, seeds, estimators)."""
    by_seed = near.mean(axis=-1)
    return [judge(by_seed[:2, run], by_seed[2, run]).named for run in range(near.shape[1])]


def named_before(recall: np.ndarray) -> list[int | None]:
    """Return what the old rule names: of all seeds together, the nearer order if it is near and far enough ahead."""
    near = correlations(recall.mean(axis=2)).mean(axis=-1)[:2]
    best, ahead = near.max(axis=0), np.abs(near[0] - near[1])
    wins = (best >= OLD_CORRELATION) & (ahead >= OLD_LEAD)
    return [int(which) if win else None for win, which in zip(wins, near.argmax(axis=0), strict=True)]


def line(scenario: Scenario, n_seeds: int, runs: int, rng: np.random.Generator) -> dict[str, object]:
    """Return a row of the table: shares of the runs in %, with the standard error of the first."""
    recall = draw(scenario, n_seeds, runs, rng)
    row: dict[str, object] = {"kind": scenario.kind, "case": scenario.name, "seeds": n_seeds, "runs": runs}
    for rule, named in (("", named_now(correlations(recall))), ("old ", named_before(recall))):
        share = np.mean([one is not None for one in named])
        row[f"{rule}named %"] = 100 * share
        row[f"{rule}standard error"] = 100 * np.sqrt(share * (1 - share) / runs)
        right = scenario.right
        row[f"{rule}right %"] = np.nan if right is None else 100 * np.mean([one == right for one in named])
    return row


def text_of(table: pd.DataFrame, runs: int) -> str:
    """Return the page."""
    same = table[table.kind == SAME]
    worst, old = same.loc[same["named %"].idxmax()], same.loc[same["old named %"].idxmax()]
    differ = table[table.kind == DIFFER]
    power = differ.groupby("seeds")["right %"].agg(["min", "max"])
    lines = [
        "# How often the rule on recall by class names an order",
        "",
        f"Of {runs:,} made-up runs a row. Made by `python tests/benchmarks/recall_rule.py`, which says how they are "
        f"drawn: nine classes, {ESTIMATORS} estimators, {WINDOWS} test windows a class, log-odds of recall with "
        f"standard deviations of {SPLIT:g} (split), {ESTIMATOR:g} (estimator), {COPIES:g} (copies of one seed and "
        f"order) and {FIT:g} (fit). ± is the standard error of the simulation. The old rule: all seeds together, "
        f"correlation at least {OLD_CORRELATION:g} and at least {OLD_LEAD:g} above the other's.",
        "",
        f"- Both orders the same: the rule names one in at most {worst['named %']:.1f} ± "
        f"{worst['standard error']:.1f} % of runs ({worst['case']}, {worst.seeds} seeds), by its making in at most "
        f"{100 * ALPHA:g} %; the old rule in up to {old['old named %']:.1f} ± {old['old standard error']:.1f} % "
        f"({old['case']}, {old.seeds} {'seed' if old.seeds == 1 else 'seeds'}).",
        f"- With fewer than {seeds_needed()} seeds it names none: no p-value is small enough.",
        *(
            f"- The orders differ as published, {seeds} seeds: the right one is named in {low:.0f} to {high:.0f} % "
            "of runs, by how much they differ."
            for seeds, (low, high) in power.iterrows()
            if seeds >= seeds_needed()
        ),
        "- Where the orders differ otherwise, neither should be named; that is not promised by the test but by what "
        "the rule asks beside it: a mean correlation, and a distance from the control without balancing.",
    ]
    for kind in table.kind.unique():
        part = table[table.kind == kind]
        shown = {"case": part.case, "seeds": part.seeds}
        for rule, heading in (("", "named"), ("old ", "old rule: named")):
            shown[f"{heading} %"] = [
                f"{share:.1f} ± {error:.1f}"
                for share, error in zip(part[f"{rule}named %"], part[f"{rule}standard error"], strict=True)
            ]
            if kind == DIFFER:
                shown[f"{heading.replace('named', 'right')} %"] = [f"{v:.1f}" for v in part[f"{rule}right %"]]
        lines += ["", f"## {kind[0].upper()}{kind[1:]}", ""]
        if kind != SAME:
            lines += ["Of a case, recall by class of the first order and of the second.", ""]
        lines.append(tabulate(shown, headers="keys", tablefmt="pipe", disable_numparse=True))
    return "\n".join(lines) + "\n"


def main() -> None:
    """Simulate and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results/recall-rule"))
    parser.add_argument("--runs", type=int, default=4000)
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    table = pd.DataFrame([line(scenario, n, given.runs, rng) for scenario in SCENARIOS for n in SEEDS])
    given.results.mkdir(parents=True, exist_ok=True)
    table.to_csv(given.results / "error.csv", index=False, float_format="%.4g", lineterminator="\n")
    (given.results / "error.md").write_text(text_of(table, given.runs), encoding="utf-8")


if __name__ == "__main__":
    main()
