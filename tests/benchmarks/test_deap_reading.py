"""How fast, and in how much memory, the files of DEAP are read, beside ``cat`` over the same bytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.datasets.deap import SUBJECTS, deap, deap_files, write_deap_file

pytestmark = pytest.mark.benchmark(group="deap reading, 32 subjects")

# The high-water mark of the process itself: what getrusage says starts with the mark of the parent.
MEASURE_MEMORY = """
import re, sys
from pathlib import Path
from bench.datasets.deap import deap
megabytes = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
before = megabytes()
recordings = deap(Path(sys.argv[1]))
print(before, megabytes())
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """32 subjects of real size, in the page cache: two files just written, under 32 names."""
    folder = tmp_path_factory.mktemp("deap")
    generator = np.random.default_rng(0)
    for subject in SUBJECTS:
        path = folder / f"s{subject:02}.dat"
        if subject > 2:
            os.link(folder / f"s{1 + subject % 2:02}.dat", path)
            continue
        data = generator.standard_normal((40, 40, 8064))
        labels = generator.uniform(1, 9, (40, 4))
        write_deap_file(path, data, labels, simulated=True)
    return folder


def test_reading(benchmark: BenchmarkFixture, folder: Path) -> None:
    recordings = benchmark.pedantic(deap, (folder,), rounds=9, warmup_rounds=1)
    assert len(recordings.trials) == 1280


@pytest.mark.skipif(shutil.which("cat") is None, reason="needs cat")
def test_cat(benchmark: BenchmarkFixture, folder: Path) -> None:
    command = ["cat", *map(str, deap_files(folder))]
    benchmark.pedantic(
        lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=True), rounds=9, warmup_rounds=1
    )


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_memory(benchmark: BenchmarkFixture, folder: Path) -> None:
    command = [sys.executable, "-c", MEASURE_MEMORY, str(folder)]
    done = benchmark.pedantic(
        lambda: subprocess.run(command, capture_output=True, text=True, check=True), rounds=1
    )
    before, peak = map(float, done.stdout.split())
    benchmark.extra_info["peak MB"] = round(peak)
    benchmark.extra_info["MB before"] = round(before)
    assert 150 < peak - before <= 500  # what is kept takes 165 MB
