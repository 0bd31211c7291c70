"""``capsule``: files with all that a study's tables follow from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.errors import DataError

EXAMPLES = """
Example: what two machines have done, in one folder, where `run` goes on and `tables` makes the tables

python -m bench capsule merge from-a/capsule.parquet from-b/capsule.parquet --to results/deap-arousal/capsule.parquet
"""


def merge(
    capsules: Annotated[
        list[Path], typer.Argument(help="Capsules, or folders that hold one.", metavar="CAPSULE...")
    ],
    to: Annotated[Path, typer.Option(help="The file to write.", metavar="FILE")],
) -> None:
    """Join capsules of one study: the cells of all, and of a cell that several have the newest that succeeded.

    FILE may be one of them. Its name has to be capsule.parquet, in a folder of the suite's name, for other commands to find it.
    """
    from bench.cells.capsule import CAPSULE, Capsule
    from bench.cells.capsule_writing import merge_capsules

    files = [path / CAPSULE if path.is_dir() else path for path in capsules]
    for path, file in zip(capsules, files, strict=True):
        if path.is_dir() and not file.is_file():
            raise DataError(f"{path}: no {CAPSULE} in this folder; `python -m bench tables` writes it")
    opened = [Capsule(file) for file in files]
    to.parent.mkdir(parents=True, exist_ok=True)
    n_cells = merge_capsules(opened, to)
    typer.echo(f"{n_cells} cells of {len(opened)} capsules: {to}")
