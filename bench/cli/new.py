"""``new``: a commented start for an estimator, a data set or a suite."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """
Examples:

python -m bench new estimator my-forest

python -m bench new estimator my-network --like torch --in my_plugins

python -m bench new suite my-study
"""


def new(
    kind: Annotated[str, typer.Argument(help="estimator, dataset or suite.", metavar="KIND")],
    name: Annotated[str, typer.Argument(help="Lower-case words with '-' between them.", metavar="NAME")],
    folder: Annotated[
        Path | None,
        typer.Option(
            "--in",
            help="Where it is written; by default my_plugins, a suite here. Made if it is not there.",
            metavar="DIR",
        ),
    ] = None,
    like: Annotated[
        str | None,
        typer.Option(help="An estimator's library: sklearn (default), sktime, keras, torch.", metavar="NAME"),
    ] = None,
) -> None:
    """Write a commented start that works as it is, and say what to type next. Overwrites nothing."""
    from bench.study.start import write_start

    start = write_start(kind, name, folder, like)
    typer.echo(f"{start.file} is written. It works as it is; next:")
    for command in start.next:
        typer.echo(command)
