"""A `Cell` is one estimator under one protocol on one split; running it gives an `Outcome`."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.cells.chosen import ChosenByValidation
from bench.cells.ids import ids_of
from bench.cells.making import make_for, rehearse
from bench.cells.memory import PeakMemory
from bench.cells.metrics import confusion, scores
from bench.cells.one_at_a_time import alike_alone
from bench.cells.prepare import Sides, prepare
from bench.cells.probabilities import STORED, as_stored
from bench.cells.quiet import import_quietly
from bench.cells.training import Training, training_of
from bench.data.scaling import Scaler, Scaling
from bench.data.windows import Panel
from bench.registry import Plugin, get
from bench.splits.audit import Audit
from bench.splits.split import LeakError, Split


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
    ablation : str
        Name of the ablation that changed windows, target, channels or scaling; ``""``: as the suite says.
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
    ablation: str = ""


@dataclass(frozen=True, eq=False)
class Fitted:
    """The estimator after its fit, and the scaler of the windows that it was given."""

    estimator: Any
    scaler: Scaler


@dataclass(eq=False)
class Outcome:
    """What running a cell gave.

    The status is ``ok``, with predictions and scores, or another with a reason: ``failed``,
    ``out-of-memory``, ``timeout`` or ``crashed``.

    Times are wall seconds: `prepare_seconds` for copying, scaling and resampling windows. Memory is in
    megabytes above what the process held before fitting; where several cells run in one process, what a
    library keeps from an earlier one (as TensorFlow does) is not counted again. `predictions` has a row a
    test window: ``subject``, ``trial``, ``start``, ``y_true``, ``y_pred`` and ``probability <class>`` for
    each class, where the estimator gives probabilities. `audit` is the split's, with what the resampler
    made added. `training` is what the estimator tells of its fit, and `tried` what it chose from
    (`bench.cells.chosen`). `fitted` is there only if `run_cell` was asked
    to keep it. Of an estimator without signals nothing is fitted that could be kept, and memory is not measured.
    """

    cell: Cell
    status: str
    audit: Audit
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
    training: Training = field(default_factory=Training)
    tried: list[dict[str, Any]] = field(default_factory=list)
    fitted: Fitted | None = None


def run_cell(
    cell: Cell,
    panel: Panel,
    split: Split,
    log_dir: Path | None = None,
    *,
    keep_fitted: bool = False,
    windows_file: Path | None = None,
) -> Outcome:
    """Fit on the training side, predict the test side; whatever goes wrong is in the outcome.

    Order of work: windows are copied, the scaler is fitted on the training windows and applied to
    both sides, padding becomes 0, the resampler balances the training windows, what it made is
    audited, padding becomes NaN again for an estimator that takes windows of unequal length, the
    estimator is made, fitted and asked: for the test windows in an order drawn by the seed, and then
    for a few of them one at a time. Where it answers otherwise alone, it looks at the others, and the
    audit says so. One without signals is given the ids of the windows instead.
    `log_dir` is a folder that it may write into, and with `keep_fitted` it stays in the outcome.
    `windows_file` is where the scaled windows are shared with other cells of the split.

    Raises
    ------
    LeakError
        If resampling leaks under a protocol that promises to be clean: that is no outcome to go on from.
    """
    outcome = Outcome(cell, "ok", split.audit)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            fitted = _run(cell, panel, split, outcome, log_dir, windows_file)
            outcome.fitted = fitted if keep_fitted else None
        except LeakError as error:
            raise LeakError(f"protocol '{cell.protocol}' promises a clean split, and {error}") from None
        except (Exception, SystemExit) as error:  # an estimator may raise anything; the run goes on
            outcome.status = "out-of-memory" if isinstance(error, MemoryError) else "failed"
            outcome.reason = f"{type(error).__name__}: {error}".strip()
            outcome.predictions = None
            outcome.scores = {}
    ignored = (DeprecationWarning, PendingDeprecationWarning, FutureWarning, ResourceWarning)
    told = (f"{w.category.__name__}: {w.message}" for w in caught if not issubclass(w.category, ignored))
    outcome.warnings += list(dict.fromkeys(told))[:5]
    return outcome


def _run(
    cell: Cell,
    panel: Panel,
    split: Split,
    outcome: Outcome,
    log_dir: Path | None,
    windows_file: Path | None,
) -> Fitted | None:
    plugin = get("estimator", cell.plugin)
    outcome.n_train, outcome.n_test = len(split.train), len(split.test)
    if plugin.signal_free:
        train, test = ids_of(panel, split, plugin.about["ids"])
        estimator = make_for(panel, plugin, dict(cell.parameters), cell.seed)
        _fit(outcome, estimator, train, panel.y[split.train])
        predicted = _predict(outcome, plugin, estimator, test)
        outcome.predictions = _predictions(panel, split.test, estimator, *predicted)
        outcome.scores = scores(confusion(panel.y[split.test], predicted[0], panel.classes))
        return None
    clock = time.perf_counter()
    sides = prepare(
        panel,
        split,
        cell.scaling,
        cell.resampler,
        cell.seed,
        keep_padding=plugin.about["unequal_length"],
        windows_file=windows_file,
    )
    outcome.prepare_seconds = time.perf_counter() - clock
    outcome.audit = sides.audit
    outcome.n_train = len(sides.X_train)

    import_quietly(plugin.requires)  # importing TensorFlow is no part of anybody's training time
    if plugin.about["compiled"]:
        rehearse(panel, plugin, dict(cell.parameters), cell.seed, sides.X_train, sides.y_train)
    estimator = make_for(panel, plugin, dict(cell.parameters), cell.seed, log_dir)
    extras = _extras(cell, estimator, sides)
    # In an order of their own: what an estimator makes of the windows beside the one that it is asked for tells it
    # nothing then, neither neighbours in time nor, where copies were appended by class, the place in the block.
    order = np.random.default_rng(cell.seed).permutation(len(sides.X_test))
    with PeakMemory() as peak:
        _fit(outcome, estimator, sides.X_train, sides.y_train, **extras)
        X_test = sides.X_test[order]  # a copy of this process's own: not before it is needed
        predicted = _predict(outcome, plugin, estimator, X_test)
    outcome.peak_memory_mb = peak.megabytes
    shuffled = _predictions(panel, split.test[order], estimator, *predicted)
    alone = alike_alone(estimator, X_test, *predicted, by_probability=plugin.about["most_probable"])
    outcome.audit = replace(outcome.audit, test_block=not alone)
    if isinstance(estimator, ChosenByValidation):
        outcome.tried = estimator.tried_
        outcome.audit = replace(outcome.audit, chosen=", ".join(estimator.open))
        estimator = estimator.estimator_
    outcome.predictions = shuffled.iloc[np.argsort(order)].reset_index(drop=True)
    outcome.scores = scores(
        confusion(sides.y_test, outcome.predictions["y_pred"].to_numpy(str), panel.classes)
    )
    outcome.training, outcome.warnings = training_of(estimator)
    return Fitted(estimator, sides.scaler)


def _extras(cell: Cell, estimator: Any, sides: Sides) -> dict[str, Any]:
    """Return what the estimator's ``fit`` takes beside windows and classes."""
    from sklearn.utils.validation import has_fit_parameter

    given = {} if sides.sample_weight is None else {"sample_weight": sides.sample_weight}
    if given and not has_fit_parameter(estimator, "sample_weight"):
        raise ValueError(
            f"the fit of {cell.plugin} takes no sample_weight, so +{cell.resampler} has no way to it"
        )
    if has_fit_parameter(estimator, "groups"):
        given["groups"] = sides.groups
    return given


def _fit(outcome: Outcome, estimator: Any, X: Any, y: np.ndarray, **extras: Any) -> None:
    clock = time.perf_counter()
    estimator.fit(X, y, **extras)
    outcome.fit_seconds = time.perf_counter() - clock


def _predict(
    outcome: Outcome, plugin: Plugin, estimator: Any, X_test: Any
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return classes, and probabilities (n_windows, n_classes) if there are."""
    clock = time.perf_counter()
    probabilities = None
    if plugin.about["most_probable"]:
        probabilities = np.asarray(estimator.predict_proba(X_test))
        y_pred = np.asarray(estimator.classes_).astype(str)[probabilities.argmax(axis=1)]
    else:
        y_pred = np.asarray(estimator.predict(X_test)).astype(str)
    outcome.predict_seconds = time.perf_counter() - clock
    if probabilities is None and hasattr(estimator, "predict_proba"):
        probabilities = np.asarray(estimator.predict_proba(X_test))
    return y_pred, probabilities


def _predictions(
    panel: Panel, rows: np.ndarray, estimator: Any, y_pred: np.ndarray, probabilities: np.ndarray | None
) -> pd.DataFrame:
    """Return ids, true class and prediction of the panel's `rows`; ValueError if a prediction is none."""
    y_test = panel.y[rows]
    if y_pred.shape != y_test.shape:
        raise ValueError(f"predict gave shape {y_pred.shape} for {len(y_test)} windows")
    strange = sorted(set(y_pred.tolist()) - set(panel.classes))
    if strange:
        raise ValueError(
            f"predict gave {strange[0]!r}, which is none of the classes {', '.join(panel.classes)}"
        )
    predictions = panel.windows.iloc[rows][["subject", "trial", "start"]].reset_index(drop=True)
    predictions["y_true"] = y_test
    predictions["y_pred"] = y_pred
    if probabilities is not None:
        named = pd.DataFrame(
            as_stored(probabilities),
            columns=np.asarray(estimator.classes_).astype(str),
        ).reindex(columns=list(panel.classes), fill_value=0.0)
        predictions = predictions.join(named.astype(STORED).add_prefix("probability "))
    return predictions
