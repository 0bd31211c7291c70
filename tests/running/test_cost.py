"""What cells will take is told from cells that were run, and a budget is kept by it."""

import time
from functools import partial
from types import SimpleNamespace

import pytest

from bench.running import cost
from bench.running.cost import Budget, Costs, Remaining, Trial, costs_of, longest_first
from bench.running.local import Limits, run_local
from bench.running.runner import execute


def identity(parameters):
    rate = parameters.pop("sampling_rate", 16)
    windows = {"seconds": 5.0, "sampling_rate": rate}
    return {"row": {"parameters": parameters}, "setting": {"windows": windows}}


def result(estimator="a", seconds=1.0, n_train=100, status="ok", **parameters):
    return {
        "status": status,
        "n_train": n_train,
        "prepare_seconds": 0.2 * seconds,
        "fit_seconds": 0.5 * seconds,
        "predict_seconds": 0.3 * seconds,
        "peak_memory_mb": 10 * seconds,
        "cell": {"estimator": estimator},
        "identity": identity(parameters),
    }


def cell(estimator="a", n_train=100, **parameters):
    return SimpleNamespace(
        cell=SimpleNamespace(estimator=estimator),
        identity=identity(parameters),
        split=SimpleNamespace(train=range(n_train), test=range(n_train // 2)),
    )


def test_seconds_are_the_median_of_the_last_cells_in_proportion_to_their_windows():
    costs = Costs([result(seconds=s) for s in (9, 9, 9, 1, 2, 3, 2, 50)])
    assert costs.seconds(cell(n_train=100)) == pytest.approx(2)
    assert costs.seconds(cell(n_train=300)) == pytest.approx(6)


def test_other_estimators_other_parameters_and_failed_cells_tell_nothing():
    costs = Costs([result(epochs=5), result("b", status="timeout"), result("c", n_train=0)])
    assert costs.seconds(cell(epochs=5)) == pytest.approx(1)
    for one in (cell(epochs=50), cell("b"), cell("c")):
        assert costs.seconds(one) is None
    assert costs.total([cell(epochs=5), cell(epochs=5), cell("b"), cell("b")]) == (pytest.approx(2), ["b"])


def test_cells_at_another_sampling_rate_tell_nothing():
    costs = Costs([result(seconds=1, sampling_rate=16), result(seconds=4, sampling_rate=64)])
    assert costs.seconds(cell(sampling_rate=16)) == pytest.approx(1)
    assert costs.seconds(cell(sampling_rate=64)) == pytest.approx(4)
    assert costs.seconds(cell(sampling_rate=32)) is None


def test_megabytes_are_the_most_of_the_last_cells_and_never_less_for_fewer_windows():
    costs = Costs([result(seconds=s) for s in (9, 1, 2, 3, 2, 1)])
    assert costs.megabytes(cell()) == 30
    assert costs.megabytes(cell(n_train=200)) == 60
    assert costs.megabytes(cell(n_train=10)) == 30
    assert costs.megabytes(cell("b")) is None


def test_a_resampled_cell_takes_what_it_took_by_the_windows_before_resampling():
    costs = Costs([result(seconds=6, n_train=300) | {"n_split_train": 100}])
    assert costs.seconds(cell(n_train=100)) == pytest.approx(6)


def test_trials_tell_of_what_was_never_run_on_the_line_through_the_last_two():
    costs = Costs([result("b", seconds=1)])
    trials = [Trial(10, 1.0, 0.1, 5.0), Trial(20, 2.0, 0.1, 6.0), Trial(40, 6.0, 0.3, 10.0)]
    for name in "ab":
        costs.learn_trials(cell(name), trials)
    assert costs.seconds(cell(n_train=10)) == pytest.approx(1.0 + 5 * 0.1)
    assert costs.seconds(cell(n_train=30)) == pytest.approx(4.0 + 15 * 0.2)  # between two trials
    assert costs.seconds(cell(n_train=60)) == pytest.approx(10.0 + 30 * 0.5)  # beyond the last
    assert costs.megabytes(cell(n_train=60)) == pytest.approx(14)
    assert costs.seconds(cell("b")) == pytest.approx(1)  # a cell that was run says more
    costs.learn_trials(
        cell("c"), trials[:1]
    )  # on all windows of a split: others take as long by their windows
    assert costs.seconds(cell("c", n_train=20)) == pytest.approx(2.0 + 10 * 0.2)
    costs.learn_trials(cell("d"), [])
    assert costs.seconds(cell("d")) is None


def test_an_estimator_is_not_expected_to_take_less_for_more_windows():
    costs = Costs()
    costs.learn_trials(cell(), [Trial(10, 2.0, 0.2, 5.0), Trial(20, 1.0, 0.1, 5.0)])
    assert costs.seconds(cell(n_train=100)) == pytest.approx(1.0 + 50 * 0.1)


def test_what_is_left_is_told_by_trials_until_a_cell_has_ended():
    costs = Costs()
    costs.learn_trials(cell(), [Trial(100, 2.0, 0.0, 5.0), Trial(200, 4.0, 0.0, 5.0)])
    cells = [cell(), cell()]
    remaining = Remaining(costs, cells)
    assert remaining.total() == (pytest.approx(4), [])
    costs.learn(result(seconds=3))
    remaining.end(cells[0])
    assert remaining.total() == (pytest.approx(3), [])


def test_what_is_left_falls_as_cells_end_and_follows_what_they_took():
    costs = Costs([result("a", 2)])
    cells = [cell("a"), cell("a", 50), cell("b")]
    remaining = Remaining(costs, cells)
    assert remaining.total() == (pytest.approx(3), ["b"])
    remaining.end(cells[0])
    assert remaining.total() == (pytest.approx(1), ["b"])
    costs.learn(result("b", 10))
    assert remaining.total() == (pytest.approx(11), [])
    remaining.end(cells[1])
    remaining.end(cells[2])
    assert remaining.total() == (pytest.approx(0), [])


def test_the_longest_cells_lead_and_unknown_ones_before_them():
    costs = Costs([result("short", 1), result("long", 9)])
    plan = SimpleNamespace(tasks=[cell("short"), cell("long"), cell("new"), cell("short", 1000)])
    order = [plan.tasks[k] for k in (2, 3, 1, 0)]
    longest_first(plan, costs)
    assert plan.tasks == order


def test_a_budget_lets_begin_what_is_expected_to_end_in_it():
    budget = Budget(5, Costs([result("short", 1), result("long", 9)]))
    assert budget.allows(cell("short"))
    assert budget.allows(cell("new"))
    assert not budget.allows(cell("long"))
    assert not Budget(-1, Costs()).allows(cell("new"))


def run(plan, seconds):
    limits = Limits(budget=Budget(seconds, costs_of(plan)))
    return {task.cell.estimator for task, _ in execute(plan, partial(run_local, limits=limits))}


def test_a_run_ends_with_its_budget_and_the_next_one_goes_on(plan, notes, monkeypatch):
    notes.hold_all_but(0)
    specs = ("nearest-mean", "counted", "majority")
    started = time.monotonic()
    with (
        monkeypatch.context() as patch
    ):  # the budget's clock stands still until the second cell runs, and waits
        patch.setattr(cost, "time", SimpleNamespace(monotonic=lambda: 5.0 * len(notes.begun())))
        assert run(plan(*specs), 4) == {"nearest-mean"}
    assert time.monotonic() - started < 20
    waiting = plan(*specs).waiting
    assert [(task.cell.estimator, task.why) for task in waiting] == [
        ("counted", "no result yet"),
        ("majority", "no result yet"),
    ]
    assert run(plan("majority"), 60) == {"majority"}


def test_a_cell_that_does_not_fit_leaves_the_time_to_others(plan):
    first = plan("nearest-window", "nearest-mean", seeds=1)
    list(execute(first))
    waiting = plan("nearest-window", "nearest-mean", seeds=3)
    costs = costs_of(waiting)
    for _ in range(9):
        costs.learn(next(t.stored.result for t in waiting.tasks if t.stored) | {"fit_seconds": 1e6})
    limits = Limits(budget=Budget(60, costs))
    done = [task.cell.estimator for task, _ in execute(waiting, partial(run_local, limits=limits))]
    assert done == ["nearest-mean", "nearest-mean"]
