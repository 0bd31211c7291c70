"""Protocols that leave windows out: blocks of a session, people and stimuli at once, first trials, sites."""

import random
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.data.windows import Target, Windowing, make_panel
from bench.errors import ProtocolError
from bench.registry import get
from bench.spec import parse_spec
from bench.splits.audit import audit_split
from bench.splits.divide import divide
from bench.splits.protocols.hold_out_both import SubjectAndStimulusOut
from bench.splits.protocols.hold_out_trials import SubjectBlocked, SubjectStratified
from bench.splits.protocols.leave_one_out import LeaveOneSiteOut, LeaveOneSubjectOut
from bench.splits.together import kept_together

WINDOWS = 3


@st.composite
def sessions(draw, n_stimuli=12):
    """People who each met some of the stimuli, a few of them twice, in an order of their own."""
    rows = []
    for subject in range(1, draw(st.integers(2, 6)) + 1):
        met = draw(st.lists(st.integers(1, n_stimuli), min_size=6, max_size=16))
        order = draw(st.permutations(range(len(met))))
        for trial, (stimulus, place) in enumerate(zip(met, order, strict=True)):
            label = draw(st.sampled_from(["low", "high"]))
            rows += [(subject, trial, stimulus, place, subject % 2, k * 10, label) for k in range(WINDOWS)]
    table = pd.DataFrame(rows, columns=["subject", "trial", "stimulus", "order", "site", "start", "label"])
    return table.drop(columns="label"), table.label.to_numpy(str)


def key(windows, rows, *columns):
    return set(windows[list(columns)].iloc[rows].itertuples(index=False, name=None))


def divisions(protocol, windows, y):
    try:
        return list(protocol.split(windows, y))
    except ProtocolError:
        return []


PROTOCOLS = [
    SubjectStratified,
    SubjectBlocked,
    SubjectAndStimulusOut,
    lambda seed: SubjectAndStimulusOut(seed, folds=2),
    lambda seed: LeaveOneSubjectOut(seed, calibrate=2),
    lambda seed: LeaveOneSubjectOut(seed, folds=2, calibrate=1),
    LeaveOneSiteOut,
]


@settings(max_examples=120, deadline=None)
@given(sessions(), st.integers(0, 2**31), st.sampled_from(PROTOCOLS), st.integers(0, 99))
def test_sides_are_disjoint_of_whole_trials_and_do_not_hang_on_the_order_of_rows(study, seed, protocol, mix):
    windows, y = study
    found = divisions(protocol(seed), windows, y)
    order = random.Random(mix).sample(range(len(windows)), len(windows))
    mixed = divisions(protocol(seed), windows.iloc[order].reset_index(drop=True), y[order])
    assert len(mixed) == len(found)
    for (train, test), others in zip(found, mixed, strict=True):
        assert len(train)
        assert len(test)
        assert set(y[train]) == set(y)
        assert not set(train) & set(test)
        assert not key(windows, train, "subject", "trial") & key(windows, test, "subject", "trial")
        for rows, other in zip((train, test), others, strict=True):
            assert sorted(order[row] for row in other) == sorted(rows)
    if found:
        again = divisions(protocol(seed), windows, y)
        assert all(
            (a == b).all()
            for one, two in zip(found, again, strict=True)
            for a, b in zip(one, two, strict=True)
        )


@settings(max_examples=80, deadline=None)
@given(sessions(), st.integers(0, 2**31), st.sampled_from(PROTOCOLS[:2] + PROTOCOLS[4:6]))
def test_a8_a_song_that_somebody_heard_twice_stays_on_one_side(study, seed, protocol):
    windows, y = study
    for train, test in divisions(protocol(seed), windows, y):
        assert not key(windows, train, "subject", "stimulus") & key(windows, test, "subject", "stimulus")
        assert audit_split(windows, train, test, 5).repeats == 0


def test_trials_of_one_recording_and_onset_stay_together_and_other_trials_are_alone():
    windows = pd.DataFrame(
        {"subject": 1, "trial": [1, 1, 2, 3, 4], "stimulus": [1, 1, 2, 3, 4], "recording": ["a", "a", "a", "b", "a"],
         "onset": [0.0, 0.0, 60.0, 0.0, 60.0]}
    )  # fmt: skip
    number = kept_together(windows)
    assert number[0] == number[1]
    assert number[2] == number[4]
    assert len(set(number.tolist())) == 3


@settings(max_examples=80, deadline=None)
@given(sessions(n_stimuli=10_000), st.integers(0, 2**31), st.integers(0, 2))
def test_a3_a_block_is_trials_in_a_row_with_a_gap_to_the_next_training_trial(study, seed, gap):
    windows, y = study
    for train, test in divisions(SubjectBlocked(seed, gap=gap), windows, y):
        for subject, own in windows.groupby("subject"):
            session = own.drop_duplicates("trial").sort_values("order").trial.tolist()
            held, trained = (
                {trial for who, trial in key(windows, rows, "subject", "trial") if who == subject}
                for rows in (test, train)
            )
            places = sorted(session.index(trial) for trial in held)
            assert places == list(range(places[0], places[0] + len(places)))
            assert len(held) == max(1, int(0.3 * len(session) + 0.5))
            nearest = min(
                (abs(session.index(one) - session.index(other)) for one in held for other in trained),
                default=gap + 1,
            )
            assert nearest > gap
            repeats = len(session) - own.drop_duplicates("stimulus").shape[0]
            assert len(session) - len(held) - len(trained) <= 2 * gap + repeats
        if gap:
            assert audit_split(windows, train, test, 5).shared_neighbours == 0


def test_blocks_are_placed_so_that_the_classes_are_divided_evenly_and_differ_by_seed():
    rng = np.random.default_rng(0)
    rows = [(s, t, t, t, 0) for s in range(20) for t in range(30)]
    windows = pd.DataFrame(rows, columns=["subject", "trial", "stimulus", "order", "start"])
    # Ratings that follow each other: blocks drawn blindly would often be of one class.
    walk = np.cumsum(rng.normal(size=(20, 30)), axis=1)
    y = np.where(walk - np.median(walk, axis=1, keepdims=True) > 0, "high", "low").ravel()
    held = []
    for seed in range(5):
        ((_, test),) = SubjectBlocked(seed).split(windows, y)
        assert (y[test] == "high").mean() == pytest.approx((y == "high").mean(), abs=0.03)
        held.append(frozenset(test.tolist()))
    assert len(set(held)) == 5


@settings(max_examples=80, deadline=None)
@given(sessions(), st.integers(0, 2**31), st.sampled_from([None, 2]))
def test_neither_the_person_nor_the_stimulus_of_a_test_window_is_in_training(study, seed, folds):
    windows, y = study
    found = divisions(SubjectAndStimulusOut(seed, folds=folds), windows, y)
    for train, test in found:
        for column in ("subject", "stimulus"):
            assert not key(windows, train, column) & key(windows, test, column)
        assert audit_split(windows, train, test, 5).verdict == "clean"
    if found and folds:
        assert len(found) == 4
        assert sorted(row for _, test in found for row in test) == list(range(len(windows)))


@settings(max_examples=60, deadline=None)
@given(sessions(n_stimuli=10_000), st.integers(0, 2**31), st.integers(1, 3))
def test_the_first_trials_of_a_stranger_are_trained_on_and_the_others_tested(study, seed, calibrate):
    windows, y = study
    found = divisions(LeaveOneSubjectOut(seed, calibrate=calibrate), windows, y)
    for subject, (train, test) in zip(sorted(set(windows.subject)), found, strict=False):
        own = windows[windows.subject == subject].drop_duplicates("trial").sort_values("order").trial.tolist()
        assert key(windows, test, "subject", "trial") == {(subject, trial) for trial in own[calibrate:]}
        theirs = {trial for who, trial in key(windows, train, "subject", "trial") if who == subject}
        assert theirs <= set(own[:calibrate])
        others = windows.index[windows.subject != subject]
        assert set(others) <= set(train)
        if theirs:
            assert audit_split(windows, train, test, 5).verdict.startswith("clean (subjects")


def test_without_an_order_the_first_trials_are_those_of_the_lowest_numbers():
    windows = pd.DataFrame(
        {"subject": [1] * 3 + [2] * 3, "trial": [3, 1, 2] * 2, "stimulus": range(6), "start": 0}
    )
    y = np.array(["low", "high", "low"] * 2)
    (train, test), _ = LeaveOneSubjectOut(calibrate=1).split(windows, y)
    assert test.tolist() == [0, 2]
    assert train.tolist() == [1, 3, 4, 5]


def test_each_site_is_held_out_once():
    windows = pd.DataFrame(
        {"subject": range(6), "trial": 1, "stimulus": 1, "start": 0, "site": ["Twente"] * 4 + ["Geneva"] * 2}
    )
    y = np.array(["low", "high"] * 3)
    protocol = LeaveOneSiteOut()
    assert protocol.get_n_splits(windows) == 2
    assert [test.tolist() for _, test in protocol.split(windows, y)] == [[4, 5], [0, 1, 2, 3]]


@pytest.mark.parametrize(
    ("protocol", "change", "message"),
    [
        (SubjectBlocked(), {"order": None}, "does not know the order of a session's trials"),
        (SubjectBlocked(test_size=0.9), {}, "a block of 4, 1 left out beside it, and one to train on do not fit"),
        (SubjectBlocked(gap=3), {}, "do not fit|leaves one to train on"),
        (LeaveOneSiteOut(), {"site": None}, "does not know the site of its trials"),
        (LeaveOneSiteOut(), {"site": "here"}, "one site only, here"),
        (LeaveOneSubjectOut(calibrate=4), {}, "with calibrate=4 none is left to test"),
        (SubjectAndStimulusOut(folds=5), {}, "folds=5, but there are 3 different values of subject"),
        (SubjectAndStimulusOut(), {"stimulus": 1}, "one stimulus only"),
    ],
)  # fmt: skip
def test_what_cannot_be_divided_is_said(protocol, change, message):
    rows = [(s, t, t, t, s % 2, 0) for s in range(3) for t in range(4)]
    windows = pd.DataFrame(rows, columns=["subject", "trial", "stimulus", "order", "site", "start"])
    for column, value in change.items():
        windows = windows.drop(columns=column) if value is None else windows.assign(**{column: value})
    with pytest.raises(ProtocolError, match=message):
        list(protocol.split(windows, np.array(["low", "high"] * 6)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SubjectBlocked(gap=-1), "gap=-1: has to be a whole number"),
        (lambda: SubjectAndStimulusOut(folds=1), "at least 2"),
        (lambda: LeaveOneSubjectOut(calibrate="few"), "calibrate=few: has to be a whole number"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(make, message):
    with pytest.raises(ProtocolError, match=message):
        make()


def test_a_division_of_the_data_sets_own_with_an_empty_side_or_an_untrained_class_is_refused(toy_plugins):
    recordings = get("dataset", "toy").factory()
    panel = make_panel(recordings, Target(name="arousal"), Windowing(seconds=2, overlap=1))
    for side, message in (("train", "there is no test window"), ("test", "there is no training window")):
        whole = replace(panel, windows=panel.windows.assign(split=side))
        with pytest.raises(ProtocolError, match=message):
            list(divide(parse_spec("predefined"), whole, 0))
    by_class = replace(
        panel, windows=panel.windows.assign(split=np.where(panel.y == "high", "test", "train"))
    )
    with pytest.raises(ProtocolError, match="class 'high' has no training window"):
        list(divide(parse_spec("predefined"), by_class, 0))
