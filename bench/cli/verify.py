"""``verify``: stored files against their checksums."""

from __future__ import annotations

import typer

from bench.cli.options import StoredOption, SuiteOption
from bench.cli.stored import stored

EXAMPLES = "Example:\n\npython -m bench verify --suite deap-arousal"


def verify(suite: SuiteOption, results: StoredOption = None) -> None:
    """Compare every stored file with the checksum that was stored with it.

    Exit status: 0, or 1 if a file was changed, is damaged or missing.
    """
    faults = n_cells = 0
    for store, _ in stored(suite, results):
        for folder, fault in store.verify():
            n_cells += 1
            if fault:
                faults += 1
                typer.echo(f"{folder}: {fault}")
    typer.echo(f"{n_cells - faults} of {n_cells} cells are as they were stored")
    raise typer.Exit(1 if faults else 0)
