"""How windows are scaled: the names in suites, and the scalers behind them, which work in place on both sides.

Most scalers learn from training windows alone. Two learn from signals that carry no label and that a person who is
tested has as well, so that they work under every protocol: ``baseline`` and ``first-seconds[60]``.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Protocol

import numpy as np
from pydantic import AfterValidator, Field
from pydantic_core import PydanticKnownError

from bench.data.origins import Origins, PanelOrigins, first_samples, samples_before
from bench.data.scalers.rank_normal import FittedRankNormal, RankNormal
from bench.data.scalers.trained import (
    FittedMinMax,
    FittedNone,
    FittedSubjectZScore,
    MinMax,
    SubjectZScore,
    Unscaled,
)
from bench.data.scalers.unlabelled import Baseline, FirstSeconds, FittedBaseline, FittedFirstSeconds
from bench.data.windows import Panel

FittedScaling = Annotated[
    FittedMinMax | FittedSubjectZScore | FittedRankNormal | FittedBaseline | FittedFirstSeconds | FittedNone,
    Field(discriminator="name"),
]


class Scaler(Protocol):
    """`fit` learns from training windows (n, n_channels, n_timepoints); `transform` changes X in place.

    `fitted` gives what was learnt, as JSON can hold it.
    """

    def fit(self, X: np.ndarray, origins: PanelOrigins) -> Scaler:
        """Learn from windows and where they come from."""

    def transform(self, X: np.ndarray, origins: Origins) -> np.ndarray:
        """Scale the windows in place, and return them."""

    def fitted(self) -> FittedScaling:
        """Return what was learnt."""


_SCALERS: dict[str, type[MinMax | SubjectZScore | RankNormal | Baseline | Unscaled]] = {
    "min-max": MinMax,
    "subject-z-score": SubjectZScore,
    "rank-normal": RankNormal,
    "baseline": Baseline,
    "none": Unscaled,
}
_FIRST_SECONDS = re.compile(r"first-seconds\[([0-9]+(?:\.[0-9]+)?)\]")
_EXAMPLE = "first-seconds[60]"


def _known(name: str) -> str:
    """Return the name of a scaling; ValueError, from which a suite's reader makes its message, if it is none."""
    if name in _SCALERS or _seconds_of(name) is not None:
        return name
    if name.startswith("first-seconds"):
        raise ValueError(f"first-seconds takes a positive number of seconds, such as {_EXAMPLE}")
    *others, last = [repr(one) for one in (*_SCALERS, _EXAMPLE)]
    raise PydanticKnownError("literal_error", {"expected": f"{', '.join(others)} or {last}"})


# A name in suites: one of the scalers', or first-seconds with the seconds in brackets.
Scaling = Annotated[str, AfterValidator(_known)]


def make_scaler(scaling: Scaling) -> Scaler:
    """Return an unfitted scaler by its name in suites."""
    seconds = _seconds_of(scaling)
    return _SCALERS[_known(scaling)]() if seconds is None else FirstSeconds(seconds)


def check_scaling(scaling: Scaling, panel: Panel) -> None:
    """Raise SuiteError if the recordings lack the signals that a scaling takes: `samples_before`, `first_samples`."""
    seconds = _seconds_of(scaling)
    if seconds is not None:
        first_samples(panel, seconds)
    elif scaling == "baseline":
        samples_before(panel.recordings)


def what_it_saw(scaling: Scaling) -> str:
    """Say which signals of people on the test side a scaler is fitted on; ``""`` for none."""
    seconds = _seconds_of(scaling)
    if seconds is not None:
        return f"each person's first {seconds:g} s"
    return "the seconds before each stimulus" if scaling == "baseline" else ""


def _seconds_of(scaling: str) -> float | None:
    """Return the seconds of ``first-seconds[...]``; None if it is no such name, or they are not positive."""
    match = _FIRST_SECONDS.fullmatch(scaling)
    seconds = float(match[1]) if match else 0.0
    return seconds if 0 < seconds < math.inf else None
