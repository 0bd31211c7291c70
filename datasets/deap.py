"""`deap`: the peripheral signals of DEAP, from the preprocessed files of the official distribution.

Read are ``data_preprocessed_python`` (s01.dat to s32.dat) or ``data_preprocessed_matlab`` (s01.mat to
s32.mat). Shapes, order of channels and trials, and scales of the ratings are from the data set's own page,
https://www.eecs.qmul.ac.uk/mmv/datasets/deap/readme.html.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.datasets._deap_files import (
    SUBJECTS,
    TRIALS,
    sessions_file,
    sessions_spreadsheet,
    subject_files,
)
from bench.datasets._deap_sessions import read_order, site_of
from bench.datasets._subjects import choose_subjects
from bench.recordings import DataError, Recordings
from bench.registry import register_dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SUBJECTS", "deap", "deap_files", "write_deap_file"]

DATA_SHAPE = (40, 40, 8064)  # trial, channel, sample
LABELS_SHAPE = (40, 4)  # trial, rating
RATINGS = ("valence", "arousal", "dominance", "liking")
CHANNELS = ("GSR (Ohm)", "respiration (a.u.)", "PPG (a.u.)", "temperature (a.u.)")
COLUMNS = slice(36, 40)  # of the 40 channels, counted from 0
SAMPLING_RATE = 128
BASELINE_SECONDS = 3
CREDIT = (
    "DEAP: S. Koelstra, C. Muehl, M. Soleymani, J.-S. Lee, A. Yazdani, T. Ebrahimi, T. Pun, A. Nijholt and "
    "I. Patras (2012), DEAP: A Database for Emotion Analysis using Physiological Signals, IEEE Transactions "
    "on Affective Computing 3(1):18-31, doi 10.1109/T-AFFC.2011.15. Under an end-user licence agreement; "
    "not to be redistributed."
)
CREDIT_SIMULATED = "Simulated recordings in the file format of DEAP: no measurement of any person."


def deap_files(root: Path) -> list[Path]:
    """Return the files that `deap` would choose from: the subjects', then the sessions'; nothing is read.

    Parameters
    ----------
    root : Path
        As for `deap`.

    Returns
    -------
    list of Path
        At least one file.

    Raises
    ------
    DataError
        If there is no such folder, no subject file in it, or files of both formats.
    """
    files = list(subject_files(root).values())
    sessions = sessions_file(files[0].parent)
    return files if sessions is None else [*files, sessions]


@register_dataset(
    "deap",
    description="GSR, respiration, PPG and temperature of 32 people watching 40 music videos, self-rated",
    licence="end-user licence agreement of the DEAP authors; not to be redistributed",
    where="https://www.eecs.qmul.ac.uk/mmv/datasets/deap/: sign the agreement, get data_preprocessed_python",
    env="DEAP_ROOT",
    fallback="deap-simulated",
    files=deap_files,
)
def deap(root: Path, *, subjects: Sequence[int] | None = None) -> Recordings:
    """Read the peripheral signals and ratings of DEAP.

    Parameters
    ----------
    root : Path
        The folder ``data_preprocessed_python`` or ``data_preprocessed_matlab``, or the one that holds it. The
        order of the sessions is read from the release's ``participant_ratings.csv``, if it lies in either of
        the two, or there in a folder ``metadata``, ``metadata_csv`` or ``metadata_xls``.
    subjects : sequence of int, optional
        Which of 1..32; by default all, and it is an error if one is missing.

    Returns
    -------
    Recordings
        Signals of shape (40 x n_subjects, 4, 8064), float32, at 128 Hz: skin resistance (Ohm), respiration
        belt, plethysmograph and temperature; 3 s of baseline, then 60 s of video. Rows by subject, then
        trial. Columns subject (1..32), trial (1..40), stimulus (1..40: these files hold the trials in the
        order of the videos, so it is the trial), order (1..40, the trial's place in the session; not there if
        the file that tells it is not), site (Twente or Geneva), valence, arousal, dominance and liking
        (continuous, 1..9). Named ``deap-simulated`` and so marked if the files say that a program made them.

    Raises
    ------
    DataError
        If the folder or a subject is missing, a file is damaged, of another shape or asks for code to be run,
        a rating lies outside 1..9, a sample is not finite, only some of the files are simulated, or the file
        of the sessions is faulty.

    Warns
    -----
    UserWarning
        If that file is there as a spreadsheet only.
    """
    import pandas as pd

    files = subject_files(root)
    chosen = choose_subjects("deap", SUBJECTS, files, next(iter(files.values())).parent, subjects)
    sessions = sessions_file(files[chosen[0]].parent)
    order, order_simulated = (None, False) if sessions is None else read_order(sessions, chosen)
    n_trials = len(TRIALS)
    signals = np.empty((len(chosen), n_trials, len(CHANNELS), DATA_SHAPE[2]), np.float32)
    ratings = np.empty((len(chosen), *LABELS_SHAPE))
    first: tuple[Path, bool] | None = None
    for i, subject in enumerate(chosen):
        path = files[subject]
        read = _read_dat if path.suffix == ".dat" else _read_mat
        simulated = read(path, signals[i], ratings[i])
        first = first or (path, simulated)
        if simulated != first[1]:
            made, measured = (path, first[0]) if simulated else (first[0], path)
            raise DataError(
                f"{path.parent} mixes simulated and real files: "
                f"{made.name} is simulated, {measured.name} is not"
            )

    if sessions is not None and order_simulated != simulated:
        words = ("real", "simulated")
        raise DataError(
            f"{sessions} tells the order of {words[order_simulated]} sessions, "
            f"but {files[chosen[0]]} is {words[simulated]}"
        )
    trial = np.tile(TRIALS, len(chosen))
    subject = np.repeat(chosen, n_trials)
    trials = pd.DataFrame({"subject": subject, "trial": trial, "stimulus": trial})
    if order is not None:
        trials["order"] = order
    elif spreadsheet := sessions_spreadsheet(files[chosen[0]].parent):
        warnings.warn(
            f"{spreadsheet} is not read: the order of the sessions is read from participant_ratings.csv",
            stacklevel=2,
        )
    trials["site"] = [site_of(number) for number in subject]
    trials[list(RATINGS)] = ratings.reshape(-1, len(RATINGS))
    return Recordings(
        name="deap-simulated" if simulated else "deap",
        signals=signals.reshape(-1, *signals.shape[2:]),
        channels=CHANNELS,
        sampling_rate=SAMPLING_RATE,
        trials=trials,
        baseline_seconds=BASELINE_SECONDS,
        simulated=simulated,
        credit=CREDIT_SIMULATED if simulated else CREDIT,
    )


def write_deap_file(
    path: Path, data: NDArray[np.floating], labels: NDArray[np.floating], *, simulated: bool
) -> None:
    """Write a subject file in the format of ``data_preprocessed_python``.

    The file holds the opcodes that Python 2's cPickle writes at protocol 2; Python 3 reads it with
    ``pickle.load(file, encoding="latin1")``. It appears whole or not at all.

    Parameters
    ----------
    path : Path
        The file, e.g. ``s01.dat``; replaced if it exists.
    data : ndarray of shape (40, 40, 8064)
        Samples by trial, channel and time (128 Hz); stored as float64.
    labels : ndarray of shape (40, 4)
        Valence, arousal, dominance and liking of every trial, 1..9; stored as float64.
    simulated : bool
        Whether a program made the data up. The file then carries a third entry, ``simulated``, that `deap`
        honours wherever the file is copied to.

    Raises
    ------
    ValueError
        If a shape is another one.
    """
    from bench.datasets._py2_pickle_writer import write_pickle

    for what, array, shape in (("data", data, DATA_SHAPE), ("labels", labels, LABELS_SHAPE)):
        if array.shape != shape:
            raise ValueError(f"{what} of shape {array.shape}, expected {shape}")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            # cPickle wrote labels first: the order of these two keys in a dict of Python 2.
            write_pickle(file, {"labels": labels, "data": data}, **({"simulated": True} if simulated else {}))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _read_dat(path: Path, signals: NDArray[np.float32], ratings: NDArray[np.float64]) -> bool:
    """Fill one subject's `signals` and `ratings` from a pickle; return whether it is simulated."""
    from bench.datasets._py2_pickle_reader import Array, open_pickle

    with open_pickle(path) as contents:
        _check(path, contents, Array)
        _fill_ratings(path, contents["labels"].read(), ratings)
        _fill_signals(path, contents["data"].rows(COLUMNS), signals)
        # Whatever stands there but a plain False: rather brand a file than pass one off as measured.
        return contents.get("simulated", False) is not False


def _read_mat(path: Path, signals: NDArray[np.float32], ratings: NDArray[np.float64]) -> bool:
    """Do the same from a Matlab file, versions 4 to 7.2."""
    from scipy.io import loadmat

    try:
        # Matlab stores doubles that happen to be whole as small integers: mat_dtype undoes that.
        contents = loadmat(
            path, variable_names=["data", "labels", "simulated"], mat_dtype=True, appendmat=False
        )
    except Exception as error:  # the reader fails in many ways on a damaged file
        raise DataError(f"{path}: truncated or not a Matlab file of DEAP: {error}") from error
    _check(path, contents, np.ndarray)
    _fill_ratings(path, contents["labels"], ratings)
    _fill_signals(path, contents["data"][:, COLUMNS], signals)
    return bool(np.any(contents.get("simulated", False)))


def _check(path: Path, contents: dict[str, Any], kind: type) -> None:
    """Check that both arrays are there, of the right `kind`, shape and type, before anything is read."""
    for name in ("data", "labels"):
        if name not in contents:
            found = ", ".join(sorted(key for key in contents if not key.startswith("__"))) or "nothing"
            raise DataError(f"{path}: no '{name}' in it (found: {found:.200})")
        if not isinstance(contents[name], kind):
            raise DataError(f"{path}: '{name}' is no array")
    for name, shape in (("data", DATA_SHAPE), ("labels", LABELS_SHAPE)):
        array = contents[name]
        if array.shape != shape or array.dtype.newbyteorder("=") != np.float64:
            found, expected = (" x ".join(map(str, s)) or "one number" for s in (array.shape, shape))
            raise DataError(
                f"{path}: '{name}' is {found} of {array.dtype.name}, expected {expected} of float64"
            )


def _fill_ratings(path: Path, labels: NDArray[np.float64], ratings: NDArray[np.float64]) -> None:
    ratings[:] = labels
    wrong = np.argwhere(~((ratings >= 1) & (ratings <= 9)))  # so that nan is wrong too
    if len(wrong):
        trial, rating = wrong[0]
        raise DataError(
            f"{path}: trial {trial + 1}: {RATINGS[rating]} is {ratings[trial, rating]:g}, outside 1 to 9"
        )


def _fill_signals(path: Path, rows: Iterable[NDArray[np.float64]], signals: NDArray[np.float32]) -> None:
    for trial, row in enumerate(rows):
        with np.errstate(over="ignore"):
            signals[trial] = row
            # A finite sum has finite terms only, and needs no temporary array.
            if np.isfinite(signals[trial].sum()):
                continue
        wrong = np.argwhere(~np.isfinite(signals[trial]))
        if len(wrong):
            channel, sample = wrong[0]
            raise DataError(
                f"{path}: trial {trial + 1}, channel {COLUMNS.start + channel} ({CHANNELS[channel]}), "
                f"sample {sample} (from 0) is {row[channel, sample]:g}, not a finite float32 number"
            )
