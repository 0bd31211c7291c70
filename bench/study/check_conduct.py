"""How an estimator conducts itself: towards its windows, its seed, other people's random numbers, and as a copy."""

from __future__ import annotations

import inspect
import pickle
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.cells.chosen import ChosenByValidation
from bench.cells.saved import MODEL, keeps_models
from bench.study.check_lines import Check, attempt, in_words
from bench.study.check_predictions import label_fault, probability_fault
from bench.study.check_trial import CLASSES, SAMPLES, OnTrial, Said

_SEED = (
    "take `random_state: int` as a parameter of the registered function and hand it on; with NumPy, draw from "
    "np.random.default_rng(random_state)"
)
_CLONE = "let __init__ store each argument as it is, under its own name, and do the work in fit"


def check_input(trial: OnTrial) -> Check:
    """Whether fit and predict have left the windows as they were given, in all that was asked so far."""
    changed = ", ".join(sorted(trial.changed))
    return Check(
        "leaves its windows as they are",
        f"{changed} changes the windows that it is given" if changed else "",
        "work on a copy: X = X.copy()",
    )


def check_seed(trial: OnTrial, expected: Said, left: GlobalNumbers) -> Iterator[Check]:
    """Whether a second fit repeats the first, by way of a clone where there can be one, and draws from its own seed.

    Parameters
    ----------
    trial : OnTrial
    expected : Said
        After the first fit.
    left : GlobalNumbers
        The states of the global generators then, which had another seed.
    """
    faults = {"repeat": "", "clone": ""}
    may_be_cloned = hasattr(trial.make(), "get_params")
    numbers = GlobalNumbers(seed=2)

    def again(cloned: bool) -> str:
        with numbers:
            said = trial.ask(trial.fit(_clone(trial.make()) if cloned else trial.make()))
        return "two fits with random_state=0 predict differently" if expected.differs(said) else ""

    if may_be_cloned:
        faults["clone"] = attempt(lambda: again(cloned=True))
    # A clone that does the same shows both; otherwise only a fit without it tells which of the two it is.
    if not may_be_cloned or faults["clone"]:
        faults["repeat"] = attempt(lambda: again(cloned=False))
        if faults["repeat"]:
            faults["clone"] = ""
    yield Check("repeats with the same random_state", faults["repeat"], _SEED)
    yield numbers.check(left, repeats=not faults["repeat"])
    if may_be_cloned:
        fault = faults["clone"]
        if fault.startswith("two fits"):
            fault = "a clone that is fitted to the same windows predicts differently"
        yield Check("is cloned by scikit-learn", fault, _CLONE)


def check_copies(trial: OnTrial, estimator: Any, expected: Said) -> Iterator[Check]:
    """Whether a fitted estimator says what is `expected` once it was pickled, or saved and loaded."""
    sentence = "predicts the same after it was pickled"
    try:
        said = trial.ask(pickle.loads(pickle.dumps(estimator)))  # bytes of its own, made this moment
    except Exception as error:  # pickle raises whatever the things in it raise
        note = f"it cannot be ({in_words(error)}); no cell needs it, joblib and GridSearchCV do"
        advice = "hold no lambdas, and no functions or classes that are made within others"
        yield Check(sentence, note=note, advice=advice)
    else:
        # Worse than an error: nobody would notice.
        fault = "what is loaded predicts differently" if expected.differs(said) else ""
        yield Check(sentence, fault, "keep all that predict needs in attributes that are pickled")
    if keeps_models(trial.plugin):

        def saved() -> str:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / MODEL
                estimator.save(file, {})
                loaded = trial.plugin.factory.load(file)  # type: ignore[attr-defined]
                return "what is loaded predicts differently" if expected.differs(trial.ask(loaded)) else ""

        yield Check("predicts the same after save and load", attempt(saved), "write all that predict needs")


def check_claims(trial: OnTrial, estimator: Any, weights_needed_by: str = "") -> Iterator[Check]:
    """Fit to two classes, and with what the estimator says that it takes: weights, groups, windows of unequal length."""
    two = trial.y != "middle"
    yield Check(
        "works with two classes",
        attempt(lambda: _sound(trial, trial.fit(trial.make(), two), trial.X[two], CLASSES[:2])),
        "take the number of classes from y",
    )
    own = estimator.estimator_ if isinstance(estimator, ChosenByValidation) else estimator
    n = len(trial.y)
    extras = {
        "sample_weight": np.where(trial.y == "high", 2.0, 0.5),
        "groups": np.append(np.arange(n - 1) // 2, -1),  # -1: mixed from several by a resampler
    }
    takes = [name for name in extras if _fit_takes(own, name)]
    if weights_needed_by and "sample_weight" not in takes:
        yield Check(
            f"takes sample_weight, for +{weights_needed_by}",
            "its fit has no such parameter",
            "give fit a parameter sample_weight=None, or use +ros in its place",
        )
    if takes:
        given = {name: extras[name] for name in takes}
        yield Check(
            f"takes {' and '.join(takes)}, as its fit says",
            attempt(lambda: _sound(trial, trial.fit(trial.make(), **given), trial.X)),
            "leave out of fit what it has no use for",
        )
    if trial.plugin.about["unequal_length"]:
        ends = SAMPLES - np.arange(n) % 9
        X = np.where(np.arange(SAMPLES) < ends[:, None, None], trial.X, np.float32(np.nan))
        yield Check(
            "takes windows of unequal length, NaN after their end, as registered",
            attempt(lambda: _sound(trial, trial.fit(trial.make(), X=X), X)),
            "mask what is NaN, or register it without unequal_length=True: shorter windows are then filled up with 0",
        )


def _sound(trial: OnTrial, fitted: Any, X: Any, classes: tuple[str, ...] = CLASSES) -> str:
    said = trial.ask(fitted, X)
    fault = label_fault(said.labels, len(X), classes)
    if not fault and said.probabilities is not None:
        fault = probability_fault(said.probabilities, len(X), len(classes))
    return fault


def _fit_takes(estimator: Any, name: str) -> bool:
    return name in inspect.signature(estimator.fit).parameters


def _clone(estimator: Any) -> Any:
    from sklearn.base import clone

    return clone(estimator)


class GlobalNumbers:
    """Context manager: gives the global generators of NumPy and Python a seed, and puts them back as they were.

    Parameters
    ----------
    seed : int

    Attributes
    ----------
    seeded, left : dict of str to bytes
        Their states, by library, at the start and at the end.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.seeded: dict[str, bytes] = {}
        self.left: dict[str, bytes] = {}

    def __enter__(self) -> GlobalNumbers:
        self._before = random.getstate(), np.random.get_state()  # noqa: NPY002 - the global one is what is watched
        random.seed(self.seed)
        np.random.seed(self.seed)  # noqa: NPY002
        self.seeded = self._states()
        return self

    def __exit__(self, *_: object) -> None:
        self.left = self._states()
        random.setstate(self._before[0])
        np.random.set_state(self._before[1])  # noqa: NPY002

    def check(self, other: GlobalNumbers, repeats: bool) -> Check:
        """Tell from the same work under two seeds whether it drew from the global generators, or seeded them itself.

        One that seeds them repeats, and disturbs nobody in the process of a cell, where nothing else draws: Keras has
        no other seed, and some of sktime does it. One that draws without, and does not repeat, follows what others
        have drawn before; scikit-learn's SVC draws a number that it then has no use for.
        """
        sentence = "draws no global random numbers of NumPy and Python"
        touched = [name for name in self.left if self.left[name] != self.seeded[name]]
        drawn = [name for name in touched if self.left[name] != other.left[name]]
        if drawn and not repeats:
            fault = f"what it draws of {' and '.join(drawn)} follows what others have drawn before"
            return Check(sentence, fault, _SEED)
        if drawn:
            note = (
                f"it draws of {' and '.join(drawn)}, which has changed nothing that it says of these windows"
            )
            return Check(sentence, note=note, advice=_SEED)
        if touched:
            note = (
                f"it seeds those of {' and '.join(touched)}, as networks of Keras have to; harmless in a cell, which "
                "has a process of its own"
            )
            return Check(sentence, note=note)
        return Check(sentence)

    @staticmethod
    def _states() -> dict[str, bytes]:
        return {"NumPy": pickle.dumps(np.random.get_state()), "Python": pickle.dumps(random.getstate())}  # noqa: NPY002
