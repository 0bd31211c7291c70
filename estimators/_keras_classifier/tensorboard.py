"""TensorBoard's events of a fit of `KerasClassifier`. It imports TensorFlow, and is imported late."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api as hparams
from tensorboard.plugins.scalar.summary_v2 import scalar_pb

if TYPE_CHECKING:
    from bench.estimators._keras_classifier.progress import Progress

_RUNS = ("train", "validation")
# Confusion matrices are drawn once drawing takes under this share of the time since the last were.
_DRAWING_COST = 0.05
_MOST_DRAWINGS = 50  # between the first epoch's and the last's: of long fits they would fill the disk
# Of our files' names: events that others wrote into the same folders are left alone.
_SUFFIX = ".mlstm-fcn"


class TensorBoardLog:
    """Writes what is told after each epoch into a folder that ``tensorboard --logdir`` shows.

    There is a run ``train``, with the graph and the parameters, and a run ``validation`` if the fit has such
    a part. Scalars have the same tag in both, so that they share a chart; a step is an epoch, counted
    from 0. The confusion matrix is drawn for the first epoch, the last, and for as many between them as
    cost little.

    A fit that begins anew takes the place of an earlier one in the folder. A fit that goes on from a
    checkpoint goes on in the same charts: what was told of epochs that it repeats is taken out, and what
    never reached the disk is told now.

    Parameters
    ----------
    folder : Path
        Of the runs' folders.
    network : keras.Model
    parameters : dict of str to Any
        Of the estimator, for the table of hyperparameters; what is no number, string or bool is kept as text.
    classes : list of str
        Names, in the order of the confusion matrices.
    """

    def __init__(
        self, folder: Path, network: keras.Model, parameters: dict[str, Any], classes: list[str]
    ) -> None:
        self.folder, self.network, self.parameters, self.classes = folder, network, parameters, classes
        self._writers: dict[str, Any] = {}
        self._told: dict[str, int] = {}  # epochs whose scalars are written, by run
        self._confusions: dict[str, np.ndarray] = {}
        self._last = self._drawn = -1  # epochs: the last one told, the last one drawn
        self._when = self._cost = 0.0  # of the last drawing, in seconds
        self._every = max(1, parameters.get("epochs", 1) // _MOST_DRAWINGS)

    def __enter__(self) -> TensorBoardLog:
        return self

    def __call__(self, progress: Progress) -> None:
        """Write what is new since the last call."""
        runs = _RUNS if "val_loss" in progress.history else _RUNS[:1]
        if not self._writers:
            self._open(runs, progress.epochs - 1)
        for run in runs:
            with self._writers[run].as_default():
                for epoch in range(self._told[run], progress.epochs):
                    _write_scalars(run, epoch, progress.history)
            self._told[run] = progress.epochs
        # The progress itself may be half an epoch further when the fit is interrupted.
        self._last, self._confusions = progress.epochs - 1, dict(progress.confusions)
        cheap = self._cost <= _DRAWING_COST * (time.perf_counter() - self._when)
        if self._drawn < 0 or (cheap and self._last - self._drawn >= self._every):
            self._draw()

    def __exit__(self, *error: object) -> None:
        try:
            if self._drawn < self._last:
                self._draw()
        finally:
            for writer in self._writers.values():
                writer.close()

    def _open(self, runs: tuple[str, ...], before: int) -> None:
        """Open the files, and keep of earlier ones what was told of the first `before` epochs."""
        self._told = {run: _keep_events(self.folder / run, before) for run in _RUNS}
        for run in runs:
            self._writers[run] = tf.summary.create_file_writer(
                str(self.folder / run), flush_millis=10_000, filename_suffix=_SUFFIX
            )
        if self._told["train"]:
            return
        with self._writers["train"].as_default():
            plain = bool | int | float | str | np.generic
            values = {k: v if isinstance(v, plain) else str(v) for k, v in self.parameters.items()}
            # Without a name of its own, a row of the table is called by its run; the default, a hash of
            # the values, would make one row of all cells that have the same.
            hparams.hparams(values, trial_id="")
            if keras.backend.backend() == "tensorflow":
                # Keras's own description of the layers breaks TensorBoard where one is called with a number.
                shape = tf.TensorSpec((None, *self.network.input_shape[1:]), tf.float32, "windows")
                inference = tf.function(lambda windows: self.network(windows, training=False))
                tf.summary.graph(inference.get_concrete_function(shape).graph)

    def _draw(self) -> None:
        started = time.perf_counter()
        for run, counts in self._confusions.items():
            with self._writers[run].as_default():
                image = draw_confusion(counts, self.classes)
                tf.summary.image("confusion_matrix", image[None], step=self._last)
        self._drawn, self._when = self._last, time.perf_counter()
        self._cost = self._when - started


def _write_scalars(run: str, epoch: int, history: dict[str, list[float]]) -> None:
    # One event for all takes less time, and an epoch is in the file whole or not at all.
    together = Summary()
    for name, values in history.items():
        if name.startswith("val_") == (run == "validation"):
            together.MergeFrom(scalar_pb(f"epoch_{name.removeprefix('val_')}", values[epoch]))
    tf.summary.experimental.write_raw_pb(together.SerializeToString(), step=epoch)


def _keep_events(folder: Path, epochs: int) -> int:
    """Take out our events of all epochs but the first `epochs`; return how many of these have scalars."""
    told = 0
    for path in folder.glob(f"events.out.tfevents.*{_SUFFIX}"):
        records = list(RawEventFileLoader(str(path)).Load())
        kept = []
        for record in records:
            event = Event.FromString(record)
            if event.step < epochs:
                kept.append(record)
                if any(value.tag == "epoch_loss" for value in event.summary.value):
                    told = max(told, event.step + 1)
        if not kept:
            path.unlink()
        elif len(kept) < len(records):
            aside = folder / "events.tmp"  # a name that TensorBoard does not read
            with tf.io.TFRecordWriter(str(aside)) as writer:
                for record in kept:
                    writer.write(record)
            os.replace(aside, path)
    return told


def draw_confusion(counts: np.ndarray, classes: list[str]) -> np.ndarray:
    """Draw a confusion matrix, each cell with its percentage of the row.

    Parameters
    ----------
    counts : ndarray of shape (n_classes, n_classes)
        Windows by true class (rows) and predicted class.
    classes : list of str

    Returns
    -------
    ndarray of shape (height, width, 3), uint8
    """
    n = len(classes)
    names = [c if len(c) <= 20 else f"{c[:10]}…{c[-9:]}" for c in classes]
    totals = counts.sum(axis=1, keepdims=True)
    percent = 100 * np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    rows = [f"{name} ({total:.0f})" for name, total in zip(names, totals[:, 0], strict=True)]
    # Inches. The room for labels is set by hand: letting matplotlib find it draws everything twice.
    side = max(2.0, 0.3 * n)
    left, below = 0.4 + 0.075 * max(map(len, rows)), 0.4 + 0.075 * max(map(len, names))
    width, height = left + side + 0.15, below + side + 0.35
    figure = Figure(figsize=(width, height), dpi=100)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((left / width, below / height, side / width, side / height))
    axes.imshow(percent, cmap="Blues", vmin=0, vmax=100)
    axes.set_title("% of the true class", fontsize=9)
    axes.set(xlabel="predicted", ylabel="true (windows)")
    plain: dict[str, Any] = {"fontsize": 8, "parse_math": False}  # a name may have a dollar sign
    axes.set_xticks(range(n), names, rotation=90, **plain)
    axes.set_yticks(range(n), rows, **plain)
    for row, column in np.argwhere(counts):
        value = percent[row, column]
        color = "white" if value > 50 else "black"
        axes.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=8, color=color)
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]
