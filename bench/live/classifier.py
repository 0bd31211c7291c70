"""A kept model as a function of one window."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.cells.saved import About
from bench.data.scaling import FittedSubjectZScore
from bench.errors import DataError
from bench.registry import get


class Classifier:
    """A kept model as a function of one window, in the units of the recordings.

    Parameters
    ----------
    about : About
    estimator : object
        As loaded.
    subject : int or None
        Whose scaling to use, where each subject has its own.

    Raises
    ------
    DataError
        If the scaling is by subject, and knows no such subject.
    """

    def __init__(self, about: About, estimator: Any, subject: int | None = None) -> None:
        self._estimator = estimator
        self._scaler = about.scaling.scaler()
        self._subject = np.array([subject_to_scale_by(about, subject)])
        self._fill = not get("estimator", about.plugin).about["unequal_length"]
        self._name = about.plugin

    def __call__(self, window: np.ndarray) -> tuple[str, float | None]:
        """Return class and probability (None if the estimator gives none) of (n_channels, n_timepoints)."""
        X = self._scaler.transform(window[None].astype(np.float32), self._subject)
        if self._fill:
            np.copyto(X, 0, where=np.isnan(X))
        try:
            if not hasattr(self._estimator, "predict_proba"):
                return str(self._estimator.predict(X)[0]), None
            (probabilities,) = self._estimator.predict_proba(X)
        except Exception as error:  # an estimator may raise anything
            raise DataError(f"{self._name} cannot classify a window of {window.shape}: {error}") from error
        best = int(np.argmax(probabilities))
        return str(self._estimator.classes_[best]), float(probabilities[best])


def subject_to_scale_by(about: About, subject: int | None) -> int:
    """Return whose scaling to use: 0 where there is one for all.

    Raises
    ------
    DataError
        If the scaling is by subject and there is none of this one, or no subject is given.
    """
    if not isinstance(about.scaling, FittedSubjectZScore):
        return 0
    known = sorted(about.scaling.mean)
    if subject is None and len(known) == 1:
        return known[0]
    if subject not in about.scaling.mean:
        who = "whose signals these are" if subject is None else f"subject {subject}"
        raise DataError(
            f"the model scales the signals of each person by that person's own (subject-z-score), and does not "
            f"know {who}: give --subject, one of {', '.join(map(str, known))}; a model for others is trained "
            'with scaling = "min-max" in its suite'
        )
    return subject
