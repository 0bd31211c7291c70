"""How often the tests of ``bench/report/statistics.py`` find a difference between estimators that are alike.

    python tests/benchmarks/type_one_errors.py --results results/reference/statistics

Made people: each has a difficulty, and each estimator its luck with the person; of 40 windows, half of either class, the
share that is right is binomial. All estimators are as good as each other, so that a p value below .05 is an error. The
corrected resampled t test sees five draws of 70 % and 30 % of the people, and the mean score of each only.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from tabulate import tabulate

from bench.report.statistics import corrected_t, friedman, holm, sign_flip, signed_rank, stouffer

PEOPLE, LEVEL, N_DRAWS = (8, 15, 30), 0.05, 5
N_ESTIMATORS, N_WINDOWS = 5, 20


def made_scores(rng: np.random.Generator, n_repetitions: int, n_people: int, n_estimators: int) -> np.ndarray:
    """Return balanced accuracies within people, of shape (n_repetitions, n_people, n_estimators)."""
    shape = (n_repetitions, n_people, n_estimators)
    chance = rng.normal(0.6, 0.1, shape[:2])[..., None] + rng.normal(0, 0.05, shape)
    right = rng.binomial(N_WINDOWS, np.clip(chance, 0, 1), (2, *shape))
    return np.asarray(right.mean(axis=0) / N_WINDOWS)


def draws(rng: np.random.Generator, difference: np.ndarray) -> float:
    """Return the p value of the corrected t test where only the mean over test people of each draw is known."""
    n_test = round(0.3 * len(difference))
    seen = [difference[rng.permutation(len(difference))[:n_test]].mean() for _ in range(N_DRAWS)]
    return corrected_t(seen, len(difference) - n_test, n_test)


def errors(n_people: int, n_repetitions: int, seed: int) -> dict[str, float]:
    """Return how often each test errs."""
    rng = np.random.default_rng(seed)
    scores = made_scores(rng, n_repetitions, n_people, N_ESTIMATORS)
    pairs = list(combinations(range(N_ESTIMATORS), 2))
    differences = np.stack([scores[..., a] - scores[..., b] for a, b in pairs], axis=-1)
    flips = np.stack([sign_flip(differences[..., k].T) for k in range(len(pairs))], axis=-1)
    first = differences[..., 0]

    def share(p_value: Callable[[int], float]) -> float:
        return float(np.mean([p_value(k) < LEVEL for k in range(n_repetitions)]))

    three = n_repetitions // 3
    return {
        "sign flips": float((flips[:, 0] < LEVEL).mean()),
        "Wilcoxon's signed ranks": share(lambda k: signed_rank(first[k])),
        f"sign flips, any of {len(pairs)} pairs by Holm": share(lambda k: min(holm(flips[k].tolist()))),
        f"Friedman, {N_ESTIMATORS} estimators": share(lambda k: friedman(scores[k])),
        f"corrected t, {N_DRAWS} draws": share(lambda k: draws(rng, first[k])),
        "Stouffer, three data sets": float(
            np.mean(
                [
                    stouffer(flips[k : k + 3, 0].tolist(), first[k : k + 3].mean(axis=1).tolist()) < LEVEL
                    for k in range(0, 3 * three, 3)
                ]
            )
        ),
    }


def main() -> None:
    """Write ``type_one_errors.{csv,md}``."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--results", type=Path, required=True, metavar="DIR")
    parser.add_argument("--repetitions", type=int, default=4000)
    asked = parser.parse_args()
    table = pd.DataFrame({f"{n} people": errors(n, asked.repetitions, n) for n in PEOPLE})
    table.index.name = "test"
    asked.results.mkdir(parents=True, exist_ok=True)
    table.to_csv(asked.results / "type_one_errors.csv", float_format="%.4f", lineterminator="\n")
    error = 1.96 * np.sqrt(LEVEL * (1 - LEVEL) / asked.repetitions)
    shown = (100 * table).map("{:.1f} %".format).reset_index()
    (asked.results / "type_one_errors.md").write_text(
        "# How often tests over people err\n\n"
        f"Estimators that are as good as each other, {asked.repetitions:,} repetitions with SIMULATED people (a third as many "
        f"for Stouffer): share of p values below .05. The simulation itself errs by ± {100 * error:.1f} points.\n\n"
        + tabulate(shown.to_dict("list"), headers="keys", tablefmt="pipe", disable_numparse=True)
        + "\n\nMade by `python tests/benchmarks/type_one_errors.py --results results/reference/statistics`.\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
