"""Score and seconds of every estimator at every sampling rate."""

import numpy as np
import pandas as pd
import pytest

from bench.report.leaderboard import make_leaderboard
from bench.report.sampling_rates import make_sampling_rates
from bench.report.sampling_rates_files import FILES, write_sampling_rates
from bench.running.runner import execute
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite

RATES = """
[ablations]
estimator = "nearest-mean"
sampling_rates = [32, 16, 8, 4]
"""


@pytest.fixture
def store(toy_suite, tmp_path):
    """Results of the small estimators at 16, 8 and 4 Hz; 32 is more than was recorded."""
    plain = toy_suite.read_text()

    def make(rows=RATES, **changes):
        toy_suite.write_text(plain.replace("[target]", rows + "\n[target]"))
        changes = {"dataset": "toy-ids[follows=subject,n_trials=10]", "seeds": 2, **changes}
        plan = make_plan(
            read_suite(str(toy_suite)), "quick", changes, results=tmp_path / "results", ablations=True
        )
        assert all(stored.ok for _, stored in execute(plan))
        return plan.store

    return make


def test_differences_are_to_the_highest_rate_of_the_recordings(store):
    own = store()
    table = make_sampling_rates(own).set_index(["estimator", "sampling_rate"])
    best_first = table.balanced_accuracy.xs(16, level=1).sort_values(ascending=False).index
    assert set(best_first) == {"nearest-mean", "nearest-window"}
    assert list(table.index) == [(name, rate) for name in best_first for rate in (32, 16, 8, 4)]
    assert (table.status.xs(32, level=1) == "left out").all()
    ran = table[table.status == "ok"]
    assert (ran.compared_with.drop(16, level=1) == 16).all()
    assert ran.difference.xs(16, level=1).isna().all()
    for name in ("nearest-mean", "nearest-window"):
        score, difference = ran.balanced_accuracy[name], ran.difference[name]
        for rate in (8, 4):
            assert difference[rate] == pytest.approx(100 * (score[rate] - score[16]))
    assert ran.difference_high.drop(16, level=1).notna().any()  # twelve people are enough for an interval
    # Ids tell as much at any rate.
    assert ran.floor.nunique() == 1


def test_seconds_are_of_fit_and_prediction_and_compared_with_the_highest_rate(store):
    own = store()
    for cell in list(own.cells()):
        rate = cell.result["identity"]["setting"]["windows"].get("sampling_rate", 16.0)
        own.amend(cell, {"fit_seconds": rate / 8, "predict_seconds": rate / 16})
    table = make_sampling_rates(own).set_index("sampling_rate")
    assert (table.seconds[16] == 3).all()
    assert (table.times_as_fast[16] == 1).all()
    assert (table.times_as_fast[4] == 4).all()


def test_the_files_say_what_was_simulated_and_what_was_left_out(store):
    own = store()
    files = write_sampling_rates(make_leaderboard(own), own)
    assert [file.name for file in files] == list(FILES)
    text = files[0].read_text()
    assert "SIMULATED" in text
    assert text.count("more cannot be made of them") == 1  # once, not for every estimator
    lines = [line for line in text.splitlines() if line.startswith("| nearest-window")]
    assert [line.split("|")[2].strip() for line in lines] == ["16", "8", "4"]
    table = pd.read_csv(files[1])
    assert table.simulated.all()
    assert (table.status == "left out").sum() == 2
    assert files[2].read_bytes().startswith(b"\x89PNG")


def test_a_leaking_protocol_is_branded(store):
    own = store(RATES + 'protocol = "random-windows"\n', seeds=1)
    files = write_sampling_rates(make_leaderboard(own), own)
    assert "random-windows, which **LEAKS trials" in files[0].read_text()
    table = pd.read_csv(files[1])
    assert table.above_floor.isna().all()


def test_without_such_rows_there_are_no_files_and_older_ones_go(store, toy_suite, results):
    own = results(toy_suite, estimators=["majority"], seeds=1)
    for name in FILES:
        (own.folder / name).write_text("of another day")
    assert make_sampling_rates(own).empty
    assert write_sampling_rates(make_leaderboard(own), own) == []
    assert not any((own.folder / name).exists() for name in FILES)


def test_the_table_of_ablations_is_without_them(store):
    from bench.report.ablations import make_ablations
    from bench.report.ablations_files import write_ablations

    own = store()
    assert write_ablations(make_leaderboard(own), own) == []
    more = store(RATES + '[ablations.rows]\n"not scaled" = { scaling = "none" }\n')
    assert list(make_ablations(more).ablation) == ["reference", "not scaled"]
    assert len(make_sampling_rates(more)) == 8


def test_an_estimator_that_fails_at_a_rate_keeps_its_others(store):
    own = store(seeds=1)
    (cell,) = [
        cell
        for cell in own.cells()
        if cell.result["cell"]["estimator"] == "nearest-window" and "rate=8" in str(cell.folder)
    ]
    own.amend(cell, {"status": "timeout", "reason": "took longer than 1 s"})
    text = write_sampling_rates(make_leaderboard(own), own)[0].read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("| nearest-window") and " 8 " in line]
    assert "timeout: took longer than 1 s" in line
    table = make_sampling_rates(own).set_index(["estimator", "sampling_rate"])
    assert np.isfinite(table.difference["nearest-window", 4])
