"""What an estimator tells of its training is checked and kept; what it tells wrongly costs no result."""

import json
from functools import partial

import numpy as np
import pandas as pd
import pytest

from bench.cells.training import Training, read_history, training_of
from bench.running.local import Limits, run_local
from bench.running.runner import execute, in_this_process
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite


@pytest.fixture
def cell(toy_suite, tmp_path):
    def run(tells, engine=in_this_process, **changes):
        changes = {
            "estimators": [f"in-epochs[tells={tells}]"],
            "protocols": ["subject-stratified"],
            **changes,
        }
        plan = make_plan(read_suite(str(toy_suite)), "smoke", changes, results=tmp_path / "results")
        ((_, stored),) = execute(plan, engine)
        assert stored.ok, stored.result["reason"]
        return plan.store, stored

    return run


@pytest.mark.parametrize(
    "engine", [in_this_process, partial(run_local, limits=Limits())], ids=["here", "in a process"]
)
def test_history_is_a_file_of_the_cell_and_the_rest_is_in_its_result(cell, engine):
    store, stored = cell("all", engine)
    table = pd.read_csv(stored.folder / "training.csv")
    assert list(table.columns) == ["epoch", "loss", "seconds", "val_loss"]
    assert table.epoch.tolist() == list(range(10))
    assert table.loss.to_numpy() == pytest.approx(0.5 ** np.arange(10))
    assert json.loads((stored.folder / "result.json").read_text())["training"] == {
        "n_epochs": 10, "best_epoch": 9, "scores": {"loss": 0.25, "balanced_accuracy": 0.75},
    }  # fmt: skip
    assert stored.result["warnings"] == []
    assert "training.csv" in (stored.folder / "SHA256SUMS").read_text()
    assert {fault for _, fault in store.verify()} == {""}
    with (stored.folder / "training.csv").open("a") as file:
        file.write("10,0,0,0\n")
    assert {fault for _, fault in store.verify() if fault} == {"training.csv is not what was stored"}


def test_an_estimator_that_tells_nothing_has_neither(cell):
    _, stored = cell("all", estimators=["nearest-mean"])
    assert "training" not in stored.result
    assert {path.name for path in stored.folder.iterdir()} == {
        "result.json", "predictions.parquet", "SHA256SUMS",
    }  # fmt: skip


def test_scores_without_a_history(cell):
    _, stored = cell("scores-alone")
    assert stored.result["training"] == {
        "n_epochs": 0, "best_epoch": None, "scores": {"loss": 0.25, "balanced_accuracy": 0.75},
    }  # fmt: skip
    assert not (stored.folder / "training.csv").exists()


def test_of_a_history_that_is_partly_wrong_the_rest_is_kept_and_that_is_said(cell):
    _, stored = cell("too-much")
    assert stored.result["training"]["n_epochs"] == 10
    assert stored.result["training"]["best_epoch"] is None
    assert stored.result["training"]["scores"] == {"balanced_accuracy": 0.75}
    kept = read_history(stored.folder)
    assert list(kept) == ["loss", "val_loss"]
    assert np.isnan(kept["val_loss"][-1])
    assert stored.result["warnings"] == [
        "history_: left out accuracy: 11 values, where loss has 10",
        "history_: left out lr: infinite values",
        "history_: left out layers: not one number an epoch",
        "history_: left out text: not one number an epoch",
        "history_: left out one: of type float, not a list",
    ]


def test_what_is_no_history_at_all_is_left_out_and_that_is_said(cell):
    _, stored = cell("a-list")
    assert "training" not in stored.result
    assert stored.result["warnings"] == [
        "history_ is left out: TypeError: of type list, not a dict",
        "best_epoch_ is left out: TypeError: 'float' object cannot be interpreted as an integer",
        "training_scores_ is left out: SystemExit: no scores",
    ]


class Told:
    def __init__(self, history=None, best=None, scores=None):
        self.history_, self.best_epoch_, self.training_scores_ = history, best, scores


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        (Told({"loss": [1.0] * 100_001}), "left out loss: 100,001 values"),
        (Told({"loss": []}), "left out loss: 0 values"),
        (Told({"loss": [1, [2]]}), "left out loss: not one number"),
        (Told({"loss": [10**400]}), "left out loss: not one number"),
        (Told({"loss": [1j]}), "left out loss: not one number"),
        (Told({str(k): [1.0] for k in range(101)}), "101 names, more than 100"),
        (Told({"loss\n1,2": [1.0]}), "left out 'loss\\n1,2'"),
        (Told(best=-1), "-1 is none of the epochs"),
        (Told(scores={"loss": float("inf")}), "left out loss: infinite"),
        (Told(scores=0.5), "of type float, not a dict"),
    ],
)
def test_what_cannot_be_kept(told, fault):
    training, (said,) = training_of(told)
    assert not training
    assert fault in said


def test_a_history_of_arrays_and_numbers_of_other_libraries(tmp_path):
    history = {"loss": np.float32([0.1, np.nan]), "n": (1, 2), "done": [False, True]}
    training, faults = training_of(Told(history, np.int64(1), {"accuracy": np.float64(1)}))
    assert faults == []
    assert json.loads(json.dumps(training.summary())) == {
        "n_epochs": 2, "best_epoch": 1, "scores": {"accuracy": 1.0},
    }  # fmt: skip
    training.write(tmp_path)
    again = read_history(tmp_path)
    for name in history:
        np.testing.assert_allclose(again[name], np.array(history[name], float), rtol=1e-8)


@pytest.mark.parametrize(
    "content", [None, b"", b"epoch,loss\n", b"epoch,loss\n0,1,2\n", b"loss\n1\n", b"\xff"]
)
def test_a_damaged_file_is_no_history(tmp_path, content):
    if content is not None:
        (tmp_path / "training.csv").write_bytes(content)
    assert read_history(tmp_path) == {}
    Training().write(tmp_path / "nowhere")  # nothing to write: no file
