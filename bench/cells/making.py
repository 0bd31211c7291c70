"""From an estimator's plugin and parameters to the estimator, with what the harness gives to each."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.cells.chosen import ChosenByValidation, options_of
from bench.data.windows import Panel
from bench.registry import Plugin

HARNESS = ("random_state", "n_jobs", "log_dir", "channels", "sampling_rate")


def available_cores() -> int:
    """Return the number of processors that this process may use, at most ``OMP_NUM_THREADS`` if that is set."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(there, int(asked)) if asked.isdecimal() and int(asked) else there


def make_estimator(
    plugin: Plugin,
    parameters: Mapping[str, Any],
    random_state: int,
    log_dir: Path | None = None,
    *,
    channels: Sequence[str] = (),
    sampling_rate: float = 1.0,
) -> Any:
    """Call an estimator's factory, with what it takes of seed, cores, folder, names of channels and samples a second.

    Where a parameter is a `bench.spec.Choice`, the estimator chooses by validation in its fit.
    """
    options = options_of(parameters)
    if len(options) > 1:
        make = partial(
            make_estimator,
            plugin,
            random_state=random_state,
            channels=channels,
            sampling_rate=sampling_rate,
        )
        return ChosenByValidation(make, partial(make, log_dir=log_dir), options, random_state)
    given = {
        "random_state": random_state,
        "n_jobs": available_cores(),
        "log_dir": None if log_dir is None else str(log_dir),
        "channels": tuple(channels),
        "sampling_rate": float(sampling_rate),
    }
    wanted = {name: given[name] for name in HARNESS if name in plugin.parameters()}
    return plugin.factory(**parameters, **wanted)


def make_for(
    panel: Panel,
    plugin: Plugin,
    parameters: Mapping[str, Any],
    random_state: int,
    log_dir: Path | None = None,
) -> Any:
    """Make an estimator for the windows of a panel: it is told their channels and sampling rate."""
    return make_estimator(
        plugin,
        parameters,
        random_state,
        log_dir,
        channels=panel.channels,
        sampling_rate=panel.recordings.sampling_rate,
    )


_rehearsed: set[tuple[str, int]] = set()


def rehearse(
    panel: Panel,
    plugin: Plugin,
    parameters: Mapping[str, Any],
    random_state: int,
    X: np.ndarray,
    y: np.ndarray,
) -> None:
    """Make a compiled estimator compile before the clock starts, on two windows of each class."""
    key = (plugin.name, X.shape[1])
    if key in _rehearsed:
        return
    few = np.concatenate([np.flatnonzero(y == label)[:2] for label in np.unique(y)])
    make_for(panel, plugin, options_of(parameters)[0], random_state).fit(X[few], y[few]).predict(X[few])
    _rehearsed.add(key)
