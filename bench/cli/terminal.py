"""What commands share: the terminal, warnings, the users' plugin folders."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def make_console() -> Console:
    """Return the terminal, as wide as it is."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


def warn(text: str) -> None:
    """Write a line that the user should see, whatever standard output is used for."""
    sys.stderr.write(f"{text}\n")


def add_plugins(folders: list[Path] | None) -> None:
    """Search the folders of ``--plugins``, too."""
    from bench.discovery import add_plugin_folder

    for folder in folders or []:
        add_plugin_folder(folder)
