"""What tests of runs share: plans on the small data set, and notes that a test and its cells leave each other."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PLUGINS = Path(__file__).parent / "plugins"


@pytest.fixture(scope="session", autouse=True)
def faulty_plugins() -> Path:
    """Folder with the plugin file of estimators that tests of runs need, searched by the harness."""
    from bench.discovery import add_plugin_folder

    add_plugin_folder(PLUGINS)
    return PLUGINS


def wait_until(true: Callable[[], Any], seconds: float = 120) -> None:
    """Wait for what is certain to come, however slow the machine."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it has not come"
        time.sleep(0.01)


@pytest.fixture(name="wait_until", scope="session")
def _wait_until() -> Callable[..., None]:
    return wait_until


@dataclass(frozen=True)
class Notes:
    """A folder in which cells of the estimator `counted` write that they have begun, and are told to wait."""

    folder: Path

    def begun(self) -> list[list[str]]:
        """Return the process and the number of each cell that has begun."""
        file = self.folder / "begun"
        return [line.split() for line in file.read_text().splitlines()] if file.exists() else []

    def pids(self) -> list[int]:
        return [int(pid) for pid, _ in self.begun()]

    def fits(self) -> list[str]:
        return [number for _, number in self.begun()]

    def hold_all_but(self, first: int) -> None:
        """Let cells wait, all but the first ones to begin: then it is certain that they run."""
        (self.folder / "hold").write_text(str(first))

    def release(self) -> None:
        (self.folder / "hold").unlink(missing_ok=True)

    def wait_for(self, number: int) -> None:
        """Wait until so many cells have begun."""
        wait_until(lambda: len(self.begun()) >= number)


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    folder = tmp_path / "notes"
    folder.mkdir()
    return Notes(folder)


@pytest.fixture
def plan(toy_suite: Path, tmp_path: Path, notes: Notes) -> Callable[..., Any]:
    """A function that plans estimators under one protocol."""
    from bench.study.plan import make_plan
    from bench.study.suite_files import read_suite

    def make(
        *estimators: str, seeds: int = 1, parameters: dict[str, Any] | None = None, **options: Any
    ) -> Any:
        changes = {
            "estimators": list(estimators),
            "protocols": ["subject-stratified"],
            "seeds": seeds,
            "parameters": {"counted": {"notes": str(notes.folder)}, **(parameters or {})},
        }
        return make_plan(
            read_suite(str(toy_suite)), "quick", changes, results=tmp_path / "results", **options
        )

    return make


@pytest.fixture
def _hanging_is_soon_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the time of cells that hang pass a hundred times as fast; the others have all that they need."""
    from bench.running.local import _Running

    real = _Running.seconds.fget  # type: ignore[attr-defined]
    faster = property(lambda self: real(self) * (100 if "hang" in self.job.cell.estimator else 1))
    monkeypatch.setattr(_Running, "seconds", faster)
