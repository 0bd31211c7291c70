"""Deciding that nothing is to do, and rebuilding the tables, with 10,000 stored cells.

``pytest tests/benchmarks/test_store.py --benchmark-enable``: every cell holds a copy of the predictions of the
first, for 576 windows; half of the cells are the floor's.
"""

import resource
from dataclasses import replace

import pytest

from bench.cells.cell import run_cell
from bench.cells.job import store_outcome
from bench.cells.store import Store
from bench.running.runner import job_of
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite


@pytest.fixture(scope="module")
def stored(measured, toy_plugins, tmp_path_factory):
    """Return a function that plans a study whose cells are all stored, and how many there are."""
    folder = tmp_path_factory.mktemp("many")
    suite = folder / "many.toml"
    suite.write_text(
        'title = "Many cells"\ndataset = "toy[n_trials=40]"\nprotocols = ["subject-stratified", "loso"]\n'
        'estimators = ["majority", "stratified-chance"]\n[target]\nname = "arousal"\n'
        "[windows]\nseconds = 2\noverlap = 1\nper_trial = 12\n[profiles.quick]\n"
    )
    seeds = 500 if measured else 2

    def plan():
        return make_plan(read_suite(str(suite)), "quick", {"seeds": seeds}, results=folder / "results")

    first = plan()
    assert len(first.tasks) == len(first.signal_free) == seeds * (1 + 4) * 2
    task = first.tasks[0]
    outcome = run_cell(task.cell, task.panel, task.split)
    for task in (*first.tasks, *first.signal_free):
        store_outcome(job_of(task, first), replace(outcome, cell=task.cell))
    return plan


@pytest.mark.benchmark(group="10,000 stored cells")
def test_nothing_is_to_do(benchmark, stored):
    plan = benchmark.pedantic(stored, rounds=3, warmup_rounds=1)
    assert plan.waiting == []
    assert not any(task.why for task in plan.signal_free)


@pytest.mark.benchmark(group="10,000 stored cells")
def test_tables(benchmark, stored):
    from bench.cli.tables import write_tables

    def tables():
        plan = stored()
        return (Store(plan.store.folder.parent, plan.suite.name, True), plan.suite), {}  # nothing read yet

    benchmark.pedantic(write_tables, setup=tables, rounds=3)
    benchmark.extra_info["peak MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
