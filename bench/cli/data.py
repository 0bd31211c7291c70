"""``data``: makes data folders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.terminal import make_console

EXAMPLES = "Example:\n\npython -m bench data simulate-deap simulated --subjects 1-2"


def simulate_deap(
    folder: Annotated[Path, typer.Argument(help="Where the files s01.dat.. are written.", metavar="DIR")],
    subjects: Annotated[str, typer.Option(help="How many (2), or which ones (1-4,7).")] = "32",
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other recordings.")] = 0,
) -> None:
    """Write simulated recordings in DEAP's official file format, 103 MB a subject."""
    from rich.progress import Progress

    from bench.datasets.deap_simulated import write_deap_folder
    from bench.study.suite import parse_subjects

    numbers = parse_subjects(f"1-{subjects}" if subjects.isdecimal() else subjects)
    console = make_console()
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("writing", total=len(numbers))
        write_deap_folder(
            folder,
            subjects=numbers,
            seed=seed,
            progress=lambda done, total: progress.update(bar, completed=done, total=total),
        )
    console.print(f"{len(numbers)} simulated subjects in {folder}; to run on them:")
    command = f"python -m bench run --suite deap-arousal --data-root {folder}"
    if len(numbers) < 32:
        command += f" --subjects {','.join(map(str, numbers))}"
    console.print(command, soft_wrap=True)
