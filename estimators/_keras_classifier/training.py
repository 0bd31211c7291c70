"""The training of `KerasClassifier`: epochs, steps, weights kept. It imports Keras, late."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from bench.estimators._keras_classifier.checkpoint import read_checkpoint, write_checkpoint
from bench.estimators._keras_classifier.metrics import EpochSums, evaluate, scores
from bench.estimators._keras_classifier.moments import current_moments, recompute_moments
from bench.estimators._keras_classifier.progress import Progress
from bench.estimators._keras_classifier.schedules import learning_rate
from bench.estimators._keras_classifier.windows import Windows

# A checkpoint is written once what it takes is under this share of the time since the last.
_CHECKPOINT_COST = 0.02
# Batches from which the running moments of batch normalisation are computed at the end.
_MOMENT_BATCHES = 100
_NO_EPOCH = 2**32 - 1  # their order is that of no epoch


@dataclass(frozen=True)
class Settings:
    """What `train` is to do; the words are those of `KerasClassifier`."""

    epochs: int
    batch_size: int
    schedule: str
    learning_rate: float
    patience: int
    early_stopping: int | None
    max_seconds: float | None
    seed: int


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
        progress = read_checkpoint(checkpoint, key, training) or progress
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
            write_checkpoint(checkpoint, key, training, progress)
            saved = time.perf_counter()
            cost = saved - now
    if progress.best_weights:
        network.set_weights(progress.best_weights)
    batches = _batches(len(windows), settings, _NO_EPOCH)[:_MOMENT_BATCHES]
    recompute_moments(network, (windows.X[rows] for rows in batches))
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    return progress


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
    progress.record(scores(float(np.array(sums.loss)), counts))
    seconds = time.perf_counter() - started
    progress.record({"learning_rate": rate, "seconds": seconds})
    progress.seconds += seconds


def _validate(network: keras.Model, windows: Windows, progress: Progress) -> None:
    started = time.perf_counter()
    with current_moments(network, progress.updates):
        loss, counts = evaluate(network, windows)
    progress.confusions["validation"] = counts
    progress.record(scores(loss, counts), "val_")
    progress.seconds += time.perf_counter() - started
