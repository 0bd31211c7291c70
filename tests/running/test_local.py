"""Cells in processes of their own: whatever one does, it gets its outcome and no other cell suffers."""

import json
import os
import signal
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from bench.cells.cell import available_cores
from bench.errors import DataError
from bench.running.local import Limits, _Running, run_local
from bench.running.runner import execute
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite

PLUGINS = Path(__file__).parent / "plugins"


@pytest.fixture(scope="session", autouse=True)
def _faulty_plugins():
    from bench.discovery import add_plugin_folder

    add_plugin_folder(PLUGINS)


@pytest.fixture
def plan(toy_suite, tmp_path):
    def make(*estimators, seeds=1, **options):
        changes = {"estimators": list(estimators), "protocols": ["subject-stratified"], "seeds": seeds}
        return make_plan(
            read_suite(str(toy_suite)), "quick", changes, results=tmp_path / "results", **options
        )

    return make


def run(plan, **limits):
    """Return the results by estimator, or by seed where there is one estimator."""
    done = list(execute(plan, partial(run_local, limits=Limits(**limits))))
    several = len({task.cell.estimator for task, _ in done}) > 1
    return {task.cell.estimator if several else task.cell.seed: stored for task, stored in done}


@pytest.mark.parametrize(
    ("how", "status", "reason"),
    [
        ("segfault", "crashed", "signal 11: Fatal Python error: Segmentation fault"),
        ("abort", "crashed", "signal 6: Fatal Python error: Aborted"),
        ("exit", "crashed", "exit status 3, without a result"),
        ("exit-0", "crashed", "exit status 0, without a result"),
        ("killed", "crashed", "signal 9 (killed from outside"),
        ("interrupt", "crashed", "exit status 1, without a result"),
        ("raise", "failed", "RuntimeError: the loss is nan"),
        ("refuse-memory", "out-of-memory", "MemoryError: 16 EiB"),
        ("threads", "failed", "started more than 4,096 threads"),
    ],
)
def test_a_cell_that_goes_down_leaves_an_outcome_and_the_others_go_on(plan, how, status, reason):
    bad = f"faulty[how={how}]"
    done = run(plan("majority", bad, "nearest-mean"), timeout=120)
    assert done[bad].result["status"] == status
    assert done[bad].result["reason"].startswith(reason)
    assert done["majority"].ok
    assert done["nearest-mean"].ok


@pytest.mark.parametrize("how", ["hang", "native-hang"])
def test_a_cell_is_ended_when_its_time_is_up(plan, how):
    started = time.monotonic()
    done = run(plan(f"faulty[how={how}]", "majority"), timeout=3)
    assert time.monotonic() - started < 60
    assert done[f"faulty[how={how}]"].result["status"] == "timeout"
    assert done[f"faulty[how={how}]"].result["reason"] == "longer than 3 s"
    assert done["majority"].ok


def test_a_cell_is_ended_when_it_takes_too_much_memory(plan):
    done = run(plan("faulty[how=allocate]", "majority"), memory=1_500_000_000, timeout=120)
    result = done["faulty[how=allocate]"].result
    assert result["status"] == "out-of-memory"
    assert "more than the 1,431 MB of --memory" in result["reason"]
    assert done["majority"].ok


def test_what_a_cell_started_ends_with_it(plan, tmp_path, monkeypatch):
    monkeypatch.setenv("TEST_CHILD", str(tmp_path / "child"))
    run_in_new_server(plan("faulty[how=child]"), timeout=5)
    assert not psutil.pid_exists(int((tmp_path / "child").read_text())) or (
        psutil.Process(int((tmp_path / "child").read_text())).status() == psutil.STATUS_ZOMBIE
    )


def test_a_cell_that_was_ended_finds_its_checkpoints_when_it_is_tried_again(plan):
    assert run(plan("goes-on"), timeout=2)[0].result["status"] == "timeout"
    stored = run(plan("goes-on", retry_failed=True), timeout=60)[0]
    assert stored.ok
    assert (stored.folder / "logs" / "checkpoint").exists()
    assert [one.name for one in stored.folder.parent.iterdir()] == ["seed-0"]


def test_a_thread_that_a_cell_leaves_does_not_keep_it_waiting(plan):
    assert run(plan("faulty[how=thread]"), timeout=60)[0].ok


def test_nothing_of_an_estimator_has_to_be_pickled(plan):
    assert run(plan("unpicklable"))[0].ok


def test_no_state_of_a_cell_reaches_the_next(plan):
    assert all(stored.ok for stored in run(plan("stateful", seeds=3)).values())


def test_results_are_those_of_the_same_process(plan, tmp_path):
    there = run(plan("nearest-mean", "nearest-window", seeds=2), jobs=2)
    frames = {key: stored.predictions() for key, stored in there.items()}
    (tmp_path / "results").rename(tmp_path / "moved")
    here = {
        task.cell.estimator: stored
        for task, stored in execute(plan("nearest-mean", "nearest-window", seeds=2))
    }
    for key, stored in here.items():
        assert stored.predictions().equals(frames[key])


@pytest.mark.parametrize("jobs", [1, 2])
def test_cells_share_the_cores_evenly_and_every_library_knows(plan, tmp_path, monkeypatch, jobs):
    monkeypatch.setenv("TEST_THREADS", str(tmp_path / "told"))
    stored = run_in_new_server(plan("threads"), jobs=jobs)[0]
    assert stored.ok
    n = max(1, available_cores() // jobs)
    assert stored.result["hardware"]["cores"] == n
    assert json.loads((tmp_path / "told").read_text()) == {"n_jobs": n, "cores": n, "numba": n, "pools": n}


def test_what_the_server_is_told_is_not_left_in_the_environment(plan, monkeypatch):
    monkeypatch.setenv("BENCH_PLUGINS", str(PLUGINS))
    before = dict(os.environ)
    assert run_in_new_server(plan("majority"))[0].ok
    assert dict(os.environ) == before


def test_an_interrupt_while_a_process_starts_waits_until_it_can_be_ended(plan, monkeypatch):
    from bench.running.local import _Engine

    launch, launched = _Engine._launch, []

    def interrupted(self, *arguments):
        signal.raise_signal(signal.SIGINT)
        launched.append(launch(self, *arguments))
        return launched[-1]

    monkeypatch.setattr(_Engine, "_launch", interrupted)
    pids = []
    release = _Running.release
    monkeypatch.setattr(_Running, "release", lambda self: (pids.append(self.process.pid), release(self)))
    with pytest.raises(KeyboardInterrupt):
        run(plan("faulty[how=hang]"))
    assert len(launched) == len(pids) == 1
    assert not psutil.pid_exists(pids[0])


def test_only_what_failed_is_run_again_when_asked_and_tries_are_counted(plan, tmp_path, monkeypatch):
    monkeypatch.setenv("TEST_FITS", str(tmp_path / "fits"))
    monkeypatch.setenv("TEST_BROKEN", str(tmp_path / "broken"))
    (tmp_path / "broken").touch()
    specs = ("counted[fails=true]", "counted[number=1]")
    run_in_new_server(plan(*specs))
    again = run(plan(*specs, seeds=2, retry_failed=True))
    assert [(stored.result["status"], stored.result["tries"]) for stored in again.values()] == [
        ("crashed", 2)
    ]
    (tmp_path / "broken").unlink()
    again = run(plan(*specs, seeds=2, retry_failed=True))
    assert [(stored.result["status"], stored.result["tries"]) for stored in again.values()] == [("ok", 3)]
    assert (tmp_path / "fits").read_text().split() == ["0", "1", "0", "0"]


def test_a_cell_that_another_run_did_in_the_meantime_is_not_done_twice(plan, tmp_path, monkeypatch):
    monkeypatch.setenv("TEST_FITS", str(tmp_path / "fits"))
    first, second = plan("counted"), plan("counted")
    run_in_new_server(first)
    assert run(second)[0].ok
    assert (tmp_path / "fits").read_text().split() == ["0"]


@pytest.mark.parametrize("file", ["result.json", "predictions.parquet"])
def test_a_damaged_file_costs_its_own_cell_only_and_is_made_again(plan, file):
    stored = run(plan("majority", "nearest-mean"))["nearest-mean"]
    content = (stored.folder / file).read_bytes()
    (stored.folder / file).write_bytes(content[:-20] + b"x" * 20)
    damaged = [fault for _, fault in stored_faults(plan("majority", "nearest-mean"))]
    assert sorted(damaged) == ["", f"{file} is not what was stored"]
    todo = plan("majority", "nearest-mean")
    assert [task.cell.estimator for task in todo.waiting] == ["nearest-mean"]
    assert run(todo)[0].ok
    assert {fault for _, fault in stored_faults(todo)} == {""}
    assert plan("majority", "nearest-mean").waiting == []


def test_a_disk_that_is_full_is_said_plainly_and_what_was_stored_stays(plan, tmp_path):
    small = tmp_path / "results" / "toy@simulated"
    small.mkdir(parents=True)
    if os.system(f"mount -t tmpfs -o size=512k tmpfs '{small}' 2>/dev/null"):
        pytest.skip("needs the right to mount a small file system")
    try:
        with pytest.raises(DataError, match="No space left on device"):
            run(plan("nearest-mean", seeds=60))
        kept = list(plan("nearest-mean", seeds=60).store.cells())
        assert kept
        assert not any(fault for _, fault in stored_faults(plan("nearest-mean")))
        assert not list(small.glob("**/*.tmp"))
    finally:
        os.system(f"umount -l '{small}'")


def stored_faults(plan):
    return plan.store.verify()


def run_in_new_server(plan, **limits):
    """Run with a server that knows the environment as it is now, as each run of the program has."""
    from multiprocessing import forkserver

    forkserver._forkserver._stop()
    try:
        return run(plan, **limits)
    finally:
        forkserver._forkserver._stop()
