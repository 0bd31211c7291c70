"""Sessions and ratings of `deap-simulated`: in which order, with which habits, and what drifts meanwhile.

What a person's number and a trial's place in the session tell of a class without any signal is set after
HKU956 (Hu et al. 2022, Applied Sciences 12:9354), where people rate by habit, rate alike what they hear one
after the other, and sit while skin conductance and temperature wander off.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench.datasets.deap import DATA_SHAPE

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

N_TRIALS = DATA_SHAPE[0]

# Ratings above 5 among the 40 of a subject without habits: the shares of DEAP, .55 for valence, .58 for arousal.
_HIGH = (22, 23)
_HABIT = 0.36  # how far people differ in where they begin to rate high, in standard deviations of their taste
_MOOD = 0.9  # size of what lasts from trial to trial, against the taste of the moment
_LASTS = 0.8  # correlation of this mood from one trial to the next


class Session(NamedTuple):
    """What a person brings to the 40 trials, and what passes over them; rows and columns by stimulus.

    Attributes
    ----------
    order : ndarray of shape (40,), int64
        Place of each stimulus in the session, 1..40.
    habit : ndarray of shape (2,), float64
        Inclination to rate valence and arousal high: standard scores over people.
    mood : ndarray of shape (40, 4), float64
        First-order autoregressive process along the session, of unit variance, for each rating.
    drift : ndarray of shape (n_dials, 40), float64
        Slow and smooth wandering along the session, for each dial of the body: mean 0, variance 1.
    """

    order: NDArray[np.int64]
    habit: NDArray[np.float64]
    mood: NDArray[np.float64]
    drift: NDArray[np.float64]


def make_session(rng: Generator, n_dials: int) -> Session:
    """Draw a session of one person, always in the same sequence: order, habit, mood, drift."""
    from scipy.signal import lfilter

    order = rng.permutation(N_TRIALS) + 1
    habit = np.clip(rng.standard_normal(2), -2.5, 2.5)
    fresh = rng.standard_normal((N_TRIALS, 4))
    fresh[1:] *= math.sqrt(1 - _LASTS**2)
    mood = lfilter([1], [1, -_LASTS], fresh, axis=0)
    # A walk whose steps resemble the one before: over 40 trials hardly anything but slow change.
    walk = lfilter([1], [1, -1.9, 0.9], rng.standard_normal((n_dials, N_TRIALS)), axis=1)
    walk -= walk.mean(axis=1, keepdims=True)
    walk /= walk.std(axis=1, keepdims=True)
    return Session(order, habit, mood[order - 1], walk[:, order - 1])


def make_ratings(
    stimuli: NDArray[np.float64], session: Session, rng: Generator, strengths: dict[str, float]
) -> NDArray[np.float64]:
    """Make one subject's ratings: stimulus, own taste of the moment, own use of the scale, mood and habit.

    Parameters
    ----------
    stimuli : ndarray of shape (40, 4)
        What the stimuli call for in everybody: standard scores.
    session : Session
    rng : Generator
        Drawn from in the same order whatever the strengths.
    strengths : dict
        Factors of the ``habit`` and of the ``persistence`` of ratings.

    Returns
    -------
    ndarray of shape (40, 4), float64
        Valence, arousal, dominance and liking, 1..9.
    """
    mood = _MOOD * strengths["persistence"]
    own = (rng.standard_normal((N_TRIALS, 4)) + mood * session.mood) / math.hypot(1, mood)
    taste = 0.6 * stimuli + 0.8 * own
    taste[:, 2] = 0.4 * taste[:, 0] + 0.3 * taste[:, 1] + math.sqrt(0.75) * taste[:, 2]
    taste[:, 3] = 0.6 * taste[:, 0] + 0.8 * taste[:, 3]
    spread = 2.1 * np.exp(0.15 * rng.standard_normal(4))
    shift: NDArray[np.float64] = np.r_[0, 0, rng.normal(0.2, 0.3, 2)]
    for column, high in enumerate(_HIGH):
        ranked = np.sort(taste[:, column])
        shift[column] = -(ranked[-high - 1] + ranked[-high]) / 2
    shift[:2] += _HABIT * strengths["habit"] * session.habit
    return np.clip(5 + spread * (taste + shift), 1, 9)
