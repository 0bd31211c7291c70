"""Run cells on a Ray cluster: Ray places them and survives lost nodes, our local engine runs each on its node."""

from __future__ import annotations

import hashlib
import logging
import os
import socket
import stat
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import filelock
import numpy as np

from bench.cells.cell import Outcome
from bench.cells.job import Job, store_outcome
from bench.cells.store import Store
from bench.cells.stored_cell import StoredCell
from bench.data.signals import MappedSignals
from bench.discovery import add_plugin_folder, plugin_folders
from bench.errors import BenchError, DataError
from bench.quantities import bytes_of
from bench.registry import get
from bench.running.local import Limits, run_local
from bench.running.shared import shared
from bench.running.waiting import Waiting

RETRIES = 3  # of a cell whose node was lost
LOOK = 0.5  # seconds


def run_ray(
    jobs: list[Job], limits: Limits, address: str | None = None, at_most: int | None = None
) -> Iterator[tuple[int, StoredCell]]:
    """Run jobs on a cluster; yield the number and the stored result of each as it ends.

    Each node needs this program in the same version, and the plugin folders under the same paths. What the
    estimators are registered with (`cpus`, `gpus`, `memory`) is asked of Ray for each cell. Signals are sent
    to a node once. Results are sent back and stored here.

    Parameters
    ----------
    jobs : list of Job
    limits : Limits
        `timeout` and `memory`, of each cell, kept on its node.
    address : str, optional
        Of a cluster that runs, or ``"auto"`` for the one of this machine; by default one is started here.
    at_most : int, optional
        Cells at a time; by default as many as there is room for.

    Raises
    ------
    BenchError
        If there is no cluster at the address, no node is large enough for an estimator, a split leaks that
        must not, or the disk refuses.
    """
    import ray

    ours = not ray.is_initialized()
    if ours:
        try:
            _look_for(address)
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except (OSError, ValueError, RuntimeError) as error:
            raise BenchError(f"--address {address}: no Ray cluster answers there: {error}") from None
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        driver = _Driver(shared(jobs, Path(folder)), limits, at_most)
        try:
            yield from driver.run()
        finally:
            driver.stop()
            if ours:
                ray.shutdown()


def _look_for(address: str | None) -> None:
    """Raise OSError if nothing listens at ``HOST:PORT``: Ray would go on trying for minutes."""
    host, _, port = (address or "").rpartition(":")
    if host and "/" not in host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=10).close()


class _Driver:
    def __init__(self, jobs: list[Job], limits: Limits, at_most: int | None) -> None:
        import ray

        self.ray: Any = ray  # its functions have no types
        self.waiting = Waiting(jobs, limits.budget)
        self.flying: dict[Any, tuple[int, Job, filelock.BaseFileLock]] = {}
        self.limits = limits
        # Twice as many as there is room for, so that no node waits for this process.
        self.at_most = at_most or 2 * max(1, int(self.ray.cluster_resources().get("CPU", 1)))
        self.options = {job.cell.plugin: self._options(job.cell.plugin) for job in jobs}
        self.signals: dict[Path, tuple[str, Any]] = {}
        self.run_there = ray.remote(_run_there)

    def run(self) -> Iterator[tuple[int, StoredCell]]:
        while (self.waiting or self.flying) and self.waiting.in_time:
            yield from self._submit()
            if not self.flying:
                time.sleep(LOOK)  # other runs are at all that is left
                continue
            done, _ = self.ray.wait(list(self.flying), timeout=LOOK)
            for ref in done:
                number, job, lock = self.flying.pop(ref)
                try:
                    yield number, self._stored(ref, job)
                finally:
                    lock.release()

    def stop(self) -> None:
        for ref, (_, _, lock) in self.flying.items():
            self.ray.cancel(ref, force=True)
            lock.release()

    def _options(self, plugin: str) -> dict[str, Any]:
        """Return what is asked of Ray for a cell of an estimator."""
        about = get("estimator", plugin).about
        nodes = [node["Resources"] for node in self.ray.nodes() if node["Alive"]]
        if about["gpus"] > max(node.get("GPU", 0) for node in nodes):
            raise BenchError(f"estimator '{plugin}' asks for {about['gpus']:g} GPUs, and no node has so many")
        cpus = min(about["cpus"], int(max(node.get("CPU", 1) for node in nodes)))
        return {
            "num_cpus": cpus,
            "num_gpus": about["gpus"],
            "memory": self.limits.memory or (bytes_of(about["memory"]) if about["memory"] else None),
            "max_retries": RETRIES,
        }

    def _submit(self) -> Iterator[tuple[int, StoredCell]]:
        for claim in self.waiting.claims(lambda: len(self.flying) < self.at_most):
            if claim.stored is not None:
                yield claim.number, claim.stored
                continue
            job = claim.job
            options = self.options[job.cell.plugin]
            limits = replace(self.limits, jobs=1, cores=options["num_cpus"], budget=None)
            key, signals = self._signals(job)
            folders = [str(folder) for folder in plugin_folders()]
            ref = self.run_there.options(**options).remote(job, key, signals, limits, folders)
            self.flying[ref] = claim.number, job, claim.lock

    def _signals(self, job: Job) -> tuple[str, Any]:
        """Return a digest of the job's signals, and Ray's reference to them."""
        mapped = job.panel.recordings.signals
        assert isinstance(mapped, MappedSignals)
        if mapped.file not in self.signals:
            with mapped.file.open("rb") as content:
                key = hashlib.file_digest(content, "sha256").hexdigest()
            self.signals[mapped.file] = key, self.ray.put(np.load(mapped.file))
        return self.signals[mapped.file]

    def _stored(self, ref: Any, job: Job) -> StoredCell:
        try:
            return job.store.adopt(job.cell, self.ray.get(ref))
        except self.ray.exceptions.RayError as error:
            cause = getattr(error, "cause", None)  # what the program itself raised on the node
            if isinstance(cause, BenchError):
                raise cause from None
            lines = [line for line in str(cause or error).splitlines() if line.strip()]
            reason = f"{type(cause or error).__name__}: {lines[0] if lines else ''}"
            return store_outcome(job, Outcome(job.cell, "crashed", job.split.audit, reason))


def _run_there(
    job: Job, key: str, signals: np.ndarray, limits: Limits, folders: list[str]
) -> dict[str, bytes]:
    """Run a job on the node where Ray has placed it; return the files of its result."""
    for folder in folders:
        add_plugin_folder(folder)
    recordings = job.panel.recordings
    given = recordings.signals
    assert isinstance(given, MappedSignals)
    file = _on_this_node(key, signals)
    here = replace(recordings, signals=MappedSignals(file, given.n_channels, given.lengths))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        store = Store(Path(folder), job.store.folder.name, False)
        store.prepare()
        job = replace(job, panel=replace(job.panel, recordings=here), store=store)
        ((_, stored),) = run_local([job], limits)
        files = (path for path in stored.folder.rglob("*") if path.is_file())
        return {path.relative_to(stored.folder).as_posix(): path.read_bytes() for path in files}


def _on_this_node(key: str, signals: np.ndarray) -> Path:
    """Return a file of the signals, written by the first cell of a node and mapped by all."""
    folder = Path(tempfile.gettempdir()) / f"bench-ray-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.getuid() or not stat.S_ISDIR(status.st_mode) or status.st_mode & 0o077:
        raise DataError(f"{folder}: is not a folder of yours alone; remove it")
    file = folder / f"{key}.npy"
    with filelock.FileLock(folder / f"{key}.lock"):
        if not file.exists():
            aside = folder / f"{key}.{os.getpid()}.tmp"
            with aside.open("wb") as content:
                np.save(content, signals)
            os.replace(aside, file)
    return file
