"""A run that is killed, interrupted or not alone loses nothing but the cells in flight."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

PLUGINS = Path(__file__).parent / "plugins"
TIMES = ["fit_seconds", "predict_seconds"]


@pytest.fixture
def start(toy_suite, tmp_path):
    """Start the program on twelve cells of a second; what it fits, it counts."""
    running = []

    def begin(results="results", *, fits="fits", seconds=1.0):
        spec = f"counted[seconds={seconds}],counted[seconds={seconds},number=1]"
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "bench", "run", "--suite", str(toy_suite), "--jobs", "2"),
                *("--estimators", spec, "--seeds", "3", "--results", str(tmp_path / results)),
                *("--plugins", str(PLUGINS), "--plugins", str(Path(__file__).parents[1] / "plugins")),
            ],
            env=os.environ | {"TEST_FITS": str(tmp_path / fits), "TEST_PIDS": str(tmp_path / "pids")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def wait_for_cells(tmp_path, number, results="results"):
    until = time.monotonic() + 60
    while len(list((tmp_path / results).glob("toy@simulated/*/*/seed-*/result.json"))) < number:
        assert time.monotonic() < until, "no cell was stored within a minute"
        time.sleep(0.02)


def a_cell_that_has_just_begun(tmp_path):
    file = tmp_path / "pids"
    before = len(file.read_text().split())
    until = time.monotonic() + 60
    while len(pids := file.read_text().split()) == before:
        assert time.monotonic() < until, "no cell began within a minute"
        time.sleep(0.005)
    return int(pids[-1])


def family(process):
    return [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]


def alive(processes):
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def board(tmp_path, results="results"):
    return pd.read_csv(tmp_path / results / "toy@simulated" / "leaderboard.csv", dtype=str).drop(
        columns=TIMES
    )


def uninterrupted(start, tmp_path):
    output, _ = start("whole", fits="others").communicate(timeout=120)
    assert "12 cells: 12 to run" in output, output
    return board(tmp_path, "whole")


@pytest.mark.parametrize("whom", ["run", "server", "worker"])
def test_whatever_is_killed_no_process_is_left_and_the_next_run_completes(start, tmp_path, whom):
    process = start()
    wait_for_cells(tmp_path, 2)
    worker = psutil.Process(a_cell_that_has_just_begun(tmp_path))
    members = family(process)
    # The server's parent is the run, and the workers' parent is the server.
    {"run": members[0], "server": worker.parent(), "worker": worker}[whom].kill()
    output, _ = process.communicate(timeout=120)
    until = time.monotonic() + 5
    while alive(members) and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive(members)
    if whom != "run":
        assert "crashed" in output
        assert process.returncode == 1
    again, _ = start().communicate(timeout=120)
    assert "12 cells: " in again
    assert not list((tmp_path / "results").glob("**/*.tmp"))
    # Two cells may have been in flight; every other one was fitted once.
    assert len((tmp_path / "fits").read_text().split()) <= 12 + 2
    pd.testing.assert_frame_equal(board(tmp_path), uninterrupted(start, tmp_path))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_how_to_go_on_and_leaves_no_process(start, tmp_path, how):
    process = start()
    wait_for_cells(tmp_path, 2)
    members = family(process)
    process.send_signal(how)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted: the finished cells are kept; the same command goes on with the others" in output
    assert "Traceback" not in output
    assert not alive(members)
    stored = len(list((tmp_path / "results").glob("toy@simulated/*/*/seed-*/result.json")))
    again, _ = start().communicate(timeout=120)
    assert f"12 cells: {12 - stored} to run, {stored} reused" in again


def test_two_runs_on_one_folder_do_every_cell_once(start, tmp_path):
    first, second = start(), start()
    for process in (first, second):
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
    assert sorted((tmp_path / "fits").read_text().split()) == ["0"] * 6 + ["1"] * 6
    pd.testing.assert_frame_equal(board(tmp_path), uninterrupted(start, tmp_path))
