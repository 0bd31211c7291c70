"""``python -m bench check NAME``: does a plugin keep the interface? Each check is a sentence that holds or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.cells.making import HARNESS, make_estimator
from bench.cells.one_at_a_time import alike_alone
from bench.cells.quiet import import_quietly
from bench.data.loading import find_sources
from bench.recordings import KNOWN, Recordings
from bench.registry import get
from bench.spec import Spec, check_parameters

# What an estimator that asks for it is told of the made-up channels: four seconds of a wristband.
_CHANNELS, _RATE = ("BVP", "EDA (uS)", "temperature (deg C)"), 16.0


@dataclass(frozen=True)
class Check:
    """One sentence about a plugin, and what speaks against it (``""``: it holds)."""

    sentence: str
    fault: str = ""


def check_estimator(spec: Spec) -> Iterator[Check]:
    """Try an estimator on small made-up windows, the way a cell uses it.

    Yields
    ------
    Check
        In the order of a cell's life; the first fault that makes the rest pointless is the last.
    """
    plugin = get("estimator", spec.name)
    check_parameters(plugin, spec.parameters, HARNESS, f"estimator '{spec}'")
    import_quietly(plugin.requires)
    rng = np.random.default_rng(0)
    y = np.repeat(["high", "low", "middle"], 8)
    X = rng.standard_normal((24, 3, 64)).astype(np.float32) + np.repeat([0, 2, 4], 8)[:, None, None]
    X = X.astype(np.float32)
    X.flags.writeable = False
    what = "float32 windows (24, 3, 64)"
    if plugin.signal_free:
        import pandas as pd

        every = np.arange(24)
        ids = {"subject": every % 3, "trial": every // 3, "stimulus": every % 4, "order": every // 3}
        X, what = (
            pd.DataFrame({name: ids[name] for name in plugin.about["ids"]}, index=every),
            "ids of 24 windows",
        )
    fitted: list[Any] = []

    def make() -> Any:
        return make_estimator(plugin, spec.parameters, 0, channels=_CHANNELS, sampling_rate=_RATE)

    def fit() -> str:
        fitted.append(make().fit(X, y))
        return "" if hasattr(fitted[0], "predict") else "fit returns something without predict; return self"

    fault = _attempt(fit)
    yield Check(f"fits {what} that it must not change, with str classes", fault)
    if fault:
        return
    estimator = fitted[0]
    yield Check(
        "predicts one of the classes for each window", _attempt(lambda: _labels(estimator.predict(X), 24))
    )
    yield Check("predicts a single window", _attempt(lambda: _labels(estimator.predict(X[:1]), 1)))
    if not plugin.signal_free:
        yield Check("predicts a window alone as among others", _attempt(lambda: _alone(estimator, X)))
    if hasattr(estimator, "predict_proba"):
        yield Check(
            "gives probabilities in the order of classes_", _attempt(lambda: _probabilities(estimator, X))
        )
    if plugin.about["most_probable"]:
        yield Check("predicts the most probable class", _attempt(lambda: _most_probable(estimator, X)))
    yield Check(
        "repeats with the same random_state",
        _attempt(
            lambda: (
                ""
                if (make().fit(X, y).predict(X) == estimator.predict(X)).all()
                else "two fits with random_state=0 predict differently"
            )
        ),
    )
    two = y != "middle"
    yield Check(
        "works with two classes",
        _attempt(lambda: _labels(make().fit(X[two], y[two]).predict(X), 24)),
    )


def check_dataset(spec: Spec, root: Path | None) -> Iterator[Check]:
    """Read a data set once and say what came out; whatever it raises goes to the caller."""
    sources, _ = find_sources(spec, root)
    for source in sources:
        recordings = source.plugin.factory(source.root, subjects=None, **source.parameters)
        fault = "" if isinstance(recordings, Recordings) else f"it returns a {type(recordings).__name__}"
        yield Check(f"{source.variant or source.plugin.name}: returns Recordings", fault)
        if not fault:
            trials = recordings.trials
            targets = [c for c in trials if c not in ("subject", "trial", "stimulus", *KNOWN)]
            yield Check(
                f"{len(trials):,} trials of {trials.subject.nunique()} subjects, {len(recordings.channels)} channels "
                f"at {recordings.sampling_rate:g} Hz; to predict: {', '.join(targets) or 'nothing'}",
                "" if targets else "the table of trials has no rating and no label",
            )


def _attempt(step: Callable[[], Any]) -> str:
    try:
        return step() or ""
    except Exception as error:  # whatever a plugin raises is what its author wants to read
        return f"{type(error).__name__}: {error}"


def _labels(predicted: Any, n: int) -> str:
    predicted = np.asarray(predicted)
    if predicted.shape != (n,):
        return f"predict gave shape {predicted.shape} for {n} windows"
    strange = set(predicted.astype(str).tolist()) - {"high", "low", "middle"}
    return f"predict gave {min(strange)!r}, which is no class" if strange else ""


def _probabilities(estimator: Any, X: np.ndarray) -> str:
    given = np.asarray(estimator.predict_proba(X))
    if not hasattr(estimator, "classes_") or sorted(map(str, estimator.classes_)) != [
        "high",
        "low",
        "middle",
    ]:
        return "classes_ has to name the classes that fit has seen"
    if given.shape != (len(X), 3):
        return f"predict_proba gave shape {given.shape}, expected ({len(X)}, 3)"
    if not np.allclose(given.sum(axis=1), 1, atol=1e-4) or (given < 0).any():
        return "predict_proba gave rows that are no probabilities: they do not add up to 1"
    return ""


def _alone(estimator: Any, X: np.ndarray) -> str:
    probabilities = np.asarray(estimator.predict_proba(X)) if hasattr(estimator, "predict_proba") else None
    alike = alike_alone(estimator, X, np.asarray(estimator.predict(X)).astype(str), probabilities)
    return "" if alike else "it says otherwise of a window alone: it looks at the windows that come with it"


def _most_probable(estimator: Any, X: np.ndarray) -> str:
    most = np.asarray(estimator.classes_)[np.asarray(estimator.predict_proba(X)).argmax(axis=1)]
    return "" if (most == estimator.predict(X)).all() else "predict gives another class than predict_proba"
