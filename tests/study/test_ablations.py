"""Rows that change one thing and keep the division of the trials."""

import json
import shutil

import numpy as np
import pytest

from bench.errors import SuiteError
from bench.report.ablations import make_ablations
from bench.report.ablations_files import write_ablations
from bench.report.leaderboard import make_leaderboard
from bench.running.runner import execute
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite

ROWS = """
[ablations]
estimator = "nearest-mean"
each_channel = true
[ablations.rows]
"copies" = { estimator = "nearest-mean+ros" }
"not scaled" = { scaling = "none" }
"ranks" = { scaling = "rank-normal" }
"longer windows" = { windows = { seconds = 4, overlap = 2 } }
"threshold 5 again" = { target = { threshold = 5.0 } }
"valence at the median" = { target = { name = "valence", threshold = "subject-median" } }
"nine levels" = { target = { name = "valence", rule = "levels" } }
"HRV added" = { derived = ["hrv"] }
"too long" = { windows = { seconds = 60 } }
"""


@pytest.fixture
def plan(toy_suite, tmp_path):
    def make(rows=ROWS, **changes):
        text = (
            toy_suite.read_text().replace("[target]", rows + "\n[target]") if rows else toy_suite.read_text()
        )
        path = tmp_path / "ablated.toml"
        path.write_text(text)
        return make_plan(
            read_suite(str(path)),
            "quick",
            {"dataset": "toy[effect=4.0,n_trials=20]", **changes},
            results=tmp_path / "results",
            ablations=True,
        )

    return make


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("kept") / "results"


@pytest.fixture
def finished(plan, kept, tmp_path):
    """A plan whose cells are all done: they are run for the first test, and copied for the others."""
    todo = plan()
    if kept.exists():
        shutil.copytree(kept, tmp_path / "results", dirs_exist_ok=True)
    else:
        list(execute(todo))
        shutil.copytree(tmp_path / "results", kept)
    return todo


def test_every_row_tests_the_trials_of_the_reference(plan):
    tasks = plan().tasks
    test = {}
    for task in tasks:
        rows = task.panel.windows.iloc[task.split.test]
        test.setdefault(task.cell.seed, []).append(set(zip(rows.subject, rows.trial, strict=True)))
    assert set(test) == {0, 1}
    for sets in test.values():
        assert all(own == sets[0] for own in sets)
    assert test[0][0] != test[1][0]
    verdicts = {task.split.audit.verdict for task in tasks}
    assert verdicts == {
        "clean (subjects, stimuli shared)",
        "clean (subjects, stimuli shared; thresholds saw test ratings)",  # the row with each person's median
    }


def test_rows_that_are_the_same_are_planned_once_and_what_a_run_has_is_not_fitted_again(
    plan, finished, toy_suite, tmp_path
):
    todo = finished
    names = {row["name"]: row for row in todo.ablations}
    assert names["threshold 5 again"]["ablation"] == ""
    places = {(task.cell.ablation, task.cell.estimator) for task in todo.tasks}
    assert places == {
        ("", "nearest-mean"), ("", "nearest-mean+ros"), ("not scaled", "nearest-mean"),
        ("ranks", "nearest-mean"),
        ("longer windows", "nearest-mean"), ("valence at the median", "nearest-mean"),
        ("nine levels", "nearest-mean"), ("without a", "nearest-mean"), ("without b", "nearest-mean"),
    }  # fmt: skip
    # With two channels, one left out is the other alone.
    assert names["b alone"]["ablation"] == "without a"
    assert plan().waiting == []
    main = make_plan(
        read_suite(str(tmp_path / "ablated.toml")), "quick",
        {"dataset": "toy[effect=4.0,n_trials=20]", "estimators": ["nearest-mean"], "protocols": ["subject-stratified"]},
        results=tmp_path / "results",
    )  # fmt: skip
    assert main.waiting == []


def test_a_row_that_the_data_cannot_give_is_left_out_with_its_reason(finished):
    todo = finished
    left_out = {row["name"]: row.get("left_out", "") for row in todo.ablations}
    assert "lasts 17.0 s, too short for a window of 60 s" in left_out["too long"]
    assert "needs a pulse channel" in left_out["HRV added"]
    assert any("ablation 'too long' is left out" in notice for notice in todo.notices)
    table = make_ablations(todo.store).set_index("ablation")
    assert table.status["too long"] == "left out"
    assert table.status["nine levels"] == "ok"


def test_differences_are_paired_and_what_predicts_other_classes_has_none(finished):
    todo = finished
    table = make_ablations(todo.store).set_index("ablation")
    assert table.index[0] == "reference"
    assert table.difference["threshold 5 again"] == 0
    assert (table.n_paired.dropna() == 2).all()

    for name in ("without b", "longer windows"):
        points = 100 * (table.balanced_accuracy[name] - table.balanced_accuracy["reference"])
        assert table.difference[name] == pytest.approx(points)
    assert table.classes["nine levels"] > 5
    assert np.isnan(table.difference["nine levels"])
    assert table.floor["nine levels"] < table.floor["reference"]
    # Channel b tells the class: without it nothing is left.
    assert table.difference["without b"] < -20
    assert table.difference_high.isna().all()  # of four people no interval is given


def test_the_table_is_rebuilt_from_the_store_and_the_leaderboard_does_not_mix_settings(finished):
    todo = finished
    board = make_leaderboard(todo.store)
    signals = board.table[board.table.family != "signal-free"]
    assert set(signals.estimator) == {"nearest-mean", "nearest-mean+ros"}
    assert board.left_out == 0
    files = write_ablations(board, todo.store)
    assert [file.name for file in files] == ["ablations.md", "ablations.csv", "ablations.png"]
    text = files[0].read_text()
    assert "SIMULATED" in text
    assert "| longer windows" in text
    assert "left out: toy: subject 1, trial 1 lasts 17.0 s" in text
    assert "–" in text.split("| reference")[1].split("\n")[0]


def test_a_damaged_list_of_rows_is_no_crash(finished):
    todo = finished
    (todo.store.folder / "ablations" / "rows.json").write_text("[1")
    assert make_ablations(todo.store).empty
    (todo.store.folder / "ablations" / "rows.json").write_text(json.dumps({"a": 1}))
    assert make_ablations(todo.store).empty


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("", "suite 'ablated' has no \\[ablations\\]"),
        ('[ablations]\nestimator = "nearest-men"', "did you mean 'nearest-mean'"),
        ('[ablations]\nestimator = "nearest-mean"\nprotocol = "random-windows"\n[ablations.rows]\nx = {windows = {seconds = 1.5}}',
         "whole trials out"),
        ('[ablations]\nestimator = "nearest-mean"\n[ablations.rows]\nx = {scalin = "none"}', "did you mean 'scaling'"),
        ('[ablations]\nestimator = "nearest-mean"\n[ablations.rows]\n"../x" = {scaling = "none"}', "letters, digits"),
        ('[ablations]\nestimator = "nearest-mean"\n[ablations.rows]\nx = {windows = {seconds = -1}}',
         "key 'ablations.rows.x.windows.seconds': Input should be greater than 0, found -1"),
        ('[ablations]\nestimator = "nearest-mean"\n[ablations.rows]\nx = {without = "c"}', "no channel 'c' to leave out"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_plainly(plan, rows, message):
    if "whole trials" in message:
        assert any("whole trials out" in notice for notice in plan(rows).notices)
        return
    with pytest.raises(SuiteError if "did you mean 'nearest" not in message else Exception, match=message):
        plan(rows)


def test_the_subjects_own_median_divides_each_subject_in_halves(toy_plugins):
    from bench.data.windows import Target
    from bench.registry import get

    recordings = get("dataset", "toy").factory()
    labels, classes = Target(name="valence", threshold="subject-median").classify(recordings.trials)
    assert classes == ("low", "high")
    for subject in np.unique(recordings.trials.subject):
        assert (labels[recordings.trials.subject == subject] == "high").mean() == 0.5


def test_c4_each_row_of_the_suite_changes_what_it_says_and_is_compared_with_the_right_one():
    from bench.study.ablations import ablation_rows
    from bench.study.suite_files import read_suite

    suite = read_suite("deap-arousal").thinned("quick")
    rows = {row.name: row for row in ablation_rows(suite, ("GSR (Ohm)", "PPG (a.u.)"))}
    # The network standardizes by itself: without that, "not scaled" would change nothing.
    assert rows["not scaled"].spec.parameters == {"standardize": "none"}
    # The reference has class weights: what balances by copies is compared with the row that has none.
    for name in ("ROS", "SMOTE", "ADASYN"):
        assert rows[name].spec.parameters == {"class_weight": False}
        assert rows[name].compared_with == "without class weights"
    assert rows["without LSTM"].compared_with == "reference"

    def covered(windows):
        return windows.seconds + (windows.per_trial - 1) * (windows.seconds - windows.overlap)

    of_reference = covered(suite.windows)
    for name in ("windows of 2.5 s", "windows of 10 s"):
        assert of_reference - 1.5 <= covered(rows[name].suite.windows) <= of_reference


def test_c4_a_row_that_is_compared_with_no_other_row_is_an_error(plan):
    with pytest.raises(SuiteError, match="which is no other row"):
        plan(
            '[ablations]\nestimator = "nearest-mean"\n[ablations.rows]\nx = {scaling = "none", compared_with = "y"}'
        )


def test_a_row_with_the_same_windows_can_be_compared_under_a_leaking_protocol_too(plan):
    todo = plan(
        '[ablations]\nestimator = "nearest-mean"\nprotocol = "random-windows"\n[ablations.rows]\nx = {scaling = "none"}'
    )
    assert not todo.notices or not any("left out" in notice for notice in todo.notices)
    reference, row = todo.tasks[0], next(task for task in todo.tasks if task.cell.ablation == "x")
    assert (reference.split.test == row.split.test).all()
