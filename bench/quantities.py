"""Times and sizes in words, as typed on the command line and in plugins: ``15m``, ``4GB``."""

from __future__ import annotations

import re

from bench.errors import SuiteError

__all__ = ["bytes_of", "seconds_of"]


def seconds_of(text: str, option: str = "--timeout") -> float:
    """Return the seconds of ``"90s"``, ``"15m"``, ``"2h"``, ``"1d"`` or ``"90"``.

    Raises
    ------
    SuiteError
        If the text is no such time, or 0; the message names `option`.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text.strip())
    if found is None or not float(found[1]):
        raise SuiteError(f"{option} {text}: give a time such as 90s, 15m or 2h")
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]


def bytes_of(text: str) -> int:
    """Return the bytes of ``"800MB"``, ``"4GB"`` or ``"2.5GiB"``.

    Raises
    ------
    SuiteError
        If the text is no such size, or one below 1 MB.
    """
    from pydantic import ByteSize, TypeAdapter, ValidationError

    try:
        size = TypeAdapter(ByteSize).validate_python(text.strip())
    except ValidationError:
        size = ByteSize(0)
    if size < 1_000_000:
        raise SuiteError(f"--memory {text}: give a size such as 800MB or 4GB, of at least 1MB")
    return int(size)
