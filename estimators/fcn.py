"""FCN: three convolutions and their means over time, the convolutional half of MLSTM-FCN."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bench.estimators._keras_classifier import KerasClassifier, are_counts, check_convolutions
from bench.registry import register_estimator

if TYPE_CHECKING:
    import keras


@register_estimator(
    "fcn",
    family="deep",
    cost="3.4 h",
    requires=("tensorflow", "keras"),
    unequal_length=True,
    most_probable=True,
    cpus=2,
    memory="2GB",
)
@dataclass(kw_only=True, eq=False)
class FCN(KerasClassifier):
    """FCN: three convolutions, their means over time and a softmax (Wang et al. 2017).

    What MLSTM-FCN is without its LSTM and its squeeze-excite blocks: what the two add is the difference.

    Parameters
    ----------
    filters, kernel_sizes : sequence of int, default (128, 256, 128) and (8, 5, 3)
        Of the convolutions, one value each.
    **training
        See `KerasClassifier`.

    References
    ----------
    Z. Wang, W. Yan, T. Oates, "Time series classification from scratch with deep neural networks: a strong
    baseline", IJCNN 2017, section II B; arXiv:1611.06455.
    """

    kind: ClassVar[str] = "fcn"
    CONDITIONS: ClassVar[dict[str, Callable[[Any], bool]]] = {
        **KerasClassifier.CONDITIONS,
        **dict.fromkeys(("filters", "kernel_sizes"), are_counts),
    }

    filters: Sequence[int] = (128, 256, 128)
    kernel_sizes: Sequence[int] = (8, 5, 3)

    @staticmethod
    def network_builder() -> Callable[..., keras.Model]:
        """Return the function that builds the network."""
        from keras import Model, layers

        from bench.estimators._keras_classifier.layers import (
            convolution,
            in_a_row,
            mean_over_time,
            window_input,
        )

        def build(
            shape: tuple[int, int],
            n_classes: int,
            *,
            filters: Sequence[int],
            kernel_sizes: Sequence[int],
            moments: tuple[Sequence[float], Sequence[float]] | None,
            unequal: bool,
        ) -> keras.Model:
            inputs, windows, mask = window_input(shape, moments, unequal)
            x, mask = in_a_row(layers.Permute((2, 1))(windows), mask)
            for n_filters, width in zip(filters, kernel_sizes, strict=True):
                x = convolution(x, n_filters, width, mask, "float32")
            x = layers.Flatten()(mean_over_time(x, mask))
            return Model(inputs, layers.Dense(n_classes, activation="softmax")(x))

        return build

    def check_parameters(self) -> None:
        """Raise ValueError, with its name, if a parameter has a value that it cannot have."""
        super().check_parameters()
        check_convolutions(self.filters, self.kernel_sizes)
