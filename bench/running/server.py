"""The process that cells are forked from, which has imported what takes long."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any

from bench.cells.job import Job
from bench.discovery import plugin_folders
from bench.errors import BenchError
from bench.registry import get
from bench.running import preload, worker

PAUSES = (0.0, 0.1, 0.5, 2.0)  # seconds before each attempt to start a process: a server may be dying


class Server:
    """The process that cells are forked from: it has imported what the jobs need."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.context = multiprocessing.get_context("forkserver")
        needed = {module for job in jobs for module in get("estimator", job.cell.plugin).requires}
        self.told = {
            preload.MODULES: ",".join(sorted(needed)),
            preload.PLUGINS: os.pathsep.join(map(str, plugin_folders())),
        }
        self.ensure_running()

    def ensure_running(self) -> None:
        """Start the server, if there is none or it has ended."""
        self.context.set_forkserver_preload([preload.__name__])
        before = {name: os.environ.get(name) for name in self.told}
        os.environ.update(self.told)
        # A cell ends, or is ended, without ceremony. What its libraries leave is swept up, and no news to anybody.
        sys.warnoptions.append("ignore:resource_tracker:UserWarning")
        try:
            forkserver.ensure_running()
        finally:  # other programs that this process starts are to see the environment as it was
            for name, value in before.items():
                del os.environ[name]
                if value is not None:
                    os.environ[name] = value
            sys.warnoptions.pop()

    def start(self, job: Job, arguments: tuple[Any, ...]) -> tuple[ForkServerProcess, Connection]:
        """Return a process that works on a job, and where it answers.

        If the server ends meanwhile, the process is started from a new one.

        Raises
        ------
        BenchError
            If new ones end too.
        """
        for pause in PAUSES:
            if pause:
                time.sleep(pause)
                self.ensure_running()
            answer, there = self.context.Pipe(duplex=False)
            process = self.context.Process(target=worker.work, args=(job, there, *arguments))
            try:
                process.start()
                return process, answer
            except (
                EOFError,
                ConnectionError,
            ):  # it did not take the request, or did not say what became of it
                answer.close()
            finally:
                there.close()
        raise BenchError(
            "no cell can be started: the process that they are forked from ends at once, "
            f"perhaps as it imports {self.told[preload.MODULES] or 'a plugin'}"
        )
