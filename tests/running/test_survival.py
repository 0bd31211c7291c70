"""A run that is killed, interrupted or not alone loses nothing but the cells in flight."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

from bench.cells.capsule import Capsule

pytestmark = pytest.mark.slow
TIMES = ["fit_seconds", "predict_seconds"]
# The cells of the signal-free estimators, which are done in a moment, are not counted.
STORED = "toy@simulated/*/counted*/seed-*/result.json"


@pytest.fixture
def command(toy_suite, faulty_plugins, notes, tmp_path):
    """What runs twelve cells, two at a time."""
    with toy_suite.open("a") as suite:
        suite.write(f"[parameters.counted]\nnotes = '{notes.folder}'\n")

    def arguments(results="results"):
        return [
            *("run", "--suite", toy_suite, "--jobs", "2", "--seeds", "3"),
            *("--estimators", "counted,counted[number=1]", "--results", tmp_path / results),
            *("--plugins", faulty_plugins, "--plugins", Path(__file__).parents[1] / "plugins"),
        ]

    return arguments


@pytest.fixture
def start(command, notes):
    """Start the program in a process of its own."""
    running = []

    def begin():
        process = subprocess.Popen(
            [sys.executable, "-m", "bench", *map(str, command())],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        running.append(process)
        return process

    yield begin
    notes.release()
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def again(bench, command):
    """Run the same command as `start` to its end, in this process; return what it says."""
    return lambda *results: bench(*command(*results)).stdout


def family(process):
    return [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]


def alive(processes):
    return [one for one in processes if is_alive(one)]


def is_alive(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it ended between the two questions
        return False


def stored(tmp_path):
    return len(list((tmp_path / "results").glob(STORED)))


def board(tmp_path, results="results"):
    return pd.read_csv(tmp_path / results / "toy@simulated" / "leaderboard.csv", dtype=str).drop(
        columns=TIMES
    )


@pytest.fixture(scope="module")
def boards():
    return []


@pytest.fixture
def uninterrupted(again, tmp_path, boards):
    """The leaderboard of a run that nothing happened to, made once."""

    def make():
        if not boards:
            assert "12 cells: 12 to run" in again("whole")
            boards.append(board(tmp_path, "whole"))
        return boards[0]

    return make


@pytest.fixture
def in_the_middle(start, notes, tmp_path, wait_until):
    """Return a run that has done two of its cells and is at two others, which will not end before `release`."""
    notes.hold_all_but(2)
    process = start()
    notes.wait_for(4)
    wait_until(lambda: stored(tmp_path) == 2)
    return process


@pytest.mark.parametrize("whom", ["run", "server", "worker"])
def test_whatever_is_killed_no_process_is_left_and_the_next_run_completes(
    in_the_middle, notes, again, uninterrupted, tmp_path, wait_until, whom
):
    process, members = in_the_middle, family(in_the_middle)
    worker = psutil.Process(notes.pids()[-1])
    # The server's parent is the run, and the workers' parent is the server.
    server = worker.parent()
    # With the server end the cells; those of a run that is killed may end, and then the server does.
    victims = {"run": members[:1], "server": [server, *server.children()], "worker": [worker]}[whom]
    victims[0].kill()
    wait_until(lambda: not alive(victims), seconds=30)
    notes.release()
    output, _ = process.communicate(timeout=120)
    until = time.monotonic() + 5
    while alive(members) and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive(members)
    if whom != "run":
        assert "crashed" in output
        assert process.returncode == 1
    assert "12 cells: " in again()
    assert not list((tmp_path / "results").glob("**/*.tmp"))
    # Two cells may have been in flight; every other one was fitted once.
    assert len(notes.fits()) <= 12 + 2
    pd.testing.assert_frame_equal(board(tmp_path), uninterrupted())


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_how_to_go_on_and_leaves_no_process(
    in_the_middle, notes, again, tmp_path, how
):
    process, members = in_the_middle, family(in_the_middle)
    process.send_signal(how)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted: the finished cells are kept; the same command goes on with the others" in output
    assert "Traceback" not in output
    assert not alive(members)
    notes.release()
    done = stored(tmp_path)
    # What is done can go on elsewhere: the capsule has these cells, beside the floor's.
    (capsule,) = (tmp_path / "results").glob("*/capsule.parquet")
    assert sum(not cell.signal_free for cell in Capsule(capsule).cells.values()) == done
    assert f"12 cells: {12 - done} to run, {done} reused" in again()


def test_two_runs_on_one_folder_do_every_cell_once(start, notes, uninterrupted, tmp_path):
    notes.hold_all_but(0)
    first, second = start(), start()
    notes.wait_for(4)  # two cells of each are begun, and none is done
    notes.release()
    for process in (first, second):
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
    assert sorted(notes.fits()) == ["0"] * 6 + ["1"] * 6
    pd.testing.assert_frame_equal(board(tmp_path), uninterrupted())
