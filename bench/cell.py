"""A `Cell` is one estimator under one protocol on one split; running it gives an `Outcome`."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from bench.audit import Audit
from bench.memory import PeakMemory
from bench.metrics import confusion, scores
from bench.quiet import import_quietly
from bench.registry import Plugin, get
from bench.resampling import resample
from bench.scaling import Scaling, make_scaler
from bench.windows import Panel

HARNESS = ("random_state", "n_jobs")


@dataclass(frozen=True)
class Cell:
    """What is to be run, as a plain value.

    Attributes
    ----------
    variant : str
        Which of a data set's several (a problem of the UEA archive), ``""`` where there is one.
    protocol, estimator : str
        The protocol's name and the estimator's spec, as in tables.
    plugin, resampler : str
        The estimator's and the resampler's registered names (``""``: no resampling).
    parameters : tuple of (str, value)
        All the estimator's parameters, defaults included, sorted.
    scaling : str
    seed : int
        Of the split, the resampler and the estimator.
    fold : int or None
        Where a protocol has several splits a seed.
    """

    variant: str
    protocol: str
    estimator: str
    plugin: str
    resampler: str
    parameters: tuple[tuple[str, Any], ...]
    scaling: Scaling
    seed: int
    fold: int | None = None


@dataclass(frozen=True, eq=False)
class Split:
    """The training and test rows of a panel, what they leak, and a digest of who is where."""

    train: np.ndarray
    test: np.ndarray
    audit: Audit
    fingerprint: str


@dataclass(eq=False)
class Outcome:
    """What running a cell gave: status ``ok`` with predictions and scores, or ``failed`` with a reason.

    Times are wall seconds: `prepare_seconds` for copying, scaling and resampling windows. Memory is in
    megabytes above what the process held before fitting: what a library keeps from an earlier cell (as
    TensorFlow does) is not counted again, so only first cells can be compared. `predictions` has a row a
    test window: ``subject``, ``trial``, ``start``, ``y_true``, ``y_pred`` and ``probability <class>`` for
    each class, where the estimator gives probabilities.
    """

    cell: Cell
    status: str
    reason: str = ""
    scores: dict[str, float] = field(default_factory=dict)
    prepare_seconds: float = 0.0
    fit_seconds: float = 0.0
    predict_seconds: float = 0.0
    peak_memory_mb: float = 0.0
    n_train: int = 0
    n_test: int = 0
    warnings: list[str] = field(default_factory=list)
    predictions: pd.DataFrame | None = None


def available_cores() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_cell(cell: Cell, panel: Panel, split: Split) -> Outcome:
    """Fit on the training side, predict the test side; whatever goes wrong is in the outcome.

    Order of work: windows are copied, the scaler is fitted on the training windows and applied to
    both sides, padding becomes 0, the resampler balances the training windows, the estimator is made,
    fitted and asked.
    """
    outcome = Outcome(cell, "ok")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            _run(cell, panel, split, outcome)
        except (Exception, SystemExit) as error:  # an estimator may raise anything; the run goes on
            outcome.status = "failed"
            outcome.reason = f"{type(error).__name__}: {error}".strip()
            outcome.predictions = None
            outcome.scores = {}
    ignored = (DeprecationWarning, PendingDeprecationWarning, FutureWarning, ResourceWarning)
    told = (f"{w.category.__name__}: {w.message}" for w in caught if not issubclass(w.category, ignored))
    outcome.warnings = list(dict.fromkeys(told))[:5]
    return outcome


def _run(cell: Cell, panel: Panel, split: Split, outcome: Outcome) -> None:
    plugin = get("estimator", cell.plugin)
    clock = time.perf_counter()
    subjects = panel.windows["subject"].to_numpy()
    X_train, X_test = panel.take(split.train), panel.take(split.test)
    scaler = make_scaler(cell.scaling).fit(X_train, subjects[split.train])
    for X, rows in ((X_train, split.train), (X_test, split.test)):
        scaler.transform(X, subjects[rows])
        np.copyto(X, 0, where=np.isnan(X))
    y_train, y_test = panel.y[split.train], panel.y[split.test]
    if cell.resampler:
        X_train, y_train = resample(cell.resampler, X_train, y_train, cell.seed)
    outcome.prepare_seconds = time.perf_counter() - clock
    outcome.n_train, outcome.n_test = len(X_train), len(X_test)

    import_quietly(plugin.requires)  # importing TensorFlow is no part of anybody's training time
    if plugin.about["compiled"]:
        _rehearse(cell, plugin, X_train, y_train)
    estimator = make_estimator(plugin, dict(cell.parameters), cell.seed)
    with PeakMemory() as peak:
        clock = time.perf_counter()
        estimator.fit(X_train, y_train)
        outcome.fit_seconds = time.perf_counter() - clock
        clock = time.perf_counter()
        y_pred = np.asarray(estimator.predict(X_test)).astype(str)
        outcome.predict_seconds = time.perf_counter() - clock
    outcome.peak_memory_mb = peak.megabytes
    if y_pred.shape != y_test.shape:
        raise ValueError(f"predict gave shape {y_pred.shape} for {len(y_test)} windows")
    strange = sorted(set(y_pred.tolist()) - set(panel.classes))
    if strange:
        raise ValueError(
            f"predict gave {strange[0]!r}, which is none of the classes {', '.join(panel.classes)}"
        )

    predictions = panel.windows.iloc[split.test][["subject", "trial", "start"]].reset_index(drop=True)
    predictions["y_true"] = y_test
    predictions["y_pred"] = y_pred
    if hasattr(estimator, "predict_proba"):
        probabilities = pd.DataFrame(
            np.asarray(estimator.predict_proba(X_test)), columns=np.asarray(estimator.classes_).astype(str)
        ).reindex(columns=list(panel.classes), fill_value=0.0)
        predictions = predictions.join(probabilities.astype(np.float32).add_prefix("probability "))
    outcome.predictions = predictions
    outcome.scores = scores(confusion(y_test, y_pred, panel.classes))


def make_estimator(plugin: Plugin, parameters: Mapping[str, Any], random_state: int) -> Any:
    """Call an estimator's factory, with the seed and the cores at hand if it takes them."""
    given = {"random_state": random_state, "n_jobs": available_cores()}
    wanted = {name: given[name] for name in HARNESS if name in plugin.parameters()}
    return plugin.factory(**parameters, **wanted)


_rehearsed: set[tuple[str, int]] = set()


def _rehearse(cell: Cell, plugin: Plugin, X: np.ndarray, y: np.ndarray) -> None:
    """Make a compiled estimator compile before the clock starts, on two windows of each class."""
    key = (cell.plugin, X.shape[1])
    if key in _rehearsed:
        return
    few = np.concatenate([np.flatnonzero(y == label)[:2] for label in np.unique(y)])
    make_estimator(plugin, dict(cell.parameters), cell.seed).fit(X[few], y[few]).predict(X[few])
    _rehearsed.add(key)
