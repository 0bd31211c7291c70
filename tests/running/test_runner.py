"""A suite is planned, run, stored, reused and protected."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from bench.data.windows import Windowing
from bench.errors import BenchError, PluginError, ProtocolError, SuiteError
from bench.running.runner import audit_anew, execute
from bench.splits.split import LeakError
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite


@pytest.fixture
def plan(toy_suite, tmp_path):
    def make(profile="quick", **changes):
        return make_plan(read_suite(str(toy_suite)), profile, changes, results=tmp_path / "results")

    return make


def run(plan):
    return list(execute(plan))


def test_every_estimator_meets_every_protocol_and_seed_and_is_stored(plan, tmp_path):
    done = run(plan())
    assert len(done) == 3 * 2 * 2
    assert all(stored.ok for _, stored in done)
    folder = tmp_path / "results" / "toy@simulated" / "random-windows" / "nearest-mean" / "seed-1"
    assert {p.name for p in folder.iterdir()} == {"result.json", "predictions.parquet", "SHA256SUMS"}
    predictions = pd.read_parquet(folder / "predictions.parquet")
    assert list(predictions) == [
        "subject", "trial", "start", "y_true", "y_pred", "probability low", "probability high",
    ]  # fmt: skip
    assert (predictions[["probability low", "probability high"]].sum(axis=1) - 1).abs().max() < 1e-5
    result = json.loads((folder / "result.json").read_text())
    assert result["status"] == "ok"
    assert result["suite"]["simulated"] is True
    assert result["scores"]["accuracy"] == (predictions.y_true == predictions.y_pred).mean()
    assert result["n_test"] == len(predictions)
    assert result["audit"]["verdict"] == "LEAKS trials, samples"


def test_a_second_run_has_nothing_to_do(plan):
    run(plan())
    assert plan().waiting == []
    assert len(plan().tasks) == 12


def test_stored_cells_are_reused_without_dividing_the_windows_again(plan, monkeypatch):
    from bench.registry import Plugin
    from bench.splits import divide

    protocols = ["subject-stratified", "loso"]
    run(plan(protocols=protocols))
    divided = []
    real = divide.make_split
    monkeypatch.setattr(divide, "make_split", lambda *a, **k: divided.append(1) or real(*a, **k))
    assert plan(protocols=protocols).waiting == []
    assert divided == []
    # Other code of the protocols may divide in another way: looked at again, and found to be the same.
    digest = Plugin.source_digest.fget
    monkeypatch.setattr(
        Plugin, "source_digest", property(lambda self: digest(self) + "!" * (self.kind == "protocol"))
    )
    assert plan(protocols=protocols).waiting == []
    assert len(divided) == 2 * (1 + 4)


def test_more_seeds_run_only_the_new_ones(plan):
    run(plan())
    assert {task.cell.seed for task in plan(seeds=3).waiting} == {2}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"scaling": "none"}, "setting scaling min-max -> none"),
        ({"parameters": {"nearest-mean": {"unused": 2}}}, "row parameters unused 1 -> 2"),
        ({"dataset": "toy[effect=0.5]"}, "setting data "),
        ({"subjects": "1-3"}, "setting data "),
    ],
)
def test_what_has_changed_is_run_again_and_said(plan, change, why):
    run(plan(estimators=["nearest-mean"], seeds=1))
    again = plan(estimators=["nearest-mean"], seeds=1, **change).waiting
    assert len(again) == 2
    assert all(why in task.why for task in again)


def test_changed_plugin_code_runs_its_cells_again_and_no_others(plan, monkeypatch):
    from bench.registry import Plugin

    run(plan(seeds=1))
    real = Plugin.source_digest.fget
    monkeypatch.setattr(
        Plugin, "source_digest", property(lambda self: "changed" if self.name == "majority" else real(self))
    )
    again = plan(seeds=1).waiting
    assert {task.cell.estimator for task in again} == {"majority"}
    assert all("plugin code" in task.why for task in again)


def test_runs_repeat_exactly(plan, tmp_path):
    def predictions():
        plan_ = plan(estimators=["stratified-chance", "nearest-mean+smote"], seeds=1)
        return {task.cell: stored.predictions() for task, stored in run(plan_)}

    first = predictions()
    (tmp_path / "results").rename(tmp_path / "before")
    for cell, table in predictions().items():
        pd.testing.assert_frame_equal(table, first[cell])


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("fit", "RuntimeError: the loss is nan | and so on"),
        ("exit", "SystemExit: 3"),
        ("shape", "ValueError: predict gave shape (3,) for"),
        ("class", "ValueError: predict gave 'medium', which is none of the classes low, high"),
    ],
)
def test_a_failing_estimator_is_an_outcome_and_the_others_go_on(plan, how, reason):
    done = run(plan(estimators=[f"breaks[how={how}]", "nearest-mean"], seeds=1))
    failed = [stored.result for _, stored in done if not stored.ok]
    assert len(failed) == 2
    assert all(reason in result["reason"] and result["status"] == "failed" for result in failed)
    assert sum(stored.ok for _, stored in done) == 2
    again = plan(estimators=[f"breaks[how={how}]", "nearest-mean"], seeds=1).waiting
    assert [task.why for task in again] == ["failed before"] * 2


def test_a_resampler_that_cannot_work_is_an_outcome_too(plan):
    # One window a trial of two subjects leaves the smaller class fewer than SMOTE's six neighbours.
    few = plan(
        dataset="toy[n_trials=5,seconds=3]", estimators=["nearest-mean+smote"], seeds=1, subjects="1-2"
    )
    outcomes = [stored.result for _, stored in run(few)]
    assert outcomes
    assert all("training windows: too few for 5 neighbours" in result["reason"] for result in outcomes)


CLEAN = ["subject-stratified", "subject-independent", "loso", "leave-one-stimulus-out[folds=5]"]
LEAKY = ["random-windows", "split-then-oversample", "oversample-then-split"]


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": "toy[n_trials=30]"},
        {
            "dataset": "deap-simulated[effect_strength=0]",
            "subjects": "1-5",
            "windows": Windowing(per_trial=4),
        },
    ],
    ids=["toy", "deap-simulated"],
)
def test_where_labels_are_noise_and_trials_have_offsets_only_leaky_protocols_beat_chance(plan, changes):
    """One nearest neighbour on channel means, the trial as unit, exact binomial."""
    changes = {"estimators": ["nearest-window"], "seeds": 1, "protocols": CLEAN + LEAKY, **changes}
    predictions = {}
    for task, stored in run(plan(**changes)):
        predictions.setdefault(task.cell.protocol, []).append(stored.predictions())
    for protocol, parts in predictions.items():
        table = pd.concat(parts)
        hits = table.assign(hit=table.y_true == table.y_pred).groupby(["subject", "trial"]).hit.mean() > 0.5
        chance = table.groupby(["subject", "trial"]).y_true.first().value_counts(normalize=True).max()
        p = binomtest(int(hits.sum()), len(hits), chance, alternative="greater").pvalue
        assert (p < 0.001) if protocol in LEAKY else (p > 0.01 / len(CLEAN)), (protocol, hits.mean(), chance)


@pytest.fixture
def fitted(monkeypatch):
    """How many windows each scaler and resampler was fitted on."""
    from bench.cells import prepare

    seen = []
    real_balance, real_scaler = prepare.balance, prepare.make_scaler

    def watched_scaler(name):
        scaler = real_scaler(name)
        fit = scaler.fit
        scaler.fit = lambda X, subjects: seen.append(len(X)) or fit(X, subjects)
        return scaler

    monkeypatch.setattr(prepare, "make_scaler", watched_scaler)
    monkeypatch.setattr(
        prepare, "balance", lambda name, X, y, s: seen.append(len(X)) or real_balance(name, X, y, s)
    )
    return seen


def test_a_scaler_and_a_resampler_see_training_windows_only(plan, fitted):
    todo = plan(estimators=["nearest-mean+ros"], seeds=1, protocols=["subject-stratified"])
    (task,) = todo.waiting
    run(todo)
    assert fitted == [len(task.split.train)] * 2


def test_a_protocol_that_says_so_scales_over_all_windows(plan, fitted):
    todo = plan(estimators=["nearest-mean"], seeds=1, protocols=["random-windows[scaler=all]"])
    ((task, stored),) = run(todo)
    assert fitted == [len(task.panel)]
    assert stored.result["audit"]["scaler_saw_test"] is True
    assert stored.result["audit"]["verdict"] == "LEAKS trials, samples, scaler"
    assert "random-windows[scaler=all]" in str(stored.folder)


def test_an_estimator_of_the_most_probable_class_is_asked_for_probabilities_only(plan):
    done = {
        task.cell.estimator: stored
        for task, stored in run(plan(estimators=["liar", "nearest-mean"], seeds=1))
    }
    honest = done["nearest-mean"].predictions()
    assert done["liar"].predictions().equals(honest)


def test_class_weights_reach_an_estimator_that_takes_them_and_fail_with_a_reason_where_not(plan):
    done = run(
        plan(
            estimators=["weighed+class-weight", "nearest-mean+class-weight"],
            seeds=1,
            protocols=["subject-stratified"],
        )
    )
    status = {task.cell.plugin: stored.result for task, stored in done}
    assert status["weighed"]["status"] == "ok"
    assert (
        "the fit of nearest-mean takes no sample_weight, so +class-weight has no way to it"
        in status["nearest-mean"]["reason"]
    )


class Faulty:
    """A clean-looking splitter, with a fault planted by the tests."""

    fault = ""

    def __init__(self, seed=0):
        self.scaler = "all" if self.fault == "scaler" else "train"
        self.resampler = "all" if self.fault == "smote" else "train"

    def get_n_splits(self, X=None, y=None, groups=None):
        return 1

    def split(self, X, y, groups=None):
        held = X["trial"].isin([1, 2, 3]).to_numpy(copy=True)
        if self.fault == "trial":
            held[0] = not held[0]
        yield (~held).nonzero()[0], held.nonzero()[0]


@pytest.fixture
def faulty(monkeypatch, toy_plugins):
    from bench import registry

    registry.discover()
    plugin = registry.Plugin("protocol", "faulty", Faulty, {"promises": "clean"})
    monkeypatch.setitem(registry._registered["protocol"], "faulty", plugin)
    return lambda fault: monkeypatch.setattr(Faulty, "fault", fault)


@pytest.mark.parametrize(
    ("fault", "leaks"),
    [("trial", "LEAKS trials, samples"), ("scaler", "LEAKS scaler"), ("smote", "LEAKS resampler")],
)
def test_a_splitter_with_a_planted_fault_stops_the_run_before_anything_is_fitted(plan, faulty, fault, leaks):
    faulty(fault)
    with pytest.raises(LeakError, match=f"'faulty' promises a clean split, and seed 0 {leaks}"):
        plan(protocols=["faulty"], estimators=["nearest-mean+smote"])
    faulty("")
    assert plan(protocols=["faulty"]).tasks[0].split.audit.verdict == "clean (subjects shared)"


def test_a_splitter_that_gives_another_number_of_divisions_than_it_says_is_told_so(plan, faulty, monkeypatch):
    faulty("")
    monkeypatch.setattr(Faulty, "get_n_splits", lambda self, X=None, y=None, groups=None: 3)
    with pytest.raises(ProtocolError, match="get_n_splits says 3 divisions, and split gives 1"):
        plan(protocols=["faulty"])


def test_parents_of_synthetic_windows_on_the_test_side_are_found_and_stop_a_clean_protocol(plan, faulty):
    faulty("")
    todo = plan(protocols=["faulty"], estimators=["nearest-mean+smote"], seeds=1, dataset="toy[n_trials=9]")
    (task,) = todo.waiting
    # The fault is behind the audit of the split: what the resampler is given is not what was audited.
    both = np.concatenate([task.split.train, task.split.test])
    task.split = dataclasses.replace(task.split, resampler_rows=both)
    with pytest.raises(LeakError, match=r"with \+smote it LEAKS synthetic"):
        run(todo)
    task.split = dataclasses.replace(task.split, must_be_clean=False)
    ((_, stored),) = run(todo)
    assert stored.result["audit"]["parents"] > 0
    assert stored.result["audit"]["verdict"] == "LEAKS synthetic"


def test_results_that_are_reused_get_the_audit_of_todays_code(plan, monkeypatch):
    done = run(plan(seeds=1))
    for _, stored in done:
        task_audit = {**stored.result["audit"], "verdict": "clean", "test_block": False}
        plan(seeds=1).store.amend(stored, {"audit": task_audit})
    monkeypatch.setattr("bench.splits.divide._code", lambda: "another audit")
    todo = plan(seeds=1)
    assert todo.waiting == []
    before = [todo.store.read(task.cell).predictions() for task in todo.tasks]
    audit_anew(todo)
    for task, predictions in zip(todo.tasks, before, strict=True):
        stored = todo.store.read(task.cell)
        assert stored.result["audit"]["verdict"] == task.split.audit.verdict != "clean"
        assert stored.result["audit"]["test_block"] is False
        pd.testing.assert_frame_equal(stored.predictions(), predictions)
    assert not [fault for _, fault in todo.store.verify() if fault]
    assert not any(task.judged_otherwise for task in plan(seeds=1).tasks)


def test_a_quick_look_does_not_replace_the_results_of_a_long_run(plan):
    run(plan("quick", seeds=1))
    with pytest.raises(BenchError, match="holds results of the profile 'quick', which 'smoke' would replace"):
        plan("smoke", scaling="none")
    assert plan("full", seeds=1).waiting == []
    assert plan("smoke").waiting == []


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"estimators": ["nearest-men"]}, PluginError, "did you mean 'nearest-mean'"),
        ({"estimators": ["nearest-mean+rose"]}, PluginError, "did you mean 'ros'"),
        ({"estimators": ["nearest-mean[unsed=1]"]}, SuiteError, "did you mean 'unused'"),
        ({"estimators": ["nearest-mean[random_state=1]"]}, SuiteError, "has no parameter 'random_state'"),
        ({"estimators": ["needs-level"]}, SuiteError, "needs its parameter 'level': needs-level"),
        ({"estimators": ["lacks-package"]}, PluginError, "pip install no-such"),
        ({"parameters": {"nearest-men": {}}}, SuiteError, "key 'parameters.nearest-men'"),
        ({"protocols": ["subject-stratifed"]}, PluginError, "did you mean 'subject-stratified'"),
        ({"protocols": ["predefined"]}, BenchError, "no division into training and test"),
        ({"subjects": "9"}, BenchError, "toy: no subject 9"),
    ],
)
def test_a_wrong_name_stops_before_anything_runs(plan, change, error, message):
    with pytest.raises(error, match=message):
        plan(**change)


def test_a_function_without_a_star_and_a_parameter_without_default_will_do(plan):
    done = run(plan(estimators=["needs-level[level=2]"], seeds=1))
    assert [stored.result["cell"]["parameters"] for _, stored in done] == [{"level": 2}] * 2
    assert all(stored.ok for _, stored in done)


def test_a_protocol_that_breaks_its_promise_stops_the_run(plan, monkeypatch):
    from bench.splits.protocols.divide_windows import RandomWindows
    from bench.splits.protocols.hold_out_trials import SubjectStratified

    monkeypatch.setattr(SubjectStratified, "split", lambda self, X, y: RandomWindows(self.seed).split(X, y))
    with pytest.raises(
        BenchError, match="'subject-stratified' promises a clean split, and seed 0 LEAKS trials"
    ):
        plan()


def test_on_real_recordings_random_windows_reward_recognising_the_record(toy_plugins, shared_data, tmp_path):
    """HKU956: one nearest neighbour on channel means, far above chance with random windows only."""
    changes = {"estimators": ["nearest-window"], "seeds": 2}
    plan = make_plan(
        read_suite("hku956-arousal"), "quick", changes, data_root=shared_data / "HKU956", results=tmp_path
    )
    scores = {}
    for task, stored in run(plan):
        scores.setdefault(task.cell.protocol, []).append(stored.result["scores"]["balanced_accuracy"])
    assert max(scores["subject-stratified"]) < 0.62
    assert min(scores["random-windows"]) > 0.75
    assert plan.store.folder.name == "hku956-arousal"
