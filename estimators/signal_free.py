"""Estimators that see no signal, only ids: what any other has to beat is the best of them, the floor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.registry import register_estimator

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.dummy import DummyClassifier


@register_estimator("majority", family="signal-free")
def majority() -> DummyClassifier:
    """Predict always the commonest class of the training windows; of equally common ones, the first by name.

    Returns
    -------
    DummyClassifier
        Takes `X` of any shape. ``predict_proba`` gives 1 for that class.
    """
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="most_frequent")


@register_estimator("stratified-chance", family="signal-free")
def stratified_chance(*, random_state: int) -> DummyClassifier:
    """Predict a class drawn at random with the frequencies of the training windows.

    Parameters
    ----------
    random_state : int
        Seed of the draws.

    Returns
    -------
    DummyClassifier
        Takes `X` of any shape. ``predict_proba`` gives 1 for the class drawn, and draws the same
        ones as ``predict``.
    """
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="stratified", random_state=random_state)


@register_estimator("subject-prior", family="signal-free", ids=("subject",), most_probable=True)
def subject_prior() -> Prior:
    """Predict the class that the person has more often in training than people have on the whole."""
    return Prior("subject")


@register_estimator("stimulus-prior", family="signal-free", ids=("stimulus",), most_probable=True)
def stimulus_prior() -> Prior:
    """Predict the class that the stimulus has more often in training than stimuli have on the whole."""
    return Prior("stimulus")


@register_estimator("trial-prior", family="signal-free", ids=("subject", "trial"), most_probable=True)
def trial_prior() -> Prior:
    """Predict the class of the trial, which whoever knows the trial knows once a window of it is in training."""
    return Prior("subject", "trial")


@register_estimator("order-prior", family="signal-free", ids=("subject", "order"), most_probable=True)
def order_prior() -> NearestInOrder:
    """Predict the class of the person's training trials that come nearest in the session, before or after."""
    return NearestInOrder()


@register_estimator("place-prior", family="signal-free", ids=("order",), most_probable=True)
def place_prior() -> Prior:
    """Predict the class that this place in the session, whoever sat it, has more often than places have on the whole.

    What a plan of the sessions gives away: where the baseline always comes first, its place tells it.
    """
    return Prior("order")


class Prior:
    """Classes by their share in what is known of an id, against their share on the whole.

    The probability of a class is in proportion to its share among the training windows of the same id
    divided by its share among all, so that the predicted class maximises balanced accuracy. Shares are
    drawn to the whole by the weight of one window: an id that is not in training tells nothing, and all
    classes are then equally probable.

    Parameters
    ----------
    *columns : str
        The columns of ids that together name what is known.
    """

    def __init__(self, *columns: str) -> None:
        self.columns = list(columns)

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> Prior:
        """Count the classes `y`, of shape (n_windows,), by the ids in `X`, a row a window."""
        import pandas as pd

        self.classes_, code = np.unique(y, return_inverse=True)
        self._overall = np.bincount(code) / len(code)
        onehot = pd.DataFrame(np.eye(len(self.classes_))[code])
        self._counts = onehot.groupby([X[c].to_numpy() for c in self.columns]).sum()
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Return the probability of each class, as in `classes_`: ndarray of shape (n_windows, n_classes)."""
        import pandas as pd

        ids = [X[c].to_numpy() for c in self.columns]
        wanted = pd.MultiIndex.from_arrays(ids) if len(ids) > 1 else pd.Index(ids[0])
        counts = self._counts.reindex(wanted, fill_value=0.0).to_numpy()
        return _against(counts, self._overall)

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Return the most probable class of each window, the first of equally probable ones."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])


class NearestInOrder:
    """Classes of the training trials of the same person that are nearest by their place in the session.

    Trials at the same distance, one before and one after, count alike; what they tell is weighed as in
    `Prior`. A person who is not in training tells nothing.
    """

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> NearestInOrder:
        """Take note of the place (column ``order``) and class of each window, by ``subject``."""
        self.classes_, code = np.unique(y, return_inverse=True)
        self._overall = np.bincount(code) / len(code)
        order, subject = X["order"].to_numpy(dtype=float), X["subject"].to_numpy()
        self._known: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for one in np.unique(subject):
            places, at = np.unique(order[subject == one], return_inverse=True)
            counts = np.zeros((len(places), len(self.classes_)))
            np.add.at(counts, (at, code[subject == one]), 1.0)
            self._known[int(one)] = places, counts
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Return the probability of each class, as in `classes_`: ndarray of shape (n_windows, n_classes)."""
        order, subject = X["order"].to_numpy(dtype=float), X["subject"].to_numpy()
        counts = np.zeros((len(X), len(self.classes_)))
        for one in np.unique(subject):
            own = subject == one
            if int(one) in self._known:
                places, there = self._known[int(one)]
                away = np.abs(order[own][:, None] - places)
                counts[own] = (away == away.min(axis=1, keepdims=True)) @ there
        return _against(counts, self._overall)

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Return the most probable class of each window, the first of equally probable ones."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])


def _against(counts: np.ndarray, overall: np.ndarray) -> np.ndarray:
    """Return shares of `counts`, each row drawn to `overall` by one window's weight, over `overall`, made to add to 1."""
    ratio = (counts / overall + 1.0) / (counts.sum(axis=1, keepdims=True) + 1.0)
    return np.asarray(ratio / ratio.sum(axis=1, keepdims=True))
