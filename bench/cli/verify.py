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
    from bench.cells.capsule import CAPSULE

    whole: dict[str, list[bool]] = {"cells": [], "capsules": []}
    for store, _ in stored(suite, results):
        for path, fault in store.verify():
            whole["capsules" if path.name == CAPSULE else "cells"].append(not fault)
            if fault:
                typer.echo(f"{path}: {fault}")
    told = [f"{sum(one)} of {len(one)} {what}" for what, one in whole.items() if one]
    typer.echo(f"{' and '.join(told)} are as they were stored")
    raise typer.Exit(0 if all(map(all, whole.values())) else 1)
