"""LSTM-FCN as sktime has it, trained as sktime trains it."""

from __future__ import annotations

import numpy as np

from bench.estimators._keras_classifier.backend import start_keras
from bench.registry import register_estimator


@register_estimator(
    "lstm-fcn",
    family="deep",
    cost="58 h",
    requires=("tensorflow", "keras", "sktime.classification.deep_learning"),
    most_probable=True,
    cpus=2,
    memory="2GB",
)
def lstm_fcn(
    *,
    n_epochs: int = 2000,
    batch_size: int = 128,
    lstm_size: int = 8,
    attention: bool = False,
    random_state: int,
    n_jobs: int,
) -> SktimeLSTMFCN:
    """LSTM-FCN of sktime as it is: no squeeze-excite, class weights or shuffle, a fixed learning rate (Karim et al. 2018).

    What somebody has who takes ``LSTMFCNClassifier`` from the library: the weights of the last epoch predict.

    Parameters
    ----------
    n_epochs : int, default 2000
    batch_size : int, default 128
    lstm_size : int, default 8
        Units of the LSTM, which reads the samples in their order.
    attention : bool, default False
        Whether the LSTM is sktime's attention LSTM.
    random_state : int
    n_jobs : int
        Threads of TensorFlow, as in `KerasClassifier`.

    Returns
    -------
    SktimeLSTMFCN
        ``fit(X, y)``, ``predict(X)`` and ``predict_proba(X)`` on `X` of shape (n_windows, n_channels, n_timepoints).

    References
    ----------
    F. Karim, S. Majumdar, H. Darabi, S. Chen, "LSTM Fully Convolutional Networks for Time Series Classification",
    IEEE Access 6, 2018, pp. 1662-1669; arXiv:1709.05206.
    """
    return SktimeLSTMFCN(n_epochs, batch_size, lstm_size, attention, random_state, n_jobs)


class SktimeLSTMFCN:
    """sktime's ``LSTMFCNClassifier``, seeded, that tells of its training.

    Parameters
    ----------
    n_epochs, batch_size, lstm_size, attention, random_state, n_jobs
        As for `lstm_fcn`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    history_ : dict of str to list of float
        ``loss`` and ``accuracy`` of every epoch, as Keras reports them.
    training_scores_ : dict of str to float
        ``accuracy`` and ``balanced_accuracy`` on the training windows, as the fitted network predicts.
    """

    def __init__(
        self,
        n_epochs: int,
        batch_size: int,
        lstm_size: int,
        attention: bool,
        random_state: int,
        n_jobs: int,
    ) -> None:
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.lstm_size = lstm_size
        self.attention = attention
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: np.ndarray, y: np.ndarray) -> SktimeLSTMFCN:
        """Fit to `X` of shape (n_windows, n_channels, n_timepoints) and `y` of shape (n_windows,)."""
        keras = start_keras(self.n_jobs)
        from sklearn.metrics import accuracy_score, balanced_accuracy_score
        from sktime.classification.deep_learning import LSTMFCNClassifier

        keras.utils.clear_session()
        # sktime seeds TensorFlow, but not the generator that Keras draws weights from.
        keras.utils.set_random_seed(self.random_state)
        self.classifier_ = LSTMFCNClassifier(
            n_epochs=self.n_epochs,
            batch_size=self.batch_size,
            lstm_size=self.lstm_size,
            attention=self.attention,
            random_state=self.random_state,
        ).fit(X, y)
        self.classes_ = np.asarray(self.classifier_.classes_)
        self.history_ = {
            name: [float(value) for value in values]
            for name, values in self.classifier_.history.history.items()
        }
        predicted = self.predict(X)
        self.training_scores_ = {
            "accuracy": float(accuracy_score(y, predicted)),
            "balanced_accuracy": float(balanced_accuracy_score(y, predicted)),
        }
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the most probable label of each window: ndarray of shape (n_windows,)."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the probability of each class, as in `classes_`: ndarray of shape (n_windows, n_classes)."""
        # sktime's own draws a progress bar at every call.
        return np.asarray(self.classifier_.model_.predict(X.transpose(0, 2, 1), verbose=0))
