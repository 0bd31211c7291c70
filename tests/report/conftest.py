"""Results that tables are made of, run once for all tests that need the same."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.cells.store import Store
from bench.running.runner import execute
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite


@pytest.fixture(scope="session")
def ran() -> dict[str, Path]:
    """Folders of results, by what was run."""
    return {}


@pytest.fixture
def results(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, ran: dict[str, Path]
) -> Callable[..., Store]:
    """Run the quick profile of a suite, less or other than it says; its results are the test's own, to be changed.

    The first run of a test is a copy of an earlier one where there was one; the second goes on in the same folder.
    """
    own = tmp_path / "results"

    def make(suite: Path, **changes: Any) -> Store:
        study = read_suite(str(suite))
        if own.exists():
            plan = make_plan(study, "quick", changes, results=own)
            list(execute(plan))
            return plan.store
        key = repr((suite.read_text(), sorted(changes.items())))
        if key not in ran:
            plan = make_plan(study, "quick", changes, results=tmp_path_factory.mktemp("ran"))
            list(execute(plan))
            ran[key] = plan.store.folder
        shutil.copytree(ran[key], own / ran[key].name)
        return Store(own, study.name, ran[key].name.endswith("@simulated"))

    return make
