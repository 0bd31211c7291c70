"""Probabilities of live use against those that a run has stored, which are in half precision."""

from __future__ import annotations

import numpy as np

from bench.cells.probabilities import as_stored


def are_as_stored(found, stored) -> bool:
    """Whether probabilities, given to six digits, round to the stored ones.

    The sixth digit can turn a rounding: then it is one step away, which one in a hundred is where nothing else differs.
    """
    rounded, stored = as_stored(np.asarray(found, dtype=float)), np.asarray(stored, dtype=np.float16)
    steps = np.abs(rounded.view(np.int16).astype(int) - stored.view(np.int16).astype(int))
    return len(rounded) == len(stored) and steps.max() <= 1 and (steps > 0).mean() <= 0.2
