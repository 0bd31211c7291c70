"""What a process a cell costs, against running the same cells in one process.

``pytest tests/benchmarks/test_engine.py --benchmark-enable``: seconds are of all cells of a row; the server
that processes are forked from is started before.
"""

from functools import partial
from multiprocessing import forkserver
from pathlib import Path

import pytest

from bench.running.local import Limits, run_local
from bench.running.runner import execute, in_this_process
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite

PLUGINS = Path(__file__).parents[1] / "running" / "plugins"
ENGINES = {
    "one process": in_this_process,
    "a process each": partial(run_local, limits=Limits(1)),
    "a process each, 2 at a time": partial(run_local, limits=Limits(2)),
}


@pytest.fixture(scope="module")
def servers():
    """Estimators whose own server, with what it needs, was started; the last one is there still."""
    yield (started := [])
    if started:
        forkserver._forkserver._stop()


@pytest.mark.benchmark(group="cells of almost no work")
@pytest.mark.parametrize("engine", list(ENGINES))
@pytest.mark.parametrize(("estimator", "cells"), [("majority", 200), ("nothing-in-tensorflow", 20)])
def test_cells(benchmark, measured, servers, toy_suite, tmp_path_factory, estimator, cells, engine):
    from bench.discovery import add_plugin_folder

    add_plugin_folder(PLUGINS)
    if servers[-1:] != [estimator]:
        forkserver._forkserver._stop()
        servers.append(estimator)
    seeds = cells if measured else 2
    benchmark.extra_info["cells"] = seeds

    def plan(seeds=seeds):
        changes = {"estimators": [estimator], "protocols": ["subject-stratified"], "seeds": seeds}
        folder = tmp_path_factory.mktemp("results")
        return (
            (make_plan(read_suite(str(toy_suite)), "quick", changes, results=folder), ENGINES[engine]),
            {},
        )

    def run(plan, engine):
        assert all(stored.ok for _, stored in execute(plan, engine))

    arguments, _ = plan(1)
    run(*arguments)
    benchmark.pedantic(run, setup=plan, rounds=3)
