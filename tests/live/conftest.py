"""Kept models, each trained once for all tests, and ``python -m bench stream`` on them."""

from __future__ import annotations

import csv
import io
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.cells.saved import read_about
from bench.live.trial import Trial, load_trial
from bench.running.runner import execute
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite

REPOSITORY = Path(__file__).parents[2]
PLUGINS = Path(__file__).parent / "plugins"


@pytest.fixture(scope="session")
def plugins(toy_plugins: Path) -> str:
    """Folders with the toy recordings and with estimators that can save themselves, as in ``BENCH_PLUGINS``."""
    from bench.discovery import add_plugin_folder

    add_plugin_folder(PLUGINS)
    return os.pathsep.join(map(str, (toy_plugins, PLUGINS)))


@pytest.fixture(scope="session")
def trained() -> dict[str, Path]:
    """Folders of the cells that were run so far, by what was asked for."""
    return {}


@pytest.fixture
def train(
    toy_suite: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    plugins: str,
    trained: dict[str, Path],
) -> Callable[..., Path]:
    """Run one cell on the toy recordings, which are at 16 Hz, and return its folder: a copy, to be changed."""
    number = count()

    def make(*, save_models: bool = True, **changes: Any) -> Path:
        changes = {
            "estimators": ["kept-mean"],
            "protocols": ["subject-stratified"],
            "seeds": 1,
            **changes,
        }
        key = repr((save_models, sorted(changes.items())))
        if key not in trained:
            suite, results = read_suite(str(toy_suite)), tmp_path_factory.mktemp("trained")
            plan = make_plan(suite, "quick", changes, results=results, save_models=save_models)
            trained[key] = [stored for _, stored in execute(plan)][-1].folder
        own = tmp_path / f"trained-{next(number)}" / trained[key].name
        return Path(shutil.copytree(trained[key], own))

    return make


@dataclass(frozen=True)
class Streamed:
    """What ``stream`` gave: exit status, standard output, and standard error in one line."""

    status: int
    out: str
    err: str

    @property
    def windows(self) -> pd.DataFrame:
        """The rows of the CSV, as text."""
        return pd.DataFrame(csv.DictReader(io.StringIO(self.out)))


@pytest.fixture
def stream(bench: Callable[..., Any]) -> Callable[..., Streamed]:
    """``python -m bench stream MODEL ...`` in this process, with standard input."""

    def run(model: Path, *arguments: object, stdin: bytes = b"") -> Streamed:
        done = bench("stream", model, *arguments, stdin=stdin)
        return Streamed(done.returncode, done.stdout, " ".join(done.stderr.split()))

    return run


@pytest.fixture
def process(plugins: str) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """``python -m bench stream ...`` in a process of its own, with a pipe to it and from it."""
    started = []

    def start(*arguments: object) -> subprocess.Popen[str]:
        done = subprocess.Popen(
            [sys.executable, "-m", "bench", "stream", *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "BENCH_PLUGINS": plugins, "PYTHONPATH": str(REPOSITORY)},
            # Whoever runs the tests in the background may have Ctrl-C ignored, which processes inherit.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        started.append(done)
        return done

    yield start
    for done in started:
        done.kill()
        done.communicate()


@pytest.fixture(scope="session")
def recorded() -> Callable[..., Trial]:
    """Load the recording that ``--replay`` of a model would replay."""

    def load(folder: Path, subject: int = 1, trial: int = 1) -> Trial:
        about, _ = read_about(folder)
        return load_trial(about, subject, trial, None, print)

    return load


@pytest.fixture(scope="session")
def as_text() -> Callable[..., bytes]:
    """Write samples (n_channels, n_samples) as a recorder would, a line each."""

    def write(samples: np.ndarray, separator: str = ",") -> bytes:
        return "".join(separator.join(map(repr, column)) + "\n" for column in samples.T.tolist()).encode()

    return write
