"""An estimator on trial: the small made-up windows that it is checked on, and what it says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench.cells.making import make_estimator
from bench.registry import Plugin

CLASSES = ("high", "low", "middle")
# What an estimator that asks for it is told of the made-up channels: four seconds of a wristband.
CHANNELS, RATE, SAMPLES = ("BVP", "EDA (uS)", "temperature (deg C)"), 16.0, 64
N_WINDOWS = 24

# Probabilities that differ less do so by the order of sums in float32.
TOLERANCE = 0.01


def made_up_windows(n: int = N_WINDOWS) -> tuple[np.ndarray, np.ndarray]:
    """Return noise at three levels, one a class, and the classes.

    Parameters
    ----------
    n : int

    Returns
    -------
    ndarray of shape (n, 3, 64), float32
    ndarray of shape (n,), str
        In the order of `CLASSES`, as many windows of each as can be.
    """
    codes = np.sort(np.resize(np.arange(3), n))
    noise = np.random.default_rng(0).standard_normal((n, len(CHANNELS), SAMPLES))
    return (noise + 2.0 * codes[:, None, None]).astype(np.float32), np.array(CLASSES)[codes]


def open_windows() -> np.ndarray:
    """Return windows whose class is not plain to see: noise at levels between and beyond those of the classes."""
    rng = np.random.default_rng(1)
    levels = rng.uniform(-1, 5, (N_WINDOWS, len(CHANNELS), 1))
    return (levels + 2 * rng.standard_normal((N_WINDOWS, len(CHANNELS), SAMPLES))).astype(np.float32)


@dataclass(frozen=True)
class Said:
    """What an estimator said of some windows: classes, and probabilities (n_windows, n_classes) if it gives any."""

    labels: np.ndarray
    probabilities: np.ndarray | None

    def differs(self, other: Said) -> bool:
        """Whether another says otherwise: beyond rounding, which may decide between two classes that are equally probable."""
        if self.labels.shape != other.labels.shape:
            return True
        apart = self.labels != other.labels
        if self.probabilities is None or other.probabilities is None:
            return bool(apart.any()) or (self.probabilities is None) != (other.probabilities is None)
        if self.probabilities.shape != other.probabilities.shape or not np.allclose(
            self.probabilities, other.probabilities, rtol=0, atol=TOLERANCE, equal_nan=True
        ):
            return True
        highest = np.sort(self.probabilities, axis=1)
        return bool((apart & (highest[:, -1] - highest[:, -2] > 2 * TOLERANCE)).any())


@dataclass
class OnTrial:
    """An estimator's plugin, with the windows that it is tried on.

    Attributes
    ----------
    X : ndarray of shape (24, 3, 64), float32, or DataFrame of 24 rows
        Windows; of an estimator without signals, the ids that it asks for. Every call is given a copy.
    y : ndarray of shape (24,), str
    unclear : like `X`
        Windows of no plain class: two classifiers that differ say different things of them.
    what : str
        These windows, in words.
    changed : set of str
        Which of its methods have changed the copies that they were given.
    """

    plugin: Plugin
    parameters: Mapping[str, Any]
    X: Any = field(init=False)
    y: np.ndarray = field(init=False)
    unclear: Any = field(init=False)
    what: str = field(init=False)
    changed: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.X, self.y = made_up_windows()
        self.unclear = open_windows()
        self.what = f"float32 windows ({N_WINDOWS}, {len(CHANNELS)}, {SAMPLES})"
        if self.plugin.signal_free:
            import pandas as pd

            every = np.arange(N_WINDOWS)
            ids = {"subject": every % 3, "trial": every // 3, "stimulus": every % 4, "order": every // 3}
            wanted = {name: ids[name] for name in self.plugin.about["ids"]}
            self.X = self.unclear = pd.DataFrame(wanted, index=every)
            self.what = f"ids of {N_WINDOWS} windows"

    def make(self) -> Any:
        """Make an estimator as a cell of seed 0 does; TypeError if it is none."""
        made = make_estimator(self.plugin, self.parameters, 0, channels=CHANNELS, sampling_rate=RATE)
        if not hasattr(made, "fit"):
            raise TypeError(f"the registered function returns a {type(made).__name__}, which has no fit")
        return made

    def fit(self, estimator: Any, rows: Any = slice(None), X: Any = None, **extras: Any) -> Any:
        """Fit an estimator to copies of the windows, or of `X` in their place, and return it.

        Raises
        ------
        TypeError
            If ``fit`` returns something else than the estimator.
        """
        given = (self.X if X is None else X)[rows].copy()
        before = given.copy()
        returned = estimator.fit(given, self.y[rows].copy(), **extras)
        self._note("fit", given, before)
        if returned is not estimator:
            raise TypeError(f"fit returns a {type(returned).__name__}; let it return self")
        return estimator

    def ask(self, estimator: Any, X: Any = None) -> Said:
        """Return what a fitted estimator says of copies of windows: by default of all, plain and unclear ones."""
        if X is None:
            plain, unclear = self.ask(estimator, self.X), self.ask(estimator, self.unclear)
            both = None
            if plain.probabilities is not None and unclear.probabilities is not None:
                both = np.concatenate([plain.probabilities, unclear.probabilities])
            return Said(np.concatenate([plain.labels, unclear.labels]), both)
        labels = np.asarray(self._told(estimator, "predict", X)).astype(str)
        if not hasattr(estimator, "predict_proba"):
            return Said(labels, None)
        return Said(labels, np.asarray(self._told(estimator, "predict_proba", X)))

    def _told(self, estimator: Any, method: str, X: Any) -> Any:
        given = X.copy()
        told = getattr(estimator, method)(given)
        self._note(method, given, X)
        return told

    def _note(self, method: str, given: Any, before: Any) -> None:
        same = (
            given.equals(before)
            if hasattr(given, "equals")
            else np.array_equal(given, before, equal_nan=True)
        )
        if not same:
            self.changed.add(method)
