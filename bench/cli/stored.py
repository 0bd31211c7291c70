"""Where commands that only read look for the results of a suite."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.cells.store import Store
    from bench.study.suite import Suite

RESULTS = Path("results")
REFERENCE = RESULTS / "reference"


def stored(suite: str, results: Path | None) -> list[tuple[Store, Suite]]:
    """Return what is stored of a suite: on recordings, on simulated ones, or both.

    Parameters
    ----------
    suite : str
        A name or a file.
    results : Path or None
        Where to look; None: in ``results/``, then in ``results/reference/``.

    Raises
    ------
    BenchError
        If there is no such suite, or no result of it.
    """
    from bench.cells.store import Store
    from bench.errors import DataError
    from bench.study.suite_files import read_suite

    study = read_suite(suite)
    for folder in (RESULTS, REFERENCE) if results is None else (results,):
        both = (Store(folder, study.name, False), Store(folder, study.name, True))
        there = [(store, study) for store in both if any(store.cells())]
        if there:
            return there
    where = results or RESULTS
    raise DataError(f"{where / study.name}: no results yet; run first: python -m bench run --suite {suite}")
