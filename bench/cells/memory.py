"""The most memory that a piece of work took."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


class PeakMemory:
    """Context manager: `megabytes` is how far resident memory rose above what it was at the start.

    On Linux the kernel's high-water mark is reset first, so that the figure belongs to this piece of
    work. Elsewhere the mark of the whole process is all there is: the figure is then how far it rose,
    0 if something before took more.
    """

    megabytes: float = 0.0

    def __enter__(self) -> PeakMemory:
        _give_back()
        try:
            Path("/proc/self/clear_refs").write_text("5")
        except OSError:
            self._before = _high_water()
        else:
            self._before = _status_megabytes("VmRSS")
        return self

    def __exit__(self, *_: object) -> None:
        self.megabytes = max(0.0, _high_water() - self._before)


def _give_back() -> None:
    """Return freed memory to the system: what the last cell left unused is not this one's to start with."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # glibc only
        ctypes.CDLL(None).malloc_trim(0)


def _high_water() -> float:
    if _STATUS.exists():
        return _status_megabytes("VmHWM")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def _status_megabytes(key: str) -> float:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) / 1024
    return 0.0
