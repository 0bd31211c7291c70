"""What fitted scalers have in common: their form in JSON, and moments of each subject."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

OfChannels = list[Annotated[float, Field(allow_inf_nan=False)]]
Spreads = list[Annotated[float, Field(gt=0, allow_inf_nan=False)]]

# By subject: mean and deviation of each channel, float32 of shape (n_channels,).
Moments = dict[int, tuple[np.ndarray, np.ndarray]]


class Fitted(BaseModel):
    """What a scaler learnt, as JSON can hold it: numbers are float32, and come back to the bit."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FittedBySubject(Fitted):
    """Of a scaler that scales each subject by that subject's own: mean and deviation of each channel."""

    mean: dict[int, OfChannels]
    deviation: dict[int, Spreads]

    @model_validator(mode="after")
    def _same_subjects(self) -> FittedBySubject:
        if not self.mean or self.mean.keys() != self.deviation.keys():
            raise ValueError("mean and deviation are not of the same subjects")
        return self

    def lengths(self) -> set[int]:
        """Return for how many channels there are values."""
        return {len(values) for part in (self.mean, self.deviation) for values in part.values()}

    def moments(self) -> Moments:
        """Return the moments as they were learnt, to the bit."""
        return {
            subject: (float32(mean), float32(self.deviation[subject])) for subject, mean in self.mean.items()
        }


def as_lists(moments: Moments) -> dict[str, dict[int, list[float]]]:
    """Return the two fields of `FittedBySubject`."""
    return {
        "mean": {int(subject): mean.tolist() for subject, (mean, _) in moments.items()},
        "deviation": {int(subject): deviation.tolist() for subject, (_, deviation) in moments.items()},
    }


def scale_by_subject(X: np.ndarray, subjects: np.ndarray, moments: Moments, unknown: str) -> np.ndarray:
    """Take each subject's mean off its windows and divide by its deviation, in place.

    Raises
    ------
    ValueError
        With the text `unknown`, its ``{subject}`` filled in, if there are no moments of a subject.
    """
    for subject in np.unique(subjects):
        if subject not in moments:
            raise ValueError(unknown.format(subject=subject))
        mean, deviation = moments[subject]
        own = subjects == subject
        X[own] = (X[own] - mean[:, None]) / deviation[:, None]
    return X


def spreads(values: np.ndarray) -> np.ndarray:
    """Return values to divide by: float32, 1 in the place of 0."""
    values = values.astype(np.float32)
    return np.where(values > 0, values, np.float32(1))


def float32(values: list[float]) -> np.ndarray:
    """Return the values that a list from JSON holds."""
    return np.array(values, dtype=np.float32)
