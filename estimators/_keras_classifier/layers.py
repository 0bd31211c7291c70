"""Layers that networks of windows share. It imports Keras, late.

Time runs along the third of four axes, (n_windows, 1, n_timepoints, n_filters): the shape in which TensorFlow's
fused batch normalisation and its convolutions work without rearranging anything in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import Input, layers, ops


def window_input(
    shape: tuple[int, int], moments: tuple[Sequence[float], Sequence[float]] | None, unequal: bool
) -> tuple[Any, Any, Any]:
    """Return the input of a network, its windows standardised, and a mask of the steps that are real.

    Parameters
    ----------
    shape : (n_channels, n_timepoints)
    moments : (means, deviations), optional
        Of each channel; windows are then ``(window - mean) / deviation``.
    unequal : bool
        Whether windows may be shorter than `shape`, with NaN in all channels after their end. These are 0
        in the windows that are returned, and False in the mask.

    Returns
    -------
    input : tensor of shape (n_windows, n_channels, n_timepoints)
    windows : tensor of the same shape
    mask : tensor of shape (n_windows, n_timepoints), bool, or None
    """
    inputs = windows = Input(shape)
    if moments is not None:
        means, deviations = (_column(values) for values in moments)
        windows = (windows - means) / deviations
    mask = None
    if unequal:
        mask = ops.logical_not(ops.isnan(inputs[:, 0, :]))
        windows = ops.where(ops.isnan(windows), 0.0, windows)
    return inputs, windows, mask


def _column(values: Sequence[float]) -> Any:
    """Return one value a channel as a constant of shape (n_channels, 1)."""
    return ops.reshape(ops.convert_to_tensor(list(values), dtype="float32"), (-1, 1))


def in_a_row(series: Any, mask: Any) -> tuple[Any, Any]:
    """Return (n_windows, n_timepoints, n_channels) and its mask with an axis of 1 before time."""
    convolved = layers.Reshape((1, *series.shape[1:]))(series)
    return convolved, None if mask is None else ops.expand_dims(mask, 1)


def convolution(x: Any, filters: int, width: int, mask: Any, dtype: str) -> Any:
    """Convolve, normalise by batch and rectify (Wang et al. 2017, section II B); zero where masked."""
    x = layers.Conv2D(filters, (1, width), padding="same", kernel_initializer="he_uniform", dtype=dtype)(x)
    x = FusedBatchNormalization(momentum=0.99, epsilon=0.001, dtype=dtype)(x, mask=mask)
    x = layers.ReLU(dtype=dtype)(x)
    # The convolutions see zeros after a window's end, as they do after the end of the longest.
    return x if mask is None else x * ops.cast(ops.expand_dims(mask, 3), x.dtype)


def mean_over_time(x: Any, mask: Any) -> Any:
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
