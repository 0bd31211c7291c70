"""Which people of a data set are read: those that are asked for, or a plain word on who is not there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from bench.recordings import DataError

__all__ = ["choose_subjects", "spans"]


def choose_subjects(
    name: str, everybody: Sequence[int], found: Collection[int], where: object, subjects: Sequence[int] | None
) -> list[int]:
    """Return the people to read, in order.

    Parameters
    ----------
    name : str
        Of the data set.
    everybody : sequence of int
        The people of the official release.
    found : collection of int
        Those whose files are there.
    where : object
        The folder that was looked into, for the message.
    subjects : sequence of int, optional
        Those that are asked for; by default everybody.

    Raises
    ------
    DataError
        If none is asked for, one that nobody has, or one that is missing.
    """
    wanted = sorted(set(everybody if subjects is None else subjects))
    if not wanted:
        raise DataError(f"{name}: no subject is asked for")
    unknown = [subject for subject in wanted if subject not in everybody]
    if unknown:
        raise DataError(f"{name}: there is no subject {spans(unknown)}; the subjects are {spans(everybody)}")
    missing = [subject for subject in wanted if subject not in found]
    if missing:
        what, which = ("subject", "is") if len(missing) == 1 else ("subjects", "are")
        message = f"{what} {spans(missing)} {which} missing from {where} (found {spans(found) or 'none'})"
        rest = [subject for subject in wanted if subject in found]
        if rest:
            without = "it" if len(missing) == 1 else "them"
            message += f"; to go on without {without}: --subjects {spans(rest).replace(' ', '')}"
        raise DataError(message)
    return wanted


def spans(numbers: Iterable[int]) -> str:
    """Return e.g. ``"1-4, 6"`` for 1, 2, 3, 4, 6, in any order."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
