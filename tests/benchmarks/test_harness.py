"""Speed of the harness itself: commands, windows, splits, cache and tables.

``pytest tests/benchmarks --benchmark-enable`` measures; without the option each runs once as a test.
"""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.data.loading import find_sources, load_recordings
from bench.data.windows import Target, Windowing, make_panel
from bench.running.runner import execute
from bench.spec import parse_spec
from bench.splits.divide import divide
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def source():
    ((source,), _) = find_sources(parse_spec("deap-simulated"), None)
    return source


@pytest.fixture(scope="module")
def subjects(measured):
    """All 32, or two."""
    return None if measured else [1, 2]


@pytest.fixture(scope="module")
def recordings(source, subjects):
    return load_recordings(source, subjects)


@pytest.fixture(scope="module")
def panel(recordings):
    return make_panel(recordings, Target(name="arousal"), Windowing(baseline=True))


def bench(*arguments, cwd=REPOSITORY):
    subprocess.run(
        [sys.executable, "-m", "bench", *map(str, arguments)],
        check=True, capture_output=True, cwd=cwd, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip


@pytest.mark.benchmark(group="commands")
@pytest.mark.parametrize("command", ["--help", "list"])
def test_command(benchmark, command):
    benchmark.pedantic(bench, (command,), rounds=7, warmup_rounds=1)


@pytest.mark.benchmark(group="commands")
def test_tables_of_100_cells(benchmark, measured, toy_suite, tmp_path):
    seeds = 17 if measured else 2
    plan = make_plan(read_suite(str(toy_suite)), "quick", {"seeds": seeds}, results=tmp_path / "results")
    assert len(list(execute(plan))) == 6 * seeds
    benchmark.pedantic(lambda: bench("tables", "--suite", toy_suite, cwd=tmp_path), rounds=5, warmup_rounds=1)


@pytest.mark.benchmark(group="data")
def test_recordings_of_32_subjects_from_the_cache(benchmark, source, subjects, recordings):
    again = benchmark.pedantic(load_recordings, (source, subjects), rounds=5, warmup_rounds=1)
    assert again.fingerprint == recordings.fingerprint


@pytest.mark.benchmark(group="data")
def test_all_25600_windows(benchmark, subjects, panel):
    X = benchmark.pedantic(lambda: panel.take(np.arange(len(panel))), rounds=5, warmup_rounds=1)
    assert X.shape == (25_600 if subjects is None else 1600, 4, 640)


@pytest.mark.benchmark(group="splits of 25,600 windows")
@pytest.mark.parametrize(
    "protocol",
    ["subject-stratified", "subject-independent", "random-windows", "oversample-then-split"],
)
def test_split_and_audit(benchmark, panel, protocol):
    """The contents of all windows are hashed each time, as a first split does."""

    def divided():
        fresh = dataclasses.replace(panel)
        return list(divide(parse_spec(protocol), fresh, 0))

    ((_, split),) = benchmark.pedantic(divided, rounds=5, warmup_rounds=1)
    assert split.audit.clean == protocol.startswith("subject")
