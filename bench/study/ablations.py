"""Ablations: rows that each change one thing of a reference and keep its division of the trials."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.data.windows import Panel, without_unit
from bench.errors import SuiteError
from bench.registry import get
from bench.spec import Spec, parse_spec
from bench.splits.divide import Division, digest_of, make_split
from bench.splits.split import Split
from bench.study.suite import Change, Suite
from bench.study.suite_checks import check_estimators

REFERENCE = "reference"


@dataclass(frozen=True)
class Row:
    """One row of a table of ablations.

    Attributes
    ----------
    name : str
    suite : Suite
        As the row changes it.
    spec : Spec
        The estimator.
    compared_with : str
        Name of another row; a row's own name if it is compared with none.
    folder : str
        Where its cells are stored, unless another row has the same windows; one for all estimators at a rate.
    sampling_rate : float, optional
        Hz, of a row of the table of sampling rates.
    """

    name: str
    suite: Suite
    spec: Spec
    compared_with: str
    folder: str
    sampling_rate: float | None = None


def ablation_rows(suite: Suite, channels: tuple[str, ...], recorded_rate: float = math.inf) -> list[Row]:
    """Return the reference and the rows of a suite's ``[ablations]``, those of the sampling rates last.

    Parameters
    ----------
    suite : Suite
        As the profile runs it; it has ablations.
    channels : tuple of str
        The channels of the reference, with their units; ``each_channel`` makes two rows of each.
    recorded_rate : float
        Hz. Nothing is compared with a sampling rate above it.

    Raises
    ------
    SuiteError
        If a row changes what cannot be changed so.
    """
    ablations = suite.ablations
    assert ablations is not None
    changes = {REFERENCE: Change(), **ablations.rows}
    if ablations.each_channel and len(channels) > 1:
        short = [without_unit(channel) for channel in channels]
        changes |= {f"without {name}": Change(without=name) for name in short}
        changes |= {f"{name} alone": Change(only=name) for name in short}
    rows = [
        Row(
            name,
            _changed(suite, change, channels),
            parse_spec(change.estimator or ablations.estimator),
            change.compared_with or REFERENCE,
            name,
        )
        for name, change in changes.items()
    ]
    return [*rows, *_rows_of_rates(suite, set(ablations.sampling_rates), channels, recorded_rate)]


def _rows_of_rates(
    suite: Suite, some: set[float], channels: tuple[str, ...], recorded_rate: float
) -> Iterator[Row]:
    """Yield a row for every estimator that sees signals at each sampling rate, the highest first."""
    rates = sorted(some, reverse=True)
    highest = next((rate for rate in rates if rate <= recorded_rate), None)
    at = {rate: _changed(suite, Change(windows={"sampling_rate": rate}), channels) for rate in rates}
    for spec in check_estimators(suite):
        if not get("estimator", spec.name).signal_free:
            for rate in rates:
                yield Row(
                    name=f"{spec} at {rate:g} Hz",
                    suite=at[rate],
                    spec=spec,
                    compared_with=f"{spec} at {highest or rate:g} Hz",
                    folder=f"sampling_rate={rate:g}",  # no row that a suite names can be called so
                    sampling_rate=rate,
                )


def _changed(suite: Suite, change: Change, channels: tuple[str, ...]) -> Suite:
    windows = suite.windows.model_validate({**suite.windows.model_dump(), **change.windows})
    if "per_trial" not in change.windows:
        windows = windows.covering_as(suite.windows)
    new: dict[str, Any] = {
        "target": suite.target.model_validate({**suite.target.model_dump(), **change.target}),
        "windows": windows,
        "scaling": change.scaling or suite.scaling,
        "derived": suite.derived if change.derived is None else change.derived,
    }
    if change.only is not None:
        new["channels"] = [change.only]
    elif change.without is not None:
        left = [name for name in channels if change.without not in (name, without_unit(name))]
        if len(left) == len(channels):
            raise SuiteError(f"ablations: there is no channel '{change.without}' to leave out")
        new["channels"] = left
    return suite.model_copy(update=new)


def divided_alike(division: Division, reference: Panel, panel: Panel) -> Division:
    """Return the division of `panel` that tests the trials which a division of the reference tests.

    If the windows are the same ones, begin at the same seconds that is, it has exactly those on each side. Otherwise
    its split raises SuiteError as `same_trials`, or if a class has no training window.
    """

    def make() -> Split:
        split = division.split
        if _begin_alike(reference, panel) and (reference.y == panel.y).all():
            pairs = {"scaler": split.scaler_rows, "resampler": split.resampler_rows}
            sees = {name: "train" if rows is split.train else "all" for name, rows in pairs.items()}
            return make_split(panel, split.train, split.test, sees, must_be_clean=split.must_be_clean)
        train, test = same_trials(split, reference, panel)
        lost = sorted(set(panel.y[test]) - set(panel.y[train]))
        if lost:
            raise SuiteError(f"class '{lost[0]}' has no training window in the reference's division")
        sees = {"scaler": "train", "resampler": "train"}
        return make_split(panel, train, test, sees, must_be_clean=division.split.must_be_clean)

    return Division(
        division.fold, digest_of(Path(__file__).read_bytes(), division.source, panel.digest), make
    )


def _begin_alike(one: Panel, other: Panel) -> bool:
    """Return whether two panels have windows of the same trials that begin at the same seconds, in the same order."""
    trial = ["subject", "trial"]
    if not one.windows[trial].equals(other.windows[trial]):
        return False
    seconds, others = (p.windows["start"].to_numpy() / p.recordings.sampling_rate for p in (one, other))
    return bool(np.allclose(seconds, others, rtol=0, atol=1e-6))


def same_trials(split: Split, reference: Panel, panel: Panel) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of `panel` whose trials the reference trains on, and those it tests.

    Trials that the reference leaves out (of no class there) are on neither side.

    Raises
    ------
    SuiteError
        If the reference has windows of a trial on both sides: then no two divisions of other windows
        are the same.
    """

    def trials(of: Panel, rows: np.ndarray) -> pd.MultiIndex:
        return pd.MultiIndex.from_frame(of.windows[["subject", "trial"]].iloc[rows])

    train, test = trials(reference, split.train).unique(), trials(reference, split.test).unique()
    if len(train.intersection(test)):
        raise SuiteError("ablations need a protocol that holds whole trials out")
    own = trials(panel, np.arange(len(panel)))
    return np.flatnonzero(own.isin(train)), np.flatnonzero(own.isin(test))
