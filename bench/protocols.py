"""Protocols: how the windows of a data set are divided into training and test.

Each is a small class with the scikit-learn splitter interface; `split` takes the table of window ids
(``subject``, ``trial``, ``start``, ...) and the classes. Who goes where is decided by a hash of seed
and ids, not by a random number generator: the same seed gives the same split whatever the order of
the rows, the machine or the version of numpy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import BenchError
from bench.registry import register_protocol

if TYPE_CHECKING:
    import pandas as pd


class ProtocolError(BenchError):
    """The windows cannot be divided as the protocol asks."""


class _Holdout:
    """Shared by the protocols that hold 30 % of each subject's units (trials or windows) out once."""

    unit: tuple[str, ...]

    def __init__(self, seed: int = 0, test_size: float = 0.3) -> None:
        self.seed = seed
        self.test_size = test_size

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:
        """Return 1: one division a seed."""
        return 1

    def split(
        self, X: pd.DataFrame, y: np.ndarray, groups: object = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the training and the test rows.

        Parameters
        ----------
        X : DataFrame of n_windows rows
            Columns ``subject``, ``trial``, ``start``.
        y : array of shape (n_windows,)
            Classes; all windows of a trial have the same.

        Raises
        ------
        ProtocolError
            If a subject has fewer than two units, a trial has two classes, or a class would have no
            training window.
        """
        rows = X[list(self.unit)].assign(label=np.asarray(y)).reset_index(drop=True)
        units = rows.drop_duplicates()
        if units.duplicated(list(self.unit)).any():
            where = units.loc[units.duplicated(list(self.unit)), list(self.unit)].iloc[0].to_dict()
            raise ProtocolError(f"{where} has windows of more than one class")
        test_units = _hold_out(units.reset_index(drop=True), self.unit, self.seed, self.test_size)
        held = (
            rows.merge(test_units, how="left", on=list(self.unit), indicator=True)["_merge"]
            .eq("both")
            .to_numpy()
        )
        lost = sorted(set(rows.label) - set(rows.label[~held]))
        if lost:
            raise ProtocolError(f"class {lost[0]!r} has no training window: all its trials were held out")
        yield np.flatnonzero(~held), np.flatnonzero(held)


def _hold_out(units: pd.DataFrame, unit: tuple[str, ...], seed: int, share: float) -> pd.DataFrame:
    """Choose the test units: `share` of each subject's, and of each class's over all subjects.

    Within a subject every class gives ``floor(share * n)`` units; the places left go, one a class at
    the most, to the classes that are furthest behind over the subjects seen so far. So each class of
    a subject is within one unit of its share, and rare classes are not rounded away.
    """
    import pandas as pd

    keys = units[list(unit)].astype(str).agg("|".join, axis=1)
    units = units.assign(rank=[_hash(seed, key) for key in keys]).sort_values("rank", kind="stable")
    behind: dict[str, float] = {label: 0.0 for label in sorted(units.label.unique())}
    chosen = []
    subjects = sorted(units.subject.unique(), key=lambda subject: _hash(seed, f"subject {subject}"))
    by_subject = dict(iter(units.groupby("subject", sort=False)))
    for subject in subjects:
        own = by_subject[subject]
        if len(own) < 2:
            raise ProtocolError(
                f"subject {subject} has {len(own)} {unit[-1]} only: training and test need one each"
            )
        counts = {str(label): int(n) for label, n in own.label.value_counts().items()}
        take = {label: int(share * n + 1e-9) for label, n in counts.items()}
        for label, n in counts.items():
            behind[label] += share * n
        places = min(max(int(share * len(own) + 0.5), 1), len(own) - 1) - sum(take.values())
        waiting = sorted(
            (label for label, n in counts.items() if take[label] < n),
            key=lambda label: (take[label] - behind[label], _hash(seed, f"{subject} {label}")),
        )
        for label in waiting[:places]:
            take[label] += 1
        for label, n in take.items():
            behind[label] -= n
            chosen.append(own[own.label == label].head(n))
    return pd.concat(chosen)[list(unit)]


def _hash(seed: int, key: str) -> bytes:
    return hashlib.blake2b(f"{seed}|{key}".encode(), digest_size=16).digest()


@register_protocol("subject-stratified", promises="clean")
class SubjectStratified(_Holdout):
    """70/30 of the trials of each subject, stratified by class; all windows of a trial stay together."""

    unit = ("subject", "trial")


@register_protocol("random-windows", promises="leaks")
class RandomWindows(_Holdout):
    """70/30 of the windows of each subject, stratified by class: windows of a trial on both sides."""

    unit = ("subject", "trial", "start")


@register_protocol("predefined", promises="clean")
class Predefined:
    """The division that the data set brings (column ``split``); a seed changes the estimator only."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:
        """Return 1."""
        return 1

    def split(
        self, X: pd.DataFrame, y: object = None, groups: object = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the rows marked ``train`` and those marked ``test``."""
        if "split" not in X:
            raise ProtocolError(
                "predefined: the data set brings no division into training and test of its own"
            )
        yield np.flatnonzero(X["split"] == "train"), np.flatnonzero(X["split"] == "test")
