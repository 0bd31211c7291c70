"""What is on disk is whole, or ignored."""

import json
import os
import shutil

import pytest

from bench.cells.stored_cell import StoredCell, differences
from bench.errors import DataError
from bench.running.runner import execute
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite


@pytest.fixture
def plan(toy_suite, tmp_path):
    def make():
        return make_plan(read_suite(str(toy_suite)), "smoke", results=tmp_path / "results")

    return make


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("kept") / "results"


@pytest.fixture
def finished(plan, kept, tmp_path):
    """A plan whose cells are all done: they are run for the first test, and copied for the others."""
    todo = plan()
    if kept.exists():
        shutil.copytree(kept, tmp_path / "results")
    else:
        list(execute(todo))
        shutil.copytree(tmp_path / "results", kept)
    return todo


def test_an_interrupted_run_keeps_what_is_finished_and_goes_on_with_the_rest(plan):
    cells = iter(execute(plan()))
    finished = [next(cells)[0].cell for _ in range(3)]
    left = [task.cell for task in plan().waiting]
    assert len(left) == 3
    assert not set(left) & set(finished)


@pytest.mark.parametrize(
    "how",
    ["result is gone", "result is cut", "result is no table", "identity is no table", "predictions are gone"],
)
def test_a_damaged_cell_is_run_again(plan, finished, how):
    todo = finished
    assert plan().waiting == []
    before = len(list(todo.store.cells()))
    folder = todo.store.path(todo.tasks[0].cell)
    if how == "result is gone":
        (folder / "result.json").unlink()
    elif how == "result is cut":
        os.truncate(folder / "result.json", 100)
    elif how == "result is no table":
        (folder / "result.json").write_text("[1]")
    elif how == "identity is no table":
        result = json.loads((folder / "result.json").read_text())
        (folder / "result.json").write_text(json.dumps({**result, "identity": {}}))
    else:
        (folder / "predictions.parquet").unlink()
    assert [task.cell for task in plan().waiting] == [todo.tasks[0].cell]
    assert len(list(plan().store.cells())) == before - 1


def test_damaged_predictions_are_named(finished):
    todo = finished
    path = todo.store.path(todo.tasks[0].cell) / "predictions.parquet"
    stored = todo.store.read(todo.tasks[0].cell)
    other_classes = {**stored.result, "suite": {**stored.result["suite"], "classes": ["calm", "excited"]}}
    with pytest.raises(
        DataError, match=r"predictions\.parquet: .*label '\w+' is none of the classes calm, excited"
    ):
        _ = StoredCell(stored.folder, other_classes).counts
    path.write_bytes(b"nonsense")
    for read in (lambda: stored.predictions(), lambda: stored.counts):
        with pytest.raises(DataError, match=r"predictions\.parquet: cannot be read"):
            read()


def test_no_half_written_folder_is_left_or_read(plan):
    todo = plan()
    _, stored = next(iter(execute(todo)))
    half = stored.folder.with_name(stored.folder.name + ".x.tmp")
    half.mkdir()
    (half / "result.json").write_text((stored.folder / "result.json").read_text())
    own = [cell for cell in todo.store.cells() if cell.result["cell"] == stored.result["cell"]]
    assert [cell.folder for cell in own] == [stored.folder]


def test_a_disk_that_cannot_be_written_is_one_plain_message(plan, tmp_path):
    todo = plan()
    (tmp_path / "results").write_text("a file where a folder should be")
    with pytest.raises(DataError, match="results cannot be written"):
        list(execute(todo))


def test_differences_are_named_by_their_path():
    old = {"row": {"parameters": {"epochs": 12, "cells": 8}}, "seed": 0}
    new = {"row": {"parameters": {"epochs": 20, "cells": 8}}, "seed": 1}
    assert differences(old, new) == ["row parameters epochs 12 -> 20", "seed 0 -> 1"]
    assert differences(old, old) == []
