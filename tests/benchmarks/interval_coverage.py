"""How often do the 95 % intervals of `bench.report.intervals` hold the true score? Simulated people and seeds.

``python tests/benchmarks/interval_coverage.py`` writes ``coverage.csv``, ``.md`` and ``.png`` into
``results/reference/intervals``. What is in the csv already is not computed again.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit
from tabulate import tabulate

from bench.report.intervals import (
    FEWEST_PEOPLE,
    FEWEST_SEEDS,
    Counts,
    balanced_accuracy,
    difference,
    estimate,
)

PEOPLE = (4, 8, 10, 15, 20, 30, 60)
LEVELS = ((0.60, 0.55), (0.85, 0.80))  # true balanced accuracy of a row, and of the one it is compared with
DESIGNS = ("everybody", "30 % of people")
TRIALS, TESTED_TRIALS, WINDOWS = 30, 9, 4
LOW, HIGH = 92, 97  # what coverage in % should lie between
DRAWS, BOOTSTRAPPED = 1000, 400  # of the bootstrap, and repetitions that it is computed for
KEYS = ["people differ", "seeds", "seed effect", "tests", "score", "people"]
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True)
class World:
    """Standard deviations on the scale of log odds, but for `knows`.

    Attributes
    ----------
    skill, lean : float
        People: of being recognised, and of being taken for class 1.
    share : float
        People: of the share of class 1, which is 40 % of all trials.
    knows : float
        Correlation of a person's lean with the share of class 1.
    trial : float
        Trials of a person: its windows are right or wrong together.
    seed, cell : float
        Seeds: for all people together, and for each person by itself.
    """

    skill: float = 0.45
    lean: float = 0.5
    share: float = 0.6
    knows: float = 0.5
    trial: float = 0.8
    seed: float = 0.12
    cell: float = 0.2

    def true_score(self, mean: float, seed_effects: np.ndarray) -> np.ndarray:
        """Return the balanced accuracy over all people there could be, for each effect of a seed, by quadrature."""
        class_1 = _share(self.share * _NODES)
        rest = np.sqrt(self.skill**2 + self.cell**2 + self.trial**2 + self.lean**2 * (1 - self.knows**2))
        recalls = []
        for sign, share in ((1, class_1), (-1, 1 - class_1)):
            known = mean + seed_effects[:, None] + sign * self.knows * self.lean * _NODES
            right = expit(known[..., None] + rest * _NODES) @ _WEIGHTS
            recalls.append(right @ (share * _WEIGHTS) / (share @ _WEIGHTS))
        return np.mean(recalls, axis=0)

    def expected(self, mean: float) -> float:
        """Return the true score over people and seeds."""
        return float(self.true_score(mean, self.seed * _NODES) @ _WEIGHTS)


@cache
def _mean_for(world: World, score: float) -> float:
    """Return the mean log odds of being right at which the expected score is ``score``."""
    return float(brentq(lambda mean: world.expected(mean) - score, -3, 6))


WORLDS = {"plainly": World(), "hardly": World(skill=0.1, lean=0.1, share=0.3, trial=0.3, cell=0.4)}


def _share(effect: np.ndarray) -> np.ndarray:
    """Return people's share of class 1, 40 % in the mean."""
    return expit(1.05 * np.log(0.4 / 0.6) + effect)


def _two(rng: np.random.Generator, shape: tuple[int, ...], shared: float = 0.6) -> np.ndarray:
    """Return standard normal effects on two estimators, correlated by ``shared``."""
    return np.sqrt(shared) * rng.normal(size=shape) + np.sqrt(1 - shared) * rng.normal(size=(2, *shape))


def simulate(
    rng: np.random.Generator,
    world: World,
    levels: tuple[float, float],
    n_seeds: int,
    n_people: int,
    design: str,
) -> tuple[list[Counts], np.ndarray]:
    """Return the confusion counts of two estimators, and their true scores.

    Of fewer seeds than `FEWEST_SEEDS` true is what these very fits would score with all people there could be;
    otherwise what all fits would score in the mean.
    """
    means = [_mean_for(world, level) for level in levels]
    known = rng.normal(size=(1, n_people, 1))
    true = rng.random((1, n_people, TRIALS)) < _share(world.share * known)
    lean = world.knows * known + np.sqrt(1 - world.knows**2) * _two(rng, (1, n_people, 1))
    seed_effects = world.seed * _two(rng, (n_seeds, 1, 1), shared=0.5)
    odds = (
        np.reshape(means, (2, 1, 1, 1))
        + world.skill * _two(rng, (1, n_people, 1))
        + np.where(true, 1, -1) * world.lean * lean
        + world.trial * _two(rng, (1, n_people, TRIALS))
        + seed_effects
        + world.cell * rng.normal(size=(2, n_seeds, n_people, 1))
    )
    right = rng.binomial(WINDOWS, expit(odds))
    if design == DESIGNS[0]:  # some trials of everybody
        tested = rng.random((n_seeds, n_people, TRIALS)).argsort(axis=-1) < TESTED_TRIALS
    else:  # all trials of some
        tested = rng.random((n_seeds, n_people, 1)).argsort(axis=1) < round(0.3 * n_people)
    counts = np.zeros((2, n_seeds, n_people, 2, 2), dtype=np.int64)
    for label in (0, 1):
        own = tested & (true == label)
        counts[..., label, label] = (right * own).sum(axis=-1)
        counts[..., label, 1 - label] = ((WINDOWS - right) * own).sum(axis=-1)
    target = [
        level if n_seeds >= FEWEST_SEEDS else world.true_score(mean, effects.ravel()).mean()
        for level, mean, effects in zip(levels, means, seed_effects, strict=True)
    ]
    sides: list[Counts] = [
        {s: {p: one for p, one in enumerate(own) if one.any()} for s, own in enumerate(side)}
        for side in counts
    ]
    return sides, np.array(target)


def bootstrap(sides: list[Counts]) -> tuple[np.ndarray, np.ndarray]:
    """Return the percentile intervals over people that stood here before: of the first side, and of the difference."""
    people = sorted({person for own in sides[0].values() for person in own})
    none = np.zeros((2, 2), dtype=np.int64)
    n = len(people)
    draws = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=DRAWS)
    first, second = (
        balanced_accuracy(
            np.tensordot(draws, [sum(own.get(p, none) for own in side.values()) for p in people], axes=1)
        )
        for side in sides
    )
    return np.percentile(first, [2.5, 97.5]), np.percentile(first - second, [2.5, 97.5])


def cases() -> Iterator[tuple[str, int, float, str, tuple[float, float], int]]:
    """Yield all that is simulated, in the order of `KEYS`."""
    for n_seeds, effect in ((1, 0.12), (5, 0.0), (5, 0.12), (5, 0.3)):
        yield from itertools.product(("plainly",), (n_seeds,), (effect,), DESIGNS, LEVELS, PEOPLE)
    yield from itertools.product(("hardly",), (5, 10), (0.05, 0.12), DESIGNS, LEVELS[:1], (10, 30))


def measure(
    case: tuple[str, int, float, str, tuple[float, float], int], repetitions: int
) -> list[dict[str, object]]:
    """Return a line for the score and one for the difference."""
    differ, n_seeds, effect, design, levels, n_people = case
    world = replace(WORLDS[differ], seed=effect)
    rng = np.random.default_rng([n_seeds, int(100 * effect), len(design), int(100 * levels[0]), n_people])
    held: list[list[tuple[float, ...]]] = [[], []]
    for repetition in range(repetitions):
        sides, true = simulate(rng, world, levels, n_seeds, n_people, design)
        old = bootstrap(sides) if repetition < BOOTSTRAPPED else np.full((2, 2), np.nan)
        made = estimate(sides[0]), difference(*sides)
        for lines, one, limits, target in zip(held, made, old, (true[0], true[0] - true[1]), strict=True):
            lines.append((one.low - target, one.high - target, *(limits - target)))
    rows = []
    for quantity, lines in zip(("score", "difference"), held, strict=True):
        low, high, old_low, old_high = np.array(lines).T
        given = np.isfinite(low)
        row = dict(zip(KEYS, (*case[:4], levels[0], n_people), strict=True))
        row |= {"of": quantity, "repetitions": repetitions, "given": round(given.mean(), 4)}
        if given.mean() > 0.5:
            row["coverage"] = round(100 * ((low <= 0) & (high >= 0))[given].mean(), 2)
            row["too low"] = round(100 * (high < 0)[given].mean(), 2)
            row["too high"] = round(100 * (low > 0)[given].mean(), 2)
            row["points wide"] = round(100 * np.median((high - low)[given]), 2)
        used = np.isfinite(old_low)
        row["bootstrap"] = round(100 * ((old_low <= 0) & (old_high >= 0))[used].mean(), 2)
        rows.append(row)
    return rows


def compute(csv: Path, repetitions: int) -> pd.DataFrame:
    """Compute what the csv lacks; return all of it."""
    found = pd.read_csv(csv) if csv.is_file() else pd.DataFrame(columns=[*KEYS, "repetitions"])
    lines = found.to_dict("records")
    done = {tuple(line[key] for key in (*KEYS, "repetitions")) for line in lines}
    for case in cases():
        if (*case[:4], case[4][0], case[5], repetitions) not in done:
            lines += measure(case, repetitions)
            pd.DataFrame(lines).to_csv(csv, index=False, lineterminator="\n")
    return pd.DataFrame(lines)


def table(lines: pd.DataFrame, column: str) -> str:
    """Return a Markdown table of a column, by people; what lies outside `LOW` to `HIGH` is bold."""
    wide = lines.pivot_table(
        index=[*KEYS[:-1], "of"], columns="people", values=column, dropna=False, observed=True
    ).dropna(how="all")
    shown = wide.map(
        lambda x: "-" if pd.isna(x) else f"{x:.1f}" if LOW <= x <= HIGH else f"**{x:.1f}**"
    ).reset_index()
    return tabulate(shown, headers="keys", tablefmt="pipe", showindex=False, disable_numparse=True)


def draw(lines: pd.DataFrame, png: Path) -> None:
    """Draw coverage over the number of people, a dot a case, beside that of the bootstrap."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
    columns = {
        "coverage": "t over people and seeds",
        "bootstrap": "percentile bootstrap over people, as before",
    }
    for panel, (column, title) in zip(axes, columns.items(), strict=True):
        panel.axhspan(LOW, HIGH, color="0.9")
        panel.axhline(95, color="0.5", linewidth=1)
        groups = {"one seed": (lines.seeds < FEWEST_SEEDS, "#0072B2", "o"),
                  "five and ten seeds": (lines.seeds >= FEWEST_SEEDS, "#D55E00", "^")}  # fmt: skip
        for shift, (name, (chosen, colour, marker)) in zip((0.97, 1.03), groups.items(), strict=True):
            own = lines[chosen]
            panel.plot(
                own.people * shift, own[column], marker, color=colour, alpha=0.5, markersize=4, label=name
            )
        panel.set(title=title, xscale="log", xlabel="people", xlim=(3.5, 70))
        panel.set_xticks(PEOPLE, [str(n) for n in PEOPLE])
        panel.minorticks_off()
    axes[0].set_ylabel("coverage, %")
    axes[0].set_ylim(45, 101)
    axes[1].legend(loc="lower right", frameon=False)
    figure.savefig(png, dpi=110)
    plt.close(figure)


def outside(lines: pd.DataFrame) -> str:
    """Say how many cases lie outside `LOW` to `HIGH`, and which."""
    given = lines.dropna(subset="coverage")
    error = 100 * np.sqrt(0.95 * 0.05 / given.repetitions.min())
    bad = given[(given.coverage < LOW) | (given.coverage > HIGH)]
    text = (
        f"Of {len(given)} cases with an interval {len(given) - len(bad)} lie in {LOW} to {HIGH} %; the mean is "
        f"{given.coverage.mean():.1f} %, the lowest {given.coverage.min():.1f} %, the highest {given.coverage.max():.1f} %. "
        f"The Monte Carlo standard error of one is {error:.1f} points. "
    )
    if bad.empty:
        return text + "None lies outside."
    named = (
        f"{row.coverage:.1f} % ({row.of} at {row.score}, {row.people} people who {row[KEYS[0]]} differ, {row.seeds} "
        f"{'seed' if row.seeds == 1 else 'seeds'}, seed effect {row['seed effect']}, {row.tests})"
        for _, row in bad.iterrows()
    )
    return text + "Outside: " + "; ".join(named) + "."


def text(lines: pd.DataFrame) -> str:
    """Return the page."""
    one, world, alike = lines.repetitions.max(), WORLDS["plainly"], WORLDS["hardly"]
    given = lines.dropna(subset="coverage")
    asymmetry = given.groupby("score")[["too low", "too high"]].mean().round(1)
    sides = "; ".join(
        f"at {score}, {row['too low']:.1f} % lie below the true score and {row['too high']:.1f} % above it"
        for score, row in asymmetry.iterrows()
    )
    few = given[given.people <= 10]
    return f"""# Coverage of the 95 % intervals

How often the intervals of tables and figures hold the true balanced accuracy, or the true difference of two, in % of {one:,} simulated
studies a case. Made by `python tests/benchmarks/interval_coverage.py --repetitions {one}`.

{outside(lines)}
With {FEWEST_PEOPLE} to 10 people the percentile bootstrap that was printed before holds the truth in {few.bootstrap.mean():.0f} % (these intervals:
{few.coverage.mean():.0f} %). Intervals miss on both sides: {sides}.

**Simulated.** Two classes, 60 to 40 in all, {TRIALS} trials a person of {WINDOWS} windows each, two estimators whose true balanced accuracies are
{LEVELS[0][0]:.2f} and {LEVELS[0][1]:.2f}, or {LEVELS[1][0]:.2f} and {LEVELS[1][1]:.2f}. The log odds of a right answer are a sum of normal effects, which the two estimators share in part: of the person
(standard deviation {world.skill}), of the person's lean towards class 1 ({world.lean}; correlated by {world.knows} with the person's own share of class 1, whose log odds have
{world.share}), of the trial ({world.trial}), of the person in the seed ({world.cell}), and of the seed, as the table says: 0.12 moves a score near .6 by 3 points. Where people
"hardly" differ the first three and the trial's are {alike.skill}, {alike.lean}, {alike.share} and {alike.trial}, and that of the person in the seed {alike.cell}.

**Designs.** `everybody`: each seed tests {TESTED_TRIALS} trials, drawn anew, of each person, as `subject-stratified` does. `30 % of people`: each seed tests all trials of 30 % of
the people, as `subject-independent` does.

**True** is the score over all people there could be, by quadrature. With one seed it is that of the very fit that was tested: an interval from fewer
than {FEWEST_SEEDS} seeds is over people only. With {FEWEST_SEEDS} seeds and more it is the mean over seeds too.

**None is given** (-) where a seed tests fewer than {FEWEST_PEOPLE} people.

## t over people and seeds

{table(lines, "coverage")}

Bold: outside {LOW} to {HIGH} %.

## Percentile bootstrap over people, as before

It draws the people who were tested, with the counts of all seeds summed; {BOOTSTRAPPED} repetitions (Monte Carlo standard error 1.1 points or more), {DRAWS:,} draws.
The true score is the same.

{table(lines, "bootstrap")}

![coverage over the number of people](coverage.png)
"""


def main() -> None:
    """Compute what is missing; write the page and the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=400, help="simulated studies a case")
    parser.add_argument("--results", type=Path, default=Path("results/reference/intervals"))
    asked = parser.parse_args()
    asked.results.mkdir(parents=True, exist_ok=True)
    lines = compute(asked.results / "coverage.csv", asked.repetitions)
    lines = lines[lines.repetitions == asked.repetitions]
    (asked.results / "coverage.md").write_text(text(lines), encoding="utf-8")
    draw(lines, asked.results / "coverage.png")
    print(outside(lines))


if __name__ == "__main__":
    main()
