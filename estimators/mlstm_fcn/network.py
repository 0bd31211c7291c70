"""The network of `bench.estimators.mlstm_fcn`; this file imports Keras, and is imported late.

Time runs along the third of four axes, (n_windows, 1, n_timepoints, n_filters): the shape in which TensorFlow's
fused batch normalisation and its convolutions work without rearranging anything in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import Input, Model, layers, ops

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

    inputs = windows = Input(shape)
    if moments is not None:
        means, deviations = (_column(values) for values in moments)
        windows = (windows - means) / deviations
    mask = None
    if unequal:
        mask = ops.logical_not(ops.isnan(inputs[:, 0, :]))
        windows = ops.where(ops.isnan(windows), 0.0, windows)
    series = layers.Permute((2, 1))(windows)  # (n_timepoints, n_channels)

    if lstm:
        # A window as given is the shuffled one: n_channels steps of n_timepoints features.
        steps = windows if shuffle else series
        few = steps.shape[1] <= _UNROLLED_STEPS
        recurrent = (AttentionLSTM if attention else layers.LSTM)(cells, unroll=few)(
            steps, mask=None if shuffle else mask
        )
        recurrent = layers.Dropout(dropout)(recurrent)

    convolved = layers.Reshape((1, n_timepoints, n_channels))(series)
    mask = None if mask is None else ops.expand_dims(mask, 1)
    *earlier, last = zip(filters, kernel_sizes, strict=True)
    for n_filters, width in earlier:
        convolved = _convolution(convolved, n_filters, width, mask, dtype)
        if squeeze_excite:
            convolved = _squeeze_excite(convolved, squeeze_ratio, mask, dtype)
    convolved = _mean(_convolution(convolved, *last, mask, dtype), mask)

    convolved = layers.Flatten(dtype="float32")(convolved)
    joined = layers.Concatenate()([recurrent, convolved]) if lstm else convolved
    return Model(inputs, layers.Dense(n_classes, activation="softmax")(joined))


def predict(network: keras.Model, X: np.ndarray, batch_size: int = 256) -> np.ndarray:
    """Return class probabilities, (n_windows, n_classes) float32; the batch size changes no result."""
    if not len(X):
        return np.empty((0, network.output_shape[-1]), dtype=np.float32)
    starts = range(0, len(X), batch_size)
    return np.concatenate([network.predict_on_batch(X[k : k + batch_size]) for k in starts])


def _column(values: Sequence[float]) -> Any:
    """Return one value a channel as a constant of shape (n_channels, 1)."""
    return ops.reshape(ops.convert_to_tensor(list(values), dtype="float32"), (-1, 1))


def _convolution(x: Any, filters: int, width: int, mask: Any, dtype: str) -> Any:
    x = layers.Conv2D(filters, (1, width), padding="same", kernel_initializer="he_uniform", dtype=dtype)(x)
    x = FusedBatchNormalization(momentum=0.99, epsilon=0.001, dtype=dtype)(x, mask=mask)
    x = layers.ReLU(dtype=dtype)(x)
    # The convolutions see zeros after a window's end, as they do after the end of the longest.
    return x if mask is None else x * ops.cast(ops.expand_dims(mask, 3), x.dtype)


def _squeeze_excite(x: Any, ratio: int, mask: Any, dtype: str) -> Any:
    """Scale every feature map by a gate computed from the means of all (Hu et al. 2018, section 3)."""
    filters = x.shape[-1]
    options = {"kernel_initializer": "he_normal", "use_bias": False, "dtype": dtype}
    gate = layers.Dense(filters // ratio, activation="relu", **options)(_mean(x, mask))
    gate = layers.Dense(filters, activation="sigmoid", **options)(gate)
    return layers.Multiply(dtype=dtype)([x, gate])


def _mean(x: Any, mask: Any) -> Any:
    """Return the mean over time, of shape (n_windows, 1, 1, n_filters); `x` is zero where masked."""
    if mask is None:
        return layers.GlobalAveragePooling2D(keepdims=True, dtype=x.dtype)(x)
    length = ops.sum(ops.cast(ops.expand_dims(mask, 3), x.dtype), axis=2, keepdims=True)
    return ops.sum(x, axis=2, keepdims=True) / length


@keras.saving.register_keras_serializable(package="mlstm-bench")
class FusedBatchNormalization(layers.BatchNormalization):
    """Batch normalisation of (n_windows, 1, n_timepoints, n_filters), by one operation of TensorFlow.

    Keras's own layer, with the same weights and results, where there is a mask or another backend.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise each feature map by the moments of the batch, or by the running ones."""
        if mask is not None or keras.backend.backend() != "tensorflow":
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        fused = tf.raw_ops.FusedBatchNormV3
        weights = {"x": inputs, "scale": self.gamma.value, "offset": self.beta.value, "epsilon": self.epsilon}
        if not training:
            mean, variance = self.moving_mean.value, self.moving_variance.value
            return fused(mean=mean, variance=variance, is_training=False, **weights)[0]
        outputs, mean, variance, *_ = fused(mean=[], variance=[], is_training=True, **weights)
        # TensorFlow divides by n - 1, Keras by n.
        count = tf.cast(tf.size(inputs) // inputs.shape[-1], tf.float32)
        for running, now in (
            (self.moving_mean, mean),
            (self.moving_variance, variance * (count - 1) / count),
        ):
            running.assign(running * self.momentum + now * (1 - self.momentum))
        return outputs
