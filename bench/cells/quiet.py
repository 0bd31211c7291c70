"""Import heavy modules before the clock starts, without their chatter."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable


def import_quietly(modules: Iterable[str]) -> None:
    """Import `modules`, dropping what their C++ side writes to standard error.

    TensorFlow's first lines (oneDNN, no GPU found) are written past Python's ``sys.stderr`` and before
    it has read ``TF_CPP_MIN_LOG_LEVEL``, hence the file descriptor. An error is raised as ever.
    """
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        for module in modules:
            importlib.import_module(module)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
