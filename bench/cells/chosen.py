"""An estimator whose open parameters are chosen on a part of the training windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from bench.spec import Choice

_FOLDS = 5  # one of which is held out to choose by


def options_of(parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each way to decide the parameters that are a `Choice`: one, where none is."""
    open_ones = {name: value for name, value in parameters.items() if isinstance(value, Choice)}
    return [
        {**parameters, **dict(zip(open_ones, values, strict=True))} for values in product(*open_ones.values())
    ]


class ChosenByValidation:
    """The option that scores best on held-out groups of training windows, fitted again to all of them.

    Parameters
    ----------
    make, make_last : callable
        From parameters to an estimator that is not fitted: those to choose from, and the one that is kept.
    options : sequence of mapping
        Parameters; of equally good ones the first is taken.
    random_state : int
        Seed of the groups that are held out.

    Attributes
    ----------
    open : list of str
        Names of the parameters that differ between options.
    tried_ : list of dict
        Of each option, what it sets of these, and ``balanced accuracy`` on the windows that were held out.
    estimator_ : object
        Fitted to all training windows. Whatever is asked of this object but ``fit`` is asked of it.
    """

    def __init__(
        self,
        make: Callable[[Mapping[str, Any]], Any],
        make_last: Callable[[Mapping[str, Any]], Any],
        options: Sequence[Mapping[str, Any]],
        random_state: int,
    ) -> None:
        self.make, self.make_last = make, make_last
        self.options = options
        self.random_state = random_state
        self.open = [name for name in options[0] if len({str(one[name]) for one in options}) > 1]

    def fit(
        self,
        X: np.ndarray,
        y: np.ndarray,
        sample_weight: np.ndarray | None = None,
        groups: np.ndarray | None = None,
    ) -> ChosenByValidation:
        """Choose and fit.

        Parameters
        ----------
        X : ndarray of shape (n_windows, n_channels, n_timepoints)
        y : ndarray of shape (n_windows,)
        sample_weight : ndarray of shape (n_windows,), optional
        groups : ndarray of shape (n_windows,), optional
            Windows of one number are held out together; those of -1, mixed from several, have no part in the choice.
            By default each window is a group.

        Raises
        ------
        ValueError
            If there are fewer than two groups, or all windows of a class would be held out; or as the estimator.
        """
        from sklearn.metrics import balanced_accuracy_score
        from sklearn.utils.validation import has_fit_parameter

        groups = np.arange(len(y)) if groups is None else np.asarray(groups)
        training, held_out = _hold_out(y, groups, self.random_state)

        def fitted(estimator: Any, rows: np.ndarray | slice) -> Any:
            extras = {}
            if sample_weight is not None:
                if not has_fit_parameter(estimator, "sample_weight"):
                    raise ValueError("the estimator's fit takes no sample_weight")
                extras["sample_weight"] = sample_weight[rows]
            if has_fit_parameter(estimator, "groups"):
                extras["groups"] = groups[rows]
            return estimator.fit(X[rows], y[rows], **extras)

        self.tried_ = []
        for option in self.options:
            predicted = np.asarray(fitted(self.make(option), training).predict(X[held_out])).astype(str)
            score = float(balanced_accuracy_score(y[held_out].astype(str), predicted))
            self.tried_.append({**{name: option[name] for name in self.open}, "balanced accuracy": score})
        best = int(np.argmax([one["balanced accuracy"] for one in self.tried_]))
        self.estimator_ = fitted(self.make_last(self.options[best]), slice(None))
        return self

    def __getattr__(self, name: str) -> Any:
        if name == "estimator_":
            raise AttributeError("not fitted")
        return getattr(self.estimator_, name)


def _hold_out(y: np.ndarray, groups: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows to fit to and rows to choose by, whole groups, with the classes as even as they can be."""
    from sklearn.model_selection import StratifiedGroupKFold

    rows = np.flatnonzero(groups != -1)
    n_groups = len(np.unique(groups[rows]))
    if n_groups < 2:
        raise ValueError("parameters cannot be chosen by validation: training has fewer than two groups")
    splitter = StratifiedGroupKFold(min(_FOLDS, n_groups), shuffle=True, random_state=seed)
    training, held_out = next(splitter.split(rows, y[rows], groups[rows]))
    if set(y[rows]) != set(y[rows[training]]):
        raise ValueError(
            "parameters cannot be chosen by validation: all windows of a class would be held out"
        )
    return rows[training], rows[held_out]
