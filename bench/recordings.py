"""`Recordings`: what a data set plugin returns; and `DataError`, what it raises when it cannot."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KNOWN", "DataError", "Recordings"]

# Columns of the table of trials, besides subject, trial and stimulus, that say what a trial is and not what was rated.
KNOWN = ("order", "recording", "onset", "site", "split")


@dataclass(frozen=True, eq=False)
class Recordings:
    """The raw signals of one data set, one entry a trial.

    Parameters
    ----------
    name : str
        Short name of the data set, as shown in tables.
    signals : ndarray of shape (n_trials, n_channels, n_samples), or sequence of n_trials
        ndarrays of shape (n_channels, n_samples_of_the_trial); float32.
    channels : sequence of str
        Channel names, in the order of the second axis, with the unit, e.g. ``"GSR (Ohm)"``.
    sampling_rate : float
        Samples a second (Hz), the same for all channels. 1.0 where the data set has no clock.
    trials : DataFrame of n_trials rows
        Columns ``subject`` (int), ``trial`` (int, unique within the subject), ``stimulus`` (int or
        str) and one column for each rating (float) or label (str); where they are known, those of `KNOWN`:
        ``order`` (the trial's place in the subject's session, a number), ``recording`` and ``onset`` (which
        longer recording the trial was cut from, int or str, and at how many seconds of it the trial's
        first sample lies), ``site`` (where it was recorded, int or str) and ``split`` (``"train"`` or
        ``"test"``, the data set's own division).
    baseline_seconds : float, default 0
        Length of the part before the stimulus, at the start of each trial (s).
    simulated : bool, default False
        Whether a program made the signals up. Everything computed from them then says so.
    credit : str, default ""
        Attribution and licence that any table made from these recordings must carry.
    recorded_rate : float, optional
        Samples a second (Hz) before the harness resampled the signals to `sampling_rate`; a data set leaves
        it out.

    Raises
    ------
    DataError
        If shapes, ids or values contradict each other, or a sample is not finite.
    """

    name: str
    signals: np.ndarray | Sequence[np.ndarray]
    channels: Sequence[str]
    sampling_rate: float
    trials: pd.DataFrame
    baseline_seconds: float = 0.0
    simulated: bool = False
    credit: str = ""
    recorded_rate: float | None = None

    def __post_init__(self) -> None:
        missing = {"subject", "trial", "stimulus"} - set(self.trials.columns)
        if missing:
            raise DataError(f"{self.name}: the table of trials has no column {', '.join(sorted(missing))}")
        if len(self.signals) != len(self.trials):
            raise DataError(
                f"{self.name}: {len(self.signals)} signals but {len(self.trials)} rows in the table of trials"
            )
        if not len(self.signals):
            raise DataError(f"{self.name}: no trial at all")
        twice = self.trials.duplicated(["subject", "trial"])
        if twice.any():
            subject, trial = self.trials.loc[twice, ["subject", "trial"]].iloc[0]
            raise DataError(f"{self.name}: subject {subject} has trial {trial} twice")
        for column in ("order", "onset"):
            if column in self.trials and not _are_finite(self.trials[column]):
                raise DataError(
                    f"{self.name}: the column {column} of the table of trials has to hold finite numbers"
                )
        if ("recording" in self.trials) != ("onset" in self.trials):
            raise DataError(f"{self.name}: the table of trials needs both recording and onset, or neither")
        self._check_signals()

    def _check_signals(self) -> None:
        for signal, subject, trial in zip(self.signals, self.trials.subject, self.trials.trial, strict=True):
            where = f"{self.name}: subject {subject}, trial {trial}"
            if signal.ndim != 2 or signal.shape[0] != len(self.channels):
                raise DataError(f"{where}: shape {signal.shape}, expected ({len(self.channels)}, n_samples)")
            if signal.dtype != np.float32:
                raise DataError(f"{where}: {signal.dtype} samples, expected float32")
            # A sum is finite only if every term is, and costs no temporary array; where it is not, be it
            # from an overflow alone, the slow check decides.
            with np.errstate(over="ignore", invalid="ignore"):
                total = signal.sum()
            if not np.isfinite(total) and not np.isfinite(signal).all():
                channel = self.channels[int(np.argmin(np.isfinite(signal).all(axis=1)))]
                raise DataError(f"{where}: a sample of {channel} is not finite")

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over every sample, id and rating: the same bytes, the same recordings."""
        digest = hashlib.sha256()
        about = (self.name, tuple(self.channels), float(self.sampling_rate), float(self.baseline_seconds))
        digest.update(repr((*about, bool(self.simulated))).encode())
        digest.update(self.trials.to_csv(index=False, float_format="%.17g").encode())
        for signal in self.signals:
            digest.update(repr(signal.shape).encode())
            digest.update(np.ascontiguousarray(signal).data)
        return digest.hexdigest()


def _are_finite(column: pd.Series) -> bool:
    try:
        return bool(np.isfinite(column.to_numpy(dtype=float)).all())
    except (TypeError, ValueError):
        return False
