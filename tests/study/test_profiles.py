"""What the profile `quick` promises whoever runs it: everything stands in its table, and networks are trained out."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from bench.report.intervals import FEWEST_PEOPLE
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite

SHOWN = Path(__file__).parents[2] / "results" / "reference" / "quick" / "training.csv"
HIGH_LOW = ["deap-arousal", "deap-valence", "hku956-arousal", "hku956-valence"]


@pytest.mark.parametrize("name", HIGH_LOW)
def test_quick_thins_the_data_and_leaves_out_no_row(name):
    suite, quick = read_suite(name), read_suite(name).thinned("quick")
    assert (quick.estimators, quick.protocols) == (suite.estimators, suite.protocols)
    assert quick.windows.per_trial > 1  # else no window would have a neighbour to leak to
    named = " ".join(quick.changes_from(suite))
    assert f"consecutive windows per trial: {quick.windows.per_trial} (suite: all)" in named
    for estimator, parameters in quick.parameters.items():
        assert all(f"{estimator} {key}: {value} (suite:" in named for key, value in parameters.items())


@pytest.mark.parametrize("name", ["deap-arousal", "deap-valence"])
def test_quick_tests_people_enough_for_intervals_and_shows_what_a_leak_does(name, tmp_path, monkeypatch):
    monkeypatch.delenv("DEAP_ROOT", raising=False)
    suite = read_suite(name)
    plan = make_plan(suite, "quick", results=tmp_path)
    cells = {(task.cell.protocol, task.cell.estimator): task for task in plan.tasks}
    assert set(cells) == {(p, e) for p in suite.protocols for e in suite.estimators}
    verdicts = {}
    for (protocol, _), task in cells.items():
        tested = task.panel.windows.subject.to_numpy()[task.split.test]
        assert len(set(tested.tolist())) >= FEWEST_PEOPLE
        verdicts[protocol] = task.split.audit.verdict.split()[0]
    assert verdicts == {"subject-stratified": "clean", "random-windows": "LEAKS"}
    quick = plan.suite
    assert plan.changes == [
        f"subjects: {quick.subjects} (suite: all)",
        "seeds: 1 (suite: 5)",
        f"consecutive windows per trial: {quick.windows.per_trial} (suite: all)",
        f"sampling rate: {quick.windows.sampling_rate:g} Hz (suite: as recorded)",
        *(
            f"{estimator} {key}: {value} (suite: default)"
            for estimator, parameters in quick.parameters.items()
            for key, value in parameters.items()
        ),
    ]


@pytest.mark.parametrize("name", ["deap-arousal"])
def test_the_epochs_of_quick_are_as_many_as_were_shown_to_be_enough(name):
    quick = read_suite(name).thinned("quick")
    own = {"epochs": 120, "batch_size": 32} | quick.parameters.get("mlstm-fcn", {})
    shown = pd.read_csv(SHOWN)
    shown = shown[
        (shown.data == quick.dataset)
        & (shown.estimator == "mlstm-fcn")
        & (shown.people == (quick.subjects or "all"))
        & (shown.per_trial == quick.windows.per_trial)
        & (shown.rate == quick.windows.sampling_rate)
        & (shown.batch_size == own["batch_size"])
    ]
    here, twice = (
        shown[shown.epochs == epochs].set_index("seed") for epochs in (own["epochs"], 2 * own["epochs"])
    )
    assert len(here) > 1
    assert set(here.index) == set(twice.index)
    trained, longer = here.training.mean(), twice.training.mean()
    assert min(trained, longer) >= 0.99 or abs(longer - trained) <= 0.01
    assert all(len(json.loads(curve)) == own["epochs"] for curve in here.curve)
