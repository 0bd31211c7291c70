"""A trained `KerasClassifier` as one file. It imports Keras, late.

The file is one of Keras's own (``keras.saving.load_model`` reads it too), a zip archive, with one member
more: a ``.json`` called as the kind of estimator holds parameters, labels and what else the network was built from.
Only that and the numbers in ``model.weights.h5`` are read back: the network is built anew by the estimator's class, so
that nothing in a file, not even a layer's name, decides which code runs.
"""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from bench.estimators._keras_classifier.ranks import ChannelRanks

if TYPE_CHECKING:
    from bench.estimators._keras_classifier.classifier import KerasClassifier

_WEIGHTS, _FORMAT = "model.weights.h5", 2
Estimator = TypeVar("Estimator", bound="KerasClassifier")
_LABELS = "Uifb"  # kinds of NumPy's types that a label may have: text, numbers, truth values


def save_estimator(estimator: KerasClassifier, path: Path, about: dict[str, Any]) -> None:
    """Write a fitted estimator, whole or not at all; see `KerasClassifier.save`."""
    import keras

    classes = estimator.classes_
    if classes.dtype.kind not in _LABELS:
        raise ValueError(f"labels of type {classes.dtype} cannot be saved: text and numbers can")
    state = {
        "format": _FORMAT,
        "parameters": {k: v for k, v in estimator.get_params().items() if k not in ("n_jobs", "log_dir")},
        "network": estimator.network_,
        "quantiles": None if estimator.ranks_ is None else estimator.ranks_.plain(),
        "classes": classes.tolist(),
        "label_type": classes.dtype.str,
        "history": estimator.history_,
        "best_epoch": estimator.best_epoch_,
        "training_scores": estimator.training_scores_,
        "about": about,
    }
    text = json.dumps(state, indent=1, default=_plain)
    network = estimator.network_builder()(
        **estimator.network_
    )  # without the optimiser, which is twice as large
    network.set_weights(estimator.model_.get_weights())
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=path.name) as folder:
        aside = Path(folder) / "network.keras"
        keras.saving.save_model(network, aside)
        with zipfile.ZipFile(aside, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_state_of(type(estimator)), text)
        os.replace(aside, path)


def load_estimator(kind: type[Estimator], path: Path) -> Estimator:
    """Read what `save_estimator` wrote; see `KerasClassifier.load`."""
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            state = json.loads(archive.read(_state_of(kind)))
            if state["format"] != _FORMAT:
                raise ValueError(f"it has format {state['format']!r}, this program reads {_FORMAT}")
            tuples = {k: tuple(v) if isinstance(v, list) else v for k, v in state["parameters"].items()}
            estimator = kind(**tuples)
            estimator.check_parameters()
            _restore(estimator, state)
            weights = Path(folder) / _WEIGHTS
            weights.write_bytes(archive.read(_WEIGHTS))
            estimator.model_ = kind.network_builder()(**estimator.network_)
            estimator.model_.load_weights(weights)
    except FileNotFoundError:
        raise
    except Exception as error:  # whatever a damaged or foreign file makes the readers say
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise ValueError(f"{path}: no saved {kind.__name__}, or damaged ({reason})") from error
    return estimator


def _restore(estimator: KerasClassifier, state: dict[str, Any]) -> None:
    kind = np.dtype(state["label_type"])
    if kind.kind not in _LABELS:
        raise ValueError(f"labels of type {kind}")
    estimator.classes_ = np.array(state["classes"], dtype=kind)
    network = state["network"]
    if len(estimator.classes_) != network["n_classes"]:
        raise ValueError(f"{len(estimator.classes_)} labels for {network['n_classes']} classes")
    n_channels, n_timepoints = network["shape"]
    if network["moments"] is not None and [len(m) for m in network["moments"]] != [n_channels] * 2:
        raise ValueError(f"means and deviations of other than {n_channels} channels")
    quantiles = state["quantiles"]
    if (quantiles is not None) != (estimator.standardize == "rank-normal"):
        raise ValueError(f"standardize={estimator.standardize!r} and its quantiles do not go together")
    if quantiles is not None and len(quantiles) != n_channels:
        raise ValueError(f"quantiles of other than {n_channels} channels")
    estimator.ranks_ = None if quantiles is None else ChannelRanks(quantiles)
    estimator.network_ = {**network, "shape": (int(n_channels), int(n_timepoints))}
    estimator.history_, estimator.best_epoch_ = state["history"], state["best_epoch"]
    estimator.training_scores_ = state["training_scores"]
    estimator.about_ = state["about"]


def _state_of(kind: type[KerasClassifier]) -> str:
    return f"{kind.kind}.json"


def _plain(value: Any) -> Any:
    """Return what JSON can hold for NumPy's values."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{value!r} cannot be saved")
