"""What is committed as reference results is what its capsule says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bench.cells.capsule import CAPSULE, Capsule
from bench.cells.store import Store
from bench.cli.tables import write_tables
from bench.study.suite_files import read_suite

REFERENCE = Path(__file__).parents[2] / "results" / "reference"
WITH_CAPSULE = sorted(path.parent.name for path in REFERENCE.glob(f"*/{CAPSULE}"))
TEXTS = {".md", ".csv", ".tex"}


@pytest.mark.parametrize("name", WITH_CAPSULE)
def test_the_committed_tables_are_rebuilt_from_the_capsule_byte_for_byte(name, tmp_path, blank_pictures):
    suite, _, simulated = name.partition("@")
    store = Store(tmp_path, suite, bool(simulated))
    store.folder.mkdir()
    shutil.copy(REFERENCE / name / CAPSULE, store.folder)
    write_tables(store, read_suite(suite))

    def texts(folder):
        found = (path for path in folder.rglob("*") if path.suffix in TEXTS)
        return {
            path.relative_to(folder): path.read_text(encoding="utf-8")
            for path in found
            if not any(part.startswith("seed-") for part in path.parts)
        }

    made, committed = texts(store.folder), texts(REFERENCE / name)
    assert made.keys() == committed.keys()
    assert {path.as_posix() for path, text in made.items() if text != committed[path]} == set()
    assert (store.folder / CAPSULE).read_bytes() == (REFERENCE / name / CAPSULE).read_bytes()


@pytest.mark.parametrize("name", WITH_CAPSULE)
def test_a_capsule_takes_at_most_25_bytes_a_predicted_window(name):
    path = REFERENCE / name / CAPSULE
    n_windows = sum(cell.n_windows for cell in Capsule(path).cells.values())
    assert path.stat().st_size <= 25 * n_windows
