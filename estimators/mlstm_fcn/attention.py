"""The attention LSTM of `bench.estimators.mlstm_fcn`; this file imports Keras, and is imported late."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops


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

    Masked steps weigh nothing and change no state. Training takes time and memory in proportion to the
    square of the number of steps.

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
        self.supports_masking = True
        self.cell = layers.LSTMCell(units, dtype=self.dtype_policy)

    def build(self, input_shape: tuple[int | None, int | None, int]) -> None:
        """Create the weights, for inputs of shape (n_windows, n_steps, n_features)."""
        n_features = input_shape[2]
        self.cell.build((None, 2 * n_features))
        self.W = self.add_weight(shape=(self.units, self.units), initializer="orthogonal", name="attention_W")
        self.U = self.add_weight(shape=(n_features, self.units), initializer="orthogonal", name="attention_U")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="attention_b")
        self.v = self.add_weight(shape=(self.units, 1), initializer="zeros", name="attention_v")

    def attend(self, projected: Any, state: Any, mask: Any = None) -> Any:
        """Return alpha_t of shape (n_windows, 1, n_steps), given U x_s + b of all steps and h_{t-1}."""
        hidden = ops.tanh(ops.expand_dims(ops.matmul(state, self.W), 1) + projected)
        scores = ops.swapaxes(ops.matmul(hidden, self.v), 1, 2)
        if mask is not None:
            scores = ops.where(ops.expand_dims(mask, 1), scores, -1e9)
        # Keras's own softmax warns of windows of a single step.
        return ops.exp(scores - ops.logsumexp(scores, axis=2, keepdims=True))

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Return the output of the last step that is not masked, of shape (n_windows, units)."""
        projected = ops.matmul(inputs, self.U) + self.b  # the same at every step

        def advance(states: Any, step: Any) -> tuple[Any, Any]:
            x, real = step
            context = ops.squeeze(ops.matmul(self.attend(projected, states[0], mask), inputs), 1)
            _, after = self.cell(ops.concatenate([x, context], axis=-1), states)
            if mask is not None:
                real = ops.expand_dims(real, 1)
                after = [ops.where(real, new, old) for new, old in zip(after, states, strict=True)]
            return after, after

        states = self.cell.get_initial_state(ops.shape(inputs)[0])
        all_real = ops.ones(ops.shape(inputs)[:2], dtype="bool") if mask is None else mask
        if self.unroll:
            for step in zip(
                ops.unstack(inputs, axis=1), ops.unstack(all_real, inputs.shape[1], axis=1), strict=True
            ):
                states, _ = advance(states, step)
        else:
            states, _ = ops.scan(advance, states, (ops.swapaxes(inputs, 0, 1), ops.swapaxes(all_real, 0, 1)))
        return states[0]

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """Return None: the output has no steps."""

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        """Return (n_windows, units)."""
        return input_shape[0], self.units

    def get_config(self) -> dict[str, Any]:
        """Return the parameters, for a saved network."""
        return {**super().get_config(), "units": self.units, "unroll": self.unroll}
