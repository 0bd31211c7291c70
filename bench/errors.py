"""The errors that a user can mend: each is shown as one plain message, never as a traceback."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BenchError(Exception):
    """Something outside the program is wrong: a name, a suite file, a data file, an option."""


class DataError(BenchError):
    """A data set cannot be read as it is; the message names the file and what was found in it."""


class SuiteError(BenchError):
    """A suite file says something that cannot be run; the message names the file and the key."""


class ProtocolError(BenchError):
    """The windows cannot be divided as the protocol asks."""


class PluginError(BenchError):
    """A plugin is unknown, broken or lacks a package."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest known word, else the list of known words."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.55)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; known: {', '.join(known)}" if known else ""
