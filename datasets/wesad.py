"""WESAD: stress and amusement against a baseline, a wristband on 15 people; the positive control of this project.

The reader takes the release's ``SN.pkl``, or the tables of the wristband beside a table of offsets. Of the chest
belt, the accelerometer and the questionnaires' answers nothing is kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.datasets._subjects import choose_subjects
from bench.datasets._wesad_sessions import (
    CHANNELS,
    OFFSETS,
    Condition,
    Session,
    read_offsets,
    read_pickle,
    read_tables,
)
from bench.recordings import DataError, Recordings
from bench.registry import register_dataset

SUBJECTS = (*range(2, 12), *range(13, 18))  # 1 and 12 are not in the release: their sensors failed
CONDITIONS = ("baseline", "stress", "amusement")
RATE = CHANNELS["BVP"]
NAMES = ("BVP", "EDA (uS)", "temperature (deg C)")

CREDIT = (
    "WESAD: Schmidt, Reiss, Duerichen, Marberger, Van Laerhoven (2018), Introducing WESAD, a Multimodal Dataset for "
    "Wearable Stress and Affect Detection, ICMI 2018, doi 10.1145/3242969.3242985. Scientific, non-commercial use "
    "with credit."
)


class _Files(NamedTuple):
    """What there is of one person: the pickle, or the wristband's folder and the protocol's table."""

    pickle: Path
    tables: Path
    protocol: Path

    def read_from(self) -> list[Path]:
        if self.pickle.is_file():
            return [self.pickle]
        return [*(self.tables / f"{name}.csv" for name in CHANNELS), self.protocol]


def wesad_files(root: Path) -> list[Path]:
    """Return every file under `root` that the reader may open.

    Raises
    ------
    DataError
        If there is no folder of a person in it.
    """
    offsets = root / OFFSETS
    found = [path for files in _people(root).values() for path in files.read_from() if path.is_file()]
    return [*([offsets] if offsets.is_file() else []), *found]


@register_dataset(
    "wesad",
    description="stress, amusement and a baseline; 15 people, BVP, EDA and temperature (Empatica E4)",
    licence="scientific, non-commercial use with credit",
    where="https://doi.org/10.1145/3242969.3242985",
    env="WESAD_ROOT",
    files=wesad_files,
)
def wesad(root: Path, *, subjects: Sequence[int] | None = None) -> Recordings:
    """WESAD: wrist sensors of 15 people in three conditions: a baseline, the Trier social stress test, film clips.

    One trial a condition, 6 to 20 minutes; the meditations after them are left out, as in [1]_. The slow channels are
    interpolated linearly onto the samples of the blood volume pulse (sample k of a channel at rate f is at k / f seconds).

    Of each person ``SN/SN.pkl`` is read where it is there, else ``SN/SN_E4_Data`` and ``SN/SN_quest.csv``. Then the
    wristband's clock has to be brought to the protocol's: a table ``offsets.csv`` in `root`, which is no part of the
    release, has the columns ``subject`` and ``seconds``, the wristband's seconds at the protocol's 0.

    What a person did is what is to be recognised, so that the condition's name is no ``stimulus``: each trial has one
    of its own. Nor do all see the conditions in one order: the baseline is always the first, stress and amusement are
    second and fourth or the other way round. How far that goes by itself, `place-prior` says.

    Parameters
    ----------
    root : Path
        Folder of the release: holds ``S2`` to ``S17``.
    subjects : sequence of int, optional
        People to read, 2 to 17 without 12; by default all 15.

    Returns
    -------
    Recordings
        `signals`: list of float32 arrays of shape (3, n_samples) at 64 Hz: ``BVP`` (device units), ``EDA (uS)`` and
        ``temperature (deg C)``. `trials`: in order of subject and session; `subject`, `trial` and `order` (place among
        the conditions of the session, 1 to 5, meditations counted) int64; `stimulus` as said; `recording` (the subject)
        and `onset` (s, in the session's recording); labels `condition` (baseline, stress, amusement) and `stress`
        (stress, no stress).

    Raises
    ------
    DataError
        If a person, file or condition is missing, a condition lies outside its recording, or a file holds anything but
        finite numbers.

    References
    ----------
    .. [1] P. Schmidt, A. Reiss, R. Duerichen, C. Marberger, K. Van Laerhoven, "Introducing WESAD, a Multimodal Dataset
       for Wearable Stress and Affect Detection", ICMI 2018, doi 10.1145/3242969.3242985.
    """
    import pandas as pd

    root = Path(root)
    people = _people(root)
    chosen = choose_subjects("wesad", SUBJECTS, people, root, subjects)
    offsets = read_offsets(root / OFFSETS) if (root / OFFSETS).is_file() else {}
    signals, rows = [], []
    for subject in chosen:
        session = _session(subject, people[subject], offsets)
        for condition in session.conditions:
            if condition.name in CONDITIONS:
                signals.append(_cut(session, condition, f"wesad: subject {subject}"))
                rows.append(_row(subject, condition))
    return Recordings(
        name="WESAD",
        signals=signals,
        channels=NAMES,
        sampling_rate=float(RATE),
        trials=pd.DataFrame(rows),
        credit=CREDIT,
    )


def _people(root: Path) -> dict[int, _Files]:
    if not root.is_dir():
        raise DataError(f"{root}: no such folder")
    found = {}
    for folder in root.iterdir():
        match = re.fullmatch(r"S(\d{1,2})", folder.name, re.ASCII)
        if match and int(match[1]) in SUBJECTS and folder.is_dir():
            name = folder.name
            found[int(match[1])] = _Files(
                folder / f"{name}.pkl", folder / f"{name}_E4_Data", folder / f"{name}_quest.csv"
            )
    if not found:
        there = ", ".join(sorted(path.name for path in root.iterdir())[:5]) or "nothing"
        raise DataError(f"{root}: no folder S2 to S17 as in the WESAD release; there is: {there}")
    return dict(sorted(found.items()))


def _session(subject: int, files: _Files, offsets: dict[int, float]) -> Session:
    for path in files.read_from():
        if not path.is_file():
            raise DataError(f"{path}: no such file, and no {files.pickle.name} that could be read instead")
    if files.pickle.is_file():
        return read_pickle(files.pickle)
    if subject not in offsets:
        raise DataError(
            f"{files.tables}: the wristband's clock is not the protocol's: put the release's {files.pickle.name} beside "
            f"it, or name subject {subject} in {OFFSETS}"
        )
    return read_tables(files.tables, files.protocol, offsets[subject])


def _cut(session: Session, condition: Condition, where: str) -> np.ndarray:
    """Return the channels during a condition on the pulse's samples, shape (3, n_samples), float32."""
    last = min(len(samples) / CHANNELS[name] for name, samples in session.channels.items())
    if condition.start < 0 or condition.end > last:
        raise DataError(
            f"{where}: {condition.name} lasts from {condition.start:.0f} s to {condition.end:.0f} s, "
            f"the recording from 0 s to {last:.0f} s"
        )
    first, stop = round(condition.start * RATE), round(condition.end * RATE)
    time = np.arange(first, stop) / RATE
    signal = np.empty((len(CHANNELS), stop - first), dtype=np.float32)
    for row, (name, rate) in zip(signal, CHANNELS.items(), strict=True):
        samples = session.channels[name]
        row[:] = (
            samples[first:stop] if rate == RATE else np.interp(time, np.arange(len(samples)) / rate, samples)
        )
    return signal


def _row(subject: int, condition: Condition) -> dict[str, int | float | str]:
    return {
        "subject": subject,
        "trial": condition.place,
        "stimulus": 100 * subject + condition.place,
        "condition": condition.name,
        "stress": "stress" if condition.name == "stress" else "no stress",
        "order": condition.place,
        "recording": subject,
        "onset": round(condition.start * RATE) / RATE,
    }
