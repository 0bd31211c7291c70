"""A kept model as a function of one window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.cells.saved import About
from bench.data.origins import Origins
from bench.data.scalers.fitted import FittedBySubject
from bench.data.scalers.trained import FittedSubjectZScore
from bench.data.scalers.unlabelled import FittedBaseline, FittedFirstSeconds
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
    level : ndarray of shape (n_channels,), optional
        Mean of each channel before the stimulus, where the scaling takes it.

    Raises
    ------
    DataError
        As `origins_of`.
    """

    def __init__(
        self, about: About, estimator: Any, subject: int | None = None, level: np.ndarray | None = None
    ) -> None:
        self._estimator = estimator
        self._scaler = about.scaling.scaler()
        self._origins = origins_of(about, subject, level)
        self._fill = not get("estimator", about.plugin).about["unequal_length"]
        self._name = about.plugin

    def __call__(self, window: np.ndarray) -> tuple[str, float | None]:
        """Return class and probability (None if the estimator gives none) of (n_channels, n_timepoints)."""
        X = self._scaler.transform(window[None].astype(np.float32), self._origins)
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


@dataclass(frozen=True)
class _Origins:
    """Of one window: whose it is, and its channels' levels before the stimulus."""

    subjects: np.ndarray
    levels: np.ndarray


def origins_of(about: About, subject: int | None, level: np.ndarray | None) -> Origins:
    """Return where a model's windows come from, as far as its scaling asks.

    Raises
    ------
    DataError
        If the scaling is by subject and there is none of this one, or no subject is given; or if it takes the
        level before the stimulus, and that is not known.
    """
    scaling, n_channels = about.scaling, len(about.channels)
    if isinstance(scaling, FittedBaseline) and level is None:
        raise DataError(
            "the model takes off each trial's level in the seconds before its stimulus (scaling baseline), and in a "
            "stream of samples nothing says which these are: it can only --replay SUBJECT/TRIAL; a model for "
            'streams is trained with scaling = "min-max" in its suite'
        )
    if isinstance(scaling, FittedBySubject):
        subject = _known_subject(scaling, subject)
    return _Origins(
        np.array([subject or 0]), np.zeros((1, n_channels), np.float32) if level is None else level[None]
    )


def _known_subject(scaling: FittedSubjectZScore | FittedFirstSeconds, subject: int | None) -> int:
    known = sorted(scaling.mean)
    if subject is None and len(known) == 1:
        return known[0]
    if subject not in scaling.mean:
        who = "whose signals these are" if subject is None else f"subject {subject}"
        raise DataError(
            f"the model scales the signals of each person by that person's own ({scaling.name}), and does not "
            f"know {who}: give --subject, one of {', '.join(map(str, known))}; a model for others is trained "
            'with scaling = "min-max" in its suite'
        )
    return subject
