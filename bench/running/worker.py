"""What runs in a process of its own: one cell, from its data to its stored result."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import os
import signal
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from bench.cells.job import Job, run_job
from bench.discovery import add_plugin_folder
from bench.errors import BenchError
from bench.running import preload

LINUX = sys.platform == "linux"
_PR_SET_PDEATHSIG = 1


def work(
    job: Job,
    answer: Connection,
    log: Path,
    n_cores: int,
    cores: Sequence[int] | None,
    plugin_folders: Sequence[Path],
    windows_file: Path | None,
) -> None:
    """Run a job and answer with None, or with the class and text of an error that must end the run.

    Parameters
    ----------
    job : Job
    answer : Connection
    log : Path
        What the cell prints is written here, with the stacks of all threads if it crashes.
    n_cores : int
        So many threads the libraries start.
    cores : sequence of int or None
        Processors that they stay on; None if it is not known which ones others use.
    plugin_folders : sequence of Path
        Searched as in the process that asks.
    windows_file : Path or None
        As for `run_cell`.
    """
    os.setsid()  # its processes can be ended together, and a Ctrl-C at the terminal is not theirs
    _end_with_parent()
    _redirect(log)
    faulthandler.enable()
    _use_cores(n_cores, cores)
    for folder in plugin_folders:
        add_plugin_folder(folder)
    try:
        run_job(job, windows_file)
    except BenchError as error:
        answer.send((type(error).__name__, str(error)))
    else:
        answer.send(None)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a thread that a plugin left must not keep a finished cell waiting


def _end_with_parent() -> None:
    """Ask the kernel to end this process when the server it was forked from ends: that outlives no run."""
    if LINUX:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:  # it ended before that
            os.kill(os.getpid(), signal.SIGKILL)


def _redirect(log: Path) -> None:
    nothing, file = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(nothing, 0)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(nothing)
    os.close(file)


def _use_cores(n: int, cores: Sequence[int] | None) -> None:
    """Make every library start as many threads as there are cores for this cell.

    Some were imported before the fork with all the machine's cores in view, others are not imported yet.
    """
    if cores is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ[variable] = str(n)
    preload.pools.limit(limits=n)
    if "numba" in sys.modules:
        numba = sys.modules["numba"]
        numba.set_num_threads(min(n, numba.config.NUMBA_NUM_THREADS))
    else:
        os.environ["NUMBA_NUM_THREADS"] = str(n)
    if "tensorflow" in sys.modules:
        with contextlib.suppress(RuntimeError):
            sys.modules["tensorflow"].config.threading.set_intra_op_parallelism_threads(n)
