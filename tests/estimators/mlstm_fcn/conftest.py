"""Windows and small fitted networks: each is fitted once, however many tests read it, and never changed."""

from __future__ import annotations

import contextlib
import json
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.estimators.mlstm_fcn import MLSTMFCN

SMALL: dict[str, Any] = {
    **{"filters": (8, 8), "kernel_sizes": (5, 3), "squeeze_ratio": 4},
    **{"batch_size": 8, "random_state": 0},
}


def make_toy(
    n_windows: int = 24, n_classes: int = 2, seed: int = 0, shape: tuple[int, int] = (3, 32)
) -> tuple[np.ndarray, np.ndarray]:
    """Sines, one frequency a class, in noise; the arrays are read-only, as from a memory map.

    Where their number is a multiple of the batch size, all batches are of one size, and the step is compiled once.
    """
    rng = np.random.default_rng(seed)
    labels = np.arange(n_windows) % n_classes
    time = np.linspace(0, 2 * np.pi, shape[1])
    waves = np.sin((1 + 2 * labels)[:, None, None] * time + rng.uniform(0, 6, (n_windows, shape[0], 1)))
    X = (waves + rng.normal(0, 0.1, waves.shape)).astype(np.float32)
    X.flags.writeable = False
    return X, labels


def make_unequal(seed: int = 0, n_windows: int = 24) -> tuple[list[np.ndarray], np.ndarray]:
    """Sines of 15 to 32 time points in noise, labelled 0.0 and 0.5 by their frequency."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n_windows) % 2
    windows = []
    for label, length in zip(labels, [32, *rng.integers(15, 33, n_windows - 1)], strict=True):
        time = np.arange(length) * 2 * np.pi / 32
        wave = np.sin((1 + 3 * label) * time + rng.uniform(0, 6, (3, 1)))
        windows.append((wave + rng.normal(0, 0.1, wave.shape)).astype(np.float32))
    return windows, labels / 2


@pytest.fixture(scope="session")
def toy() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    return make_toy


@pytest.fixture(scope="session")
def small() -> dict[str, Any]:
    """Parameters of a whole network that is small: every part is there, and it compiles in a second."""
    return SMALL


@pytest.fixture(scope="session")
def tiny() -> dict[str, Any]:
    """Parameters of a single convolution, for what is not about the network: it compiles in half the time."""
    return {**SMALL, "filters": (8,), "kernel_sizes": (5,), "lstm": False}


@contextlib.contextmanager
def _uncompiled() -> Iterator[None]:
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def uncompiled() -> Callable[[], contextlib.AbstractContextManager[None]]:
    """Return a context in which TensorFlow runs operations as they come: sooner done, for a fit of a few steps."""
    return _uncompiled


def _once(fit: Callable[[dict[str, Any]], MLSTMFCN]) -> Callable[..., MLSTMFCN]:
    kept: dict[str, MLSTMFCN] = {}

    def fitted(**parameters: Any) -> MLSTMFCN:
        key = json.dumps(parameters, sort_keys=True)
        if key not in kept:
            kept[key] = fit(parameters)
        return kept[key]

    return fitted


@pytest.fixture(scope="session")
def fitted() -> Callable[..., MLSTMFCN]:
    """Return a function: some parameters -> small network with these, fitted on the toy windows; to be read only."""
    return _once(lambda parameters: MLSTMFCN(**{**SMALL, **parameters}).fit(*make_toy()))


@pytest.fixture(scope="session")
def variant() -> Callable[..., MLSTMFCN]:
    """Return a function: some parameters -> network with these that has learnt the toy windows; to be read only."""
    return _once(
        lambda parameters: MLSTMFCN(**{**SMALL, "epochs": 20, "batch_size": 6, **parameters}).fit(
            *make_toy(shape=(2, 20))
        )
    )


@pytest.fixture(scope="session")
def unequal() -> Callable[..., tuple[list[np.ndarray], np.ndarray]]:
    return make_unequal


@pytest.fixture(scope="session")
def fitted_on_unequal() -> MLSTMFCN:
    return MLSTMFCN(**{**SMALL, "epochs": 30, "batch_size": 6}).fit(*make_unequal())


@pytest.fixture(scope="session")
def text_windows() -> tuple[np.ndarray, np.ndarray]:
    """Windows (3, 20) of three classes with names."""
    X, labels = make_toy(n_classes=3, shape=(3, 20))
    return X, np.array(["lów", "mid", "high"])[labels]


@pytest.fixture(scope="session")
def saved(
    text_windows: tuple[np.ndarray, np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> tuple[MLSTMFCN, Path]:
    """A fitted estimator and its file; to be read only."""
    fitted = MLSTMFCN(**SMALL, epochs=2).fit(*text_windows)
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    fitted.save(path, about={"channels": ["GSR (Ohm)", "PPG"], "note": np.float32(0.5)})
    return fitted, path


_READ = """
import pickle, sys
sys.path[:0] = {path!r}
import numpy as np
import bench.estimators.mlstm_fcn
from bench.estimators.mlstm_fcn import MLSTMFCN
print(sorted({{"keras", "tensorflow"}} & set(sys.modules)))
pickle.loads(pickle.dumps(MLSTMFCN(attention=True)))
print(sorted({{"keras", "tensorflow"}} & set(sys.modules)))
given = np.load("given.npz")
pickled = pickle.load(open("estimator.pkl", "rb")).predict_proba(given["toy"])
loaded = MLSTMFCN.load({saved!r})
np.savez("read.npz", pickled=pickled, saved=loaded.predict_proba(given["text"]), classes=loaded.classes_)
"""


@pytest.fixture(scope="session")
def elsewhere(
    variant: Callable[..., MLSTMFCN],
    saved: tuple[MLSTMFCN, Path],
    text_windows: tuple[np.ndarray, np.ndarray],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:
    """What a new process reads: a pickled estimator with attention and a saved one, and what it has to say first."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "estimator.pkl").write_bytes(pickle.dumps(variant(attention=True)))
    np.savez(folder / "given.npz", toy=make_toy(shape=(2, 20))[0], text=text_windows[0])
    done = subprocess.run(
        [sys.executable, "-c", _READ.format(path=sys.path, saved=str(saved[1]))],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    with np.load(folder / "read.npz") as read:
        return {"said": done.stdout.splitlines(), **read}
