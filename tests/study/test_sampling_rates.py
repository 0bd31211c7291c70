"""A row for every estimator at every sampling rate, on the trials and seconds of the reference."""

import numpy as np
import pytest

from bench.errors import SuiteError
from bench.running.runner import execute
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite

RATES = '[ablations]\nestimator = "nearest-mean"\nsampling_rates = [4, 32, 16, 8]\n'


@pytest.fixture
def plan(toy_suite, tmp_path):
    """Plan the rows; the toy recordings have 16 samples a second."""
    plain = toy_suite.read_text()

    def make(rows=RATES, profile="quick", **changes):
        toy_suite.write_text(plain.replace("[target]", rows + "\n[target]"))
        suite = read_suite(str(toy_suite))
        return make_plan(suite, profile, changes, results=tmp_path / "results", ablations=True)

    return make


def test_every_estimator_that_sees_signals_has_a_row_at_every_rate(plan):
    todo = plan()
    rates = ("32", "16", "8", "4")
    expected = [f"{name} at {rate} Hz" for name in ("nearest-mean", "nearest-window") for rate in rates]
    assert [row["name"] for row in todo.ablations] == ["reference", *expected]
    rows = {row["name"]: row for row in todo.ablations}
    # The highest rate that the recordings have, which is not the highest that the suite names.
    assert rows["nearest-window at 4 Hz"]["compared_with"] == "nearest-window at 16 Hz"
    assert all("32" in row["name"] for row in todo.ablations if "left_out" in row)
    (told,) = [notice for notice in todo.notices if "left out" in notice]
    assert told.startswith("sampling rate 32 Hz is left out: ")
    assert "has 16 samples a second" in told


def test_all_rates_test_the_same_trials_in_windows_of_the_same_seconds(plan):
    tested = {}
    for task in plan().tasks:
        rate = task.panel.recordings.sampling_rate
        rows = task.panel.windows.iloc[task.split.test]
        assert task.panel.n_timepoints == 2 * rate
        tested.setdefault(task.cell.seed, {})[rate] = [rows.subject, rows.trial, rows.start / rate]
    assert set(tested) == {0, 1}
    for by_rate in tested.values():
        assert set(by_rate) == {16, 8, 4}
        for own in by_rate.values():
            np.testing.assert_array_equal(own, by_rate[16])


def test_a_protocol_that_divides_windows_divides_them_alike_at_every_rate(plan):
    todo = plan(RATES.replace("32, ", "").replace("\n", '\nprotocol = "random-windows"\n', 1), seeds=1)
    assert not any("left_out" in row for row in todo.ablations)
    test = {task.panel.recordings.sampling_rate: task.split.test.tolist() for task in todo.tasks}
    assert test[4] == test[8] == test[16]
    assert all(task.split.audit.verdict.startswith("LEAKS") for task in todo.tasks)


def test_a_row_at_the_suites_own_rate_is_no_other_cell(plan):
    todo = plan(seeds=1)
    cells = {(task.cell.ablation, task.cell.estimator) for task in todo.tasks}
    assert len(cells) == len(todo.tasks)
    assert cells == {
        (folder, name)
        for folder in ("", "sampling_rate=8", "sampling_rate=4")
        for name in ("nearest-mean", "nearest-window")
    }


def test_a_run_of_some_estimators_leaves_the_rows_of_the_others(plan):
    list(execute(plan(seeds=1, estimators=["nearest-window"])))
    later = plan(seeds=1, estimators=["nearest-mean"])
    names = {row["name"] for row in later.ablations if "left_out" not in row}
    assert names == {
        "reference",
        *(f"{name} at {rate} Hz" for name in ("nearest-mean", "nearest-window") for rate in (16, 8, 4)),
    }
    assert {task.cell.estimator for task in later.tasks} == {"nearest-mean"}
    # Rows of other windows would stand beside these as if they were comparable.
    other = plan(seeds=1, estimators=["nearest-mean"], scaling="none")
    assert not any("window" in row["name"] for row in other.ablations)


@pytest.mark.parametrize("rates", ["[0]", "[16, -1]", "[inf]", '["slow"]', "16"])
def test_what_is_no_list_of_rates_is_named(plan, rates):
    with pytest.raises(SuiteError, match=r"toy.toml: key 'ablations\.sampling_rates"):
        plan(RATES.replace("[4, 32, 16, 8]", rates))


def test_the_suites_of_rates_compare_with_what_was_recorded():
    for name, rates in (("hku956-rates", {64, 32, 16}), ("deap-rates", {128, 64, 32})):
        suite = read_suite(name)
        assert rates <= set(suite.ablations.sampling_rates)
        assert not suite.ablations.rows
        for profile in ("quick", "full"):
            assert suite.thinned(profile).windows.sampling_rate in (None, max(rates))
