"""Cells of one split share its scaled windows, and none can change them for another."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.cells.prepare import prepare, shared_windows
from bench.data.windows import Target, Windowing, make_panel
from bench.recordings import Recordings
from bench.running.local import Limits, run_local
from bench.running.runner import execute, job_of
from bench.running.shared import KEPT_WINDOWS, WindowsFiles
from bench.spec import parse_spec
from bench.splits.divide import divide
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite


@pytest.fixture
def plan(toy_suite, tmp_path):
    def make(*estimators, results="results", protocols=("subject-stratified", "random-windows"), **changes):
        changes |= {"estimators": list(estimators), "protocols": list(protocols)}
        return make_plan(read_suite(str(toy_suite)), "quick", changes, results=tmp_path / results)

    return make


def engine(**limits):
    return partial(run_local, limits=Limits(**limits))


def test_results_are_those_of_one_process_whatever_another_cell_does_to_its_windows(plan):
    specs = ["scribbler", "nearest-mean", "scribbler+ros", "nearest-mean+smote", "nearest-window"]
    here = {task.cell: stored for task, stored in execute(plan(*specs, seeds=1, results="here"))}
    for jobs, protocol in ((1, "random-windows"), (2, "subject-stratified")):
        todo = plan(*specs, seeds=1, results=f"there-{jobs}", protocols=[protocol])
        there = list(execute(todo, engine(jobs=jobs)))
        assert 2 * len(there) == len(here) == 5 * 2
        for task, stored in there:
            assert stored.ok
            assert stored.predictions().equals(here[task.cell].predictions())


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux for its memory")
def test_windows_are_in_memory_once(plan, tmp_path):
    weights = {}
    for seconds in (200, 2000):
        file = tmp_path / f"{seconds}"
        todo = plan(
            *(f"weigher[number={k}]" for k in range(4)),
            protocols=["subject-stratified"],
            seeds=1,
            parameters={"weigher": {"file": str(file)}},
            dataset=f"toy[seconds={seconds}]",
            windows=Windowing(seconds=64, overlap=60.8),
        )
        assert all(stored.ok for _, stored in execute(todo, engine(jobs=2)))
        weights[seconds] = np.loadtxt(file)
        assert len(weights[seconds]) == 4
    more_windows, more_memory = (weights[2000] - weights[200].mean(axis=0)).T
    assert more_windows.min() > 100
    assert more_memory.max() < 20  # of which a process that makes the windows keeps nothing


def test_padding_of_unequal_lengths_is_as_without_a_file(tmp_path):
    rng = np.random.default_rng(0)
    signals = [rng.standard_normal((2, n)).astype(np.float32) for n in range(20, 60)]
    trials = pd.DataFrame(
        {"subject": 1, "trial": range(40), "stimulus": range(40), "arousal": [3.0, 7.0] * 20}
    )
    panel = make_panel(
        Recordings("unequal", signals, ("a", "b"), 1.0, trials), Target(name="arousal"), Windowing(whole=True)
    )
    ((_, split),) = divide(parse_spec("subject-stratified"), panel, 0)
    for keep_padding in (False, True):
        alone = prepare(panel, split, "min-max", keep_padding=keep_padding)
        assert np.isnan(alone.X_train).any() == keep_padding
        for _ in range(2):  # the first makes the file
            both = prepare(
                panel, split, "min-max", keep_padding=keep_padding, windows_file=tmp_path / "a.windows"
            )
            np.testing.assert_array_equal(both.X_train, alone.X_train)
            np.testing.assert_array_equal(both.X_test, alone.X_test)
            assert both.scaler.fitted() == alone.scaler.fitted()


def test_a_disk_that_refuses_costs_memory_and_no_result(plan, tmp_path):
    task = plan("majority", seeds=1).tasks[0]
    nowhere = tmp_path / "absent" / "a.windows"
    windows = shared_windows(nowhere, task.panel, task.split, "min-max")
    np.testing.assert_array_equal(windows.X_test, prepare(task.panel, task.split, "min-max").X_test)


def test_only_splits_of_several_cells_have_files_and_few_are_kept(plan, tmp_path):
    todo = plan(
        "majority", "nearest-mean", seeds=KEPT_WINDOWS, protocols=["subject-stratified", "random-windows"]
    )
    jobs = [job_of(task, todo) for task in todo.waiting]
    alone = WindowsFiles(tmp_path, jobs[::2])
    assert alone.begin(jobs[0]) is None
    files = WindowsFiles(tmp_path, jobs)
    for job in jobs[::2]:  # the first cell of every split
        files.begin(job).touch()
        files.end(job)
        assert len(list(tmp_path.glob("*.windows"))) <= KEPT_WINDOWS
    assert len(list(tmp_path.glob("*.windows"))) == KEPT_WINDOWS
    for job in jobs[1::2]:
        files.begin(job).touch()
        files.end(job)
    assert list(tmp_path.glob("*.windows")) == []
