"""From a folder of recordings and the name of a column to a `Suite`, with no file written by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.data.loading import find_sources, load_recordings
from bench.data.windows import Target, Windowing
from bench.errors import ProtocolError, SuiteError, nearest
from bench.recordings import KNOWN, Recordings
from bench.registry import get
from bench.spec import Spec, parse_spec
from bench.study.panels import FOLDER
from bench.study.suite import Folder, Suite, Thinning
from bench.study.suite_files import read_suite, suite_as_toml
from bench.suites import suite_titles

if TYPE_CHECKING:
    import pandas as pd

ESTIMATORS = (
    "moments-forest",
    "physio-features[class_weight=balanced]",
    "minirocket",
    "dtw-knn",
    "mlstm-fcn",
)
FILE = "suite.toml"
_FOLDS = 10  # people up to which each is left out alone
_QUICK_RATE = 16.0  # Hz, at least, of what is recorded faster


def suite_of_folder(
    folder: Path,
    target: str | None,
    *,
    threshold: float | None = None,
    seconds: float | None = None,
    overlap: float | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Suite:
    """Return the suite that predicts a column of the folder's table of trials.

    Texts, and numbers that have two values, are the classes; other numbers are cut at `threshold`. The protocols are
    those of leaving people out and of holding trials of everybody out that the trials allow; `say` is told which.

    Parameters
    ----------
    folder : Path
        As the data set ``folder`` reads it.
    target : str or None
        A rating or label of ``trials.csv``.
    threshold : float, optional
        Above it is ``high``, else ``low``.
    seconds, overlap : float, optional
        Of the windows (s); by default 5 and 2, less overlap in windows of 2 s or less.
    say : callable
        Told in a line what takes time, what is to be known of the folder, and what was chosen.

    Raises
    ------
    BenchError
        If the folder cannot be read, the column is not there or needs a threshold, or no protocol can divide it.
    """
    if not folder.expanduser().is_dir():
        raise SuiteError(f"--folder {folder}: no such folder")
    (source,), _ = find_sources(Spec(FOLDER), folder)
    recordings = load_recordings(source, None, say)
    aim = _target(recordings.trials, target, threshold)
    protocols, reasons = _protocols(recordings.trials, aim)
    if not protocols:
        raise SuiteError(f"--folder {folder}: no protocol can divide it: {'; '.join(reasons)}")
    say(
        f"protocols that the trials allow: {', '.join(protocols)}"
        + "".join(f" (not {reason})" for reason in reasons)
    )
    name = _name(folder)
    return Suite(
        name=name,
        title=f"{recordings.name}: {aim.name}",
        dataset=Folder(folder=str(folder.expanduser().resolve())),
        target=aim,
        windows=_windows(seconds, overlap),
        protocols=protocols,
        estimators=list(ESTIMATORS),
        seeds=5,
        profiles={
            "smoke": Thinning(
                seeds=1,
                windows_per_trial=2,
                estimators=["moments-forest", "dtw-knn", "mlstm-fcn"],
                parameters={"mlstm-fcn": {"epochs": 2}},
            ),
            "quick": Thinning(seeds=1, windows_per_trial=3, sampling_rate=_quick_rate(recordings)),
        },
    )


def keep_suite(suite: Suite, place: Path) -> Path:
    """Write the suite into the folder of its results, so that other commands can name it; return the file.

    Raises
    ------
    SuiteError
        If the results there are of another target.
    """
    file = place / FILE
    if file.exists() and (before := read_suite(str(file)).target.name) != suite.target.name:
        raise SuiteError(
            f"{place} holds results with --target {before}: write those of {suite.target.name} elsewhere, "
            "with --results DIR"
        )
    place.mkdir(parents=True, exist_ok=True)
    file.write_text(suite_as_toml(suite, place), encoding="utf-8")
    return file


def ratings_of(trials: pd.DataFrame) -> list[str]:
    """Return the columns of a table of trials that can be predicted."""
    return [str(column) for column in trials if column not in ("subject", "trial", "stimulus", *KNOWN)]


def _target(trials: pd.DataFrame, name: str | None, threshold: float | None) -> Target:
    columns = ratings_of(trials)
    if name is None:
        raise SuiteError(f"--folder needs --target, the column to predict: {' or '.join(columns)}")
    if name not in columns:
        raise SuiteError(f"--target {name}: no rating or label in trials.csv{nearest(name, columns)}")
    values = trials[name]
    distinct = sorted(values.unique().tolist())
    if len(distinct) < 2:
        raise SuiteError(f"--target {name}: all trials have the one value {distinct[0]}")
    if isinstance(distinct[0], str):
        if threshold is not None:
            raise SuiteError(f"--threshold {threshold:g}: {name} holds texts, which are the classes")
        return Target(name=name, rule="label")
    low, high = distinct[0], distinct[-1]
    if threshold is None:
        if len(distinct) == 2:
            return Target(name=name, rule="label")
        raise SuiteError(
            f"--target {name}: numbers from {low:g} to {high:g} need --threshold X: above it is high, else low"
        )
    if not low <= threshold < high:
        raise SuiteError(f"--threshold {threshold:g}: leaves one class; {name} goes from {low:g} to {high:g}")
    return Target(name=name, rule="high-low", threshold=threshold)


def _protocols(trials: pd.DataFrame, target: Target) -> tuple[list[str], list[str]]:
    """Return those of the two protocols that can divide the trials, and why another cannot."""
    labels, _ = target.classify(trials)
    n_people = trials["subject"].nunique()
    chosen, reasons = [], []
    for name in ("loso" if n_people <= _FOLDS else f"loso[folds={_FOLDS}]", "subject-stratified"):
        spec = parse_spec(name)
        splitter = get("protocol", spec.name).factory(seed=0, **spec.parameters)
        try:
            list(splitter.split(trials.assign(start=0), np.asarray(labels)))
        except ProtocolError as error:
            reasons.append(f"{name}: {error}")
        else:
            chosen.append(name)
    return chosen, reasons


def _windows(seconds: float | None, overlap: float | None) -> Windowing:
    length = 5.0 if seconds is None else seconds
    shared = overlap if overlap is not None else 2.0 if length > 2 else 0.0
    if not length > 0:
        raise SuiteError(f"--window-seconds {length:g}: has to be more than 0")
    if not 0 <= shared < length:
        raise SuiteError(
            f"--overlap {shared:g}: has to be 0 or more, and less than the {length:g} s of a window"
        )
    return Windowing(seconds=length, overlap=shared)


def _quick_rate(recordings: Recordings) -> float | None:
    """Return a rate that the recorded one is a whole multiple of; None: as recorded."""
    times = int(recordings.sampling_rate // _QUICK_RATE)
    return recordings.sampling_rate / times if times > 1 else None


def _name(folder: Path) -> str:
    """Return the folder's name as a suite may be called, and none of ours."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.expanduser().resolve().name).strip("-") or "folder"
    taken = {*suite_titles(), "reference"}
    return f"{name}-folder" if name in taken or not re.search(r"[A-Za-z0-9]", name) else name
