"""Running moments of batch normalisation, in the networks of `KerasClassifier`. It imports Keras, late.

Keras begins them at mean 0 and variance 1, and every update moves them a hundredth of the way to the batch's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

import keras
import numpy as np

_MOVING = ("moving_mean", "moving_variance")


@contextlib.contextmanager
def current_moments(network: keras.Model, updates: int) -> Iterator[None]:
    """Predict without what the running moments began with: it would still tell after a hundred updates."""
    kept = [[np.array(getattr(layer, name)) for name in _MOVING] for layer in _normalisations(network)]
    _remove_start(network, updates)
    yield
    for layer, values in zip(_normalisations(network), kept, strict=True):
        for name, value in zip(_MOVING, values, strict=True):
            getattr(layer, name).assign(value)


def recompute_moments(network: keras.Model, batches: Iterable[np.ndarray]) -> None:
    """Set the running moments to those of training windows under the weights as they are now.

    The running ones lag some hundred updates behind, which in a short fit is the whole of it: the network
    would predict otherwise than it was trained.

    Parameters
    ----------
    network : keras.Model
    batches : iterable of ndarray of shape (n_windows, n_channels, n_timepoints)
        At least one.
    """
    for layer in _normalisations(network):
        layer.moving_mean.assign(np.zeros(layer.moving_mean.shape))
        layer.moving_variance.assign(np.ones(layer.moving_variance.shape))
    updates = 0
    for X in batches:
        network(X, training=True)
        updates += 1
    _remove_start(network, updates)


def _normalisations(network: keras.Model) -> list[keras.layers.BatchNormalization]:
    """Return the layers of batch normalisation, those of networks within the network included."""
    found = []
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            found += _normalisations(layer)
        elif isinstance(layer, keras.layers.BatchNormalization):
            found.append(layer)
    return found


def _remove_start(network: keras.Model, updates: int) -> None:
    """Take out of the running moments what they began with (0 and 1), as Adam does with its own."""
    for layer in _normalisations(network):
        left = layer.momentum**updates
        layer.moving_mean.assign(layer.moving_mean / (1 - left))
        layer.moving_variance.assign((layer.moving_variance - left) / (1 - left))
