"""What an estimator is given: padding, trials as groups, a folder for its logs."""

import numpy as np
import pandas as pd
import pytest

from bench.cells.prepare import SEVERAL, prepare
from bench.data.windows import Target, Windowing, make_panel
from bench.recordings import Recordings
from bench.running.runner import execute
from bench.spec import parse_spec
from bench.splits.divide import divide
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite


@pytest.fixture(scope="module")
def panel():
    """Twenty trials of 20 to 39 samples a person, whole; three quarters of them low."""
    rng = np.random.default_rng(0)
    signals = [rng.normal(size=(2, 20 + k % 20)).astype(np.float32) for k in range(80)]
    trials = pd.DataFrame({"subject": np.repeat([1, 2, 3, 4], 20), "trial": np.tile(np.arange(20), 4)})
    trials["stimulus"], trials["arousal"] = trials.trial, np.where(trials.trial % 4, 3.0, 7.0)
    recordings = Recordings("lengths", signals, ("a", "b"), 16.0, trials)
    return make_panel(recordings, Target(name="arousal"), Windowing(whole=True))


def sides(panel, resampler="", protocol="subject-stratified", **options):
    ((_, split),) = divide(parse_spec(protocol), panel, 0)
    return split, prepare(panel, split, "min-max", resampler, **options)


def test_padding_is_zero_unless_it_is_asked_for(panel):
    _, filled = sides(panel)
    _, kept = sides(panel, keep_padding=True)
    assert np.isfinite(filled.X_train).all()
    for mine, other in ((kept.X_train, filled.X_train), (kept.X_test, filled.X_test)):
        assert np.isnan(mine).any()
        np.testing.assert_array_equal(np.nan_to_num(mine), other)


def test_each_window_is_padded_after_its_own_end(panel):
    split, kept = sides(panel, keep_padding=True)
    for rows, X in ((split.train, kept.X_train), (split.test, kept.X_test)):
        lengths = np.isfinite(X).all(axis=1).sum(axis=1)
        np.testing.assert_array_equal(lengths, 20 + rows % 20)


@pytest.mark.parametrize("resampler", ["ros", "smote"])
def test_made_windows_are_as_long_as_the_longer_parent(panel, resampler):
    split, kept = sides(panel, resampler, keep_padding=True)
    made = kept.X_train[len(split.train) :]
    assert len(made)
    ends = np.isfinite(made).all(axis=1).sum(axis=1)
    given = 20 + split.train % 20
    assert set(ends) <= set(given.tolist())
    assert (np.isnan(made).all(axis=1).sum(axis=1) == 39 - ends).all()


def test_groups_are_the_trials(panel):
    split, given = sides(panel)
    np.testing.assert_array_equal(given.groups, split.train)  # a window a trial
    _, copied = sides(panel, "ros")
    assert len(copied.groups) == len(copied.X_train)
    for X, group in zip(copied.X_train[len(split.train) :], copied.groups[len(split.train) :], strict=True):
        np.testing.assert_array_equal(X, given.X_train[list(split.train).index(group)])
    _, mixed = sides(panel, "smote")
    assert set(mixed.groups[len(split.train) :]) >= {SEVERAL}
    assert SEVERAL not in mixed.groups[: len(split.train)]


@pytest.fixture
def logging(tmp_path, toy_suite):
    """A suite of an estimator that writes into its folder, and checks what it is given."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "writes.py").write_text(
        """
from pathlib import Path
import numpy as np
from bench.registry import register_estimator

class Writes:
    def __init__(self, log_dir, interrupt):
        self.log_dir, self.interrupt = log_dir, interrupt
    def fit(self, X, y, groups):
        assert len(groups) == len(X) and len(set(groups)) > 2
        Path(self.log_dir).mkdir(parents=True, exist_ok=True)
        with (Path(self.log_dir) / "events").open("a") as file:
            file.write("fitted ")
        if self.interrupt:
            raise KeyboardInterrupt
        self.classes_ = np.unique(y)
        return self
    def predict(self, X):
        return np.full(len(X), self.classes_[0])

@register_estimator("writes", family="toy")
def writes(*, interrupt: bool = False, log_dir: str):
    return Writes(log_dir, interrupt)
"""
    )
    from bench.discovery import add_plugin_folder

    add_plugin_folder(plugins)

    def plan(spec):
        suite = read_suite(str(toy_suite))
        changes = {"estimators": [spec], "protocols": ["subject-stratified"]}
        return make_plan(suite, "smoke", changes, results=tmp_path / "results")

    return plan, tmp_path / "results" / "toy@simulated" / "subject-stratified"


def test_what_an_estimator_logs_is_in_its_cell(logging):
    plan, folder = logging
    ((_, stored),) = execute(plan("writes"))
    assert stored.ok, stored.result["reason"]
    assert (folder / "writes" / "seed-0" / "logs" / "events").read_text() == "fitted "
    assert [path.name for path in (folder / "writes").iterdir()] == ["seed-0"]
    assert plan("writes").waiting == []


def test_what_an_interrupted_estimator_logged_is_there_for_the_next_run(logging):
    plan, folder = logging
    with pytest.raises(KeyboardInterrupt):
        list(execute(plan("writes[interrupt=true]")))
    running = folder / "writes[interrupt=true]" / "seed-0.running"
    assert (running / "events").read_text() == "fitted "
    with pytest.raises(KeyboardInterrupt):
        list(execute(plan("writes[interrupt=true]")))
    assert (running / "events").read_text() == "fitted fitted "
