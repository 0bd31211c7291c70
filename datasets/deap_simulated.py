"""`deap-simulated`: made-up recordings in the shape of DEAP, for where no copy of DEAP is at hand.

Every number comes from a seeded generator; nobody was measured. The signals follow published models of
their physiology, and three strengths set apart what a classifier can find in them: who it is, which
trial it is, and what was rated. The defaults are set so that, as on real recordings, the trial is easy to
recognise and the rating hardly at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.datasets._physiology import make_signals
from bench.datasets.deap import (
    BASELINE_SECONDS,
    CHANNELS,
    COLUMNS,
    CREDIT_SIMULATED,
    DATA_SHAPE,
    RATINGS,
    SAMPLING_RATE,
    SUBJECTS,
    write_deap_file,
)
from bench.recordings import DataError, Recordings
from bench.registry import register_dataset

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

__all__ = ["deap_simulated", "write_deap_folder"]

N_TRIALS, _, N_SAMPLES = DATA_SHAPE

# Ratings above 5 among the 40 of every subject: the shares of DEAP, .55 for valence and .58 for arousal.
# The same number for everybody, so that recognising the subject says nothing about the class.
_HIGH = (22, 23)


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
        signals[rows] = make_signals(ratings[rows], rng, strengths)
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
        credit=CREDIT_SIMULATED,
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
        Where to; made if need be. No file ``sNN.dat`` or ``sNN.mat`` may be in it.
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
        If such a file is there: nothing is written then, lest real recordings are lost or mixed with these.
    """
    chosen = _check_subjects(subjects)
    folder = Path(folder)
    paths = [folder / f"s{subject:02d}.dat" for subject in chosen]
    for there in sorted(folder.glob("s[0-9][0-9].[dm]at")):
        raise DataError(f"{there} exists: simulated recordings go to a folder of their own")
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
        data = np.zeros(DATA_SHAPE)
        data[:, COLUMNS] = recordings.signals
        labels = recordings.trials[list(RATINGS)].to_numpy()
        write_deap_file(path, data, labels, simulated=True)
        if progress is not None:
            progress(done, len(paths))
    return paths


def _check_subjects(subjects: Sequence[int] | None) -> list[int]:
    chosen = sorted(set(SUBJECTS if subjects is None else subjects))
    if not chosen:
        raise DataError("deap-simulated: no subject is asked for")
    for subject in chosen:
        if subject not in SUBJECTS:
            raise DataError(f"deap-simulated: there is no subject {subject!r}; the subjects are 1 to 32")
    return [int(subject) for subject in chosen]


def _stimuli(seed: int) -> NDArray[np.float64]:
    """Return what the 40 stimuli call for in everybody: standard scores, shape (40, 4)."""
    # 0 is no subject's number, hence the stream of nobody.
    return np.random.default_rng(np.random.SeedSequence([seed, 0])).standard_normal((N_TRIALS, 4))


def _make_ratings(stimuli: NDArray[np.float64], rng: Generator) -> NDArray[np.float64]:
    """One subject's ratings, 1..9: stimulus, own taste of the moment, own use of the scale."""
    taste = 0.6 * stimuli + 0.8 * rng.standard_normal((N_TRIALS, 4))
    taste[:, 2] = 0.4 * taste[:, 0] + 0.3 * taste[:, 1] + math.sqrt(0.75) * taste[:, 2]
    taste[:, 3] = 0.6 * taste[:, 0] + 0.8 * taste[:, 3]
    spread = 2.1 * np.exp(0.15 * rng.standard_normal(4))
    shift: NDArray[np.float64] = np.r_[0, 0, rng.normal(0.2, 0.3, 2)]
    for column, high in enumerate(_HIGH):
        ranked = np.sort(taste[:, column])
        shift[column] = -(ranked[-high - 1] + ranked[-high]) / 2
    return np.clip(5 + spread * (taste + shift), 1, 9)
