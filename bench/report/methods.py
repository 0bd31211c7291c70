"""``methods.md``: what was done, in sentences that can stand in the methods section of a paper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.cells.store import Store
from bench.cells.stored_cell import StoredCell
from bench.report.intervals import FEWEST_PEOPLE
from bench.report.leaderboard import Leaderboard, how
from bench.report.rows import Key, newest_of, read_rows, verdict_of
from bench.report.statistics import FEWEST_PEOPLE as FEWEST_TESTED

FILE = "methods.md"


def write_methods(board: Leaderboard, store: Store) -> list[Path]:
    """Write ``methods.md``, from what is stored with the results and nothing else."""
    rows, _ = read_rows(store)
    every = [cell.result for cells in rows.values() for cell in cells]
    about = board.about
    paragraphs = [
        _data(about, len({dataset for dataset, _, _ in rows}))
        + " "
        + how(board.setting, about.get("recorded_rate")),
        _protocols(rows),
        _estimators(rows),
        _statistics(),
        _machine(every, about),
    ]
    if about["simulated"]:
        paragraphs.insert(
            0, "**SIMULATED recordings: a program made them up. No figure says anything about people.**"
        )
    heading = f"# How {about['title']} was done"
    path = store.folder / FILE
    path.write_text("\n\n".join([heading, *paragraphs]) + "\n", encoding="utf-8")
    return [path]


def _data(about: dict[str, Any], n_datasets: int) -> str:
    if n_datasets > 1:
        return f"{n_datasets} data sets were used. {about['credit']}".strip()
    people = f" of {about['n_subjects']} people" if about["n_subjects"] > 1 else ""
    text = f"{about['dataset']} was used: {about['n_windows']:,} windows{people}, channels {', '.join(about['channels'])}."
    return f"{text} {about['credit']}".strip()


def _protocols(rows: dict[Key, list[StoredCell]]) -> str:
    said = []
    for protocol in dict.fromkeys(protocol for _, protocol, _ in rows):
        own = [cell for (_, p, _), cells in rows.items() if p == protocol for cell in cells]
        seeds = sorted({cell.place[0] for cell in own})
        folds = {cell.place[1] for cell in own} - {None}
        divided = f"{len(folds)} folds" if folds else "one division"
        drawn = f"seed{'s' if len(seeds) > 1 else ''} {_spans(seeds)}"
        said.append(f"`{protocol}` ({divided}, {drawn}; audit: {verdict_of(own)})")
    return (
        f"Windows were divided into training and test by {_listed(said)}. What is fitted (scalers, oversampling, estimators, choices "
        "of parameters) was fitted on the training side only, unless the audit says otherwise."
    )


def _estimators(rows: dict[Key, list[StoredCell]]) -> str:
    seeing = {e: cells for (_, _, e), cells in rows.items() if not cells[0].signal_free}
    blind = list(dict.fromkeys(e for (_, _, e), cells in rows.items() if cells[0].signal_free))
    with_parameters = [f"`{name}`{_parameters(newest_of(cells).result)}" for name, cells in seeing.items()]
    told = []
    if with_parameters:
        told.append(f"Estimators, with the parameters that they ran with: {_listed(with_parameters)}.")
    if blind:
        names = _listed([f"`{name}`" for name in blind])
        told.append(f"The floor is the best of {names}, which see ids and no signal.")
    return " ".join(told)


def _parameters(result: dict[str, Any]) -> str:
    parameters = result["cell"]["parameters"]
    inside = ", ".join(f"{name} {value}" for name, value in parameters.items() if value is not None)
    return f" ({inside})" if inside else ""


def _statistics() -> str:
    return (
        "Scores are computed once a seed on the test windows of all its folds together, and averaged over seeds; 95 % intervals are over "
        f"people by the jackknife, with the variance over seeds, from {FEWEST_PEOPLE} people on. Estimators are compared by their balanced "
        "accuracy within each person, seeds averaged first: sign-flip tests, two-sided, adjusted by Holm's method for all pairs, and a "
        f"Bayesian signed-rank test with differences below one point as equal; from {FEWEST_TESTED} people on."
    )


def _machine(results: Sequence[dict[str, Any]], about: dict[str, Any]) -> str:
    """Say on what the cells ran, of which some may have come from other machines in a capsule."""
    changes = "; ".join(about["changes"])
    ran: dict[str, int] = {}
    for result in results:
        hardware = result["hardware"]
        versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
        where = f"{versions}; {hardware['processor']}, {hardware['cores']} cores, {hardware['system']}"
        ran[where] = ran.get(where, 0) + 1
    parts = [
        f"{n} cell{'s' if n > 1 else ''}: {where}" if len(ran) > 1 else where for where, n in ran.items()
    ]
    return (
        f"Profile {about['profile']} of the suite `{about['name']}`{f', changed: {changes}' if changes else ''}. "
        f"{'. '.join(parts)}."
    )


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _spans(numbers: Sequence[int]) -> str:
    whole = list(numbers) == list(range(numbers[0], numbers[-1] + 1))
    return f"{numbers[0]} to {numbers[-1]}" if whole and len(numbers) > 2 else ", ".join(map(str, numbers))
