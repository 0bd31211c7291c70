"""Models of skin conductance, breath, pulse and skin temperature, for `deap-simulated`.

References
----------
Dawson, Schell and Filion (2007), The electrodermal system, in Handbook of Psychophysiology, 3rd ed.:
skin conductance 2-20 uS, responses of 0.1-1 uS. Greco et al. (2016), IEEE Trans. Biomed. Eng. 63:797:
biexponential (Bateman) response, time constants 0.7 and 2 s. Tang et al. (2020), Scientific Reports
10:13883, table 1: the pulse wave as two Gaussians. McSharry et al. (2003), IEEE Trans. Biomed. Eng.
50:289: heart rate with respiratory sinus arrhythmia and a Mayer wave at 0.1 Hz. Kreibig (2010),
Biological Psychology 84:394: what emotion does to these signals. The sizes of all spreads and effects,
and the signature of valence, are this project's choice.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench.datasets.deap import BASELINE_SECONDS, DATA_SHAPE, SAMPLING_RATE

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Signals = NDArray[np.float64]  # of shape (40, 8064), one row a trial
    Dials = dict[str, Signals]

N_TRIALS, _, N_SAMPLES = DATA_SHAPE


class _Dial(NamedTuple):
    """One quantity of the body: its centre and what one standard deviation of each influence adds."""

    centre: float
    subject: float
    trial: float
    arousal: float = 0.0
    valence: float = 0.0
    drift: float = 0.0


# Natural logarithms except where a unit is given; the effects are per 2 points of rating. What differs from trial
# to trial in the levels of skin conductance and temperature is mostly drift, as on recordings.
_DIALS = {
    "conductance": _Dial(math.log(6), 0.40, 0.01, drift=0.25),  # tonic level, uS
    "conductance_trend": _Dial(0, 0, 0.03),  # per minute
    # Skin conductance responses a minute.
    "response_rate": _Dial(math.log(5), 0.30, 0.30, arousal=0.30, drift=0.10),
    "response_size": _Dial(math.log(0.25), 0.30, 0.20, arousal=0.10),  # uS
    "heart_rate": _Dial(math.log(72), 0.10, 0.05, arousal=0.02, drift=0.02),  # beats a minute
    "arrhythmia": _Dial(math.log(0.03), 0.30, 0.15, valence=0.15),  # respiratory, as a share of heart rate
    "pulse": _Dial(0, 0.30, 0.15, valence=0.07, drift=0.05),  # height of the pulse wave
    "breathing_rate": _Dial(math.log(15), 0.12, 0.08, arousal=0.04, drift=0.03),  # breaths a minute
    "depth": _Dial(0, 0.30, 0.15, valence=0.07),  # of a breath
    "belt": _Dial(0, 0.30, 0.15, drift=0.05),  # where the belt sits; a.u.
    "temperature": _Dial(32.5, 1.2, 0.02, arousal=-0.08, drift=0.35),  # of the finger, degrees Celsius
    "temperature_trend": _Dial(0, 0, 0.06),  # degrees a minute
}
N_DIALS = len(_DIALS)


def make_signals(
    ratings: NDArray[np.float64], drift: NDArray[np.float64], rng: Generator, strengths: dict[str, float]
) -> NDArray[np.float32]:
    """Make one subject's signals.

    Parameters
    ----------
    ratings : ndarray of shape (40, 4)
        Valence and arousal, 1..9, in the first two columns.
    drift : ndarray of shape (N_DIALS, 40)
        What wanders in each dial from trial to trial along the session: mean 0, variance 1.
    rng : Generator
        Drawn from in the same order whatever the strengths.
    strengths : dict
        Factors of what comes from the ``subject``, the ``trial``, the ``drift`` and the ``effect`` of the ratings.

    Returns
    -------
    ndarray of shape (40, 4, 8064), float32
        Skin resistance (Ohm), respiration, PPG (arbitrary units) and skin temperature (degrees Celsius).
    """
    # Without a stimulus there is nothing to feel: the effect sets in after the baseline, within seconds.
    time = np.arange(N_SAMPLES) / SAMPLING_RATE
    onset = -np.expm1(-np.maximum(time - BASELINE_SECONDS, 0) / 3)
    valence, arousal = ((ratings[:, :2] - 5) / 2).T[:, :, None]
    dial: Dials = {}
    for walk, (name, own) in zip(drift[:, :, None], _DIALS.items(), strict=True):
        # Nobody is further than 2.5 deviations out, so that every rate stays one that a body can have.
        person = np.clip(rng.standard_normal(), -2.5, 2.5)
        moment = np.clip(rng.standard_normal((N_TRIALS, 1)), -2.5, 2.5)
        level = own.centre + strengths["subject"] * own.subject * person
        level = level + strengths["trial"] * own.trial * moment + strengths["drift"] * own.drift * walk
        dial[name] = level + strengths["effect"] * (own.arousal * arousal + own.valence * valence) * onset

    chest, breath = _respiration(dial, rng)
    signals = np.empty((N_TRIALS, 4, N_SAMPLES), np.float32)
    signals[:, 0] = _skin_resistance(dial, time, rng)
    signals[:, 1] = chest
    signals[:, 2] = _pulse_wave(dial, time, breath, rng)
    drift = dial["temperature_trend"] * (time - time.mean()) / 60
    signals[:, 3] = dial["temperature"] + drift + 0.04 * _wander(rng, 3) + _noise(rng, 0.003)
    return signals


def _skin_resistance(dial: Dials, time: NDArray[np.float64], rng: Generator) -> Signals:
    """Tonic level and Poisson-timed biexponential responses, as resistance in Ohm."""
    from scipy.signal import lfilter

    # Responses from before the recording still decay in it.
    before = 12 * SAMPLING_RATE
    rate = np.pad(np.exp(dial["response_rate"]), ((0, 0), (before, 0)), "edge")
    happens = rng.random(rate.shape) < rate / (60 * SAMPLING_RATE)
    size = happens * np.exp(0.5 * rng.standard_normal(rate.shape, np.float32))
    fall, rise = 2.0, 0.7  # time constants, s
    peak = math.log(fall / rise) * fall * rise / (fall - rise)
    a, b = (math.exp(-1 / (SAMPLING_RATE * constant)) for constant in (fall, rise))
    shape = lfilter([0, a - b], [1, -(a + b), a * b], size)[:, before:]
    responses = shape / (math.exp(-peak / fall) - math.exp(-peak / rise))
    tonic = dial["conductance"] + dial["conductance_trend"] * (time - time.mean()) / 60
    tonic = np.exp(tonic + 0.01 * _wander(rng, 3))
    conductance: Signals = tonic + np.exp(dial["response_size"]) * responses + _noise(rng, 0.001)
    return 1e6 / np.clip(conductance, 0.5, 100)


def _respiration(dial: Dials, rng: Generator) -> tuple[Signals, Signals]:
    """Return the belt's signal, and the breath itself between -1 (out) and 1 (in)."""
    rate = np.clip(np.exp(dial["breathing_rate"] + 0.08 * _wander(rng, 2)), 5, 40)
    phase = 2 * np.pi * (rng.random((N_TRIALS, 1)) + rate.cumsum(axis=1) / (60 * SAMPLING_RATE))
    breath = np.sin(phase + 0.35 * np.sin(phase))  # in takes two thirds of the time that out takes
    depth = np.exp(dial["depth"] + 0.15 * _wander(rng, 2))
    return dial["belt"] + depth * breath + 0.1 * _wander(rng, 3) + _noise(rng, 0.01), breath


def _pulse_wave(dial: Dials, time: NDArray[np.float64], breath: Signals, rng: Generator) -> Signals:
    """Return the plethysmograph's signal: a wave a beat, at a rate that follows breath and blood pressure."""
    mayer = np.sin(2 * np.pi * (0.1 * time + rng.random((N_TRIALS, 1)))) * np.exp(0.3 * _wander(rng, 3))
    swing = np.exp(dial["arrhythmia"]) * breath + 0.02 * mayer + 0.02 * _wander(rng, 2)
    rate = np.clip(np.exp(dial["heart_rate"]) * (1 + swing), 40, 160)
    beat = rng.random((N_TRIALS, 1)) + rate.cumsum(axis=1) / (60 * SAMPLING_RATE)
    angle = np.linspace(-np.pi, np.pi, 512)
    wave = np.zeros(512)
    for peak, centre, width in ((1.0, -1.5161, 0.6303), (0.1999, 0.8186, 1.0225)):
        away = (angle - centre + np.pi) % (2 * np.pi) - np.pi
        wave += peak * np.exp(-0.5 * (away / width) ** 2)
    pulse: Signals = np.interp(beat % 1, np.linspace(0, 1, 512), wave - wave.mean())
    height = np.exp(dial["pulse"] + 0.10 * _wander(rng, 2)) * (1 - 0.05 * breath)
    return height * pulse + 0.08 * breath + 0.08 * _wander(rng, 2) + _noise(rng, 0.01)


def _wander(rng: Generator, seconds: float) -> Signals:
    """Aimless slow change: smooth unit-variance noise, shape (40, 8064), forgotten in a few `seconds`."""
    from scipy.signal import lfilter

    step = SAMPLING_RATE // 4  # four knots a second, straight lines between: all that is slow is in them
    before, n_knots = 100, N_SAMPLES // step + 1
    m = math.exp(-0.25 / seconds)
    gain = math.sqrt((1 - m * m) ** 3 / (1 + m * m))
    fresh = rng.standard_normal((N_TRIALS, before + n_knots))
    knots = lfilter([gain], [1, -2 * m, m * m], fresh)[:, before:, None]
    lines: NDArray[np.float64] = knots[:, :-1] + np.diff(knots, axis=1) * (np.arange(step) / step)
    return lines.reshape(N_TRIALS, -1)


def _noise(rng: Generator, deviation: float) -> NDArray[np.float32]:
    """Return the amplifier's noise, shape (40, 8064)."""
    return np.float32(deviation) * rng.standard_normal((N_TRIALS, N_SAMPLES), np.float32)
