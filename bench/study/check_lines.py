"""A line of ``python -m bench check``: a sentence about a plugin that holds, does not, or wants a remark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One sentence about a plugin, and what speaks against it.

    Attributes
    ----------
    sentence : str
        What should hold, or what was found.
    fault : str
        Why it does not hold; ``""``: it does.
    advice : str
        What its author can do about the fault or the note.
    note : str
        What is worth knowing and no fault.
    """

    sentence: str
    fault: str = ""
    advice: str = ""
    note: str = ""


def attempt(step: Callable[[], str | None]) -> str:
    """Return what `step` has to say against the plugin, be it the error that the plugin raises; ``""``: nothing."""
    try:
        return step() or ""
    except (Exception, SystemExit) as error:  # whatever a plugin raises is what its author wants to read
        return in_words(error)


def in_words(error: BaseException) -> str:
    """Return an error's kind and first line of message."""
    message = str(error).strip().split("\n", 1)[0]
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
