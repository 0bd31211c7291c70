"""The tidy table a reader's own statistics start from, and the sentences for a methods section."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from bench.report.leaderboard import make_leaderboard
from bench.report.methods import write_methods
from bench.report.people_file import DICTIONARY, _scores, write_people


@pytest.fixture
def store(toy_suite, results):
    return results(toy_suite, estimators=["nearest-mean"], protocols=["loso", "random-windows"], seeds=2)


def test_a_row_is_a_person_an_estimator_a_protocol_and_a_seed(store):
    (path,) = write_people(make_leaderboard(store), store)
    table = pd.read_csv(path)
    assert list(table) == list(DICTIONARY)
    assert not table.duplicated(["protocol", "estimator", "seed", "subject"]).any()
    own = table[(table.estimator == "nearest-mean") & (table.protocol == "loso")]
    assert (sorted(own.subject.unique()), sorted(own.seed.unique())) == ([1, 2, 3, 4], [0, 1])
    cells = [
        cell.predictions()
        for cell in store.cells()
        if (cell.result["cell"]["protocol"], cell.result["cell"]["estimator"]) == ("loso", "nearest-mean")
        and cell.place[0] == 1
    ]
    predictions = pd.concat(cells)
    for _, row in own[own.seed == 1].iterrows():
        theirs = predictions[predictions.subject == row.subject]
        assert row.n_windows == len(theirs)
        assert row.accuracy == pytest.approx((theirs.y_true == theirs.y_pred).mean(), abs=1e-6)
        assert row.balanced_accuracy == pytest.approx(
            balanced_accuracy_score(theirs.y_true, theirs.y_pred), abs=1e-6
        )


def test_the_mean_of_people_is_the_leaderboards_within_people(store):
    board = make_leaderboard(store)
    table = pd.read_csv(write_people(board, store)[0])
    mean = table.groupby(["protocol", "estimator", "seed"]).balanced_accuracy.mean()
    shown = board.table.set_index(["protocol", "estimator"]).within_people
    for key, value in mean.groupby(level=[0, 1]).mean().items():
        assert value == pytest.approx(shown[key], abs=1e-5)


def test_a_person_of_one_class_has_no_balanced_accuracy():
    assert np.isnan(_scores(np.array([[3, 1], [0, 0]]))["balanced_accuracy"])
    assert _scores(np.array([[3, 1], [0, 4]])) == {
        "n_windows": 8,
        "n_classes": 2,
        "accuracy": 7 / 8,
        "balanced_accuracy": 7 / 8,
    }


def test_every_column_is_explained_in_the_docs():
    text = (Path(__file__).parents[2] / "docs" / "comparing.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|$", text, re.MULTILINE))
    assert {name: rows.get(name) for name in DICTIONARY} == DICTIONARY


def test_the_methods_name_what_was_done_and_on_what(store):
    (path,) = write_methods(make_leaderboard(store), store)
    text = path.read_text()
    for said in (
        "SIMULATED recordings",
        "of 4 people, channels a, b",
        "Windows: 2 s, 1 s of them shared with the window before",
        "`loso` (4 folds, seeds 0, 1; audit: clean (stimuli shared))",
        "`random-windows` (one division, seeds 0, 1; audit: LEAKS trials, samples)",
        "`nearest-mean`",
        "Profile quick of the suite `toy`",
        f"numpy {np.__version__}",
    ):
        assert said in text
    assert "seed-0" not in text  # sentences, no file names


def test_cells_of_several_machines_are_said_to_be_so(store):
    cell = next(store.cells())
    store.amend(cell, {"hardware": {**cell.result["hardware"], "processor": "another"}})
    text = write_methods(make_leaderboard(store), store)[0].read_text()
    n_cells = len(list(store.cells()))
    assert f"{n_cells - 1} cells: python" in text
    assert "1 cell: python" in text
    assert "another, " in text


def test_a_study_of_the_floor_alone_has_methods_too(toy_suite, results):
    own = results(toy_suite, estimators=["majority"], protocols=["subject-stratified"], seeds=1)
    text = write_methods(make_leaderboard(own), own)[0].read_text()
    assert "The floor is the best of `majority`" in text
    assert "with the parameters" not in text
