"""Several networks of a kind, trained from different starts, whose probabilities are averaged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.estimators._keras_classifier.classifier import KerasClassifier


class NetworkEnsemble:
    """Networks that differ in their seed alone; the mean of their probabilities predicts.

    Parameters
    ----------
    kind : subclass of KerasClassifier
    networks : int
        How many, at least one.
    random_state : int
        The networks' seeds are drawn from it.
    log_dir : str or None
        Folder with a subfolder a network, as `KerasClassifier` writes it.
    **parameters
        Of every network.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    members_ : list of KerasClassifier
    history_ : dict of str to list of float
        Of every epoch, the mean over the networks.
    training_scores_ : dict of str to float
        ``accuracy`` and ``balanced_accuracy`` on the training windows, as the ensemble predicts them.
    """

    def __init__(
        self,
        kind: type[KerasClassifier],
        networks: int,
        *,
        random_state: int,
        log_dir: str | None = None,
        **parameters: Any,
    ) -> None:
        if networks < 1:
            raise ValueError(f"networks={networks} is no value that it can have")
        self.kind = kind
        self.networks = networks
        self.random_state = random_state
        self.log_dir = log_dir
        self.parameters = parameters

    def fit(
        self,
        X: np.ndarray | Sequence[np.ndarray],
        y: np.ndarray,
        sample_weight: np.ndarray | None = None,
    ) -> NetworkEnsemble:
        """Train the networks one after the other; arguments and errors are those of `KerasClassifier.fit`."""
        from sklearn.metrics import accuracy_score, balanced_accuracy_score

        self.members_ = [
            self.kind(
                random_state=int(seed),
                log_dir=None if self.log_dir is None else str(Path(self.log_dir) / f"network-{number}"),
                **self.parameters,
            ).fit(X, y, sample_weight)
            for number, seed in enumerate(
                np.random.SeedSequence(self.random_state).generate_state(self.networks)
            )
        ]
        self.classes_ = self.members_[0].classes_
        told = [member.history_ for member in self.members_]
        self.history_ = {
            name: np.mean([own[name] for own in told], axis=0).tolist() for name in self.members_[0].history_
        }
        predicted = self.predict(X)
        self.training_scores_ = {
            "accuracy": float(accuracy_score(y, predicted)),
            "balanced_accuracy": float(balanced_accuracy_score(y, predicted)),
        }
        return self

    def predict_proba(self, X: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
        """Return the networks' mean probabilities: ndarray of shape (n_windows, n_classes), as in `classes_`."""
        return np.asarray(np.mean([member.predict_proba(X) for member in self.members_], axis=0))

    def predict(self, X: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
        """Return the most probable label of each window: ndarray of shape (n_windows,)."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])
