"""How fast the files of DEAP are read, beside ``cat`` over the same bytes."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.datasets.deap import deap, deap_files, write_deap_file

SUBJECTS = [1, 2]

pytestmark = pytest.mark.benchmark(group="deap reading")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two subjects of real size, in the page cache because just written."""
    folder = tmp_path_factory.mktemp("deap")
    generator = np.random.default_rng(0)
    for subject in SUBJECTS:
        data = generator.standard_normal((40, 40, 8064))
        labels = generator.uniform(1, 9, (40, 4))
        write_deap_file(folder / f"s{subject:02}.dat", data, labels, simulated=True)
    return folder


def cat(files: list[Path]) -> None:
    subprocess.run(["cat", *map(str, files)], stdout=subprocess.DEVNULL, check=True)


def test_reading(benchmark: BenchmarkFixture, folder: Path) -> None:
    recordings = benchmark(deap, folder, subjects=SUBJECTS)
    assert len(recordings.trials) == 80
    if shutil.which("cat") is None or benchmark.stats is None:
        return
    files = deap_files(folder)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        cat(files)
        seconds.append(time.perf_counter() - start)
    n_bytes = sum(file.stat().st_size for file in files)
    median = benchmark.stats.stats.median
    benchmark.extra_info["MB/s"] = round(n_bytes / 1e6 / median)
    benchmark.extra_info["speed relative to cat"] = round(float(np.median(seconds)) / median, 2)


@pytest.mark.skipif(shutil.which("cat") is None, reason="needs cat")
def test_cat(benchmark: BenchmarkFixture, folder: Path) -> None:
    benchmark(cat, deap_files(folder))
