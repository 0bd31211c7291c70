"""Estimators that do to their process what a bad plugin can do."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

from bench.registry import register_estimator


class Constant:
    """The first class, whatever the window."""

    def __init__(self, do=lambda: None):
        self.do = do

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.do()
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def _allocate():
    held = []
    while True:
        held.append(np.ones(2**20))
        time.sleep(0.001)


def _raise():
    raise RuntimeError("the loss is nan")


def _refuse_memory():
    raise MemoryError("16 EiB")


def _interrupt():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell has in its background ignores it
    signal.raise_signal(signal.SIGINT)


def _leave_a_thread():
    threading.Thread(target=time.sleep, args=(1000,)).start()


def _start_threads_without_end():
    while True:
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
        time.sleep(0.0001)  # to end many thousands takes the machine a while


def _hang_in_native_code():
    ctypes.PyDLL(None).sleep(1000)  # PyDLL keeps the interpreter's lock: no Python code runs any more


WAYS = {
    "segfault": lambda: ctypes.string_at(0),
    "exit": lambda: os._exit(3),
    "exit-0": lambda: os._exit(0),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "abort": os.abort,
    "hang": lambda: time.sleep(1000),
    "native-hang": _hang_in_native_code,
    "allocate": _allocate,
    "refuse-memory": _refuse_memory,
    "raise": _raise,
    "interrupt": _interrupt,
    "thread": _leave_a_thread,
    "threads": _start_threads_without_end,
    "nothing": lambda: None,
}


@register_estimator("faulty", family="faulty")
def faulty(*, how: str = "nothing"):
    """Do what is asked for while it is fitted."""
    return Constant(WAYS[how])


@register_estimator("unpicklable", family="faulty")
def unpicklable():
    """Cannot be sent to another process, fitted or not."""
    model = Constant()
    model.lock = threading.Lock()
    return model


@register_estimator("parent", family="faulty")
def parent(*, file: str):
    """Start a process, write its number into a file, and hang."""

    def start_a_child_and_hang():
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
        Path(file).write_text(str(child.pid))
        time.sleep(1000)

    return Constant(start_a_child_and_hang)


@register_estimator("counted", family="toy")
def counted(*, notes: str, number: int = 0, fails: bool = False):
    """Write a line into ``begun`` in the folder `notes`, then do what its other files say.

    The first cells are done at once; those after them wait as long as there is ``hold``, which says how many the
    first ones are. If it `fails`, that is as long as there is ``broken``.
    """
    folder = Path(notes)
    hold = folder / "hold"

    def count():
        mine = f"{os.getpid()} {number}\n"
        with open(folder / "begun", "a") as file:
            file.write(mine)
        before = (folder / "begun").read_text().splitlines(keepends=True).index(mine)
        with contextlib.suppress(FileNotFoundError):
            while before >= int(hold.read_text() or 0):
                time.sleep(0.01)
        if fails and (folder / "broken").exists():
            os._exit(1)

    return Constant(count)


@register_estimator("goes-on", family="toy")
def goes_on(*, log_dir: str):
    """Never end the first time; the second time, find in its folder what the first has left."""

    def fit():
        file = Path(log_dir, "checkpoint")
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
            time.sleep(1000)

    return Constant(fit)


@register_estimator("threads", family="toy")
def threads(*, file: str, n_jobs: int):
    """Write how many threads each library would use into a file."""

    def report():
        import json

        import numba
        import threadpoolctl

        told = {
            "n_jobs": n_jobs,
            "cores": len(os.sched_getaffinity(0)),
            "numba": numba.get_num_threads(),
            "pools": max((pool["num_threads"] for pool in threadpoolctl.threadpool_info()), default=1),
        }
        Path(file).write_text(json.dumps(told))

    return Constant(report)


@register_estimator("stateful", family="toy")
def stateful():
    """Fail if another cell was here before."""

    def leave_a_mark():
        if hasattr(np, "mark_of_a_cell"):
            raise RuntimeError("another cell was here")
        np.mark_of_a_cell = True

    return Constant(leave_a_mark)


@register_estimator("nothing-in-tensorflow", family="toy", requires=("tensorflow",))
def nothing_in_tensorflow():
    """Need TensorFlow, and do nothing with it."""
    return Constant()


class Scribbler(Constant):
    """Writes over the windows that it is given."""

    def fit(self, X, y):
        X[:] = 7
        return super().fit(X, y)

    def predict(self, X):
        X[:] = 7
        return super().predict(X)


@register_estimator("scribbler", family="faulty")
def scribbler():
    """Leaves no window as it was."""
    return Scribbler()


class Weigher(Constant):
    """Writes down the megabytes of its windows, and of the memory that is no mapped file's."""

    def __init__(self, file):
        self.file = file

    def do(self):
        pass

    def fit(self, X, y):
        X.sum()
        (own,) = (line for line in Path("/proc/self/status").read_text().splitlines() if "RssAnon" in line)
        with open(self.file, "a") as file:
            file.write(f"{X.nbytes / 2**20} {int(own.split()[1]) / 2**10}\n")
        return super().fit(X, y)


@register_estimator("weigher", family="faulty")
def weigher(*, file: str, number: int = 0):
    """Tells what memory it has to itself."""
    return Weigher(file)


class Slow(Constant):
    """Takes its time for every window of the fit."""

    def __init__(self, seconds_a_window):
        self.seconds_a_window = seconds_a_window

    def do(self):
        pass

    def fit(self, X, y):
        time.sleep(len(X) * self.seconds_a_window)
        return super().fit(X, y)


@register_estimator("slow", family="faulty")
def slow(*, seconds_a_window: float):
    """Slower the more it is given."""
    return Slow(seconds_a_window)
