"""Holding out a share of each subject's units and of each class, decided by hashes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def hash_of(seed: int, key: str) -> bytes:
    """Return 16 bytes that stand for a random draw: the same for the same seed and key, anywhere."""
    return hashlib.blake2b(f"{seed}|{key}".encode(), digest_size=16).digest()


def hold_out(units: pd.DataFrame, unit: list[str], seed: int, share: float) -> np.ndarray:
    """Choose the test units: `share` of each subject's, and of each class's over all subjects.

    Within a subject every class gives ``floor(share * n)`` units; the places left go, one a class at
    the most, to the classes that are furthest behind over the subjects seen so far. So each class of
    a subject is within one unit of its share, and rare classes are not rounded away.

    Parameters
    ----------
    units : DataFrame
        A row a unit, with the columns `unit` (one of them ``subject``) and ``label``; at least two units a
        subject.
    unit : list of str
        The columns that name a unit.
    seed : int
    share : float
        Between 0 and 1.

    Returns
    -------
    ndarray of bool, shape (n_units,)
        Which are chosen.
    """
    # Lists: pandas takes a millisecond for each of these steps, and a study has thousands of splits.
    subjects, labels = units["subject"].tolist(), units["label"].astype(str).tolist()
    keys = zip(*(map(str, units[name].tolist()) for name in unit), strict=True)
    ranks = [hash_of(seed, "|".join(key)) for key in keys]
    of_subject: dict[int, dict[str, list[int]]] = {}
    for row in sorted(range(len(ranks)), key=ranks.__getitem__):
        of_subject.setdefault(int(subjects[row]), {}).setdefault(labels[row], []).append(row)
    behind = dict.fromkeys(labels, 0.0)
    chosen = np.zeros(len(ranks), dtype=bool)
    for subject in sorted(of_subject, key=lambda subject: hash_of(seed, f"subject {subject}")):
        own = of_subject[subject]
        counts = {label: len(rows) for label, rows in own.items()}
        take = {label: int(share * n + 1e-9) for label, n in counts.items()}
        for name, n in counts.items():
            behind[name] += share * n
        total = sum(counts.values())
        places = min(max(int(share * total + 0.5), 1), total - 1) - sum(take.values())
        waiting = sorted(
            (label for label, n in counts.items() if take[label] < n),
            key=lambda label: (take[label] - behind[label], hash_of(seed, f"{subject} {label}")),
        )
        for label in waiting[:places]:
            take[label] += 1
        for label, n in take.items():
            behind[label] -= n
            chosen[own[label][:n]] = True
    return chosen
