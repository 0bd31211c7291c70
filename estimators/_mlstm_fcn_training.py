"""The training of `bench.estimators.mlstm_fcn`: steps, weights kept, checkpoints. It imports Keras, late."""

from __future__ import annotations

import contextlib
import json
import os
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from bench.estimators._mlstm_fcn_schedules import learning_rate

# A checkpoint is written once what it takes is under this share of the time since the last.
_CHECKPOINT_COST = 0.02
# Batches from which the running moments of batch normalisation are computed at the end.
_MOMENT_BATCHES = 100
_NO_EPOCH = 2**32 - 1  # their order is that of no epoch
_MOVING = ("moving_mean", "moving_variance")


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows (n, n_channels, n_timepoints), class numbers (n,) and weights (n,) or None."""

    X: np.ndarray
    labels: np.ndarray
    weight: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.X)

    def take(self, rows: np.ndarray) -> Windows:
        """Return the windows at `rows`."""
        return Windows(self.X[rows], self.labels[rows], None if self.weight is None else self.weight[rows])


@dataclass(frozen=True)
class Settings:
    """What `train` is to do; the words are those of `MLSTMFCN`."""

    epochs: int
    batch_size: int
    schedule: str
    learning_rate: float
    patience: int
    early_stopping: int | None
    max_seconds: float | None
    seed: int


@dataclass(eq=False)
class Progress:
    """How far a fit is: what, with the network's and the optimiser's variables, makes up a checkpoint."""

    history: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int = -1
    best_weights: list[np.ndarray] = field(default_factory=list)
    seconds: float = 0.0
    updates: int = 0
    confusions: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        """Epochs done."""
        return len(self.history.get("loss", []))


class EpochSums(keras.metrics.Metric):
    """Weighted loss and confusion summed over the windows of an epoch, on the device, until `clear`.

    What ``train_on_batch`` returns is of one batch in some versions of Keras and of all batches since
    ``reset_metrics`` in others. Here nothing that Keras calls sets the sums back.
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


class Training(keras.Model):
    """A network as it is trained: the same layers, with an optimiser, and silent."""

    def get_metrics_result(self) -> dict[str, Any]:
        """Return nothing after a step: Keras would wait for it, to make numbers of what it is given."""
        return {}


def _compiled(network: keras.Model, rate: float) -> tuple[Training, EpochSums]:
    """Return the network as it is trained, and what takes the sums of its epochs."""
    training, sums = Training(network.input, network.output), EpochSums(network.output_shape[-1])
    training.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss="sparse_categorical_crossentropy",
        weighted_metrics=[sums],
        jit_compile=keras.backend.backend() == "jax",  # on a CPU, XLA trains this network more slowly
    )
    training.optimizer.build(training.trainable_variables)
    return training, sums


def train(
    network: keras.Model,
    windows: Windows,
    settings: Settings,
    *,
    validation: Windows | None = None,
    checkpoint: Path | None = None,
    key: str = "",
    told: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Train a network in place; it ends with the weights of its best epoch.

    The best epoch is that of lowest loss: of `validation` if there is one, else of the training windows, as
    they were seen during the epoch. At the end the running moments of batch normalisation are computed
    anew, for these weights, from training windows.

    Parameters
    ----------
    network : keras.Model
        Ends in a softmax; it is compiled here.
    windows : Windows
    settings : Settings
    validation : Windows, optional
        Part of the training side that the weights are chosen by.
    checkpoint : Path, optional
        File that takes what an interrupted fit goes on from, and is removed at the end.
    key : str
        Of the fit: a checkpoint with another key is of another fit, and is not used.
    told : callable
        Called after every epoch.

    Returns
    -------
    Progress
        With ``loss``, ``accuracy``, ``balanced_accuracy``, ``learning_rate`` and ``seconds`` of every
        epoch in its history, and ``val_loss`` and so on if there is a validation part.
    """
    training, sums = _compiled(network, settings.learning_rate)
    progress = Progress()
    if checkpoint is not None:
        progress = _read_checkpoint(checkpoint, key, training) or progress
    saved, cost = time.perf_counter(), 0.0
    while not _finished(progress, settings):
        _run_epoch(training, sums, windows, settings, progress)
        if validation is not None:
            _validate(network, validation, progress)
        losses = progress.history["loss" if validation is None else "val_loss"]
        if progress.best_epoch < 0 or losses[-1] < losses[progress.best_epoch]:
            progress.best_epoch = progress.epochs - 1
            progress.best_weights = network.get_weights()
        told(progress)
        now = time.perf_counter()
        if checkpoint is not None and cost <= _CHECKPOINT_COST * (now - saved):
            _write_checkpoint(checkpoint, key, training, progress)
            saved = time.perf_counter()
            cost = saved - now
    if progress.best_weights:
        network.set_weights(progress.best_weights)
    _recompute_moments(network, windows, settings)
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    return progress


def predict(network: keras.Model, X: np.ndarray, batch_size: int = 256) -> np.ndarray:
    """Return class probabilities, (n_windows, n_classes) float32; the batch size changes no result."""
    if not len(X):
        return np.empty((0, network.output_shape[-1]), dtype=np.float32)
    starts = range(0, len(X), batch_size)
    return np.concatenate([network.predict_on_batch(X[k : k + batch_size]) for k in starts])


def _finished(progress: Progress, settings: Settings) -> bool:
    waited = progress.epochs - 1 - progress.best_epoch
    return (
        progress.epochs >= settings.epochs
        or (settings.max_seconds is not None and progress.seconds >= settings.max_seconds)
        or (settings.early_stopping is not None and waited >= settings.early_stopping)
    )


def _batches(n_windows: int, settings: Settings, epoch: int) -> list[np.ndarray]:
    """Return the rows of each batch of an epoch: of sizes that differ by one at most, in random order.

    A last batch of the few windows left over would give batch normalisation moments of almost nothing.
    """
    order = np.random.default_rng([settings.seed, epoch]).permutation(n_windows)
    return np.array_split(order, -(-n_windows // settings.batch_size))


def _run_epoch(
    training: Training, sums: EpochSums, windows: Windows, settings: Settings, progress: Progress
) -> None:
    started, epoch, losses = time.perf_counter(), progress.epochs, progress.history.get("loss", [])
    sums.clear()
    batches = _batches(len(windows), settings, epoch)
    for number, rows in enumerate(batches):
        share = (epoch + number / len(batches)) / settings.epochs
        if settings.max_seconds is not None:
            spent = (progress.seconds + time.perf_counter() - started) / settings.max_seconds
            if spent >= 1 and number:
                break
            share = min(max(share, spent), 1.0)
        rate = learning_rate(
            settings.schedule, settings.learning_rate, epoch, share, losses, settings.patience
        )
        training.optimizer.learning_rate = rate
        weight = None if windows.weight is None else windows.weight[rows]
        training.train_on_batch(windows.X[rows], windows.labels[rows], sample_weight=weight, return_dict=True)
        progress.updates += 1
    counts = progress.confusions["train"] = np.array(sums.counts)
    _record(progress, "", scores(float(np.array(sums.loss)), counts))
    progress.history.setdefault("learning_rate", []).append(rate)
    seconds = time.perf_counter() - started
    progress.history.setdefault("seconds", []).append(seconds)
    progress.seconds += seconds


def _validate(network: keras.Model, windows: Windows, progress: Progress) -> None:
    started = time.perf_counter()
    with _current_moments(network, progress.updates):
        loss, counts = evaluate(network, windows)
    progress.confusions["validation"] = counts
    _record(progress, "val_", scores(loss, counts))
    progress.seconds += time.perf_counter() - started


def evaluate(network: keras.Model, windows: Windows) -> tuple[float, np.ndarray]:
    """Return weighted loss and confusion of the network's predictions, summed over windows as in `EpochSums`."""
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


def _record(progress: Progress, prefix: str, values: dict[str, float]) -> None:
    for name, value in values.items():
        progress.history.setdefault(prefix + name, []).append(value)


def _normalisations(network: keras.Model) -> list[keras.layers.BatchNormalization]:
    return [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]


def _remove_start(network: keras.Model, updates: int) -> None:
    """Take out of the running moments what they began with (0 and 1), as Adam does with its own."""
    for layer in _normalisations(network):
        left = layer.momentum**updates
        layer.moving_mean.assign(layer.moving_mean / (1 - left))
        layer.moving_variance.assign((layer.moving_variance - left) / (1 - left))


@contextlib.contextmanager
def _current_moments(network: keras.Model, updates: int) -> Iterator[None]:
    """Predict without what the running moments began with: it would still tell after a hundred updates."""
    kept = [[np.array(getattr(layer, name)) for name in _MOVING] for layer in _normalisations(network)]
    _remove_start(network, updates)
    yield
    for layer, values in zip(_normalisations(network), kept, strict=True):
        for name, value in zip(_MOVING, values, strict=True):
            getattr(layer, name).assign(value)


def _recompute_moments(network: keras.Model, windows: Windows, settings: Settings) -> None:
    """Set the running moments to those of training windows under the weights as they are now.

    The running ones lag some hundred updates behind, which in a short fit is the whole of it: the network
    would predict otherwise than it was trained.
    """
    for layer in _normalisations(network):
        layer.moving_mean.assign(np.zeros(layer.moving_mean.shape))
        layer.moving_variance.assign(np.ones(layer.moving_variance.shape))
    batches = _batches(len(windows), settings, _NO_EPOCH)[:_MOMENT_BATCHES]
    for rows in batches:
        network(windows.X[rows], training=True)
    _remove_start(network, len(batches))


def _variables(training: Training) -> list[Any]:
    """Return all that changes in training: weights, seeds of dropout, moments of Adam."""
    return [*training.variables, *training.optimizer.variables]


def _write_checkpoint(path: Path, key: str, training: Training, progress: Progress) -> None:
    arrays: dict[str, Any] = {f"now {k}": np.asarray(v) for k, v in enumerate(_variables(training))}
    arrays |= {f"best {k}": v for k, v in enumerate(progress.best_weights)}
    state = {
        "key": key,
        "history": progress.history,
        "best_epoch": progress.best_epoch,
        "seconds": progress.seconds,
        "updates": progress.updates,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".tmp.npz")
    np.savez(aside, state=np.array(json.dumps(state)), **arrays)
    os.replace(aside, path)


def _read_checkpoint(path: Path, key: str, training: Training) -> Progress | None:
    """Set the network to where an earlier fit was; None if there was none, another one, or it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            state = json.loads(str(file["state"]))
            if state.pop("key") != key:
                return None
            progress = Progress(**state)
            progress.best_weights = [file[f"best {k}"] for k in range(len(training.weights))]
            values = [file[f"now {k}"] for k in range(len(_variables(training)))]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        warnings.warn(f"{path} is damaged ({error}): the fit begins anew", stacklevel=2)
        return None
    for variable, value in zip(_variables(training), values, strict=True):
        variable.assign(value)
    return progress
