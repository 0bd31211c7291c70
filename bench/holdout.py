"""Holding out a share of each subject's units and of each class, decided by hashes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def hash_of(seed: int, key: str) -> bytes:
    """Return 16 bytes that stand for a random draw: the same for the same seed and key, anywhere."""
    return hashlib.blake2b(f"{seed}|{key}".encode(), digest_size=16).digest()


def hold_out(units: pd.DataFrame, unit: list[str], seed: int, share: float) -> pd.DataFrame:
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
    DataFrame
        The columns `unit` of the chosen.
    """
    import pandas as pd

    keys = units[unit].astype(str).agg("|".join, axis=1)
    units = units.assign(rank=[hash_of(seed, key) for key in keys]).sort_values("rank", kind="stable")
    behind: dict[str, float] = {label: 0.0 for label in sorted(units.label.unique())}
    chosen = []
    by_subject = {int(str(subject)): own for subject, own in units.groupby("subject", sort=False)}
    for subject in sorted(by_subject, key=lambda subject: hash_of(seed, f"subject {subject}")):
        own = by_subject[subject]
        counts = {str(label): int(n) for label, n in own.label.value_counts().items()}
        take = {label: int(share * n + 1e-9) for label, n in counts.items()}
        for name, n in counts.items():
            behind[name] += share * n
        places = min(max(int(share * len(own) + 0.5), 1), len(own) - 1) - sum(take.values())
        waiting = sorted(
            (label for label, n in counts.items() if take[label] < n),
            key=lambda label: (take[label] - behind[label], hash_of(seed, f"{subject} {label}")),
        )
        for label in waiting[:places]:
            take[label] += 1
        for label, n in take.items():
            behind[label] -= n
            chosen.append(own[own.label == label].head(n))
    return pd.concat(chosen)[unit]
