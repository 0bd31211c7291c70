"""Run cells on this machine, each in a fresh process forked from a server that has the heavy imports."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import filelock
import psutil

from bench.cells.cell import Outcome
from bench.cells.job import Job, store_outcome
from bench.cells.making import available_cores
from bench.cells.stored_cell import StoredCell
from bench.discovery import plugin_folders
from bench.errors import BenchError, DataError
from bench.running.cost import Budget
from bench.running.server import Server
from bench.running.shared import WindowsFiles, shared
from bench.running.waiting import Waiting
from bench.splits.split import LeakError

LOOK = 0.1  # seconds between two looks at time and memory
LOG_LINES = 3
MAX_THREADS = 4096  # of one cell: more are an accident, and could leave the machine without any


@dataclass(frozen=True)
class Limits:
    """What a run of cells may take.

    Attributes
    ----------
    jobs : int
        Cells at the same time; they share the machine's cores evenly.
    timeout : float or None
        Seconds a cell may take, its data included.
    memory : int or None
        Bytes that the processes of a cell may have resident.
    cores : int or None
        For each cell, where others give the cores out; None: `jobs` cells share all that there are.
    budget : Budget or None
        For all cells. Those that run when it is used up are ended, and found to be waiting by the next run.
    """

    jobs: int = 1
    timeout: float | None = None
    memory: int | None = None
    cores: int | None = None
    budget: Budget | None = None


def run_local(jobs: list[Job], limits: Limits) -> Iterator[tuple[int, StoredCell]]:
    """Run jobs in processes of their own; yield the number and the stored result of each as it ends.

    A cell that exceeds a limit or takes its process down gets an outcome that says so. Whenever this
    generator is left, what still runs is ended.

    Raises
    ------
    BenchError
        If a split leaks that must not, or the disk refuses.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        engine = _Engine(shared(jobs, Path(folder)), limits, Path(folder))
        try:
            yield from engine.run()
        finally:
            engine.stop()


@dataclass(eq=False)
class _Running:
    """A process that runs a cell."""

    number: int
    job: Job
    lock: filelock.BaseFileLock
    cores: list[int] | None
    log: Path
    process: ForkServerProcess
    answer: Connection
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def threads(self) -> int:
        """Return the number of threads of the process."""
        try:
            return int(psutil.Process(self.process.pid).num_threads())
        except psutil.Error:
            return 0

    def megabytes(self) -> float:
        """Return the resident memory of the process and of those that it started."""
        try:
            first = psutil.Process(self.process.pid)
            processes = (first, *first.children(recursive=True))
            return int(sum(one.memory_info().rss for one in processes)) / 2**20
        except psutil.Error:  # one of them has just ended
            return 0.0

    def kill(self) -> None:
        """End the process and all that it started."""
        self._kill_group()
        self.process.kill()  # if it has had no time to lead a group of its own
        self.process.join()

    def release(self) -> None:
        """Let others have what was the cell's; end what a plugin started and left behind."""
        self._kill_group()
        self.job.store.sweep(self.job.cell)
        self.lock.release()
        self.answer.close()
        self.process.close()
        self.log.unlink(missing_ok=True)

    def _kill_group(self) -> None:
        if self.process.pid:  # 0 would be our own group
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def last_lines(self) -> str:
        """Return the end of what the cell printed, in one line."""
        try:
            text = self.log.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        fatal = next((k for k, line in enumerate(lines) if line.startswith("Fatal Python error")), None)
        return " | ".join(lines[-LOG_LINES:] if fatal is None else lines[fatal : fatal + LOG_LINES])


class _Engine:
    def __init__(self, jobs: list[Job], limits: Limits, folder: Path) -> None:
        self.waiting = Waiting(jobs, limits.budget)
        self.limits = limits
        self.folder = folder
        self.running: list[_Running] = []
        self.free = _shares(limits)
        self.server = Server(jobs)
        self.windows = WindowsFiles(folder, jobs)

    def run(self) -> Iterator[tuple[int, StoredCell]]:
        while (self.waiting or self.running) and self.waiting.in_time:
            yield from self._start()
            wait([one.process.sentinel for one in self.running], LOOK)
            for one in [*self.running]:
                stored = self._look(one)
                if stored is not None:
                    yield one.number, stored

    def stop(self) -> None:
        for one in self.running:
            one.kill()
            one.release()

    def _start(self) -> Iterator[tuple[int, StoredCell]]:
        """Start cells while there are cores; yield those that another run has done in the meantime."""
        for claim in self.waiting.claims(lambda: bool(self.free)):
            if claim.stored is not None:
                yield claim.number, claim.stored
            else:
                with _interrupts_after():  # half a process could be neither used nor ended
                    self.running.append(self._launch(claim.number, claim.job, claim.lock))

    def _launch(self, number: int, job: Job, lock: filelock.BaseFileLock) -> _Running:
        job.store.sweep(job.cell)
        cores, log = self.free.pop(), self.folder / f"{number}.log"
        alone = max(1, available_cores() // self.limits.jobs)
        n_cores = len(cores) if cores else self.limits.cores or alone
        arguments = (log, n_cores, cores, plugin_folders(), self.windows.begin(job))
        process, answer = self.server.start(job, arguments)
        return _Running(number, job, lock, cores, log, process, answer)

    def _look(self, one: _Running) -> StoredCell | None:
        """Return the stored result of a cell that has ended, or that has to be."""
        status, reason = "", ""
        if one.process.exitcode is None:
            limits = self.limits
            if limits.timeout is not None and one.seconds > limits.timeout:
                status, reason = "timeout", f"longer than {limits.timeout:g} s"
            elif limits.memory is not None and (held := one.megabytes()) > limits.memory / 2**20:
                status = "out-of-memory"
                reason = f"{held:,.0f} MB, more than the {limits.memory / 2**20:,.0f} MB of --memory"
            elif one.threads() > MAX_THREADS:
                status, reason = "failed", f"started more than {MAX_THREADS:,} threads"
            else:
                return None
            one.kill()
        try:
            stored = self._answered(one) if not status else None
            if stored is None:
                if not status:
                    status, reason = _how_it_ended(one)
                    self.server.ensure_running()  # it may have ended, and its processes with it
                outcome = Outcome(one.job.cell, status, one.job.split.audit, reason, fit_seconds=one.seconds)
                stored = store_outcome(one.job, outcome)
            return stored
        finally:
            self.running.remove(one)
            self.free.append(one.cores)
            one.release()
            self.windows.end(one.job)

    def _answered(self, one: _Running) -> StoredCell | None:
        """Return what the process has stored; None if it ended before it could say that it has."""
        try:
            if not one.answer.poll():
                return None
            answer = one.answer.recv()
        except (EOFError, OSError):
            return None
        if answer is None:
            return one.job.store.read(one.job.cell)
        kind, text = answer
        errors: dict[str, type[BenchError]] = {kind.__name__: kind for kind in (LeakError, DataError)}
        raise errors.get(kind, BenchError)(text)


@contextlib.contextmanager
def _interrupts_after() -> Iterator[None]:
    """Keep Ctrl-C and SIGTERM until the end of the block; a thread other than the main one gets none."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {
        one: signal.signal(one, lambda number, frame: came.append(number))
        for one in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    for number in came[:1]:
        signal.raise_signal(number)


def _shares(limits: Limits) -> list[list[int] | None]:
    """Return the processors of each of the cells that run at a time; None where it stays on no certain ones."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if limits.cores is not None or len(cores) != available_cores():
        return [None] * limits.jobs  # others use some of them, and it is not known which
    share = max(1, len(cores) // limits.jobs)
    # With more cells at a time than cores, some share one.
    return [[cores[(k * share + i) % len(cores)] for i in range(share)] for k in range(limits.jobs)]


def _how_it_ended(one: _Running) -> tuple[str, str]:
    code = one.process.exitcode or 0
    if code == -signal.SIGKILL:
        ended = "signal 9 (killed from outside, by the system perhaps for want of memory)"
    else:
        ended = f"signal {-code}" if code < 0 else f"exit status {code}, without a result"
    last = one.last_lines()
    return "crashed", ended + (f": {last}" if last else "")
