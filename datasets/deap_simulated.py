"""`deap-simulated`: made-up recordings in the shape of DEAP, for where no copy of DEAP is at hand.

Every number comes from a seeded generator; nobody was measured. The signals follow published models of
their physiology, and three strengths set apart what a classifier can find in them: who it is, which
trial it is, and what was rated. The defaults are set so that, as on real recordings, the trial is easy to
recognise and the rating hardly at all.

References
----------
Dawson, Schell and Filion (2007), The electrodermal system, in Handbook of Psychophysiology, 3rd ed.:
skin conductance 2-20 uS, responses of 0.1-1 uS. Greco et al. (2016), IEEE Trans. Biomed. Eng. 63:797:
biexponential (Bateman) response, time constants 0.7 and 2 s. Tang et al. (2020), Scientific Reports
10:13883, table 1: the pulse wave as two Gaussians. McSharry et al. (2003), IEEE Trans. Biomed. Eng.
50:289: heart rate with respiratory sinus arrhythmia and a Mayer wave at 0.1 Hz. Kreibig (2010),
Biological Psychology 84:394: directions in which emotion moves each signal. Koelstra et al. (2012), IEEE
Trans. Affective Computing 3:18: DEAP itself. The sizes of all spreads and effects are this project's choice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench.recordings import DataError, Recordings
from bench.registry import register_dataset

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

CHANNELS = ("GSR (Ohm)", "respiration (a.u.)", "PPG (a.u.)", "temperature (a.u.)")
RATINGS = ("valence", "arousal", "dominance", "liking")
SUBJECTS = range(1, 33)
N_TRIALS = 40
SAMPLING_RATE = 128
BASELINE_SECONDS = 3
N_SAMPLES = 63 * SAMPLING_RATE
CREDIT = "Simulated recordings in the shape of DEAP, made by mlstm-bench: no measurement of any person."

# Ratings above 5 among the 40 of every subject: the shares of DEAP, .55 for valence and .58 for arousal.
# The same number for everybody, so that recognising the subject says nothing about the class.
_HIGH = (22, 23)


class _Dial(NamedTuple):
    """One quantity of the body: its centre and what one standard deviation of each influence adds."""

    centre: float
    subject: float
    trial: float
    arousal: float = 0.0
    valence: float = 0.0


# Natural logarithms except where a unit is given; the effects are per 2 points of rating.
_DIALS = {
    "conductance": _Dial(math.log(6), 0.40, 0.12),  # tonic level, uS
    "conductance_trend": _Dial(0, 0, 0.03),  # per minute
    "response_rate": _Dial(math.log(5), 0.30, 0.30, arousal=0.30),  # skin conductance responses a minute
    "response_size": _Dial(math.log(0.25), 0.30, 0.20, arousal=0.10),  # uS
    "heart_rate": _Dial(math.log(72), 0.10, 0.05, arousal=0.02),  # beats a minute
    "arrhythmia": _Dial(math.log(0.03), 0.30, 0.15, valence=0.15),  # respiratory, as a share of heart rate
    "pulse": _Dial(0, 0.30, 0.15, valence=0.05),  # height of the pulse wave
    "breathing_rate": _Dial(math.log(15), 0.12, 0.08, arousal=0.04),  # breaths a minute
    "depth": _Dial(0, 0.30, 0.15, valence=0.05),  # of a breath
    "belt": _Dial(0, 0.30, 0.15),  # where the belt sits; a.u.
    "temperature": _Dial(32.5, 1.2, 0.25, arousal=-0.08),  # of the finger, degrees Celsius
    "temperature_trend": _Dial(0, 0, 0.06),  # degrees a minute
}


@register_dataset(
    "deap-simulated",
    description="Made-up GSR, respiration, PPG and temperature in the shape of DEAP: 32 x 40 trials of 63 s",
    licence="none needed: made by this program",
    where="generated on the spot",
    needs_root=False,
)
def deap_simulated(
    root: Path | None = None,
    *,
    subjects: Sequence[int] | None = None,
    seed: int = 0,
    subject_strength: float = 1.0,
    trial_strength: float = 1.0,
    effect_strength: float = 1.0,
) -> Recordings:
    """Make recordings in the shape of DEAP's peripheral signals; they measure nobody.

    A subject depends on `seed` and its own number only: number 5 is the same whichever others are made.
    The strengths multiply parts of the same random draws: 0 switches a part off and leaves the rest alone.

    Parameters
    ----------
    root : Path, optional
        Not used; there are no files.
    subjects : sequence of int, optional
        Which of 1..32; by default all.
    seed : int, default 0
        Seed of everything; not negative.
    subject_strength : float, default 1
        Lasting differences between people, of level, rate and amplitude.
    trial_strength : float, default 1
        Differences between trials that have nothing to do with the rating: what lets a classifier
        recognise the trial when its windows are on both sides of a split.
    effect_strength : float, default 1
        What the ratings do to the signals from the start of the stimulus on. Arousal: more and larger
        skin conductance responses, faster heart and breath, colder finger. Valence: deeper breath,
        higher pulse wave, more respiratory arrhythmia.

    Returns
    -------
    Recordings
        Signals of shape (40 x n_subjects, 4, 8064), float32, at 128 Hz: skin resistance (Ohm),
        respiration, PPG and skin temperature. Columns subject, trial (1..40), stimulus (1..40, the same
        as the trial), valence, arousal, dominance and liking (continuous, 1..9).

    Raises
    ------
    DataError
        If a subject, the seed or a strength is out of range.
    """
    import pandas as pd

    chosen = _check_subjects(subjects)
    if seed < 0:
        raise DataError(f"deap-simulated: seed {seed}: must not be negative")
    strengths = {"subject": subject_strength, "trial": trial_strength, "effect": effect_strength}
    for name, value in strengths.items():
        if not 0 <= value <= 10:
            raise DataError(f"deap-simulated: {name}_strength {value}: must lie in 0..10")

    signals = np.empty((len(chosen) * N_TRIALS, len(CHANNELS), N_SAMPLES), np.float32)
    ratings = np.empty((len(chosen) * N_TRIALS, len(RATINGS)))
    for i, subject in enumerate(chosen):
        rng = np.random.default_rng(np.random.SeedSequence([seed, subject]))
        rows = slice(i * N_TRIALS, (i + 1) * N_TRIALS)
        ratings[rows] = _make_ratings(_stimuli(seed), rng)
        signals[rows] = _make_signals(ratings[rows], rng, strengths)
    number = np.tile(np.arange(1, N_TRIALS + 1), len(chosen))
    trials = pd.DataFrame(
        {
            "subject": np.repeat(chosen, N_TRIALS),
            "trial": number,
            "stimulus": number,
            **dict(zip(RATINGS, ratings.T, strict=True)),
        }
    )
    return Recordings(
        name="deap-simulated",
        signals=signals,
        channels=CHANNELS,
        sampling_rate=SAMPLING_RATE,
        trials=trials,
        baseline_seconds=BASELINE_SECONDS,
        simulated=True,
        credit=CREDIT,
    )


def write_deap_folder(
    folder: Path,
    *,
    subjects: Sequence[int] | None = None,
    seed: int = 0,
    progress: Callable[[int, int], object] | None = None,
) -> list[Path]:
    """Write simulated recordings as files of DEAP's own format, to try what reads such files.

    Parameters
    ----------
    folder : Path
        Where to; made if need be.
    subjects : sequence of int, optional
        Which of 1..32; by default all. A file takes about 103 MB.
    seed : int, default 0
        As of `deap_simulated`.
    progress : callable, optional
        Called as ``progress(files written, files in all)`` after each file.

    Returns
    -------
    list of Path
        The files ``sNN.dat``: the four signals in channels 36 to 39, zeros in the EEG, EOG and EMG
        channels. Beside them, ``SIMULATED.txt`` says what they are.

    Raises
    ------
    DataError
        If one of the files exists: nothing is written then, lest real recordings are lost.
    """
    from bench.datasets.deap import write_deap_file

    chosen = _check_subjects(subjects)
    folder = Path(folder)
    paths = [folder / f"s{subject:02d}.dat" for subject in chosen]
    for path in paths:
        if path.exists():
            raise DataError(f"{path}: exists already and is not overwritten; give an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    # First of all, so that not even a broken-off run leaves files that nothing declares simulated.
    (folder / "SIMULATED.txt").write_text(
        "The sNN.dat files in this folder are not DEAP.\n"
        "They are simulated recordings in DEAP's file format, made by the program mlstm-bench "
        f"(data set deap-simulated, seed {seed}).\n"
        "Nobody was measured: no result computed from them says anything about people.\n",
        encoding="utf-8",
    )
    for done, (subject, path) in enumerate(zip(chosen, paths, strict=True), start=1):
        recordings = deap_simulated(subjects=[subject], seed=seed)
        data = np.zeros((N_TRIALS, 40, N_SAMPLES))
        data[:, 36:40] = recordings.signals
        labels = recordings.trials[list(RATINGS)].to_numpy()
        write_deap_file(path, data, labels, simulated=True)
        if progress is not None:
            progress(done, len(paths))
    return paths


def _check_subjects(subjects: Sequence[int] | None) -> list[int]:
    chosen = list(SUBJECTS if subjects is None else subjects)
    if not chosen:
        raise DataError("deap-simulated: no subject asked for")
    for subject in chosen:
        if subject not in SUBJECTS:
            raise DataError(f"deap-simulated: there is no subject {subject!r}; there are 1 to 32")
    if len(set(chosen)) < len(chosen):
        raise DataError(f"deap-simulated: a subject is asked for twice: {chosen}")
    return [int(subject) for subject in chosen]


def _stimuli(seed: int) -> NDArray[np.float64]:
    """What the 40 stimuli call for in everybody: standard scores, shape (40, 4)."""
    # 0 is no subject's number, hence the stream of nobody.
    return np.random.default_rng(np.random.SeedSequence([seed, 0])).standard_normal((N_TRIALS, 4))


def _make_ratings(stimuli: NDArray[np.float64], rng: Generator) -> NDArray[np.float64]:
    """One subject's ratings, 1..9: stimulus, own taste of the moment, own use of the scale."""
    taste = 0.6 * stimuli + 0.8 * rng.standard_normal((N_TRIALS, 4))
    taste[:, 2] = 0.4 * taste[:, 0] + 0.3 * taste[:, 1] + math.sqrt(0.75) * taste[:, 2]
    taste[:, 3] = 0.6 * taste[:, 0] + 0.8 * taste[:, 3]
    spread = 2.1 * np.exp(0.15 * rng.standard_normal(4))
    shift = np.r_[0, 0, rng.normal(0.2, 0.3, 2)]
    for column, high in enumerate(_HIGH):
        ranked = np.sort(taste[:, column])
        shift[column] = -(ranked[-high - 1] + ranked[-high]) / 2
    return np.clip(5 + spread * (taste + shift), 1, 9)


def _make_signals(
    ratings: NDArray[np.float64], rng: Generator, strengths: dict[str, float]
) -> NDArray[np.float32]:
    """One subject's signals, shape (40, 4, 8064)."""
    # Without a stimulus there is nothing to feel: the effect sets in after the baseline, within seconds.
    time = np.arange(N_SAMPLES) / SAMPLING_RATE
    onset = -np.expm1(-np.maximum(time - BASELINE_SECONDS, 0) / 3)
    valence, arousal = ((ratings[:, :2] - 5) / 2).T[:, :, None]
    dial = {}
    for name, (centre, by_subject, by_trial, by_arousal, by_valence) in _DIALS.items():
        # Nobody is further than 2.5 deviations out, so that every rate stays one that a body can have.
        person = np.clip(rng.standard_normal(), -2.5, 2.5)
        moment = np.clip(rng.standard_normal((N_TRIALS, 1)), -2.5, 2.5)
        level = centre + strengths["subject"] * by_subject * person + strengths["trial"] * by_trial * moment
        dial[name] = level + strengths["effect"] * (by_arousal * arousal + by_valence * valence) * onset

    chest, breath = _respiration(dial, rng)
    signals = np.empty((N_TRIALS, len(CHANNELS), N_SAMPLES), np.float32)
    signals[:, 0] = _skin_resistance(dial, time, rng)
    signals[:, 1] = chest
    signals[:, 2] = _pulse_wave(dial, time, breath, rng)
    drift = dial["temperature_trend"] * (time - time.mean()) / 60
    signals[:, 3] = dial["temperature"] + drift + 0.04 * _wander(rng, 3) + _noise(rng, 0.003)
    return signals


def _skin_resistance(dial: dict, time: NDArray, rng: Generator) -> NDArray:
    """Tonic level and Poisson-timed biexponential responses, as resistance in Ohm."""
    from scipy.signal import lfilter

    # Responses from before the recording still decay in it.
    before = 12 * SAMPLING_RATE
    early = ((0, 0), (before, 0))
    rate = np.pad(np.exp(dial["response_rate"]) + 0 * time, early, "edge")
    happens = rng.random((N_TRIALS, before + N_SAMPLES)) < rate / (60 * SAMPLING_RATE)
    which = np.nonzero(happens)
    size = np.zeros(happens.shape)
    size[which] = np.exp(0.5 * rng.standard_normal(len(which[0])))
    fall, rise = 2.0, 0.7  # time constants, s
    peak = math.log(fall / rise) * fall * rise / (fall - rise)
    a, b = (math.exp(-1 / (SAMPLING_RATE * constant)) for constant in (fall, rise))
    shape = lfilter([0, (a - b)], [1, -(a + b), a * b], size)[:, before:]
    responses = shape / (math.exp(-peak / fall) - math.exp(-peak / rise))
    tonic = dial["conductance"] + dial["conductance_trend"] * (time - time.mean()) / 60
    tonic = np.exp(tonic + 0.01 * _wander(rng, 3))
    conductance = tonic + np.exp(dial["response_size"]) * responses + _noise(rng, 0.001)
    return 1e6 / np.clip(conductance, 0.5, 100)


def _respiration(dial: dict, rng: Generator) -> tuple[NDArray, NDArray]:
    """The belt's signal, and the breath itself between -1 (out) and 1 (in)."""
    rate = np.clip(np.exp(dial["breathing_rate"] + 0.08 * _wander(rng, 2)), 5, 40)
    phase = 2 * np.pi * (rng.random((N_TRIALS, 1)) + rate.cumsum(axis=1) / (60 * SAMPLING_RATE))
    breath = np.sin(phase + 0.35 * np.sin(phase))  # in takes two thirds of the time that out takes
    depth = np.exp(dial["depth"] + 0.15 * _wander(rng, 2))
    return dial["belt"] + depth * breath + 0.1 * _wander(rng, 3) + _noise(rng, 0.01), breath


def _pulse_wave(dial: dict, time: NDArray, breath: NDArray, rng: Generator) -> NDArray:
    """The plethysmograph: a wave a beat, at a rate that follows breath and blood pressure."""
    mayer = np.sin(2 * np.pi * (0.1 * time + rng.random((N_TRIALS, 1)))) * np.exp(0.3 * _wander(rng, 3))
    swing = np.exp(dial["arrhythmia"]) * breath + 0.02 * mayer + 0.02 * _wander(rng, 2)
    rate = np.clip(np.exp(dial["heart_rate"]) * (1 + swing), 40, 160)
    beat = rng.random((N_TRIALS, 1)) + rate.cumsum(axis=1) / (60 * SAMPLING_RATE)
    angle = np.linspace(-np.pi, np.pi, 512)
    wave = np.zeros(512)
    for height, centre, width in ((1.0, -1.5161, 0.6303), (0.1999, 0.8186, 1.0225)):
        away = (angle - centre + np.pi) % (2 * np.pi) - np.pi
        wave += height * np.exp(-0.5 * (away / width) ** 2)
    pulse = np.interp(beat % 1, np.linspace(0, 1, 512), wave - wave.mean())
    height = np.exp(dial["pulse"] + 0.10 * _wander(rng, 2)) * (1 - 0.05 * breath)
    return height * pulse + 0.08 * breath + 0.08 * _wander(rng, 2) + _noise(rng, 0.01)


def _wander(rng: Generator, seconds: float) -> NDArray[np.float64]:
    """Aimless slow change: smooth unit-variance noise, shape (40, 8064), forgotten in a few `seconds`."""
    from scipy.signal import lfilter

    step = SAMPLING_RATE // 4  # four knots a second, straight lines between: all that is slow is in them
    before, n_knots = 100, N_SAMPLES // step + 1
    m = math.exp(-0.25 / seconds)
    gain = math.sqrt((1 - m * m) ** 3 / (1 + m * m))
    fresh = rng.standard_normal((N_TRIALS, before + n_knots))
    knots = lfilter([gain], [1, -2 * m, m * m], fresh)[:, before:, None]
    return (knots[:, :-1] + np.diff(knots, axis=1) * (np.arange(step) / step)).reshape(N_TRIALS, -1)


def _noise(rng: Generator, deviation: float) -> NDArray[np.float32]:
    """The amplifier's noise."""
    return np.float32(deviation) * rng.standard_normal((N_TRIALS, N_SAMPLES), np.float32)
