"""The cells that no process runs yet, shared by the engines: who may begin, and what others have done."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import filelock

from bench.cells.job import Job
from bench.cells.stored_cell import StoredCell
from bench.running.cost import Budget


@dataclass(frozen=True, eq=False)
class Claim:
    """A job whose cell is locked for this run; or, with `stored`, one that another run has done meanwhile."""

    number: int
    job: Job
    lock: filelock.BaseFileLock
    stored: StoredCell | None = None


class Waiting:
    """Jobs in their order.

    Parameters
    ----------
    jobs : list of Job
    budget : Budget or None
    """

    def __init__(self, jobs: list[Job], budget: Budget | None) -> None:
        self._jobs = deque(enumerate(jobs))
        self._budget = budget

    def __bool__(self) -> bool:
        return bool(self._jobs)

    @property
    def in_time(self) -> bool:
        """Whether there is any of the budget left."""
        return self._budget is None or self._budget.left > 0

    def claims(self, room: Callable[[], bool]) -> Iterator[Claim]:
        """Yield jobs that may begin, as long as there is room.

        Cells that another run is at are put last, and looked at again at the next call. Jobs for which
        the budget leaves no time are dropped.
        """
        for _ in range(len(self._jobs)):
            if not room():
                return
            number, job = self._jobs.popleft()
            if self._budget is not None and not self._budget.allows(job):
                continue
            lock = job.store.lock(job.cell)
            try:
                lock.acquire(blocking=False)
            except filelock.Timeout:
                self._jobs.append((number, job))
                continue
            stored = job.reusable()
            if stored is not None:
                lock.release()
            yield Claim(number, job, lock, stored)
