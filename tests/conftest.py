"""Fixtures that tests of several modules share."""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep every test out of the user's cache folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _quick_collections() -> None:
    """Let a search for garbage look at what the test itself made, not at all that was imported before.

    Each cell searches before it measures memory: with TensorFlow in the process that takes half a second.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _interrupts_arrive() -> Iterator[None]:
    """Let Ctrl-C reach tests and what they start, though a shell starts what is in its background without."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real recordings, which are no part of the project; without it the test is skipped."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("BENCH_SHARED_DATA") or beside)
    if not folder.is_dir():
        pytest.skip("needs the folder of real recordings (BENCH_SHARED_DATA)")
    return folder


@pytest.fixture(scope="session")
def toy_plugins() -> Path:
    """Folder with the plugin file of a small data set and of small estimators, searched by the harness."""
    from bench.discovery import add_plugin_folder

    folder = Path(__file__).parent / "plugins"
    add_plugin_folder(folder)
    return folder


@pytest.fixture
def toy_suite(tmp_path: Path, toy_plugins: Path) -> Path:
    """A suite on the small data set, as a file."""
    path = tmp_path / "toy.toml"
    path.write_text(
        """
title = "Toy recordings"
dataset = "toy"
protocols = ["subject-stratified", "random-windows"]
estimators = ["majority", "nearest-mean", "nearest-window"]
seeds = 2
[target]
name = "arousal"
[windows]
seconds = 2
overlap = 1
[profiles.quick]
[profiles.smoke]
seeds = 1
"""
    )
    return path


@dataclass(frozen=True)
class Done:
    """What a command gave: exit status and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def bench(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Done]]:
    """``python -m bench`` in this process, whose imports are paid once: ``bench("list", cwd=..., columns=80)``."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run(
        *arguments: object, cwd: Path | None = None, columns: int = 100, stdin: bytes = b"", **env: str
    ) -> Done:
        from bench.cli.app import main

        with pytest.MonkeyPatch.context() as patch:
            if cwd is not None:
                patch.chdir(cwd)
            for name, value in {"COLUMNS": str(columns), **env}.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["bench", *map(str, arguments)])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            capsys.readouterr()
            try:
                main()
                status = 0
            except SystemExit as end:
                status = end.code if isinstance(end.code, int) else int(bool(end.code))
        gc.freeze()  # `stream` ends by giving all that was imported back to the search for garbage
        return Done(status, *capsys.readouterr())

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def blank_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the files of figures empty, for tests that do not look at them: drawing takes a tenth of a second each."""
    from matplotlib.figure import Figure

    monkeypatch.setattr(Figure, "savefig", lambda figure, path, **options: Path(path).write_bytes(b""))


@pytest.fixture(scope="session")
def plain_network() -> Callable[..., Any]:
    """MLSTM-FCN of Keras's own one-dimensional layers: what ours has to equal, and is timed against."""

    def build(shape: tuple[int, int], n_classes: int, cells: int = 8) -> Any:
        import keras
        from keras import layers

        def convolution(x: Any, filters: int, width: int) -> Any:
            x = layers.Conv1D(filters, width, padding="same", kernel_initializer="he_uniform")(x)
            return layers.ReLU()(layers.BatchNormalization(momentum=0.99, epsilon=1e-3)(x))

        def squeeze_excite(x: Any) -> Any:
            filters = x.shape[-1]
            options = {"kernel_initializer": "he_normal", "use_bias": False}
            gate = layers.GlobalAveragePooling1D(keepdims=True)(x)
            gate = layers.Dense(filters // 16, activation="relu", **options)(gate)
            gate = layers.Dense(filters, activation="sigmoid", **options)(gate)
            return layers.Multiply()([x, gate])

        windows = keras.Input(shape)
        series = layers.Permute((2, 1))(windows)
        recurrent = layers.LSTM(cells)(windows if shape[1] > shape[0] else series)
        recurrent = layers.Dropout(0.8)(recurrent)
        x = squeeze_excite(convolution(series, 128, 8))
        x = squeeze_excite(convolution(x, 256, 5))
        x = layers.GlobalAveragePooling1D()(convolution(x, 128, 3))
        joined = layers.Concatenate()([recurrent, x])
        return keras.Model(windows, layers.Dense(n_classes, activation="softmax")(joined))

    return build


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests that are known to take minutes more time before they are ended."""
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(1800))
