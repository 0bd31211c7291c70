"""`deap`: the peripheral signals of DEAP, from the preprocessed files of the official distribution.

Read are ``data_preprocessed_python`` (s01.dat to s32.dat) or ``data_preprocessed_matlab`` (s01.mat to
s32.mat). Shapes, order of channels and trials, and scales of the ratings are from the data set's own page,
https://www.eecs.qmul.ac.uk/mmv/datasets/deap/readme.html.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.recordings import DataError, Recordings
from bench.registry import register_dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["deap", "deap_files", "write_deap_file"]

SUBJECTS = range(1, 33)
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

_FILE = re.compile(r"s(\d\d)\.(dat|mat)")


def deap_files(root: Path) -> list[Path]:
    """Return the subject files that `deap` would choose from, by subject; nothing is read.

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
    return list(_subject_files(root).values())


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
        The folder ``data_preprocessed_python`` or ``data_preprocessed_matlab``, or the one that holds it.
    subjects : sequence of int, optional
        Which of 1..32; by default all, and it is an error if one is missing.

    Returns
    -------
    Recordings
        Signals of shape (40 x n_subjects, 4, 8064), float32, at 128 Hz: skin resistance (Ohm), respiration
        belt, plethysmograph and temperature; 3 s of baseline, then 60 s of video. Rows by subject, then
        trial. Columns subject (1..32), trial (1..40), stimulus (1..40: these files hold the trials in the
        order of the videos, so it is the trial), valence, arousal, dominance and liking (continuous, 1..9).
        Named ``deap-simulated`` and so marked if the files say that a program made them.

    Raises
    ------
    DataError
        If the folder or a subject is missing, a file is damaged, of another shape or asks for code to be run,
        a rating lies outside 1..9, a sample is not finite, or only some of the files are simulated.
    """
    import pandas as pd

    files = _subject_files(root)
    chosen = _choose(files, subjects)
    n_trials = DATA_SHAPE[0]
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

    trials = pd.DataFrame(ratings.reshape(-1, len(RATINGS)), columns=list(RATINGS))
    trial = np.tile(np.arange(1, n_trials + 1), len(chosen))
    trials.insert(0, "subject", np.repeat(np.array(chosen), n_trials))
    trials.insert(1, "trial", trial)
    trials.insert(2, "stimulus", trial)
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


def _subject_files(root: Path) -> dict[int, Path]:
    """Return the file of each subject that is there, in order of the subjects."""
    root = Path(root)
    if not root.is_dir():
        raise DataError(f"{root}: no such folder (of DEAP's data_preprocessed_python)")
    for folder in (root, root / "data_preprocessed_python", root / "data_preprocessed_matlab"):
        try:
            names = sorted(os.listdir(folder)) if folder.is_dir() else []
        except OSError as error:
            raise DataError(f"{folder}: {error.strerror or error}") from error
        found = [match for match in map(_FILE.fullmatch, names) if match and int(match[1]) in SUBJECTS]
        if not found:
            continue
        if len({match[2] for match in found}) > 1:
            dat, mat = (next(m[0] for m in found if m[2] == suffix) for suffix in ("dat", "mat"))
            raise DataError(f"{folder} holds both Python and Matlab files ({dat}, {mat}): keep one kind")
        return {int(match[1]): folder / match[0] for match in found}
    names = sorted(os.listdir(root))
    what = f"found: {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}" if names else "it is empty"
    raise DataError(
        f"{root}: no s01.dat to s32.dat or s01.mat to s32.mat in it, "
        f"nor in a data_preprocessed_python under it ({what})"
    )


def _choose(files: dict[int, Path], subjects: Sequence[int] | None) -> list[int]:
    """Return the subjects to read, in order, or say which are not there."""
    wanted = sorted(set(SUBJECTS if subjects is None else subjects))
    if not wanted:
        raise DataError("deap: no subject is asked for")
    unknown = [subject for subject in wanted if subject not in SUBJECTS]
    if unknown:
        raise DataError(f"deap: there is no subject {_ranges(unknown)}; the subjects are 1 to {SUBJECTS[-1]}")
    missing = [subject for subject in wanted if subject not in files]
    if missing:
        what, which = ("subject", "is") if len(missing) == 1 else ("subjects", "are")
        folder = next(iter(files.values())).parent
        message = f"{what} {_ranges(missing)} {which} missing from {folder} (found {_ranges(files)})"
        rest = [subject for subject in wanted if subject in files]
        if rest:
            without = "it" if len(missing) == 1 else "them"
            message += f"; to go on without {without}: --subjects {_ranges(rest).replace(' ', '')}"
        raise DataError(message)
    return wanted


def _ranges(numbers: Iterable[int]) -> str:
    """Return e.g. ``1-4, 6`` for 1, 2, 3, 4, 6."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


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
