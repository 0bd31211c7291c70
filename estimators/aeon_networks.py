"""ResNet, InceptionTime and LITETime: aeon's networks, trained as `KerasClassifier` trains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bench.estimators._keras_classifier import KerasClassifier, NetworkEnsemble, is_count
from bench.registry import register_estimator

if TYPE_CHECKING:
    import keras

_REQUIRES = ("tensorflow", "keras", "aeon.networks")
_INSTALL = "pip install 'mlstm-bench[aeon]'"


def _around(
    core: Any, shape: tuple[int, int], n_classes: int, moments: tuple[Sequence[float], Sequence[float]] | None
) -> keras.Model:
    """Put aeon's network of (n_timepoints, n_channels) between windows and a softmax."""
    from keras import Model, layers

    from bench.estimators._keras_classifier.layers import window_input

    inputs, windows, _ = window_input(shape, moments, unequal=False)
    body = Model(*core.build_network((shape[1], shape[0])))
    x = body(layers.Permute((2, 1))(windows))
    return Model(inputs, layers.Dense(n_classes, activation="softmax")(x))


@register_estimator(
    "resnet",
    family="deep",
    cost="7 h",
    requires=_REQUIRES,
    install=_INSTALL,
    most_probable=True,
    cpus=2,
    memory="2GB",
)
@dataclass(kw_only=True, eq=False)
class ResNet(KerasClassifier):
    """ResNet: nine convolutions in three residual blocks, means over time and a softmax (Wang et al. 2017).

    The network is aeon's ``ResNetNetwork`` with its default sizes: 64, 128 and 128 filters of 8, 5 and 3 samples.

    Parameters
    ----------
    blocks : int, default 3
        The first of 64 filters, all others of 128.
    **training
        See `KerasClassifier`.

    References
    ----------
    Z. Wang, W. Yan, T. Oates, "Time series classification from scratch with deep neural networks: a strong
    baseline", IJCNN 2017, section II C; arXiv:1611.06455. M. Middlehurst et al., "aeon: a Python toolkit for
    learning from time series", JMLR 25(289), 2024.
    """

    kind: ClassVar[str] = "resnet"
    CONDITIONS: ClassVar[dict[str, Callable[[Any], bool]]] = {
        **KerasClassifier.CONDITIONS,
        "blocks": is_count,
    }

    blocks: int = 3

    @staticmethod
    def network_builder() -> Callable[..., keras.Model]:
        """Return the function that builds the network."""
        from aeon.networks import ResNetNetwork

        def build(
            shape: tuple[int, int], n_classes: int, *, blocks: int, moments: Any, unequal: bool
        ) -> keras.Model:
            core = ResNetNetwork(n_residual_blocks=blocks, n_filters=[64, *[128] * (blocks - 1)])
            return _around(core, shape, n_classes, moments)

        return build


@dataclass(kw_only=True, eq=False)
class Inception(KerasClassifier):
    """One network of `inception_time`, with its parameters."""

    kind: ClassVar[str] = "inception"
    CONDITIONS: ClassVar[dict[str, Callable[[Any], bool]]] = {
        **KerasClassifier.CONDITIONS,
        **dict.fromkeys(("depth", "filters", "kernel_size"), is_count),
    }

    depth: int = 6
    filters: int = 32
    kernel_size: int = 40

    @staticmethod
    def network_builder() -> Callable[..., keras.Model]:
        """Return the function that builds the network."""
        from aeon.networks import InceptionNetwork

        def build(
            shape: tuple[int, int],
            n_classes: int,
            *,
            depth: int,
            filters: int,
            kernel_size: int,
            moments: Any,
            unequal: bool,
        ) -> keras.Model:
            core = InceptionNetwork(depth=depth, n_filters=filters, kernel_size=kernel_size)
            return _around(core, shape, n_classes, moments)

        return build


@register_estimator(
    "inception-time",
    family="deep",
    cost="49 h",
    requires=_REQUIRES,
    install=_INSTALL,
    most_probable=True,
    cpus=2,
    memory="2GB",
)
def inception_time(
    *,
    networks: int = 5,
    depth: int = 6,
    filters: int = 32,
    kernel_size: int = 40,
    standardize: str = "rank-normal",
    epochs: int = 120,
    batch_size: int = 32,
    learning_rate: float | None = None,
    class_weight: bool = True,
    random_state: int,
    n_jobs: int,
    log_dir: str | None = None,
) -> NetworkEnsemble:
    """InceptionTime: five networks of convolutions of several lengths side by side (Ismail Fawaz et al. 2020).

    The network is aeon's ``InceptionNetwork``, which is by authors of the paper.

    Parameters
    ----------
    networks : int, default 5
        Trained from different starts; the mean of their probabilities predicts.
    depth : int, default 6
        Inception modules, with a residual connection after every third.
    filters : int, default 32
        Of each of the four branches of a module.
    kernel_size : int, default 40
        Samples of the longest convolution; the others of a module have half and a quarter of them.
    standardize, epochs, batch_size, learning_rate, class_weight, random_state, n_jobs, log_dir
        As in `KerasClassifier`. The paper trains for 1500 epochs, by the schedule ``plateau`` and in batches of 64.

    Returns
    -------
    NetworkEnsemble
        ``fit(X, y)``, ``predict(X)`` and ``predict_proba(X)`` on `X` of shape (n_windows, n_channels, n_timepoints).

    References
    ----------
    H. Ismail Fawaz et al., "InceptionTime: finding AlexNet for time series classification", Data Mining and
    Knowledge Discovery 34, 2020, section 3; arXiv:1909.04939.
    """
    return NetworkEnsemble(
        Inception,
        networks,
        depth=depth,
        filters=filters,
        kernel_size=kernel_size,
        standardize=standardize,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        class_weight=class_weight,
        random_state=random_state,
        n_jobs=n_jobs,
        log_dir=log_dir,
    )


@dataclass(kw_only=True, eq=False)
class Lite(KerasClassifier):
    """One network of `lite_time`, with its parameters."""

    kind: ClassVar[str] = "lite"
    CONDITIONS: ClassVar[dict[str, Callable[[Any], bool]]] = {
        **KerasClassifier.CONDITIONS,
        **dict.fromkeys(("filters", "kernel_size"), is_count),
    }

    filters: int = 32
    kernel_size: int = 40

    @staticmethod
    def network_builder() -> Callable[..., keras.Model]:
        """Return the function that builds the network."""
        from aeon.networks import LITENetwork

        def build(
            shape: tuple[int, int],
            n_classes: int,
            *,
            filters: int,
            kernel_size: int,
            moments: Any,
            unequal: bool,
        ) -> keras.Model:
            # Several channels: the variant that the paper calls LITEMV.
            core = LITENetwork(use_litemv=shape[0] > 1, n_filters=filters, kernel_size=kernel_size)
            return _around(core, shape, n_classes, moments)

        return build


@register_estimator(
    "lite-time",
    family="deep",
    cost="6 h",
    requires=_REQUIRES,
    install=_INSTALL,
    most_probable=True,
    cpus=2,
    memory="2GB",
)
def lite_time(
    *,
    networks: int = 5,
    filters: int = 32,
    kernel_size: int = 40,
    standardize: str = "rank-normal",
    epochs: int = 120,
    batch_size: int = 32,
    learning_rate: float | None = None,
    class_weight: bool = True,
    random_state: int,
    n_jobs: int,
    log_dir: str | None = None,
) -> NetworkEnsemble:
    """LITETime: five small networks, some of whose filters are given and not learnt (Ismail-Fawaz et al. 2023).

    The network is aeon's ``LITENetwork``, which is by authors of the paper; with several channels it is their
    LITEMVTime. It has a fortieth of the weights of InceptionTime.

    Parameters
    ----------
    networks : int, default 5
        Trained from different starts; the mean of their probabilities predicts.
    filters : int, default 32
        Of each convolution.
    kernel_size : int, default 40
        Samples of the longest convolution; the others of the first layer have half and a quarter of them.
    standardize, epochs, batch_size, learning_rate, class_weight, random_state, n_jobs, log_dir
        As in `KerasClassifier`. The paper trains for 1500 epochs, by the schedule ``plateau`` and in batches of 64.

    Returns
    -------
    NetworkEnsemble
        ``fit(X, y)``, ``predict(X)`` and ``predict_proba(X)`` on `X` of shape (n_windows, n_channels, n_timepoints).

    References
    ----------
    A. Ismail-Fawaz, M. Devanne, S. Berretti, J. Weber, G. Forestier, "LITE: light Inception with boosTing
    tEchniques for time series classification", DSAA 2023; of several channels: "Look into the LITE in deep learning
    for time series classification", 2024, arXiv:2409.02869.
    """
    return NetworkEnsemble(
        Lite,
        networks,
        filters=filters,
        kernel_size=kernel_size,
        standardize=standardize,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        class_weight=class_weight,
        random_state=random_state,
        n_jobs=n_jobs,
        log_dir=log_dir,
    )
