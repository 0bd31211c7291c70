"""The protocol that holds out people and stimuli at once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import ProtocolError
from bench.registry import register_protocol
from bench.splits.holdout import hash_of
from bench.splits.protocols._base import HoldOut, Rows, at_least_two, check_classes, parts_of

if TYPE_CHECKING:
    import pandas as pd

# So many draws of subjects and stimuli are compared for the one that divides the classes most evenly.
_DRAWS = 64


@register_protocol("subject-and-stimulus-out", promises="clean")
class SubjectAndStimulusOut(HoldOut):
    """Neither person nor stimulus is in training: 30 % of both are held out, what is half of each is left out.

    Parameters
    ----------
    seed : int
    test_size : float, default 0.3
        Share of the subjects, and share of the stimuli, that is held out.
    folds : int, optional
        Divide subjects and stimuli into so many parts each, and hold out each pair of parts once: ``folds``
        squared divisions that test every window once. By default one division a seed, of many draws the one in
        which the classes of the test side are most like those of all windows.
    """

    def __init__(self, seed: int = 0, test_size: float = 0.3, folds: int | None = None) -> None:
        super().__init__(seed, test_size)
        if folds is not None and (not isinstance(folds, int) or folds < 2):
            raise ProtocolError(f"folds={folds}: has to be a whole number of at least 2")
        self.folds = folds

    def get_n_splits(self, X: pd.DataFrame | None = None, y: object = None, groups: object = None) -> int:
        """Return how many divisions `split` yields."""
        return 1 if self.folds is None else self.folds**2

    def split(self, X: pd.DataFrame, y: np.ndarray, groups: object = None) -> Rows:
        """Yield the training and the test rows of each division; what is in neither is left out.

        Parameters
        ----------
        X : DataFrame of n_windows rows
            Columns ``subject`` and ``stimulus``.
        y : array of shape (n_windows,)

        Raises
        ------
        ProtocolError
            If a side would be empty, or a class would have no training window.
        """
        y = np.asarray(y)
        for subjects, stimuli in self._draw(X, y) if self.folds is None else self._pairs(X, self.folds):
            who, what = np.isin(X["subject"], subjects), np.isin(X["stimulus"], stimuli)
            held, trained = who & what, ~who & ~what
            if not held.any():
                raise ProtocolError(
                    f"none of the subjects {', '.join(map(str, subjects))} met a stimulus that is held out with "
                    "them: take fewer folds, or none"
                )
            check_classes(X, y, ~trained)
            yield np.flatnonzero(trained), np.flatnonzero(held)

    def _pairs(self, X: pd.DataFrame, folds: int) -> Iterator[tuple[list[Any], list[Any]]]:
        yield from product(
            *(parts_of(X[column].to_numpy(), folds, self.seed, column) for column in ("subject", "stimulus"))
        )

    def _draw(self, X: pd.DataFrame, y: np.ndarray) -> Iterator[tuple[list[Any], list[Any]]]:
        columns = {name: np.unique(X[name], return_inverse=True) for name in ("subject", "stimulus")}
        for name, (_, codes) in columns.items():
            at_least_two(name, codes)
        classes, label = np.unique(y, return_inverse=True)
        share = np.bincount(label) / len(y)
        best: tuple[float, list[list[Any]]] | None = None
        for draw in range(_DRAWS):
            held, chosen = np.ones(len(y), dtype=bool), []
            trained = held.copy()
            for name, (values, codes) in columns.items():
                keys = [hash_of(self.seed, f"draw {draw} {name} {value}") for value in values]
                n = min(max(int(self.test_size * len(values) + 0.5), 1), len(values) - 1)
                out = np.zeros(len(values), dtype=bool)
                out[sorted(range(len(values)), key=keys.__getitem__)[:n]] = True
                held &= out[codes]
                trained &= ~out[codes]
                chosen.append(values[out].tolist())
            if not held.any() or np.unique(label[trained]).size < len(classes):
                continue
            uneven = np.abs(np.bincount(label[held], minlength=len(classes)) / held.sum() - share).max()
            if best is None or uneven < best[0]:
                best = float(uneven), chosen
        if best is None:
            raise ProtocolError(
                f"in none of {_DRAWS} draws of subjects and stimuli is there a test window, and a training window "
                "of each class"
            )
        yield best[1][0], best[1][1]
