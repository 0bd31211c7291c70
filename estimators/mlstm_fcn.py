"""MLSTM-FCN: an LSTM beside three squeeze-and-excite convolutions (Karim et al. 2019)."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.registry import register_estimator

if TYPE_CHECKING:
    from sklearn.utils import Tags

# Size of a batch of predictions. It changes no result; large batches only need more memory.
_PREDICT_BATCH = 256


@register_estimator("mlstm-fcn", family="deep", requires=("tensorflow", "keras"))
@dataclass(kw_only=True, eq=False)
class MLSTMFCN:
    """MLSTM-FCN of Karim et al. (2019): LSTM and squeeze-excite convolutions side by side.

    The network and its training are those of [1]_: Adam, whose learning
    rate is multiplied by 1/cbrt(2), down to 1e-4, whenever the training loss has not improved for
    `patience` epochs; classes weighted against their frequency; and, at the end, the weights of the
    epoch of lowest training loss. No part of the training windows is held out, and none of the
    test windows is looked at.

    `lstm`, `squeeze_excite` and `attention` take parts away or exchange one: LSTM-FCN [2]_ has no
    squeeze-excite, MALSTM-FCN [1]_ has an attention LSTM, FCN has neither LSTM nor squeeze-excite.

    It keeps the scikit-learn interface (``get_params``, ``set_params``, ``clone``, pickling) without
    deriving from scikit-learn's classes, so that listing the estimators imports neither library.

    Parameters
    ----------
    cells : int, default 8
        Units of the LSTM; the paper chooses among 8, 64 and 128 by data set.
    epochs : int, default 250
        Passes over the training windows.
    batch_size : int, default 64
        Windows in a step of Adam.
    learning_rate : float, default 1e-3
        Learning rate at the start.
    patience : int, default 100
        Epochs without an improvement of the training loss after which the learning rate is lowered.
    class_weight : bool, default True
        Weight every window by n_windows / (n_classes * n_windows_of_its_class), unless `fit` is given
        weights.
    shuffle : bool, optional
        Whether the LSTM sees each channel as one step of n_timepoints features ("dimension shuffle",
        "network input" in [1]_) and not each time point as one step of n_channels features. By default
        it does when there are more time points than channels, as in the paper.
    lstm : bool, default True
        Whether there is an LSTM, with its dropout, beside the convolutions. Without it, `cells` and
        `shuffle` have no effect.
    squeeze_excite : bool, default True
        Whether the first two convolutions are each followed by a squeeze-excite block.
    attention : bool, default False
        Whether the LSTM is given, with every step, a mean of all steps weighted by additive attention:
        with x_s the steps and h_{t-1} the last output, step t is given x_t and the sum over s of
        alpha_ts x_s, where alpha_ts is the softmax over s of v . tanh(W h_{t-1} + U x_s + b). These
        are the equations of the ``AttentionLSTM`` in the code of [2]_. Time and memory grow with the
        square of the number of steps: it is meant for the shuffled LSTM.
    random_state : int, optional
        Seed of the initial weights, of dropout and of the order of windows. It seeds Python's,
        NumPy's and TensorFlow's global generators. On one machine, with the same number of threads,
        the same seed gives the same network.
    n_jobs : int, optional
        Threads of TensorFlow; None or a negative number for all cores. The first TensorFlow operation of a
        process fixes their number, so a later value has no effect.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,), str
        The labels, sorted: the columns of `predict_proba`.
    model_ : keras.Model
        The trained network, from (n_windows, n_channels, n_timepoints) to class probabilities.
    history_ : dict of str to list of float
        ``loss``, ``accuracy`` and ``learning_rate`` of every epoch, on the training windows.

    References
    ----------
    .. [1] F. Karim, S. Majumdar, H. Darabi, S. Harford, "Multivariate LSTM-FCNs for Time Series
       Classification", Neural Networks 116, 2019, pp. 237-245; arXiv:1801.04503.
    .. [2] F. Karim, S. Majumdar, H. Darabi, S. Chen, "LSTM Fully Convolutional Networks for Time Series
       Classification", IEEE Access 6, 2018, pp. 1662-1669; arXiv:1709.05206.
    """

    cells: int = 8
    epochs: int = 250
    batch_size: int = 64
    learning_rate: float = 1e-3
    patience: int = 100
    class_weight: bool = True
    shuffle: bool | None = None
    lstm: bool = True
    squeeze_excite: bool = True
    attention: bool = False
    random_state: int | None = None
    n_jobs: int | None = None

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> MLSTMFCN:
        """Train a new network.

        Parameters
        ----------
        X : ndarray of shape (n_windows, n_channels, n_timepoints)
            The training windows, best scaled to about unit variance; cast to float32.
        y : ndarray of shape (n_windows,)
            Their labels, of any type that can be sorted.
        sample_weight : ndarray of shape (n_windows,), optional
            Factor of each window's loss. It takes the place of the class weights: `class_weight` is
            then ignored.

        Returns
        -------
        MLSTMFCN
            The estimator itself.

        Raises
        ------
        ValueError
            If `X` is not three-dimensional, differs from `y` or `sample_weight` in length, or has a
            value that is not finite (the message names the channel); or if `attention` is asked for
            without `lstm`.
        """
        if self.attention and not self.lstm:
            raise ValueError("attention=True needs the LSTM, but lstm=False")
        X = _checked(X)
        if len(X) != len(y):
            raise ValueError(f"X has {len(X)} windows but y has {len(y)} labels")
        if sample_weight is not None:
            sample_weight = np.asarray(sample_weight, dtype=np.float32)
            if sample_weight.shape != (len(X),):
                raise ValueError(f"X has {len(X)} windows but sample_weight has shape {sample_weight.shape}")
        self.classes_, labels = np.unique(np.asarray(y), return_inverse=True)

        keras = _start_keras(self.n_jobs)
        from bench.estimators._mlstm_fcn_network import build_network

        # Keras's global state would keep the networks of earlier fits alive. TensorFlow itself keeps
        # some 30 MB of compiled graph a fit, until the process ends.
        keras.utils.clear_session()
        if self.random_state is not None:
            keras.utils.set_random_seed(self.random_state)
        self.model_ = build_network(
            X.shape[1:],
            len(self.classes_),
            cells=self.cells,
            shuffle=self.shuffle,
            lstm=self.lstm,
            squeeze_excite=self.squeeze_excite,
            attention=self.attention,
        )
        self.model_.compile(
            optimizer=keras.optimizers.Adam(self.learning_rate),
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
            jit_compile=False,  # on a CPU, XLA trains this network more slowly
        )
        history = self.model_.fit(
            X,
            labels,
            batch_size=self.batch_size,
            epochs=self.epochs,
            sample_weight=sample_weight,
            class_weight=class_weights(labels) if self.class_weight and sample_weight is None else None,
            callbacks=_callbacks(self.epochs, self.patience),
            verbose=0,
        )
        self.history_ = {name: [float(v) for v in values] for name, values in history.history.items()}
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return class probabilities.

        Parameters
        ----------
        X : ndarray of shape (n_windows, n_channels, n_timepoints)
            Windows of the shape seen in `fit`; cast to float32.

        Returns
        -------
        ndarray of shape (n_windows, n_classes), float32
            Probabilities, with columns as in `classes_`.

        Raises
        ------
        ValueError
            If `X` has another shape than in `fit` or a value that is not finite.
        """
        X = _checked(X)
        if X.shape[1:] != self.model_.input_shape[1:]:
            raise ValueError(
                f"windows of (n_channels, n_timepoints) = {X.shape[1:]}; "
                f"the network was trained on {self.model_.input_shape[1:]}"
            )
        # The network is called, rather than its `predict`, which would first compile a graph for a second.
        starts = range(0, len(X), _PREDICT_BATCH)
        return np.concatenate([self.model_(X[k : k + _PREDICT_BATCH], training=False) for k in starts])

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the most probable label of each window: ndarray of shape (n_windows,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name; `deep` is there for scikit-learn and changes nothing."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def set_params(self, **params: Any) -> MLSTMFCN:
        """Set parameters by name; ValueError if there is none of that name."""
        for name, value in params.items():
            if name not in self.get_params():
                raise ValueError(f"MLSTMFCN has no parameter {name!r}; it has {', '.join(self.get_params())}")
            setattr(self, name, value)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _empty, (type(self), hasattr(self, "model_")), vars(self)

    def __sklearn_tags__(self) -> Tags:
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(two_d_array=False, three_d_array=True),
            target_tags=TargetTags(required=True),
        )


def class_weights(labels: np.ndarray) -> dict[int, float]:
    """Return n / (n_classes * count) for each class.

    Parameters
    ----------
    labels : ndarray of shape (n_windows,), int
        Class numbers 0 to n_classes - 1, each of them at least once.

    Returns
    -------
    dict of int to float
        The weight by class number; over the windows they average to one.
    """
    counts = np.bincount(labels)
    return {label: len(labels) / (len(counts) * count) for label, count in enumerate(counts.tolist())}


def _empty(kind: type[MLSTMFCN], fitted: bool) -> MLSTMFCN:
    """Make the object that unpickling fills; Keras has to know the network's layers before it reads one."""
    if fitted:
        import bench.estimators._mlstm_fcn_network  # noqa: F401
    return kind.__new__(kind)


def _callbacks(epochs: int, patience: int) -> list[Any]:
    from keras.callbacks import EarlyStopping, ReduceLROnPlateau

    return [
        # A patience of all epochs never stops early: what is wanted is the weights of the best one.
        EarlyStopping(monitor="loss", mode="min", patience=epochs, restore_best_weights=True),
        ReduceLROnPlateau(monitor="loss", mode="min", factor=0.5 ** (1 / 3), patience=patience, min_lr=1e-4),
    ]


def _checked(X: np.ndarray) -> np.ndarray:
    X = np.asarray(X, dtype=np.float32)
    if X.ndim != 3:
        raise ValueError(f"X has shape {X.shape}, expected (n_windows, n_channels, n_timepoints)")
    bad = ~np.isfinite(X).all(axis=(0, 2))
    if bad.any():
        raise ValueError(f"X has values that are not finite (NaN or infinity) in channel {int(bad.argmax())}")
    return X


def _start_keras(n_jobs: int | None) -> Any:
    """Import Keras and start TensorFlow with `n_jobs` threads."""
    import keras
    import tensorflow as tf

    threads = n_jobs if n_jobs and n_jobs > 0 else 0  # 0: as many as there are cores
    with contextlib.suppress(RuntimeError):  # it runs already, and keeps the threads it has
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.get_logger().setLevel("ERROR")  # it would warn that every network is compiled anew
    return keras
