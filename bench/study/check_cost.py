"""What an estimator costs on a few sizes, before it is let loose on a study."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from bench.cells.memory import PeakMemory
from bench.study.check_lines import Check, attempt
from bench.study.check_trial import CHANNELS, SAMPLES, OnTrial, made_up_windows

SIZES = (50, 100, 200)
_LONG = 5.0  # seconds of the largest size, below which no growth is a worry
_MUCH = 2_000.0  # MB likewise: the windows themselves are 0.15 MB
_STEEP = 2.5  # the exponent of a growth that no study can pay for


def check_cost(trial: OnTrial) -> Iterator[Check]:
    """Fit and predict 50, 100 and 200 windows: seconds, peak memory, and how the time grows.

    Nothing is a fault but a growth beyond all use: steeper than the square of the number of windows, or gigabytes.
    """
    seconds: list[float] = []
    megabytes: list[float] = []

    def step() -> str:
        for n in SIZES:
            X, y = made_up_windows(n)
            estimator = trial.make()
            with PeakMemory() as peak:
                clock = time.perf_counter()
                estimator.fit(X, y).predict(X)
                seconds.append(time.perf_counter() - clock)
            megabytes.append(peak.megabytes)
        if megabytes[-1] > _MUCH:
            return f"{megabytes[-1]:,.0f} MB for {SIZES[-1]} windows of 0.8 KB"
        if seconds[-1] > _LONG and growth(seconds) > _STEEP:
            return f"time grows as n^{growth(seconds):.1f}: ten times the windows take {10 ** growth(seconds):,.0f} times as long"
        return ""

    fault = attempt(step)
    sentence = f"fit and predict of {_listed(SIZES)} windows of ({len(CHANNELS)}, {SAMPLES})"
    if len(seconds) == len(SIZES):
        slope = f", growing as n^{growth(seconds):.1f}" if seconds[-1] > 1 else ""
        sentence += f": {_listed([f'{s:.2g}' if s < 10 else f'{s:.0f}' for s in seconds])} s{slope}; {_listed([f'{m:.0f}' for m in megabytes])} MB"
    yield Check(
        sentence,
        fault,
        "a full split has thousands of windows: compare windows in parts, or with a part of the others",
    )


def growth(seconds: list[float]) -> float:
    """Return the exponent b of seconds = a * n ** b, by least squares over the sizes."""
    return float(np.polyfit(np.log(SIZES), np.log(seconds), 1)[0])


def _listed(values: object) -> str:
    *first, last = map(str, values)  # type: ignore[call-overload]
    return f"{', '.join(first)} and {last}"
