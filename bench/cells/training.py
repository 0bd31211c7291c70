"""What an estimator tells of its training, checked and kept with its cell: a curve a column, a row an epoch."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

TRAINING = "training.csv"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ .-]{0,59}")  # needs no quotes as a heading
_MOST_EPOCHS, _MOST_NAMES, _MOST_FAULTS = 100_000, 100, 5


@dataclass(frozen=True, eq=False)
class Training:
    """How a fit went.

    Attributes
    ----------
    history : dict of str to ndarray of shape (n_epochs,), float64
        As the estimator's ``history_``: loss, accuracy, seconds and so on by epoch; NaN where there is none.
    best_epoch : int or None
        Counted from 0, as ``best_epoch_``: the one whose weights predict.
    scores : dict of str to float
        As ``training_scores_``: of the training windows as the fitted estimator predicts them.
    """

    history: dict[str, np.ndarray] = field(default_factory=dict)
    best_epoch: int | None = None
    scores: dict[str, float] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything is known."""
        return bool(self.history or self.scores) or self.best_epoch is not None

    @property
    def n_epochs(self) -> int:
        """How many epochs the history has; 0 without one."""
        return len(next(iter(self.history.values()), ()))

    def summary(self) -> dict[str, Any]:
        """Return what ``result.json`` holds: all but the history, which would make reading thousands slow."""
        return {"n_epochs": self.n_epochs, "best_epoch": self.best_epoch, "scores": self.scores}

    def write(self, folder: Path) -> None:
        """Write the history as ``training.csv``, with the epochs from 0 as its first column; if there is one."""
        if not self.history:
            return
        rows = zip(range(self.n_epochs), *(values.tolist() for values in self.history.values()), strict=True)
        lines = [",".join(("epoch", *self.history))]
        lines += [f"{epoch}," + ",".join(f"{value:.9g}" for value in values) for epoch, *values in rows]
        (folder / TRAINING).write_text("\n".join(lines) + "\n", encoding="utf-8")


def training_of(estimator: Any) -> tuple[Training, list[str]]:
    """Read ``history_``, ``best_epoch_`` and ``training_scores_`` of a fitted estimator, where it has them.

    They are a plugin's, and may be anything: what is not as it should be is left out, and said.

    Returns
    -------
    Training, list of str
        What can be kept, and a sentence on each thing that cannot.
    """
    faults: list[str] = []

    def read(name: str, check: Callable[[Any, list[str]], Any], otherwise: Any) -> Any:
        try:
            given = getattr(estimator, name, None)
            return otherwise if given is None else check(given, faults)
        except (Exception, SystemExit) as error:  # a plugin's attribute may raise anything
            faults.append(f"{name} is left out: {type(error).__name__}: {str(error)[:200]}")
            return otherwise

    history = read("history_", _history, {})
    best_epoch = read("best_epoch_", lambda given, _: _epoch(given, Training(history).n_epochs), None)
    found = Training(history, best_epoch, read("training_scores_", _scores, {}))
    return found, faults[:_MOST_FAULTS]


def _history(given: Any, faults: list[str]) -> dict[str, np.ndarray]:
    kept: dict[str, np.ndarray] = {}
    for name, own in _named("history_", given, faults):
        values, fault = _numbers(own)
        length = len(next(iter(kept.values()), values))
        if not fault and len(values) != length:
            fault = f"{len(values):,} values, where {next(iter(kept))} has {length:,}"
        if fault:
            faults.append(f"history_: left out {name}: {fault}")
        else:
            kept[name] = values
    return kept


def _epoch(given: Any, n_epochs: int) -> int:
    number = operator.index(given)
    if number < 0 or (n_epochs and number >= n_epochs):
        raise ValueError(f"{number} is none of {n_epochs or 'the'} epochs")
    return number


def _scores(given: Any, faults: list[str]) -> dict[str, float]:
    kept = {}
    for name, own in _named("training_scores_", given, faults):
        values, fault = _numbers([own])
        if fault or np.isnan(values[0]):
            faults.append(f"training_scores_: left out {name}: {fault or 'not a number'}")
        else:
            kept[name] = float(values[0])
    return kept


def _named(attribute: str, given: Any, faults: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield the items of a dict whose keys can be names of columns."""
    if not isinstance(given, Mapping):
        raise TypeError(f"of type {type(given).__name__}, not a dict")
    if len(given) > _MOST_NAMES:
        raise ValueError(f"{len(given):,} names, more than {_MOST_NAMES}")
    for name, own in given.items():
        if isinstance(name, str) and _NAME.fullmatch(name) and name != "epoch":
            yield name, own
        else:
            faults.append(f"{attribute}: left out {str(name)[:60]!r}, which cannot be a column's name")


def _numbers(given: Any) -> tuple[np.ndarray, str]:
    """Return a list's values as float64, and what is wrong with them."""
    nothing = np.empty(0)
    if not isinstance(given, list | tuple | np.ndarray):
        return nothing, f"of type {type(given).__name__}, not a list"
    if not 0 < len(given) <= _MOST_EPOCHS:
        return nothing, f"{len(given):,} values"
    try:
        values = np.asarray(given)
    except ValueError:
        return nothing, "not one number an epoch"
    if values.ndim != 1 or values.dtype.kind not in "biuf":
        return nothing, "not one number an epoch"
    values = values.astype(np.float64)
    return values, "infinite values" if np.isinf(values).any() else ""


def read_history(folder: Path) -> dict[str, np.ndarray]:
    """Return what `Training.write` wrote into a cell's folder, less the column ``epoch``.

    Nothing if there is no history, or the file is damaged: a curve is no reason to keep a table back.
    """
    try:
        head, *lines = (folder / TRAINING).read_text(encoding="utf-8").splitlines()
        first, *names = head.split(",")
        values = np.array([line.split(",") for line in lines], dtype=np.float64).reshape(-1, 1 + len(names))
    except (OSError, ValueError):
        return {}
    return dict(zip(names, values.T[1:], strict=True)) if first == "epoch" and len(values) else {}
