"""What the processes of a run share: files of signals and of scaled windows, memory-mapped by all."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.cells.job import Job
from bench.data.signals import MappedSignals, write_signals

KEPT_WINDOWS = 8  # files of the splits that were used last


def shared(jobs: Sequence[Job], folder: Path) -> list[Job]:
    """Return the jobs with their signals in files, so that no process gets a copy."""
    panels: dict[int, Any] = {}
    signals: dict[int, MappedSignals] = {}
    for job in jobs:
        recordings = job.panel.recordings
        given = recordings.signals
        if id(given) not in signals:
            mapped = given if isinstance(given, MappedSignals) else None
            signals[id(given)] = mapped or write_signals(folder / f"signals-{len(signals)}.npy", given)
        if id(job.panel) not in panels:
            mapped_recordings = replace(recordings, signals=signals[id(given)])
            panels[id(job.panel)] = replace(job.panel, recordings=mapped_recordings)
    return [replace(job, panel=panels[id(job.panel)]) for job in jobs]


class WindowsFiles:
    """Files of scaled windows for the splits that several cells have.

    What was used last is kept: all splits of a study together may be larger than the disk.
    """

    def __init__(self, folder: Path, jobs: list[Job]) -> None:
        self.folder = folder
        self.left = Counter(map(self._key, jobs))  # cells that have not ended
        self.shared = {key for key, n_cells in self.left.items() if n_cells > 1}
        self.used: dict[str, int] = {}  # cells that run; the key that was used last comes last

    def begin(self, job: Job) -> Path | None:
        """Return the file for a cell that starts now."""
        key = self._key(job)
        if key not in self.shared:
            return None
        self.used[key] = self.used.pop(key, 0) + 1
        return self._file(key)

    def end(self, job: Job) -> None:
        """Note that a cell has ended, and remove what is not needed any more."""
        key = self._key(job)
        self.left[key] -= 1
        if key in self.used:
            self.used[key] -= 1
        for one in [one for one, n_cells in self.used.items() if not n_cells]:
            if not self.left[one] or len(self.used) > KEPT_WINDOWS:
                del self.used[one]
                self._file(one).unlink(missing_ok=True)

    def _key(self, job: Job) -> str:
        same = json.dumps([job.identity["setting"], job.identity["split"]], sort_keys=True)
        return hashlib.sha256(same.encode()).hexdigest()[:40]

    def _file(self, key: str) -> Path:
        return self.folder / f"{key}.windows"
