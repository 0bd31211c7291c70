"""The leaderboard as CSV, Markdown and LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator

import numpy as np
import pandas as pd
from tabulate import tabulate

from bench.cells.store import Store
from bench.registry import SIGNAL_FREE
from bench.report.floor import ABOVE, BELOW, LEVEL, UNTOLD
from bench.report.intervals import FEWEST_PEOPLE, FEWEST_SEEDS
from bench.report.leaderboard import Leaderboard, notes, sections, title
from bench.report.rows import Key


def write_leaderboard(board: Leaderboard, store: Store, tied: Collection[Key] = ()) -> None:
    """Write ``leaderboard.csv``, ``.md`` and ``.tex`` into the store's folder.

    `tied` are the rows whose scores within people are bold: the first under its protocol, and those tied with it.
    """
    files = {
        "leaderboard.csv": board.table.to_csv(index=False, float_format="%.6g", lineterminator="\n"),
        "leaderboard.md": _markdown(board, tied),
        "leaderboard.tex": _latex(board, tied),
    }
    for name, text in files.items():
        (store.folder / name).write_text(text, encoding="utf-8")


def by_protocol(part: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the rows of each protocol of a part of the table."""
    for protocol in part.protocol.unique():
        yield protocol, part[part.protocol == protocol]


def about_protocol(rows: pd.DataFrame) -> list[str]:
    """Say what the rows of one protocol were tested on, where the floor is, and who is above it.

    Returns
    -------
    list of str
        Sentences.
    """
    most = rows.iloc[int(rows.n_seeds.to_numpy().argmax())]
    said = []
    if most.n_cells:
        seeds = f"{most.n_seeds:.0f} seed{'s' if most.n_seeds > 1 else ''}"
        people = f"{most.n_people:.0f} people are tested, " if most.n_people > 1 else ""
        said.append(f"{people}{most.n_trials:.0f} trials a seed, {seeds}.")
    if rows.floor.isna().all():
        return [*said, "No estimator without signals has been run on these splits: there is no floor."]
    floor = rows.iloc[int(rows.floor.fillna(0).to_numpy().argmax())] if np.isnan(most.floor) else most
    said.append(f"The floor is {floor.floor:.3f}, by {floor.floor_estimator}, which sees ids only.")
    if (rows.audit.str.startswith("LEAKS")).any():
        said.append("Ids alone tell the class here as far as that: nothing is measured above it.")
        return said
    compared = rows[rows.above_floor.notna()]
    if compared.empty:
        return said
    for words in (ABOVE, LEVEL, BELOW, UNTOLD):
        names = compared.estimator[compared.against_floor == words].tolist()
        if names or (words == ABOVE and compared.above_floor_low.notna().any()):
            said.append(f"{words.capitalize()}: {', '.join(names) or 'none'}.")
    with_interval = int(compared.above_floor_low.notna().sum())
    if with_interval:
        said.append(
            f"Comparisons: {with_interval}; of as many that are at the floor, {0.025 * with_interval:.2g} would "
            "be called above it by luck."
        )
    if with_interval < len(compared):
        said.append(f"An interval needs {FEWEST_PEOPLE} people at least.")
    return said


def distance(row: pd.Series) -> str:
    """Return in words how far a row stands above its floor, in points of balanced accuracy."""
    if row.family == SIGNAL_FREE:
        return "the floor" if row.estimator == row.floor_estimator else "–"
    if np.isnan(row.above_floor):
        return "–"
    text = with_limits(
        100 * row.above_floor, 100 * row.above_floor_low, 100 * row.above_floor_high, "{:+.1f}"
    )
    return f"{text}, {row.against_floor}" if row.against_floor == BELOW else text


def with_limits(value: float, low: float, high: float, form: str) -> str:
    """Return a value in the given form, with its interval in brackets where there is one; ``–`` for NaN."""
    if np.isnan(value):
        return "–"
    limits = "" if np.isnan(low) else f" [{form.format(low)}, {form.format(high)}]"
    return form.format(value) + limits


def below(row: pd.Series) -> bool:
    """Return whether a row is shown in grey: what it says, ids alone say better."""
    return bool(row.against_floor == BELOW)


def ranks(rows: pd.DataFrame) -> list[str]:
    """Return the place of each row of one protocol, ``–`` for those that are not ranked.

    Ranked are estimators with signals that have a result for each split of the protocol, of five seeds at
    least: fewer do not bear an order.
    """
    ranked = (rows.status == "ok") & (rows.family != SIGNAL_FREE) & (rows.n_seeds >= FEWEST_SEEDS)
    place = rows.balanced_accuracy.where(ranked).rank(ascending=False, method="min")
    return ["–" if np.isnan(one) else f"{one:.0f}" for one in place]


def _readable(rows: pd.DataFrame, tied: Collection[Key], bold: str, strong: str, gray: str) -> pd.DataFrame:
    def each(show: Callable[[pd.Series], str]) -> list[str]:
        return [gray.format(show(row)) if below(row) else show(row) for _, row in rows.iterrows()]

    def score(name: str) -> list[str]:
        return each(lambda row: _score(row, name))

    def cost(name: str) -> list[str]:
        return each(lambda row: "–" if np.isnan(row[name]) else f"{row[name]:.1f}")

    return pd.DataFrame(
        {
            "rank": ranks(rows),
            "estimator": each(lambda row: str(row.estimator)),
            "audit": [bold.format(a) if a.startswith("LEAKS") else a for a in rows.audit],
            "seeds": rows.n_seeds,
            "balanced accuracy": score("balanced_accuracy"),
            "above the floor": each(distance),
            "within people": [
                strong.format(text) if (row.dataset, row.protocol, row.estimator) in tied else text
                for text, (_, row) in zip(score("within_people"), rows.iterrows(), strict=True)
            ],
            "by trial": score("trial_balanced_accuracy"),
            "accuracy": score("accuracy"),
            "F1 macro": score("f1_macro"),
            "AUROC": score("auroc"),
            "MCC": score("mcc"),
            "log loss": score("log_loss"),
            "calibration error": score("calibration_error"),
            "fit s": cost("fit_seconds"),
            "predict s": cost("predict_seconds"),
            "status": [
                status if status == "ok" or not reason else f"{status}: {' '.join(str(reason).split())[:160]}"
                for status, reason in zip(rows.status, rows.reason, strict=True)
            ],
        }
    )


def _score(row: pd.Series, name: str) -> str:
    if np.isnan(row[name]):
        return "–"
    digits = 3 if row.n_seeds >= FEWEST_SEEDS else 2  # what fewer seeds bear
    spread = row[f"{name}_std"]
    return f"{row[name]:.{digits}f}" + ("" if np.isnan(spread) else f" ± {spread:.{digits}f}")


_COLUMNS_ARE = (
    "Balanced accuracy, accuracy, F1, AUROC, Matthews' correlation (MCC), log loss (nats) and calibration error are "
    "over all test windows of a seed; within people: balanced accuracy of each person who was tested on two classes "
    "or more, averaged; by trial: balanced accuracy of trials, whose windows vote with their mean probability. Above "
    "the floor: points of balanced accuracy above the best estimator without signals on the same splits, paired by "
    "person. Not ranked (–): what has no signals, lacks a split of the protocol, or has fewer than five seeds."
)


_BOLD = "Bold: within people, the first under its protocol and those tied with it; see comparisons.md."


def _markdown(board: Leaderboard, tied: Collection[Key]) -> str:
    lines = [f"# {title(board)}", ""]
    lines += [f"- {note}" for note in [*notes(board), _COLUMNS_ARE, *([_BOLD] if tied else [])]]
    for heading, part in sections(board):
        lines += ["", f"## {heading}"]
        for protocol, rows in by_protocol(part):
            readable = _readable(rows, tied, "**{}**", "**{}**", "*{}*").map(
                lambda cell: str(cell).replace("|", "\\|")
            )
            lines += [
                "",
                f"### {protocol}",
                "",
                " ".join(about_protocol(rows)),
                "",
                _tabulated(readable, "pipe"),
            ]
    return "\n".join(lines) + "\n"


def _latex(board: Leaderboard, tied: Collection[Key]) -> str:
    told = (title(board), *notes(board), _COLUMNS_ARE, *([_BOLD] if tied else []))
    lines = [f"% {line}" for line in told]
    lines.append("% Needs the packages booktabs and xcolor: rows below the floor are gray.")
    for heading, part in sections(board):
        for protocol, rows in by_protocol(part):
            lines += ["", f"% {heading}: {protocol}", f"% {' '.join(about_protocol(rows))}"]
            readable = _readable(rows, tied, "{}", "\x03{}\x04", "\x01{}\x02")
            table = _tabulated(readable, "latex_booktabs")
            table = re.sub("\x01(.*?)\x02", r"\\textcolor{gray}{\1}", table)
            table = re.sub("\x03(.*?)\x04", r"\\textbf{\1}", table)
            lines.append(table.replace("±", r"$\pm$").replace("–", "--"))
    return "\n".join(lines) + "\n"


def _tabulated(table: pd.DataFrame, form: str) -> str:
    return tabulate(table.to_dict("list"), headers="keys", tablefmt=form, disable_numparse=True)
