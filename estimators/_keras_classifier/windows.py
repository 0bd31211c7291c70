"""Windows as `KerasClassifier` takes them: checked, padded, a part held out by groups."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows (n, n_channels, n_timepoints), class numbers (n,) and weights (n,) or None."""

    X: np.ndarray
    labels: np.ndarray
    weight: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.X)

    def take(self, rows: np.ndarray) -> Windows:
        """Return the windows at `rows`."""
        return Windows(self.X[rows], self.labels[rows], None if self.weight is None else self.weight[rows])


def checked_windows(
    X: np.ndarray | Sequence[np.ndarray], n_timepoints: int | None = None
) -> tuple[np.ndarray, bool]:
    """Return windows as one array, shorter ones filled up with NaN, and whether any is shorter.

    Parameters
    ----------
    X : ndarray of shape (n_windows, n_channels, n_timepoints), or sequence of (n_channels, length)
        NaN in all channels up to the end of a window is padding.
    n_timepoints : int, optional
        Fill up to this length; by default to that of the longest window.

    Returns
    -------
    ndarray of shape (n_windows, n_channels, n_timepoints), float32
    bool

    Raises
    ------
    ValueError
        If the shape is another, or a value that is not padding is not finite; the message names the
        channel.
    """
    if isinstance(X, np.ndarray) and X.dtype != object:
        X = np.asarray(X, dtype=np.float32)
        if X.ndim != 3:
            raise ValueError(f"X has shape {X.shape}, expected (n_windows, n_channels, n_timepoints)")
        if n_timepoints is not None and X.shape[2] < n_timepoints:
            X = _stack(list(X), n_timepoints)
    else:
        X = _stack([np.asarray(x, dtype=np.float32) for x in X], n_timepoints or 0)
    finite = np.isfinite(X)
    if finite.all():
        return X, False
    missing = np.isnan(X).all(axis=1)
    # A window's end is after its last step that is not missing.
    lengths = X.shape[2] - missing[:, ::-1].argmin(axis=1)
    lengths[missing.all(axis=1)] = 0
    if not lengths.all():
        raise ValueError(f"window {int(lengths.argmin())} of X holds no value but NaN")
    padding = np.arange(X.shape[2]) >= lengths[:, None]
    bad = ~(finite | padding[:, None]).all(axis=(0, 2))
    if bad.any():
        raise ValueError(f"X has values that are not finite (NaN or infinity) in channel {int(bad.argmax())}")
    return X, True


def _stack(windows: Sequence[np.ndarray], n_timepoints: int) -> np.ndarray:
    shapes = [window.shape for window in windows]
    if not shapes or any(len(shape) != 2 for shape in shapes) or len({shape[0] for shape in shapes}) > 1:
        raise ValueError(
            "X is neither an array nor a sequence of arrays (n_channels, length) of as many channels"
        )
    X = np.full((len(shapes), shapes[0][0], max(n_timepoints, *(n for _, n in shapes))), np.nan, np.float32)
    for row, window in zip(X, windows, strict=True):
        row[:, : window.shape[1]] = window
    return X


def channel_moments(X: np.ndarray) -> tuple[list[float], list[float]]:
    """Return mean and standard deviation (1 where it is 0) of each channel, padding left out."""
    means, deviations = [], []
    for k in range(X.shape[1]):
        means.append(float(np.nanmean(X[:, k], dtype=np.float64)))
        deviations.append(float(np.nanstd(X[:, k], dtype=np.float64)) or 1.0)
    return means, deviations


def hold_out_groups(
    labels: np.ndarray, groups: np.ndarray | None, share: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows for training and for validation: about `share` of the windows, whole groups, by class.

    Raises
    ------
    ValueError
        If a class would be left without training windows, or a window is made of several groups (-1).
    """
    from sklearn.model_selection import StratifiedGroupKFold

    if groups is None:
        groups = np.arange(len(labels))
    groups = np.asarray(groups)
    if (groups == -1).any():
        raise ValueError(
            f"validation={share}: windows that a resampler mixed from several trials belong to no side; "
            "copies (+ros) and weights (+class-weight) do"
        )
    folds = max(2, round(1 / share))
    if len(np.unique(groups)) < folds:
        raise ValueError(f"validation={share}: {len(np.unique(groups))} groups cannot be divided so")
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed % 2**32)
    training, held_out = next(splitter.split(labels, labels, groups))
    if len(np.unique(labels[training])) < len(np.unique(labels)):
        raise ValueError(f"validation={share}: all groups of a class would be held out")
    return training, held_out


def class_weights(labels: np.ndarray) -> dict[int, float]:
    """Return n / (n_classes * count) for each class.

    Parameters
    ----------
    labels : ndarray of shape (n_windows,), int
        Class numbers 0 to n_classes - 1, each of them at least once.

    Returns
    -------
    dict of int to float
        The weight by class number; over the windows they average to one.
    """
    counts = np.bincount(labels)
    return {label: len(labels) / (len(counts) * count) for label, count in enumerate(counts.tolist())}


def fit_key(parameters: dict[str, Any], *arrays: np.ndarray | None) -> str:
    """Return a digest of a fit: its parameters and what it is given."""
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True, default=str).encode())
    for array in arrays:
        digest.update(b"" if array is None else np.ascontiguousarray(array).data)
    return digest.hexdigest()
