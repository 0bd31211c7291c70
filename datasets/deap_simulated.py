"""`deap-simulated`: made-up recordings in the shape of DEAP, for where no copy of DEAP is at hand.

Every number comes from a seeded generator; nobody was measured. The signals follow published models of
their physiology, and strengths set apart what a classifier can find in them: who it is, which trial it
is, when in the session it was, and what was rated; and what the person and the place in the session tell of a
rating without any signal. The defaults are set so that, as on real recordings, the trial is easy to recognise
and the rating hardly at all, while people rate by habit and rate alike what they meet one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.datasets._deap_files import SESSIONS, SUBJECTS
from bench.datasets._deap_sessions import add_order, site_of
from bench.datasets._physiology import N_DIALS, make_signals
from bench.datasets._simulated_sessions import make_ratings, make_session
from bench.datasets.deap import (
    BASELINE_SECONDS,
    CHANNELS,
    COLUMNS,
    CREDIT_SIMULATED,
    DATA_SHAPE,
    RATINGS,
    SAMPLING_RATE,
    write_deap_file,
)
from bench.recordings import DataError, Recordings
from bench.registry import register_dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["deap_simulated", "write_deap_folder"]

N_TRIALS, _, N_SAMPLES = DATA_SHAPE


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
    habit_strength: float = 1.0,
    persistence_strength: float = 1.0,
    drift_strength: float = 1.0,
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
        Differences between trials that have nothing to do with the rating or the place in the session, of
        rate and amplitude: with the drift, what lets a classifier recognise the trial when its windows are
        on both sides of a split.
    effect_strength : float, default 1
        What the ratings do to the signals from the start of the stimulus on. Arousal: more and larger
        skin conductance responses, faster heart and breath, colder finger. Valence: deeper breath,
        higher pulse wave, more respiratory arrhythmia.
    habit_strength : float, default 1
        How far people differ in the share of what they rate high: knowing the person tells of the class.
        With 0, 22 of everybody's 40 trials are above 5 in valence, and 23 in arousal.
    persistence_strength : float, default 1
        How much of a rating lasts into the trials that follow in the session: knowing the class of a
        neighbouring trial tells of the class.
    drift_strength : float, default 1
        Slow change over the session, whatever the ratings, of skin conductance and temperature above all:
        what lets a classifier recognise neighbouring trials.

    Returns
    -------
    Recordings
        Signals of shape (40 x n_subjects, 4, 8064), float32, at 128 Hz: skin resistance (Ohm),
        respiration, PPG and skin temperature. Columns subject, trial (1..40), stimulus (1..40, the same
        as the trial), order (1..40, its place in the session, drawn for each subject), site (Twente or
        Geneva), valence, arousal, dominance and liking (continuous, 1..9).

    Raises
    ------
    DataError
        If a subject, the seed or a strength is out of range.
    """
    import pandas as pd

    chosen = _check_subjects(subjects)
    if seed < 0:
        raise DataError(f"deap-simulated: seed {seed}: must not be negative")
    strengths = {
        "subject": subject_strength,
        "trial": trial_strength,
        "effect": effect_strength,
        "habit": habit_strength,
        "persistence": persistence_strength,
        "drift": drift_strength,
    }
    for name, value in strengths.items():
        if not 0 <= value <= 10:
            raise DataError(f"deap-simulated: {name}_strength {value}: must lie in 0..10")

    signals = np.empty((len(chosen) * N_TRIALS, len(CHANNELS), N_SAMPLES), np.float32)
    ratings = np.empty((len(chosen) * N_TRIALS, len(RATINGS)))
    order = np.empty(len(chosen) * N_TRIALS, np.int64)
    for i, subject in enumerate(chosen):
        own = np.random.SeedSequence([seed, subject])
        # The session has a stream of its own, so that ratings and signals without it are drawn alike.
        session = make_session(np.random.default_rng(own.spawn(1)[0]), N_DIALS)
        rng = np.random.default_rng(own)
        rows = slice(i * N_TRIALS, (i + 1) * N_TRIALS)
        order[rows] = session.order
        ratings[rows] = make_ratings(_stimuli(seed), session, rng, strengths)
        signals[rows] = make_signals(ratings[rows], session.drift, rng, strengths)
    number = np.tile(np.arange(1, N_TRIALS + 1), len(chosen))
    trials = pd.DataFrame(
        {
            "subject": np.repeat(chosen, N_TRIALS),
            "trial": number,
            "stimulus": number,
            "order": order,
            "site": [site_of(subject) for subject in np.repeat(chosen, N_TRIALS)],
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
        Where to; made if need be. No ``sNN.dat``, ``sNN.mat`` or ``participant_ratings.csv`` may be in it.
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
        channels. Beside them, ``participant_ratings.csv`` tells the order of the sessions, and
        ``SIMULATED.txt`` what all this is.

    Raises
    ------
    DataError
        If such a file is there: nothing is written then, lest real recordings are lost or mixed with these.
    """
    chosen = _check_subjects(subjects)
    folder = Path(folder)
    paths = [folder / f"s{subject:02d}.dat" for subject in chosen]
    for there in [*sorted(folder.glob("s[0-9][0-9].[dm]at")), *folder.glob(SESSIONS)]:
        raise DataError(f"{there} exists: simulated recordings go to a folder of their own")
    folder.mkdir(parents=True, exist_ok=True)
    # First of all, so that not even a broken-off run leaves files that nothing declares simulated.
    (folder / "SIMULATED.txt").write_text(
        f"The sNN.dat files and {SESSIONS} in this folder are not DEAP.\n"
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
        add_order(folder / SESSIONS, recordings.trials)
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
