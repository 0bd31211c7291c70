"""The network of `bench.estimators.mlstm_fcn` and its layers; this file imports Keras, and is imported late."""

from __future__ import annotations

from typing import Any

import keras
from keras import Input, Model, layers, ops

# LSTMs of so few steps are written out in the graph: it compiles sooner than a loop, and runs as fast.
_UNROLLED_STEPS = 16


def build_network(
    shape: tuple[int, int],
    n_classes: int,
    *,
    cells: int = 8,
    shuffle: bool | None = None,
    lstm: bool = True,
    squeeze_excite: bool = True,
    attention: bool = False,
) -> keras.Model:
    """Build the untrained network of Karim et al. (2019), whole or less a part.

    Parameters
    ----------
    shape : (n_channels, n_timepoints)
        Shape of one window.
    n_classes : int
        Units of the softmax.
    cells : int, default 8
        Units of the LSTM.
    shuffle : bool, optional
        Whether each channel is one step of the LSTM; by default, if there are fewer channels than
        time points.
    lstm : bool, default True
        Whether there is a recurrent branch, an LSTM and dropout, beside the convolutions.
    squeeze_excite : bool, default True
        Whether the first two convolutions are each followed by a squeeze-excite block.
    attention : bool, default False
        Whether the LSTM is an `AttentionLSTM`.

    Returns
    -------
    keras.Model
        From (n_windows, n_channels, n_timepoints) to (n_windows, n_classes), not compiled.
    """
    n_channels, n_timepoints = shape
    if shuffle is None:
        shuffle = n_timepoints > n_channels

    windows = Input(shape)
    series = layers.Permute((2, 1))(windows)  # (n_timepoints, n_channels), as convolutions want it

    if lstm:
        # A window as given is the shuffled one: n_channels steps of n_timepoints features.
        steps = windows if shuffle else series
        few = steps.shape[1] <= _UNROLLED_STEPS
        recurrent = (AttentionLSTM if attention else layers.LSTM)(cells, unroll=few)(steps)
        recurrent = layers.Dropout(0.8)(recurrent)

    convolved = _convolution(series, filters=128, width=8)
    if squeeze_excite:
        convolved = _squeeze_excite(convolved)
    convolved = _convolution(convolved, filters=256, width=5)
    if squeeze_excite:
        convolved = _squeeze_excite(convolved)
    convolved = _convolution(convolved, filters=128, width=3)
    convolved = layers.GlobalAveragePooling1D()(convolved)

    joined = layers.Concatenate()([recurrent, convolved]) if lstm else convolved
    return Model(windows, layers.Dense(n_classes, activation="softmax")(joined))


def _convolution(x: Any, *, filters: int, width: int) -> Any:
    x = layers.Conv1D(filters, width, padding="same", kernel_initializer="he_uniform")(x)
    x = layers.BatchNormalization(momentum=0.99, epsilon=0.001)(x)
    return layers.ReLU()(x)


def _squeeze_excite(x: Any, ratio: int = 16) -> Any:
    """Scale every feature map by a gate computed from the means of all (Hu et al. 2018, section 3)."""
    filters = x.shape[-1]
    gate = layers.GlobalAveragePooling1D(keepdims=True)(x)
    options = {"kernel_initializer": "he_normal", "use_bias": False}
    gate = layers.Dense(filters // ratio, activation="relu", **options)(gate)
    gate = layers.Dense(filters, activation="sigmoid", **options)(gate)
    return layers.Multiply()([x, gate])


@keras.saving.register_keras_serializable(package="mlstm-bench")
class AttentionLSTM(layers.Layer):
    """LSTM whose every step is also given a weighted mean of all steps (Karim et al. 2018).

    For the steps x_1, ..., x_T of a window, and the output h_{t-1} of the step before::

        e_ts     = v . tanh(W h_{t-1} + U x_s + b)
        alpha_ts = exp(e_ts) / (exp(e_t1) + ... + exp(e_tT))
        c_t      = alpha_t1 x_1 + ... + alpha_tT x_T
        h_t      = LSTM([x_t, c_t], h_{t-1})

    This is the additive attention of Bahdanau et al. [1]_, over the input in the place of an encoder's
    states, as in the layer of this name in the code of Karim et al. [2]_: W and U begin orthogonal, v
    and b at zero, so that at first all steps weigh the same. The LSTM itself is Keras's, with one
    kernel for x_t and c_t, and differs from theirs in its gates (sigmoid, not its piecewise linear
    approximation) and in the initial biases of the forget gates (one, not zero).

    Training takes time and memory in proportion to the square of the number of steps.

    Parameters
    ----------
    units : int
        Units of the LSTM, and of the attention.
    unroll : bool, default False
        Whether the steps are written out in the graph and not looped over; it changes no result.
    **options
        As for any Keras layer.

    References
    ----------
    .. [1] D. Bahdanau, K. Cho, Y. Bengio, "Neural Machine Translation by Jointly Learning to Align and
       Translate", ICLR 2015; arXiv:1409.0473, appendix A.1.2.
    .. [2] F. Karim, S. Majumdar, H. Darabi, S. Chen, "LSTM Fully Convolutional Networks for Time Series
       Classification", IEEE Access 6, 2018, pp. 1662-1669; arXiv:1709.05206. The layer is in
       https://github.com/titu1994/MLSTM-FCN, utils/layer_utils.py.
    """

    def __init__(self, units: int, unroll: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.units = units
        self.unroll = unroll
        self.cell = layers.LSTMCell(units, dtype=self.dtype_policy)

    def build(self, input_shape: tuple[int | None, int | None, int]) -> None:
        """Create the weights, for inputs of shape (n_windows, n_steps, n_features)."""
        n_features = input_shape[2]
        self.cell.build((None, 2 * n_features))
        self.W = self.add_weight(shape=(self.units, self.units), initializer="orthogonal", name="attention_W")
        self.U = self.add_weight(shape=(n_features, self.units), initializer="orthogonal", name="attention_U")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="attention_b")
        self.v = self.add_weight(shape=(self.units, 1), initializer="zeros", name="attention_v")

    def attend(self, projected: Any, state: Any) -> Any:
        """Return alpha_t of shape (n_windows, 1, n_steps), given U x_s + b of all steps and h_{t-1}."""
        hidden = ops.tanh(ops.expand_dims(ops.matmul(state, self.W), 1) + projected)
        scores = ops.swapaxes(ops.matmul(hidden, self.v), 1, 2)
        # Keras's own softmax warns of windows of a single step.
        return ops.exp(scores - ops.logsumexp(scores, axis=2, keepdims=True))

    def call(self, inputs: Any) -> Any:
        """Return the output of the last step, of shape (n_windows, units)."""
        projected = ops.matmul(inputs, self.U) + self.b  # the same at every step

        def advance(states: Any, x: Any) -> tuple[Any, Any]:
            context = ops.squeeze(ops.matmul(self.attend(projected, states[0]), inputs), 1)
            _, states = self.cell(ops.concatenate([x, context], axis=-1), states)
            return states, states

        states = self.cell.get_initial_state(ops.shape(inputs)[0])
        if self.unroll:
            for x in ops.unstack(inputs, axis=1):
                states, _ = advance(states, x)
        else:
            states, _ = ops.scan(advance, states, ops.swapaxes(inputs, 0, 1))
        return states[0]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        """Return (n_windows, units)."""
        return input_shape[0], self.units

    def get_config(self) -> dict[str, Any]:
        """Return the parameters, for a saved network."""
        return {**super().get_config(), "units": self.units, "unroll": self.unroll}
