"""Predictions of `KerasClassifier`, and loss and confusion summed over windows. It imports Keras, late.

Of training windows they are summed while an epoch runs, in `EpochSums`; of predictions afterwards, by `evaluate`.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from bench.estimators._keras_classifier.windows import Windows


class EpochSums(keras.metrics.Metric):
    """Weighted loss and confusion summed over the windows of an epoch, on the device, until `clear`.

    What ``train_on_batch`` returns is of one batch in some versions of Keras and of all batches since
    ``reset_metrics`` in others. Here nothing that Keras calls sets the sums back.

    Attributes
    ----------
    loss : keras.Variable of shape ()
    counts : keras.Variable of shape (n_classes, n_classes)
        Windows by true class (rows) and predicted class (columns).
    """

    def __init__(self, n_classes: int, **options: Any) -> None:
        super().__init__(name="epoch_sums", dtype="float32", **options)
        self.n_classes = n_classes
        self.loss = self.add_variable((), initializer="zeros", name="loss")
        self.counts = self.add_variable((n_classes, n_classes), initializer="zeros", name="counts")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch: class numbers, probabilities, and weights or None."""
        labels = ops.reshape(y_true, (-1,))
        losses = keras.losses.sparse_categorical_crossentropy(labels, y_pred)
        if sample_weight is not None:
            losses = losses * ops.cast(ops.reshape(sample_weight, (-1,)), losses.dtype)
        self.loss.assign_add(ops.sum(losses))
        rows = ops.one_hot(labels, self.n_classes, dtype=self.dtype)
        columns = ops.one_hot(ops.argmax(y_pred, axis=-1), self.n_classes, dtype=self.dtype)
        self.counts.assign_add(ops.matmul(ops.transpose(rows), columns))

    def result(self) -> Any:
        """Return the summed loss."""
        return ops.convert_to_tensor(self.loss)

    def reset_state(self) -> None:
        """Do nothing: Keras decides when it calls this, and has decided otherwise before."""

    def clear(self) -> None:
        """Begin an epoch."""
        for variable in self.variables:
            variable.assign(ops.zeros(variable.shape, variable.dtype))


def predict(network: keras.Model, X: np.ndarray, batch_size: int = 256) -> np.ndarray:
    """Return class probabilities, (n_windows, n_classes) float32; the batch size changes no result."""
    if not len(X):
        return np.empty((0, network.output_shape[-1]), dtype=np.float32)
    starts = range(0, len(X), batch_size)
    return np.concatenate([network.predict_on_batch(X[k : k + batch_size]) for k in starts])


def evaluate(network: keras.Model, windows: Windows) -> tuple[float, np.ndarray]:
    """Return weighted loss and confusion of the network's predictions, summed over windows as in `EpochSums`.

    Returns
    -------
    float
    ndarray of shape (n_classes, n_classes), float32
        Windows by true class (rows) and predicted class (columns).
    """
    probabilities = predict(network, windows.X)
    own = probabilities[np.arange(len(windows)), windows.labels]
    losses = -np.log(np.clip(own, 1e-7, 1.0), dtype=np.float64)
    counts = np.zeros((probabilities.shape[1],) * 2, dtype=np.float32)
    np.add.at(counts, (windows.labels, probabilities.argmax(axis=1)), 1)
    return float(losses.sum() if windows.weight is None else losses @ windows.weight), counts


def scores(loss: float, counts: np.ndarray) -> dict[str, float]:
    """Return loss a window, accuracy and balanced accuracy, of a loss and a confusion summed over windows."""
    of_class = counts.sum(axis=1)
    recall = counts.diagonal()[of_class > 0] / of_class[of_class > 0]
    return {
        "loss": float(loss / counts.sum()),
        "accuracy": float(counts.trace() / counts.sum()),
        "balanced_accuracy": float(recall.mean()),
    }
