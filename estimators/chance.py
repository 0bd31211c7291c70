"""Baselines that never look at the signals: what any other estimator has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.registry import register_estimator

if TYPE_CHECKING:
    from sklearn.dummy import DummyClassifier


@register_estimator("majority", family="chance")
def majority() -> DummyClassifier:
    """Predict always the commonest class of the training windows; of equally common ones, the first by name.

    Returns
    -------
    DummyClassifier
        Takes `X` of any shape. ``predict_proba`` gives 1 for that class.
    """
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="most_frequent")


@register_estimator("stratified-chance", family="chance")
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
