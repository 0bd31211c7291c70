"""MLSTM-FCN: an LSTM beside three squeeze-and-excite convolutions (Karim et al. 2019)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bench.estimators._keras_classifier import KerasClassifier, are_counts, check_convolutions, is_count
from bench.registry import register_estimator

if TYPE_CHECKING:
    import keras


@register_estimator(
    "mlstm-fcn",
    family="deep",
    cost="3.5 h",
    requires=("tensorflow", "keras"),
    unequal_length=True,
    most_probable=True,
    cpus=2,
    memory="2GB",
)
@dataclass(kw_only=True, eq=False)
class MLSTMFCN(KerasClassifier):
    """MLSTM-FCN of Karim et al. (2019): LSTM and squeeze-excite convolutions side by side.

    The network is that of [1]_. `lstm`, `squeeze_excite` and `attention` take parts away or exchange one:
    LSTM-FCN [2]_ has no squeeze-excite, MALSTM-FCN [1]_ has an attention LSTM, ALSTM-FCN [2]_ that and no
    squeeze-excite, FCN neither LSTM nor squeeze-excite.

    How it is trained, and the parameters of that, are those of `KerasClassifier`. The published training is
    ``MLSTMFCN(schedule="plateau", epochs=2000, batch_size=64)``. As a classifier of sktime it is
    `MLSTMFCNClassifier` in this package.

    Parameters
    ----------
    cells : int, default 8
        Units of the LSTM; the paper chooses among 8, 64 and 128 by data set.
    filters, kernel_sizes : sequence of int, default (128, 256, 128) and (8, 5, 3)
        Of the convolutions, one value each.
    dropout : float, default 0.8
        Share of the LSTM's outputs that is dropped in training.
    squeeze_ratio : int, default 16
        How many times smaller than the number of filters the inner layer of squeeze-excite is.
    shuffle : bool, optional
        Whether the LSTM sees each channel as one step of n_timepoints features ("dimension shuffle",
        "network input" in [1]_) and not each time point as one step of n_channels features. By default
        it does when there are more time points than channels, as in the paper.
    lstm : bool, default True
        Whether there is an LSTM, with its dropout, beside the convolutions. Without it, `cells`,
        `dropout` and `shuffle` have no effect.
    squeeze_excite : bool, default True
        Whether all convolutions but the last are each followed by a squeeze-excite block.
    attention : bool, default False
        Whether the LSTM is given, with every step, a mean of all steps weighted by additive attention, as
        in the ``AttentionLSTM`` of the code of [2]_. Time and memory grow with the square of the number
        of steps: it is meant for the shuffled LSTM.
    dtype : {"float32", "mixed_bfloat16"}, default "float32"
        Of the convolutions. The second computes and keeps feature maps in bfloat16, weights in float32:
        faster on processors that multiply bfloat16 faster than float32, and slower on others.
    **training
        See `KerasClassifier`.

    References
    ----------
    .. [1] F. Karim, S. Majumdar, H. Darabi, S. Harford, "Multivariate LSTM-FCNs for Time Series
       Classification", Neural Networks 116, 2019, pp. 237-245; arXiv:1801.04503.
    .. [2] F. Karim, S. Majumdar, H. Darabi, S. Chen, "LSTM Fully Convolutional Networks for Time Series
       Classification", IEEE Access 6, 2018, pp. 1662-1669; arXiv:1709.05206.
    """

    kind: ClassVar[str] = "mlstm_fcn"
    CONDITIONS: ClassVar[dict[str, Callable[[Any], bool]]] = {
        **KerasClassifier.CONDITIONS,
        **dict.fromkeys(("cells", "squeeze_ratio"), is_count),
        **dict.fromkeys(("filters", "kernel_sizes"), are_counts),
        "dropout": lambda v: 0 <= v < 1,
        "dtype": ("float32", "mixed_bfloat16").__contains__,
    }

    cells: int = 8
    filters: Sequence[int] = (128, 256, 128)
    kernel_sizes: Sequence[int] = (8, 5, 3)
    dropout: float = 0.8
    squeeze_ratio: int = 16
    shuffle: bool | None = None
    lstm: bool = True
    squeeze_excite: bool = True
    attention: bool = False
    dtype: str = "float32"

    @staticmethod
    def network_builder() -> Callable[..., keras.Model]:
        """Return `build_network`."""
        from bench.estimators.mlstm_fcn.network import build_network

        return build_network

    def check_parameters(self) -> None:
        """Raise ValueError, with its name, if a parameter has a value that it cannot have."""
        super().check_parameters()
        check_convolutions(self.filters, self.kernel_sizes)
        if self.attention and not self.lstm:
            raise ValueError("attention=True needs the LSTM, but lstm=False")
