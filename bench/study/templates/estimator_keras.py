"""my-estimator: say here what it is. `python -m bench check 'my-estimator[epochs=2]'` says whether it keeps the interface."""

from dataclasses import dataclass
from typing import ClassVar

from bench.estimators._keras_classifier import KerasClassifier
from bench.registry import register_estimator


@register_estimator(
    "my-estimator",  # its name in specs and tables
    family="deep",  # the kind of method, as tables show it
    requires=("tensorflow", "keras"),  # imported before the clock starts
    most_probable=True,  # predict is the class of highest probability
)
@dataclass(kw_only=True, eq=False)
class MyEstimator(KerasClassifier):
    """Means over time of convolutions, and a softmax: this line is shown by `list`.

    Training, seeds, class weights, saving and all that belongs to them is `KerasClassifier`'s, with its parameters:
    my-estimator[epochs=40,filters=16]. What is said here is the network alone.
    """

    kind: ClassVar[str] = "my-estimator"  # what a saved file says that it holds
    filters: int = 32  # a parameter of the network: a field, and an argument of `build`

    @staticmethod
    def network_builder():
        """Return the function that builds the network."""
        # Heavy packages are imported here, so that `list` stays quick.
        from keras import Model, layers

        from bench.estimators._keras_classifier.layers import window_input

        def build(shape, n_classes, *, filters, moments, unequal):
            """Build it for windows of `shape` (n_channels, n_timepoints)."""
            inputs, windows, _ = window_input(shape, moments, unequal)
            x = layers.Permute((2, 1))(windows)  # Keras has time first
            x = layers.Conv1D(filters, 8, padding="same", activation="relu")(x)
            x = layers.GlobalAveragePooling1D()(x)
            return Model(inputs, layers.Dense(n_classes, activation="softmax")(x))

        return build
