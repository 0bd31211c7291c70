"""Cells in processes of their own: whatever one does, it gets its outcome and no other cell suffers."""

import json
import os
import signal
import time
from functools import partial
from multiprocessing import forkserver
from types import SimpleNamespace

import psutil
import pytest

from bench.cells.making import available_cores
from bench.errors import BenchError, DataError
from bench.running import local, preload, server
from bench.running.local import Limits, _Running, run_local
from bench.running.runner import execute


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
        ("threads", "failed", "started more than 1,024 threads"),
    ],
)
def test_a_cell_that_goes_down_leaves_an_outcome_and_the_others_go_on(plan, monkeypatch, how, status, reason):
    monkeypatch.setattr(local, "MAX_THREADS", 1024)  # as many as any machine has for us
    bad = f"faulty[how={how}]"
    done = run(plan("majority", bad, "nearest-mean"), timeout=120)
    assert done[bad].result["status"] == status
    assert done[bad].result["reason"].startswith(reason)
    assert done["majority"].ok
    assert done["nearest-mean"].ok


@pytest.mark.usefixtures("_hanging_is_soon_over")
def test_a_cell_is_ended_when_its_time_is_up(plan):
    started = time.monotonic()
    hanging = ("faulty[how=hang]", "faulty[how=native-hang]")
    done = run(plan(*hanging, "majority"), timeout=100, jobs=2)
    assert time.monotonic() - started < 60
    for bad in hanging:
        assert done[bad].result["status"] == "timeout"
        assert done[bad].result["reason"] == "longer than 100 s"
    assert done["majority"].ok


def test_a_cell_is_ended_when_it_takes_too_much_memory(plan):
    done = run(plan("faulty[how=allocate]", "majority"), memory=1_000_000_000, timeout=120)
    result = done["faulty[how=allocate]"].result
    assert result["status"] == "out-of-memory"
    assert "more than the 954 MB of --memory" in result["reason"]
    assert done["majority"].ok


@pytest.fixture
def time_is_up(monkeypatch):
    """Let the time of cells be up as soon as something is true."""

    def when(true):
        monkeypatch.setattr(_Running, "seconds", property(lambda self: 1000.0 if true() else 0.0))

    return when


def test_what_a_cell_started_ends_with_it(plan, tmp_path, time_is_up):
    file = tmp_path / "child"
    time_is_up(lambda: file.exists() and file.read_text())
    done = run(plan("parent", parameters={"parent": {"file": str(file)}}), timeout=60)
    assert done[0].result["status"] == "timeout"
    assert not psutil.pid_exists(int(file.read_text())) or (
        psutil.Process(int(file.read_text())).status() == psutil.STATUS_ZOMBIE
    )


def test_a_cell_that_was_ended_finds_its_checkpoints_when_it_is_tried_again(plan, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        there = property(lambda self: 1000.0 * bool(list((tmp_path / "results").rglob("checkpoint"))))
        patch.setattr(_Running, "seconds", there)
        assert run(plan("goes-on"), timeout=60)[0].result["status"] == "timeout"
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
def test_cells_share_the_cores_evenly_and_every_library_knows(plan, tmp_path, jobs):
    todo = plan("threads", parameters={"threads": {"file": str(tmp_path / "told")}})
    stored = run(todo, jobs=jobs)[0]
    assert stored.ok
    n = max(1, available_cores() // jobs)
    assert stored.result["hardware"]["cores"] == n
    assert json.loads((tmp_path / "told").read_text()) == {"n_jobs": n, "cores": n, "numba": n, "pools": n}


def test_what_the_server_is_told_is_not_left_in_the_environment(plan, monkeypatch, faulty_plugins):
    monkeypatch.setenv("BENCH_PLUGINS", str(faulty_plugins))
    before = dict(os.environ)
    assert run(plan("majority"))[0].ok
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("moment", "of"),
    [
        pytest.param(
            "ensure_running", forkserver._forkserver, id="before it is asked", marks=pytest.mark.slow
        ),
        pytest.param(
            "connect_to_new_process", forkserver, id="before it is told what to do", marks=pytest.mark.slow
        ),
        pytest.param("read_signed", forkserver, id="before it answers"),
    ],
)
def test_a_server_that_dies_while_a_process_starts_costs_nothing(
    plan, monkeypatch, faulty_plugins, moment, of
):
    assert run(plan("majority"))[0].ok
    old = psutil.Process(forkserver._forkserver._forkserver_pid)
    real, ended = getattr(of, moment), []

    def end():
        if not ended:
            ended.append(old.kill())
            while old.status() != psutil.STATUS_ZOMBIE:  # to wait for it would hide its end from the harness
                time.sleep(0.001)

    def ending(*arguments):
        if moment == "read_signed":
            end()
        done = real(*arguments)
        end()
        return done

    monkeypatch.setattr(of, moment, ending)
    old.suspend()  # what it is asked, it does not do any more
    monkeypatch.setenv("BENCH_PLUGINS", str(faulty_plugins))
    before = dict(os.environ)
    assert run(plan("nearest-mean"))[0].ok
    assert dict(os.environ) == before
    assert ended
    new = psutil.Process(forkserver._forkserver._forkserver_pid)
    assert new.pid != old.pid
    assert preload.MODULES in new.environ()  # told what to import, as the first one


@pytest.fixture
def new_server(monkeypatch):
    """No server yet, as in a program that has just begun; the others' is kept for them."""
    for name in ("address", "alive_fd", "pid"):
        monkeypatch.setattr(forkserver._forkserver, f"_forkserver_{name}", None)
    yield
    forkserver._forkserver._stop()


def test_a_server_that_dies_again_and_again_ends_the_run_with_a_reason(
    plan, tmp_path, monkeypatch, new_server
):
    (tmp_path / "dies_at_once.py").write_text("import os\nos._exit(1)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    names = {"MODULES": preload.MODULES, "PLUGINS": preload.PLUGINS}
    monkeypatch.setattr(server, "preload", SimpleNamespace(__name__="dies_at_once", **names))
    monkeypatch.setattr(server, "PAUSES", (0.0, 0.1))
    with pytest.raises(
        BenchError, match="no cell can be started: the process that they are forked from ends"
    ):
        run(plan("majority"))


@pytest.fixture
def _interrupts(monkeypatch):
    """Ctrl-C interrupts, though what a shell starts in its background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interrupts")
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


def test_only_what_failed_is_run_again_when_asked_and_tries_are_counted(plan, notes):
    (notes.folder / "broken").touch()
    specs = ("counted[fails=true]", "counted[number=1]")
    run(plan(*specs))
    again = run(plan(*specs, seeds=2, retry_failed=True))
    assert [(stored.result["status"], stored.result["tries"]) for stored in again.values()] == [
        ("crashed", 2)
    ]
    (notes.folder / "broken").unlink()
    again = run(plan(*specs, seeds=2, retry_failed=True))
    assert [(stored.result["status"], stored.result["tries"]) for stored in again.values()] == [("ok", 3)]
    assert notes.fits() == ["0", "1", "0", "0"]


def test_a_cell_that_another_run_did_in_the_meantime_is_not_done_twice(plan, notes):
    first, second = plan("counted"), plan("counted")
    run(first)
    assert run(second)[0].ok
    assert notes.fits() == ["0"]


@pytest.mark.parametrize("file", ["result.json", "predictions.parquet"])
def test_a_damaged_file_costs_its_own_cell_only_and_is_made_again(plan, file):
    stored = run(plan("majority", "nearest-mean"))["nearest-mean"]
    content = (stored.folder / file).read_bytes()
    (stored.folder / file).write_bytes(content[:-20] + b"x" * 20)
    damaged = [fault for _, fault in stored_faults(plan("majority", "nearest-mean"))]
    assert [fault for fault in damaged if fault] == [f"{file} is not what was stored"]
    todo = plan("majority", "nearest-mean")
    assert [task.cell.estimator for task in todo.waiting] == ["nearest-mean"]
    assert run(todo)[0].ok
    assert {fault for _, fault in stored_faults(todo)} == {""}
    assert plan("majority", "nearest-mean").waiting == []


def test_a_disk_that_is_full_is_said_plainly_and_what_was_stored_stays(plan, tmp_path):
    small = tmp_path / "results" / "toy@simulated"
    small.mkdir(parents=True)
    if os.system(f"mount -t tmpfs -o size=96k tmpfs '{small}' 2>/dev/null"):
        pytest.skip("needs the right to mount a small file system")
    try:
        with pytest.raises(DataError, match="No space left on device"):
            run(plan("nearest-mean", seeds=20))
        kept = list(plan("nearest-mean", seeds=20).store.cells())
        assert kept
        assert not any(fault for _, fault in stored_faults(plan("nearest-mean")))
        assert not list(small.glob("**/*.tmp"))
    finally:
        os.system(f"umount -l '{small}'")


def stored_faults(plan):
    return plan.store.verify()
