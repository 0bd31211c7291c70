"""What every network of the project does: train, predict, be kept; a subclass says which network."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from bench.estimators._keras_classifier.backend import start_keras
from bench.estimators._keras_classifier.parameters import Parameters, is_count
from bench.estimators._keras_classifier.ranks import ChannelRanks
from bench.estimators._keras_classifier.schedules import LEARNING_RATES, SCHEDULES
from bench.estimators._keras_classifier.windows import (
    Windows,
    channel_moments,
    checked_windows,
    class_weights,
    fit_key,
    hold_out_groups,
)

if TYPE_CHECKING:
    import keras
    from sklearn.utils import Tags


@dataclass(kw_only=True, eq=False)
class KerasClassifier(Parameters):
    """A network of Keras as a classifier of windows: its training, its predictions and its file.

    A subclass adds the parameters of its network, as fields, and says by `network_builder` how that is built; all are
    trained alike, so that what tells them apart is the network.

    Classes are weighted against their frequency, and the fit ends with the weights of its best epoch: that
    of lowest training loss, or of lowest loss on a `validation` part of the training windows. By default it
    trains for 120 epochs with a learning rate that rises and falls once.

    It keeps the scikit-learn interface (``get_params``, ``set_params``, ``clone``, pickling) without
    deriving from scikit-learn's classes, so that listing the estimators imports neither library.

    Parameters
    ----------
    standardize : {"rank-normal", "z-score", "none"}, default "rank-normal"
        What is done to each channel before the network sees it, learnt from all training windows:
        ``rank-normal`` takes it to a standard normal distribution by rank, ``z-score`` takes its mean away and
        divides by its standard deviation, as the first layer of the network.
    epochs : int, default 120
        Passes over the training windows.
    max_seconds : float, optional
        Wall time after which training ends, in the middle of an epoch if need be; the schedule
        ``one-cycle`` is then run through in this time.
    batch_size : int, default 32
        Most windows in a step of Adam. The windows of an epoch are divided into batches that differ in
        size by one at most.
    schedule : {"one-cycle", "plateau", "step"}, default "one-cycle"
        ``one-cycle``: the learning rate rises to its peak for 30 % of the fit and falls to a
        thousandth of it. ``plateau``: times 1/cbrt(2), down to 1e-4, whenever the training loss has not
        improved for `patience` epochs [1]_. ``step``: the same factor every 100 epochs.
    learning_rate : float, optional
        At the start, or the peak of ``one-cycle``; by default 1e-3, and 5e-3 for ``one-cycle``.
    patience : int, default 100
        Of the schedule ``plateau``.
    early_stopping : int, optional
        Epochs without a new best epoch after which training ends; by default it does not.
    validation : float, default 0.0
        Share of the training windows, whole groups of them, that are held out to choose the best epoch.
    class_weight : bool, default True
        Weight every window by n_windows / (n_classes * n_windows_of_its_class), unless `fit` is given
        weights.
    random_state : int, optional
        Seed of the initial weights, of dropout and of the order of windows. It seeds Python's,
        NumPy's and Keras's global generators. On one machine, with the same number of threads,
        the same seed gives the same network.
    n_jobs : int, optional
        Threads of TensorFlow; None or a negative number for all cores. The first TensorFlow operation of a
        process fixes their number, so a later value has no effect.
    log_dir : str, optional
        Folder for TensorBoard's events, and for a checkpoint: a fit that was interrupted goes on from it
        when it is called again with the same windows and parameters, `random_state` among them.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted: the columns of `predict_proba`.
    model_ : keras.Model
        The trained network, from (n_windows, n_channels, n_timepoints) to class probabilities; with
        ``rank-normal``, of windows as `ranks_` makes them.
    ranks_ : callable or None
        What ``rank-normal`` learnt: from windows to scaled windows.
    history_ : dict of str to list of float
        ``loss``, ``accuracy``, ``balanced_accuracy``, ``learning_rate`` (of its last step) and ``seconds``
        of every epoch, on the training windows as they were seen (dropout, and weights that change from batch
        to batch), and ``val_loss`` and so on if there is a validation part.
    best_epoch_ : int
        The epoch, counted from 0, whose weights were kept.
    training_scores_ : dict of str to float
        ``loss``, ``accuracy`` and ``balanced_accuracy`` on the training windows, as the fitted network predicts.
    about_ : dict
        Of a loaded estimator: what was given to `save`.
    """

    kind: ClassVar[str]  # names the member of a saved file that tells of the estimator
    CONDITIONS: ClassVar[dict[str, Callable[[Any], bool]]] = {
        **dict.fromkeys(("epochs", "batch_size", "patience"), is_count),
        "validation": lambda v: 0 <= v <= 0.5,
        "schedule": SCHEDULES.__contains__,
        "standardize": ("rank-normal", "z-score", "none").__contains__,
        "early_stopping": lambda v: v is None or is_count(v),
        **dict.fromkeys(("max_seconds", "learning_rate"), lambda v: v is None or v > 0),
    }

    standardize: str = "rank-normal"
    epochs: int = 120
    max_seconds: float | None = None
    batch_size: int = 32
    schedule: str = "one-cycle"
    learning_rate: float | None = None
    patience: int = 100
    early_stopping: int | None = None
    validation: float = 0.0
    class_weight: bool = True
    random_state: int | None = None
    n_jobs: int | None = None
    log_dir: str | None = None

    @staticmethod
    def network_builder() -> Callable[..., keras.Model]:
        """Return the function that builds the untrained network, and import what it is made of.

        It is called with ``shape``, (n_channels, n_timepoints), and ``n_classes``, and by name with ``moments``, (means,
        deviations) of the channels or None, ``unequal``, whether windows may end with NaN, and the subclass's
        own parameters; it returns a model from windows to probabilities that is not compiled.
        """
        raise NotImplementedError

    def fit(
        self,
        X: np.ndarray | Sequence[np.ndarray],
        y: np.ndarray,
        sample_weight: np.ndarray | None = None,
        groups: np.ndarray | None = None,
    ) -> Self:
        """Train a new network.

        Parameters
        ----------
        X : ndarray of shape (n_windows, n_channels, n_timepoints), or sequence of (n_channels, length)
            The training windows; cast to float32. Windows that are shorter than others are given as a
            sequence, or end with NaN in all channels.
        y : ndarray of shape (n_windows,)
            Their labels, of any type that can be sorted.
        sample_weight : ndarray of shape (n_windows,), optional
            Factor of each window's loss. It takes the place of the class weights: `class_weight` is
            then ignored.
        groups : ndarray of shape (n_windows,), optional
            Number of what each window is cut from, such as its trial: windows of a group are on the same
            side of the `validation` part, which no window of -1, made of several groups, can be. By
            default each window is a group.

        Returns
        -------
        KerasClassifier
            The estimator itself.

        Raises
        ------
        ValueError
            If a parameter has a value that it cannot have; if `X` has another shape, differs from `y`,
            `sample_weight` or `groups` in length, or has a value that is not finite (the message names
            the channel); if the groups allow no validation part.
        """
        self.check_parameters()
        given, unequal = checked_windows(X)
        if len(given) != len(y):
            raise ValueError(f"X has {len(given)} windows but y has {len(y)} labels")
        for name, values in (("sample_weight", sample_weight), ("groups", groups)):
            if values is not None and np.shape(values) != (len(given),):
                raise ValueError(f"X has {len(given)} windows but {name} has shape {np.shape(values)}")
        self.classes_, labels = np.unique(np.asarray(y), return_inverse=True)

        keras = start_keras(self.n_jobs)
        from bench.estimators._keras_classifier.metrics import evaluate, scores
        from bench.estimators._keras_classifier.training import Settings, train

        # Keras's global state would keep the networks of earlier fits alive. TensorFlow itself keeps
        # some 30 MB of compiled graph a fit, until the process ends.
        keras.utils.clear_session()
        seed = (
            np.random.SeedSequence().generate_state(1)[0] if self.random_state is None else self.random_state
        )
        keras.utils.set_random_seed(int(seed))
        if sample_weight is None and self.class_weight:
            of_class = class_weights(labels)
            sample_weight = np.array([of_class[label] for label in labels.tolist()])
        windows = Windows(
            given, labels, None if sample_weight is None else np.asarray(sample_weight, np.float32)
        )
        validation = None
        if self.validation:
            training, held_out = hold_out_groups(labels, groups, self.validation, int(seed))
            windows, validation = windows.take(training), windows.take(held_out)
        self.ranks_ = ChannelRanks.of(windows.X) if self.standardize == "rank-normal" else None
        if self.ranks_ is not None:
            windows = replace(windows, X=self.ranks_(windows.X))
            validation = validation and replace(validation, X=self.ranks_(validation.X))
        self.network_ = {
            "shape": given.shape[1:],
            "n_classes": len(self.classes_),
            "moments": channel_moments(windows.X) if self.standardize == "z-score" else None,
            "unequal": unequal,
            **self._network_parameters(),
        }
        self.model_ = self.network_builder()(**self.network_)
        settings = Settings(
            epochs=self.epochs,
            batch_size=self.batch_size,
            schedule=self.schedule,
            learning_rate=self.learning_rate or LEARNING_RATES[self.schedule],
            patience=self.patience,
            early_stopping=self.early_stopping,
            max_seconds=self.max_seconds,
            seed=int(seed),
        )
        with self._log(windows) as (checkpoint, key, told):
            done = train(
                self.model_,
                windows,
                settings,
                validation=validation,
                checkpoint=checkpoint,
                key=key,
                told=told,
            )
        self.history_, self.best_epoch_ = done.history, done.best_epoch
        self.training_scores_ = scores(*evaluate(self.model_, windows))
        return self

    def _network_parameters(self) -> dict[str, Any]:
        """Return the parameters of the network, as against those of its training: the fields of the subclass."""
        of_training = {field.name for field in fields(KerasClassifier)}
        return {name: value for name, value in self.get_params().items() if name not in of_training}

    @contextlib.contextmanager
    def _log(self, windows: Windows) -> Any:
        """Yield the checkpoint's file, the fit's key, and what is told of every epoch."""
        if self.log_dir is None:
            yield None, "", lambda progress: None
            return
        from bench.estimators._keras_classifier.tensorboard import TensorBoardLog

        folder = Path(self.log_dir)
        parameters = {k: v for k, v in self.get_params().items() if k not in ("log_dir", "n_jobs")}
        key = fit_key(parameters, windows.X, windows.labels, windows.weight)
        with TensorBoardLog(folder, self.model_, parameters, [str(c) for c in self.classes_]) as log:
            yield folder / "checkpoint.npz", key, log

    def predict_proba(self, X: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
        """Return class probabilities.

        Parameters
        ----------
        X : ndarray of shape (n_windows, n_channels, n_timepoints), or sequence of (n_channels, length)
            Windows of as many channels as in `fit`, and no longer; cast to float32. If some were shorter
            than others in `fit`, these may be too.

        Returns
        -------
        ndarray of shape (n_windows, n_classes), float32
            Probabilities, with columns as in `classes_`.

        Raises
        ------
        ValueError
            If `X` has another shape than in `fit` or a value that is not finite.
        """
        from bench.estimators._keras_classifier.metrics import predict

        shape = tuple(self.network_["shape"])
        may_be_shorter = self.network_["unequal"]
        given, shorter = checked_windows(X, shape[1] if may_be_shorter else None)
        if given.shape[1:] != shape:
            raise ValueError(
                f"windows of (n_channels, n_timepoints) = {given.shape[1:]}; the network was trained on {shape}"
            )
        if shorter and not may_be_shorter:
            raise ValueError("X has shorter windows, padded with NaN; the network was trained on equal ones")
        return predict(self.model_, given if self.ranks_ is None else self.ranks_(given))

    def predict(self, X: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
        """Return the most probable label of each window: ndarray of shape (n_windows,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def save(self, path: str | Path, about: dict[str, Any] | None = None) -> None:
        """Write the fitted estimator into one file: network, parameters, labels and scaling.

        Parameters
        ----------
        path : str or Path
            Ends in ``.keras``: Keras reads the network in it too, which takes windows as `ranks_` makes them. An
            older file is replaced at once.
        about : dict, optional
            What else a reader should know, as JSON holds it: `load` gives it back as ``about_``.
        """
        from bench.estimators._keras_classifier.file import save_estimator

        if not hasattr(self, "model_"):
            raise ValueError("nothing to save: fit comes first")
        if Path(path).suffix != ".keras":
            raise ValueError(f"{path}: the name has to end in .keras")
        save_estimator(self, Path(path), about or {})

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote; its predictions are the same to the bit. It runs no code from the file.

        Raises
        ------
        FileNotFoundError
        ValueError
            If the file is damaged, or none of `save`.
        """
        from bench.estimators._keras_classifier.file import load_estimator

        start_keras(None)
        return load_estimator(cls, Path(path))

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


def _empty(kind: type[KerasClassifier], fitted: bool) -> KerasClassifier:
    """Make the object that unpickling fills; Keras has to know the network's layers before it reads one."""
    if fitted:
        import bench.estimators._keras_classifier.training  # noqa: F401

        kind.network_builder()
    return kind.__new__(kind)
