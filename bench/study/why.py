"""Why a stored cell is not reused: what differs from the cell that would be run now."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.cells.checksums import RESULT
from bench.cells.stored_cell import differences
from bench.errors import DataError
from bench.study.plan import make_plan
from bench.study.suite import profile_of
from bench.study.suite_files import read_suite

_RATE = "setting windows sampling_rate "  # as `differences` begins the line


def explain(
    folder: Path,
    suite: str | None = None,
    *,
    data_root: Path | None = None,
    subjects: str | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> list[str]:
    """Return the reasons, a line each; none if the next run reuses the cell.

    Parameters
    ----------
    folder : Path
        Of the cell.
    suite : str, optional
        Name or file; by default the suite of the name that is stored with the cell.
    data_root : Path, optional
        The data set's folder.
    subjects : str, optional
        As given to the run.
    say : callable
        Told in a line what takes time.

    Raises
    ------
    BenchError
        If there is no such cell, or its suite cannot be planned any more.
    """
    try:
        result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
        cell, about, identity = result["cell"], result["suite"], result["identity"]
    except FileNotFoundError:
        raise DataError(f"{folder}: no {RESULT} in this folder, so no cell is stored there") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        return [f"{RESULT} is damaged ({type(error).__name__}: {error}): the cell is run again"]
    study, profile = read_suite(suite or about["name"]), profile_of(about["profile"])
    changes: dict[str, Any] = {"seeds": cell["seed"] + 1}
    if not cell["ablation"]:
        changes |= {"protocols": [cell["protocol"]], "estimators": [cell["estimator"]]}
    if subjects is not None:
        changes["subjects"] = subjects
    plan = make_plan(
        study,
        profile,
        changes,
        data_root=data_root,
        results=_results(folder, about["name"]),
        ablations=bool(cell["ablation"]),
        say=say,
    )
    place = folder.resolve()
    task = next((task for task in plan.tasks if plan.store.path(task.cell).resolve() == place), None)
    if task is None:
        return [
            f"the suite has no such cell for {plan.store.folder}: its data, folds or names are others now"
        ]
    reasons = [_in_words(line) for line in differences(identity, task.identity)]
    return reasons or ([task.why] if task.why else [])


def _in_words(difference: str) -> str:
    if not difference.startswith(_RATE):
        return difference
    before, _, now = difference.removeprefix(_RATE).partition(" -> ")
    before, now = (
        "left as they were recorded" if rate == "None" else f"resampled to {rate} Hz"
        for rate in (before, now)
    )
    return f"setting windows sampling_rate: the signals were {before}, now they are {now}"


def _results(folder: Path, suite: str) -> Path:
    """Return the folder of results that a cell's folder is in."""
    for parent in folder.resolve().parents:
        if parent.name in (suite, f"{suite}@simulated"):
            return parent.parent
    raise DataError(f"{folder}: not inside a folder {suite} or {suite}@simulated; was it moved?")
