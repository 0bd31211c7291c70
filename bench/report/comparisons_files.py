"""Every estimator against the others, as Markdown and CSV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from tabulate import tabulate

from bench.cells.store import Store
from bench.report.comparisons import Standing
from bench.report.leaderboard import Leaderboard, notes, title
from bench.report.leaderboard_files import with_limits
from bench.report.statistics import PRACTICALLY_EQUAL, SIGNIFICANT

FILES = ("comparisons.md", "comparisons.csv")
CHANCES = "first better / equal / worse"
_HOW = (
    "One score a person: balanced accuracy within the person, seeds averaged first. Behind the first: points, mean over "
    "people and 95 % interval (Student's t over people). p: two-sided, the signs of people's differences flipped, adjusted "
    "by Holm's method for all pairs of estimators under the protocol; comparisons.csv has them all. Better, equal, worse: "
    f"probabilities, where less than {100 * PRACTICALLY_EQUAL:g} point is equal (Bayesian signed-rank test, Benavoli et al. 2017). Place: where 95 % "
    "of samples of people put it. Tied: the first is not better in 95 % of them."
)


def write_comparisons(
    board: Leaderboard, store: Store, table: pd.DataFrame, standings: list[Standing]
) -> list[Path]:
    """Write ``comparisons.{md,csv}`` of what `make_comparisons` gave; where that is nothing, remove older ones."""
    files = [store.folder / name for name in FILES]
    if not standings:
        for file in files:
            file.unlink(missing_ok=True)
        return []
    simulated = table.assign(simulated=board.about["simulated"])
    simulated.to_csv(files[1], index=False, float_format="%.6g", lineterminator="\n")
    lines = [f"# {title(board)}", "", "Which estimators are told apart.", ""]
    lines += [f"- {note}" for note in [*notes(board), _HOW]]
    several = table.dataset.nunique() > 1
    for standing in standings:
        lines += ["", f"## {f'{standing.dataset}: ' if several else ''}{standing.protocol}", ""]
        lines += [_said(standing), "", _tabulated(standing)]
    files[0].write_text("\n".join(lines) + "\n", encoding="utf-8")
    return files


def _said(standing: Standing) -> str:
    tied = [str(name) for name, rank in zip(standing.scores, standing.ranks, strict=True) if rank.tied]
    worse = sum(p < SIGNIFICANT for p in standing.p_holm)
    seeds = f"{standing.n_seeds} seed{'s' if standing.n_seeds > 1 else ''}"
    text = f"{len(standing.scores)} people, {seeds}. First: {tied[0]}"
    text += f", tied with {', '.join(tied[1:])}. " if len(tied) > 1 else ", tied with none. "
    text += f"Of {len(standing.p_holm)} others, {worse or 'none'} {'is' if worse < 2 else 'are'} told to be worse."
    if not np.isnan(standing.p_friedman):
        text += f" That all are alike: p {probability(standing.p_friedman)} (Friedman)."
    return text


def probability(value: float) -> str:
    """Return a probability in three digits, ``< .001`` below these."""
    return "–" if np.isnan(value) else "< .001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def _tabulated(standing: Standing) -> str:
    lines = []
    for at, (name, rank) in enumerate(zip(standing.scores, standing.ranks, strict=True)):
        found = standing.behind[at - 1] if at else None
        line = {
            "estimator": str(name).replace("|", "\\|"),
            "within people": f"{standing.scores[name].mean():.3f}",
            "place": f"{rank.low}" if rank.low == rank.high else f"{rank.low} to {rank.high}",
            "tied": "yes" if rank.tied else "",
        }
        if found is None:
            line |= {"behind the first": "the first", "p": "", CHANCES: ""}
        else:
            behind = with_limits(100 * found.difference, 100 * found.low, 100 * found.high, "{:.1f}")
            chances = " / ".join(f"{value:.2f}" for value in (found.better, found.equal, found.worse))
            line |= {"behind the first": behind, "p": probability(standing.p_holm[at - 1]), CHANCES: chances}
        lines.append(line)
    table = pd.DataFrame(lines)
    return tabulate(table.to_dict("list"), headers="keys", tablefmt="pipe", disable_numparse=True)
