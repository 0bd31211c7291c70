"""Ablations: rows that each change one thing of a reference and keep its division of the trials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bench.errors import SuiteError
from bench.spec import Spec, parse_spec
from bench.split import Split
from bench.suite import Change, Suite
from bench.windows import Panel, without_unit

REFERENCE = "reference"


@dataclass(frozen=True)
class Row:
    """One row of the table of ablations: its name, the suite as it changes it, and the estimator."""

    name: str
    suite: Suite
    spec: Spec


def ablation_rows(suite: Suite, channels: tuple[str, ...]) -> list[Row]:
    """Return the reference and the rows of a suite's ``[ablations]``.

    Parameters
    ----------
    suite : Suite
        As the profile runs it.
    channels : tuple of str
        The channels of the reference, with their units; ``each_channel`` makes two rows of each.

    Raises
    ------
    SuiteError
        If the suite has no ablations, or a row changes what cannot be changed so.
    """
    ablations = suite.ablations
    if ablations is None:
        raise SuiteError(f"suite '{suite.name}' has no [ablations]")
    changes = {REFERENCE: Change(), **ablations.rows}
    if ablations.each_channel and len(channels) > 1:
        short = [without_unit(channel) for channel in channels]
        changes |= {f"without {name}": Change(without=name) for name in short}
        changes |= {f"{name} alone": Change(only=name) for name in short}
    return [
        Row(name, _changed(suite, change, channels), parse_spec(change.estimator or ablations.estimator))
        for name, change in changes.items()
    ]


def _changed(suite: Suite, change: Change, channels: tuple[str, ...]) -> Suite:
    new: dict[str, Any] = {
        "target": suite.target.model_validate({**suite.target.model_dump(), **change.target}),
        "windows": suite.windows.model_validate({**suite.windows.model_dump(), **change.windows}),
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
