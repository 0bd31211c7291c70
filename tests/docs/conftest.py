"""The pages that are tested, and what stands in their code blocks."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_PROGRAMS = ("python", "pytest", "make", "pip", "ruff", "mypy", "ray", "tensorboard")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the clone."""
    return REPOSITORY


@pytest.fixture(scope="session")
def pages() -> dict[str, str]:
    """The text of the README and of each page, by its path from the root."""
    files = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted(REPOSITORY.glob("docs/*.md"))]
    return {file.relative_to(REPOSITORY).as_posix(): file.read_text(encoding="utf-8") for file in files}


@pytest.fixture(scope="session")
def blocks(pages: dict[str, str]) -> Callable[[str], list[tuple[str, str]]]:
    """A function that gives the page and the text of every code block in a language."""

    def of(language: str) -> list[tuple[str, str]]:
        return [
            (page, code)
            for page, text in pages.items()
            for lang, code in _BLOCK.findall(text)
            if lang == language
        ]

    return of


@pytest.fixture(scope="session")
def commands(pages: dict[str, str], blocks: Callable[[str], list[tuple[str, str]]]) -> dict[str, str]:
    """Every command that a page shows, in a code block or in a sentence, with a page that shows it.

    Comments, redirections and ``time`` are taken off; what is joined by ``&&`` or a pipe is several commands.
    """
    lines = [(page, line) for page, code in blocks("sh") for line in _lines(code)]
    for page, text in pages.items():
        prose = _BLOCK.sub("", text)
        lines += [
            (page, span)
            for span in re.findall(r"`([^`\n]+)`", prose)
            if span.split()[0] in (*_PROGRAMS, "time")
        ]
    return {command: page for page, line in lines for command in _commands(line) if " " in command}


def _lines(code: str) -> list[str]:
    """Return the lines of a script, without those that only a shell or a scheduler can read."""
    lines = [re.sub(r"(^|\s+)#.*$", "", line).strip() for line in code.splitlines()]
    return [line.removesuffix("&").strip() for line in lines if line and "=$(" not in line]


def _commands(line: str) -> list[str]:
    parts: list[list[str]] = [[]]
    reader = shlex.shlex(line, posix=True, punctuation_chars="<>|&")
    reader.whitespace_split = True
    words = iter(reader)
    for word in words:
        if word in ("|", "&&"):
            parts.append([])
        elif word in ("<", ">"):
            next(words)
        elif word != "time" or parts[-1]:
            parts[-1].append(word)
    return [shlex.join(part) for part in parts]


@pytest.fixture(scope="session")
def bench() -> Callable[..., subprocess.CompletedProcess[str]]:
    """A function that runs ``python -m bench`` with arguments, of the clone at `root`, in the folder `cwd`."""

    def run(*arguments: object, cwd: Path, root: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "COLUMNS": "140", "PYTHONPATH": str(root)}
        command = [sys.executable, "-m", "bench", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment)

    return run
