"""Checkpoints of `KerasClassifier`: files that an interrupted fit goes on from."""

from __future__ import annotations

import json
import os
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.estimators._keras_classifier.progress import Progress

if TYPE_CHECKING:
    import keras


def write_checkpoint(path: Path, key: str, training: keras.Model, progress: Progress) -> None:
    """Write all that a fit is at the end of an epoch; an older file is replaced at once.

    Parameters
    ----------
    path : Path
        Ends in ``.npz``; its folder is made.
    key : str
        Of the fit.
    training : keras.Model
        The network, compiled.
    progress : Progress
    """
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


def read_checkpoint(path: Path, key: str, training: keras.Model) -> Progress | None:
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


def _variables(training: keras.Model) -> list[Any]:
    """Return all that changes in training: weights, seeds of dropout, moments of Adam."""
    return [*training.variables, *training.optimizer.variables]
