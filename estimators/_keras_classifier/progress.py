"""How far a fit of `KerasClassifier` is: what its checkpoint and TensorBoard are told."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(eq=False)
class Progress:
    """How far a fit is: what, with the network's and the optimiser's variables, makes up a checkpoint.

    Parameters
    ----------
    history : dict of str to list of float
        What is recorded of an epoch, a value an epoch.
    best_epoch : int
        Counted from 0; -1 before there is one.
    best_weights : list of ndarray
        The network's weights after it.
    seconds : float
        Wall time so far.
    updates : int
        Steps of the optimiser so far.
    confusions : dict of str to ndarray of shape (n_classes, n_classes)
        Of the last epoch's windows of ``train`` and ``validation``: true class (rows), predicted class (columns).
    """

    history: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int = -1
    best_weights: list[np.ndarray] = field(default_factory=list)
    seconds: float = 0.0
    updates: int = 0
    confusions: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        """Epochs done."""
        return len(self.history.get("loss", []))

    def record(self, values: dict[str, float], prefix: str = "") -> None:
        """Add an epoch's values to the history, their names with the prefix."""
        for name, value in values.items():
            self.history.setdefault(prefix + name, []).append(value)
