"""The suites that come with the program, a TOML file each."""

from __future__ import annotations

import tomllib
from pathlib import Path

SUITES = Path(__file__).parent


def suite_titles() -> dict[str, str]:
    """Return the titles of the suites by name; each file says its own, whatever it extends."""
    files = sorted(SUITES.glob("*.toml"))
    return {file.stem: tomllib.loads(file.read_text(encoding="utf-8"))["title"] for file in files}
