"""The commands on a suite of small recordings, in this process or, where that is the point, in one of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
PLUGINS = Path(__file__).parents[1] / "plugins"


@pytest.fixture
def run(
    bench: Callable[..., Any], toy_suite: Path, tmp_path: Path, blank_pictures: None
) -> Callable[..., Any]:
    """``python -m bench run --suite toy.toml ...`` in this process; results are in ``tmp_path / "results"``.

    The processes of the cells are forked from one server for all tests of this process.
    """

    def make(*arguments: object, columns: int = 100) -> Any:
        return bench("run", "--suite", toy_suite, *arguments, cwd=tmp_path, columns=columns)

    return make


@pytest.fixture(scope="session")
def process() -> Callable[..., subprocess.CompletedProcess[str]]:
    """``python -m bench ...`` in a process of its own, as a user starts it."""

    def start(*arguments: object, cwd: Path, columns: int = 100) -> subprocess.CompletedProcess[str]:
        environment = {"COLUMNS": str(columns), "BENCH_PLUGINS": str(PLUGINS), "PYTHONPATH": str(REPOSITORY)}
        return subprocess.run(
            [sys.executable, "-m", "bench", *map(str, arguments)],
            capture_output=True, text=True, cwd=cwd, env={**os.environ, **environment},
        )  # fmt: skip

    return start
