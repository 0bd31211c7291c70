"""Estimators that were never run are tried on few windows, and nothing of that is a result."""

import time

import pytest

from bench.data.windows import Windowing
from bench.running import probe as module
from bench.running.cost import Budget, costs_of
from bench.running.local import Limits
from bench.running.probe import probe
from bench.running.runner import execute
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite


@pytest.fixture
def plan(toy_suite, tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))

    def make(*estimators, **changes):
        changes |= {"estimators": list(estimators), "seeds": 1}
        return make_plan(read_suite(str(toy_suite)), "quick", changes, results=tmp_path / "results")

    return make


def tried(plan):
    """Return the seconds that are expected of each estimator after trials, and what was said of them."""
    costs, said = costs_of(plan), []
    probe(plan, costs, Limits(), say=said.append)
    return {task.cell.estimator: costs.seconds(task) for task in plan.waiting}, said


def test_what_a_slow_estimator_takes_is_known_before_it_is_run(plan):
    todo = plan("slow[seconds_a_window=0.002]")
    expected, said = tried(todo)
    (seconds,) = expected.values()
    actual = len(todo.tasks[0].split.train) * 0.002
    assert seconds == pytest.approx(actual, rel=0.3)
    assert said[0] == "trying on 32 windows: slow[seconds_a_window=0.002]"
    assert not todo.store.folder.exists()


def test_trials_are_kept_and_are_of_one_code_and_one_kind_of_windows(plan):
    first, _ = tried(plan("majority"))
    again, said = tried(plan("majority"))
    assert said == []
    assert again == first
    assert tried(plan("majority", scaling="none"))[1] != []


def test_trials_of_another_estimator_of_the_same_file_and_parameters_tell_nothing(plan):
    tried(plan("weighed"))
    _, said = tried(plan("liar"))
    assert said[:1] == ["trying on 32 windows: liar"]


def test_what_a_stored_cell_tells_of_is_not_tried(plan):
    list(execute(plan("majority")))
    todo = plan("majority")
    todo.tasks[0].why = "it is to be run again"
    expected, said = tried(todo)
    assert said == []
    assert expected["majority"] is not None


@pytest.mark.parametrize("how", ["raise", "segfault", "hang"])
@pytest.mark.usefixtures("_hanging_is_soon_over")
def test_an_estimator_that_fails_stays_unknown_and_costs_the_others_nothing(plan, how):
    expected, _ = tried(plan(f"faulty[how={how}]", "majority"))
    assert expected[f"faulty[how={how}]"] is None
    assert expected["majority"] is not None


def test_one_trial_on_all_windows_is_enough(plan):
    todo = plan(
        "majority", subjects="1", windows=Windowing(seconds=15, overlap=0), protocols=["random-windows"]
    )
    assert len(todo.tasks[0].split.train) < module.FIRST
    expected, said = tried(todo)
    assert expected["majority"] is not None
    assert len(said) == 1


def test_a_budget_ends_trials_too(plan):
    todo = plan("faulty[how=hang]")
    costs = costs_of(todo)
    started = time.monotonic()
    probe(todo, costs, Limits(budget=Budget(1, costs)))
    assert time.monotonic() - started < module.TIMEOUT / 2


def test_small_classes_are_not_lost(plan):
    todo = plan("majority")
    rows = todo.tasks[0].split.train
    y = todo.tasks[0].panel.y.copy()
    y[rows] = "low"
    y[rows[7]] = "high"
    chosen = module._spread(rows, y, 32)
    assert len(chosen) == 33
    assert set(y[chosen]) == {"low", "high"}
    assert module._spread(rows, y, 10**6) is rows


def test_damaged_trials_are_made_again(plan, tmp_path):
    tried(plan("majority"))
    (file,) = (tmp_path / "cache" / "trials").iterdir()
    file.write_text("[{")
    assert tried(plan("majority"))[1] != []
