"""GRU: gated recurrent units that read a window from its start to its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bench.estimators._keras_classifier import KerasClassifier, is_count
from bench.registry import register_estimator

if TYPE_CHECKING:
    import keras


@register_estimator(
    "gru",
    family="deep",
    cost="1.2 h",
    requires=("tensorflow", "keras"),
    unequal_length=True,
    most_probable=True,
    cpus=2,
    memory="2GB",
)
@dataclass(kw_only=True, eq=False)
class GRU(KerasClassifier):
    """GRU: gated recurrent units over time, their last state and a softmax (Cho et al. 2014).

    A recurrent network that sees the order of the samples, which the shuffled LSTM of MLSTM-FCN does not.

    Parameters
    ----------
    units : int, default 64
        Size of the state.
    dropout : float, default 0.2
        Share of the last state that is dropped in training.
    **training
        See `KerasClassifier`.

    References
    ----------
    K. Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine translation",
    EMNLP 2014, section 2.3; arXiv:1406.1078.
    """

    kind: ClassVar[str] = "gru"
    CONDITIONS: ClassVar[dict[str, Callable[[Any], bool]]] = {
        **KerasClassifier.CONDITIONS,
        "units": is_count,
        "dropout": lambda v: 0 <= v < 1,
    }

    units: int = 64
    dropout: float = 0.2

    @staticmethod
    def network_builder() -> Callable[..., keras.Model]:
        """Return the function that builds the network."""
        from keras import Model, layers

        from bench.estimators._keras_classifier.layers import window_input

        def build(
            shape: tuple[int, int],
            n_classes: int,
            *,
            units: int,
            dropout: float,
            moments: tuple[Sequence[float], Sequence[float]] | None,
            unequal: bool,
        ) -> keras.Model:
            inputs, windows, mask = window_input(shape, moments, unequal)
            state = layers.GRU(units)(layers.Permute((2, 1))(windows), mask=mask)
            state = layers.Dropout(dropout)(state)
            return Model(inputs, layers.Dense(n_classes, activation="softmax")(state))

        return build
