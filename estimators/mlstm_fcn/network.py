"""The network of `bench.estimators.mlstm_fcn`; this file imports Keras, and is imported late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import Model, layers

from bench.estimators._keras_classifier.layers import convolution, in_a_row, mean_over_time, window_input
from bench.estimators.mlstm_fcn.attention import AttentionLSTM

# LSTMs of so few steps are written out in the graph: it compiles sooner than a loop, and runs as fast.
_UNROLLED_STEPS = 16


def build_network(
    shape: tuple[int, int],
    n_classes: int,
    *,
    cells: int = 8,
    filters: Sequence[int] = (128, 256, 128),
    kernel_sizes: Sequence[int] = (8, 5, 3),
    dropout: float = 0.8,
    squeeze_ratio: int = 16,
    shuffle: bool | None = None,
    lstm: bool = True,
    squeeze_excite: bool = True,
    attention: bool = False,
    dtype: str = "float32",
    moments: tuple[Sequence[float], Sequence[float]] | None = None,
    unequal: bool = False,
) -> keras.Model:
    """Build the untrained network of Karim et al. (2019), whole or less a part.

    Parameters
    ----------
    shape : (n_channels, n_timepoints)
        Shape of one window.
    n_classes : int
        Units of the softmax.
    cells, filters, kernel_sizes, dropout, squeeze_ratio, shuffle, lstm, squeeze_excite, attention, dtype
        As in `bench.estimators.mlstm_fcn.MLSTMFCN`.
    moments : (means, deviations), optional
        Of each channel; the network then begins with ``(window - mean) / deviation``.
    unequal : bool, default False
        Whether windows may be shorter than `shape`, with NaN in all channels after their end. What is
        after the end then changes no output.

    Returns
    -------
    keras.Model
        From (n_windows, n_channels, n_timepoints) to (n_windows, n_classes), float32, not compiled.
    """
    n_channels, n_timepoints = shape
    if shuffle is None:
        shuffle = n_timepoints > n_channels

    inputs, windows, mask = window_input(shape, moments, unequal)
    series = layers.Permute((2, 1))(windows)  # (n_timepoints, n_channels)

    if lstm:
        # A window as given is the shuffled one: n_channels steps of n_timepoints features.
        steps = windows if shuffle else series
        few = steps.shape[1] <= _UNROLLED_STEPS
        recurrent = (AttentionLSTM if attention else layers.LSTM)(cells, unroll=few)(
            steps, mask=None if shuffle else mask
        )
        recurrent = layers.Dropout(dropout)(recurrent)

    convolved, mask = in_a_row(series, mask)
    *earlier, last = zip(filters, kernel_sizes, strict=True)
    for n_filters, width in earlier:
        convolved = convolution(convolved, n_filters, width, mask, dtype)
        if squeeze_excite:
            convolved = _squeeze_excite(convolved, squeeze_ratio, mask, dtype)
    convolved = mean_over_time(convolution(convolved, *last, mask, dtype), mask)

    convolved = layers.Flatten(dtype="float32")(convolved)
    joined = layers.Concatenate()([recurrent, convolved]) if lstm else convolved
    return Model(inputs, layers.Dense(n_classes, activation="softmax")(joined))


def _squeeze_excite(x: Any, ratio: int, mask: Any, dtype: str) -> Any:
    """Scale every feature map by a gate computed from the means of all (Hu et al. 2018, section 3)."""
    filters = x.shape[-1]
    options = {"kernel_initializer": "he_normal", "use_bias": False, "dtype": dtype}
    gate = layers.Dense(filters // ratio, activation="relu", **options)(mean_over_time(x, mask))
    gate = layers.Dense(filters, activation="sigmoid", **options)(gate)
    return layers.Multiply(dtype=dtype)([x, gate])
