"""Protocols that hold out whole trials of every subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.errors import ProtocolError
from bench.registry import register_protocol
from bench.splits.holdout import hash_of
from bench.splits.protocols._base import HoldOut, Rows, check_classes
from bench.splits.together import kept_together

if TYPE_CHECKING:
    import pandas as pd

# So many places of a subject's block are compared for the one that divides the classes most evenly. More would
# leave little to the seed.
_DRAWS = 8


@register_protocol("subject-stratified", promises="clean")
class SubjectStratified(HoldOut):
    """70/30 of the trials of each subject, stratified by class; all windows of a trial stay together."""

    def split(self, X: pd.DataFrame, y: np.ndarray, groups: object = None) -> Rows:
        """Yield the training and the test rows.

        Parameters
        ----------
        X : DataFrame of n_windows rows
            Columns ``subject``, ``trial``, ``start`` and, if they are known, ``stimulus``, ``recording`` and
            ``onset``: trials of one subject with the same stimulus or recording stay together.
        y : array of shape (n_windows,)
            Classes; all windows of a trial have the same.

        Raises
        ------
        ProtocolError
            If a subject has fewer than two trials, a trial has two classes, or a class would have no
            training window.
        """
        held = self.by_units(X, y, ["subject", "trial"], kept_together(X))
        yield np.flatnonzero(~held), np.flatnonzero(held)


@register_protocol("subject-blocked", promises="clean")
class SubjectBlocked(HoldOut):
    """One block of each subject's session, 30 % of the trials in a row; the trials beside it are left out.

    What drifts within a session, and ratings that follow each other, reach the test trials from their
    neighbours under `SubjectStratified`; here the nearest training trial is ``gap + 1`` trials away. Of
    some places that the seed draws for the block, the one that divides the classes most evenly is taken.
    Training trials of a stimulus or recording that the subject meets again in the block are left out too.

    Parameters
    ----------
    seed : int
    test_size : float, default 0.3
        Share of each subject's trials in the block.
    gap : int, default 1
        Trials left out on each side of the block.
    """

    def __init__(self, seed: int = 0, test_size: float = 0.3, gap: int = 1) -> None:
        super().__init__(seed, test_size)
        if not isinstance(gap, int) or gap < 0:
            raise ProtocolError(f"gap={gap}: has to be a whole number, 0 or more")
        self.gap = gap

    def split(self, X: pd.DataFrame, y: np.ndarray, groups: object = None) -> Rows:
        """Yield the training and the test rows; what is in neither is left out.

        Parameters
        ----------
        X : DataFrame of n_windows rows
            As for `SubjectStratified`, and ``order``: the trial's place in the subject's session.
        y : array of shape (n_windows,)

        Raises
        ------
        ProtocolError
            If the order is not known, a subject has too few trials, a trial has two classes, or a class would
            have no training window.
        """
        if "order" not in X:
            raise ProtocolError("the data set does not know the order of a session's trials (column order)")
        y = np.asarray(y)
        trial, units = self.units(X, y, ["subject", "trial"])
        side = np.full(len(units), -1)  # 1: in a block, 0: training, -1: left out
        units["order"] = X["order"].to_numpy()[units["row"]]
        behind = dict.fromkeys(units["label"], 0.0)
        subjects = units["subject"].unique().tolist()
        for subject in sorted(subjects, key=lambda subject: hash_of(self.seed, f"subject {subject}")):
            own = units[units["subject"] == subject].sort_values(["order", "trial"])
            start, stop = self._block(int(subject), own["label"].tolist(), behind)
            places = own.index.to_numpy()
            side[places[: max(0, start - self.gap)]] = 0
            side[places[stop + self.gap :]] = 0
            side[places[start:stop]] = 1
        held, trained = side[trial] == 1, side[trial] == 0
        together = kept_together(X)
        trained &= ~np.isin(together, together[held])
        check_classes(X, y, ~trained)
        yield np.flatnonzero(trained), np.flatnonzero(held)

    def _block(self, subject: int, labels: list[str], behind: dict[str, float]) -> tuple[int, int]:
        """Choose where a subject's block begins and ends, and count its classes into `behind`."""
        n = len(labels)
        size = max(1, int(self.test_size * n + 0.5))
        if size + self.gap >= n:
            raise ProtocolError(
                f"subject {subject} has {n} trials: a block of {size}, {self.gap} left out beside it, and one "
                "to train on do not fit"
            )
        for label in labels:
            behind[label] += self.test_size

        def uneven(start: int) -> float:
            block = labels[start : start + size]
            return max(abs(due - block.count(label)) for label, due in behind.items())

        # The last places leave no training trial behind the block where there is none before it either.
        fit = [s for s in range(n - size + 1) if s > self.gap or n - s - size > self.gap]
        if not fit:
            raise ProtocolError(
                f"subject {subject} has {n} trials: no block of {size} leaves one to train on"
            )
        drawn = sorted(fit, key=lambda s: hash_of(self.seed, f"subject {subject} block {s}"))[:_DRAWS]
        start = min(drawn, key=uneven)
        for label in labels[start : start + size]:
            behind[label] -= 1
        return start, start + size
