"""Results with known answers, in a capsule as a run would write it: people whose windows an estimator gets right so often."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.cells.capsule import CAPSULE
from bench.cells.capsule_writing import write_capsule
from bench.cells.store import Store

N_WINDOWS = 40  # a person, half of either class


def made_store(
    folder: Path,
    like: dict[str, Any],
    shares: Mapping[str, float],
    *,
    n_people: int = 12,
    protocol: str = "loso",
    verdict: str = "clean",
    seconds: float = 1.0,
    suite: str = "made",
    **more: Any,
) -> Store:
    """Write a capsule of one cell an estimator.

    Parameters
    ----------
    folder : Path
        Where the suite's folder is made.
    like : dict
        The result of a real cell, for all that is not said here.
    shares : mapping of str to float
        Share of the windows that each estimator gets right in every person, give or take .05; `majority` says always
        ``low``, whatever its share.
    """
    folder = folder / suite
    folder.mkdir(parents=True, exist_ok=True)
    cells = [
        _Made(like, name, share, n_people, protocol, verdict, seconds, suite)
        for name, share in shares.items()
    ]
    others = more.get("beside", ())
    write_capsule(folder / CAPSULE, [*cells, *others], [])
    return Store(folder.parent, suite, simulated=False)


class _Made:
    ok = True

    def __init__(self, like, name, share, n_people, protocol, verdict, seconds, suite) -> None:
        family = "signal-free" if name == "majority" else "features"
        self.history: dict[str, np.ndarray] = {}
        self.result = {
            **like,
            "family": family,
            "fit_seconds": seconds,
            "cell": {
                **like["cell"],
                "estimator": name,
                "plugin": name,
                "protocol": protocol,
                "fold": None,
                "seed": 0,
            },
            "suite": {**like["suite"], "name": suite, "classes": ["low", "high"], "simulated": False},
            "audit": {**like["audit"], "verdict": verdict},
        }
        rng = np.random.default_rng(sum(map(ord, name)))
        rows = []
        for person in range(1, n_people + 1):
            right = rng.permutation(N_WINDOWS // 2) < round(
                (share + rng.uniform(-0.05, 0.05)) * N_WINDOWS / 2
            )
            for y, other in (("low", "high"), ("high", "low")):
                said = np.where(right, y, other) if family == "features" else np.full(len(right), "low")
                rows += [
                    (person, trial, 0, y, one)
                    for trial, one in enumerate(said, start=1 + 100 * (y == "high"))
                ]
        self._predictions = pd.DataFrame(rows, columns=["subject", "trial", "start", "y_true", "y_pred"])

    def predictions(self) -> pd.DataFrame:
        return self._predictions
