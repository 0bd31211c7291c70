"""What ids alone tell is heard by its name: stimuli, order of the session, class counts."""

from dataclasses import replace

import numpy as np
import pytest

import bench.study.canary_deals as deals_module
from bench.data.windows import Panel, Target, Windowing, make_panel
from bench.recordings import Recordings
from bench.registry import get
from bench.spec import parse_spec
from bench.study.canary import (
    ALARM,
    COUNTS,
    DEMONSTRATION,
    IDENTITY,
    NEIGHBOURS_SHARED,
    ORDER,
    QUIET,
    STIMULI_SHARED,
    STIMULUS,
    SUBJECTS_SHARED,
    run_canaries,
)


@pytest.fixture(autouse=True)
def _one_deal(monkeypatch):
    """Deal permuted labels once: these tests are of the other canaries."""
    monkeypatch.setattr(deals_module, "_MOST_DEALS", 1)


def cut(recordings: Recordings) -> Panel:
    return make_panel(recordings, Target(name="arousal"), Windowing(seconds=5, overlap=0, per_trial=1))


@pytest.fixture(scope="module")
def following(toy_plugins):
    """A panel whose class follows what is named, 12 people and 20 trials each."""
    return {
        follows: cut(get("dataset", "toy-ids").factory(follows=follows))
        for follows in ("subject", "stimulus", "order", "signal")
    }


def findings(panel: Panel, *protocols: str) -> dict[tuple[str, str], str]:
    found = run_canaries([panel], [parse_spec(name) for name in protocols], "min-max")
    return {(one.canary, one.protocol): one.finding for one in found}


def test_a3_trial_order_is_heard_where_neighbours_in_the_session_are_in_training(following):
    found = findings(following["order"], "subject-stratified", "loso", "leave-one-stimulus-out[folds=4]")
    assert found[ORDER, "subject-stratified"] == NEIGHBOURS_SHARED
    assert found[ORDER, "leave-one-stimulus-out[folds=4]"] == NEIGHBOURS_SHARED
    assert found[ORDER, "loso"] == QUIET  # everybody begins elsewhere: the place alone tells nothing
    # Everybody has ten high trials of twenty, which the stimuli that are left tell; that too is heard.
    assert {finding for (canary, _), finding in found.items() if canary not in (ORDER, COUNTS)} == {QUIET}


def test_a3_trial_order_raises_an_alarm_where_the_place_alone_tells_a_new_person(following):
    panel = following["signal"]
    drifting = replace(panel, y=np.where(panel.windows["order"] <= 10, "high", "low"))
    assert findings(drifting, "loso")[ORDER, "loso"] == ALARM
    # Where everybody met the stimuli in one order, a place in the session is a stimulus.
    ids = drifting.windows.assign(stimulus=drifting.windows["order"])
    found = findings(replace(drifting, windows=ids), "loso")
    assert found[ORDER, "loso"] == found[STIMULUS, "loso"] == STIMULI_SHARED


def test_a3_blocks_of_the_session_are_quiet_but_for_what_lasts_longer_than_their_gap(following):
    assert findings(following["signal"], "subject-blocked")[ORDER, "subject-blocked"] == QUIET
    panel = following["signal"]
    half = panel.windows["order"].to_numpy() <= 10
    other = panel.windows["subject"].to_numpy() % 2 == 1
    drifting = replace(panel, y=np.where(half ^ other, "high", "low"))
    assert findings(drifting, "subject-blocked")[ORDER, "subject-blocked"] == ALARM


def test_b5_stimulus_tells_a_new_person_and_not_what_a_new_stimulus_is(following):
    panel = following["stimulus"]
    met, new = (
        ("loso[folds=4]", "subject-independent"),
        ("leave-one-stimulus-out[folds=4]", "subject-and-stimulus-out"),
    )
    found = findings(panel, *met, *new)
    assert {found[STIMULUS, protocol] for protocol in met} == {STIMULI_SHARED}
    assert {found[STIMULUS, protocol] for protocol in new} == {QUIET}
    assert findings(following["signal"], met[0])[STIMULUS, met[0]] == QUIET


def test_b4_class_counts_raise_an_alarm_where_everybody_has_the_same_number_of_high_trials():
    simulated = get("dataset", "deap-simulated").factory
    same = cut(simulated(subjects=range(1, 9), habit_strength=0.0))
    of_person = same.windows.assign(high=same.y == "high").groupby("subject")["high"].sum()
    assert of_person.nunique() == 1
    found = run_canaries([same], [parse_spec("leave-one-stimulus-out")], "min-max")
    counts = next(one for one in found if one.canary == COUNTS)
    assert counts.finding == ALARM
    assert counts.correct > 0.9 * counts.n_trials
    assert counts.chance < 0.6
    assert {one.finding for one in found if one.canary == IDENTITY} == {QUIET}


def test_b4_class_counts_are_quiet_where_people_have_habits(following):
    panel = following["subject"]
    found = findings(panel, "leave-one-stimulus-out", "subject-stratified", "loso")
    assert {finding for (canary, _), finding in found.items() if canary == COUNTS} == {QUIET}
    assert (
        found[IDENTITY, "leave-one-stimulus-out"] == found[IDENTITY, "subject-stratified"] == SUBJECTS_SHARED
    )
    assert found[IDENTITY, "loso"] == QUIET


def test_under_a_leaky_protocol_the_other_trials_tell_no_more_than_under_a_clean_one(following):
    found = findings(following["signal"], "oversample-then-split", "subject-stratified")
    by_ids = {
        finding for (canary, _), finding in found.items() if canary in (IDENTITY, STIMULUS, ORDER, COUNTS)
    }
    assert by_ids <= {QUIET, DEMONSTRATION}
    assert ALARM not in found.values()
