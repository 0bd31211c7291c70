"""Learning rates over a fit: each schedule is a function of how far the fit is, and of the losses so far."""

from __future__ import annotations

import math
from collections.abc import Sequence

SCHEDULES = ("one-cycle", "plateau", "step")

# Learning rate at the start (`one-cycle`: at the peak), if none is given.
LEARNING_RATES = {"one-cycle": 5e-3, "plateau": 1e-3, "step": 1e-3}

# Of the published work: times 1/cbrt(2), never below 1e-4.
FACTOR, LOWEST = 0.5 ** (1 / 3), 1e-4
STEP_EPOCHS = 100
# Keras's: a loss within 1e-4 of the best is no improvement.
IMPROVEMENT = 1e-4
# Of one cycle: the share that the rate rises, and what part of the peak it begins and ends with.
RISE, START, END = 0.3, 1 / 25, 1 / 1000


def learning_rate(
    schedule: str, peak: float, epoch: int, progress: float, losses: Sequence[float], patience: int
) -> float:
    """Return the learning rate of a step.

    Parameters
    ----------
    schedule : {"one-cycle", "plateau", "step"}
        ``one-cycle``: rises by a half cosine over the first 30 % and falls by one to a thousandth of its peak
        [1]_. ``plateau``: times 1/cbrt(2), down to 1e-4, whenever the loss has not improved by 1e-4 for
        `patience` epochs [2]_. ``step``: the same factor every 100 epochs.
    peak : float
        Highest rate.
    epoch : int
        Epochs done.
    progress : float
        Share of the fit that is done at this step, 0 to 1.
    losses : sequence of float
        Training loss of every epoch done.
    patience : int

    References
    ----------
    .. [1] L. N. Smith, N. Topin, "Super-convergence: very fast training of neural networks using large
       learning rates", 2019; arXiv:1708.07120.
    .. [2] F. Karim et al., "Multivariate LSTM-FCNs for Time Series Classification", 2019, section 4.1.
    """
    if schedule == "one-cycle":
        low, share = (START, progress / RISE) if progress < RISE else (END, (1 - progress) / (1 - RISE))
        return peak * (low + (1 - low) * (1 - math.cos(math.pi * share)) / 2)
    times = epoch // STEP_EPOCHS if schedule == "step" else _plateaus(losses, patience)
    return max(peak * FACTOR**times, min(LOWEST, peak))


def _plateaus(losses: Sequence[float], patience: int) -> int:
    """Return how often the loss had not improved for `patience` epochs."""
    best, waited, times = math.inf, 0, 0
    for loss in losses:
        waited = 0 if loss < best - IMPROVEMENT else waited + 1
        best = loss if waited == 0 else best
        if waited >= patience:
            waited, times = 0, times + 1
    return times
