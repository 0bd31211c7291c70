"""How windows are divided."""

import os
import random
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import ProtocolError
from bench.splits.protocols.divide_windows import OversampleThenSplit, RandomWindows, SplitThenOversample
from bench.splits.protocols.hold_out_subjects import SubjectIndependent
from bench.splits.protocols.hold_out_trials import SubjectStratified
from bench.splits.protocols.leave_one_out import LeaveOneStimulusOut, LeaveOneSubjectOut
from bench.splits.protocols.predefined import Predefined

HOLDOUTS = [SubjectStratified, SubjectIndependent, RandomWindows, SplitThenOversample, OversampleThenSplit]


def ids(classes_by_subject, windows_a_trial=5):
    """Rows for subjects whose trials have the given classes."""
    rows = [
        (subject, trial, trial, start * 384, label)
        for subject, classes in classes_by_subject.items()
        for trial, label in enumerate(classes)
        for start in range(windows_a_trial)
    ]
    table = pd.DataFrame(rows, columns=["subject", "trial", "stimulus", "start", "label"])
    return table.drop(columns="label"), table.label.to_numpy(str)


def one_split(protocol, windows, y):
    ((train, test),) = protocol.split(windows, y)
    return train, test


def in_some_order(subject_and_counts):
    """Return the classes of a subject's trials, mixed: a number is drawn sooner than a class for each trial."""
    subject, counts = subject_and_counts
    classes = [label for label, n in zip(("low", "high", "other"), counts, strict=True) for _ in range(n)]
    return subject, random.Random(subject).sample(classes, len(classes))


counts = st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(0, 6))
studies = st.lists(
    st.tuples(st.integers(1, 99), counts.filter(lambda own: sum(own) >= 4)),
    min_size=2,
    max_size=8,
    unique_by=lambda subject: subject[0],
).map(lambda study: dict(map(in_some_order, study)))


@settings(max_examples=60, deadline=None)
@given(studies, st.integers(0, 2**31), st.sampled_from([SubjectStratified, RandomWindows]))
def test_every_window_is_on_one_side_and_every_subject_on_both(study, seed, protocol):
    windows, y = ids(study, 3)
    try:
        train, test = one_split(protocol(seed), windows, y)
    except ProtocolError:  # a class of one trial in all may be held out whole: tested below
        return
    assert sorted([*train, *test]) == list(range(len(windows)))
    assert set(windows.subject[train]) == set(windows.subject[test]) == set(study)
    if protocol is SubjectStratified:
        trials = windows.subject * 1000 + windows.trial
        assert not set(trials[train]) & set(trials[test])


@settings(max_examples=60, deadline=None)
@given(studies, st.integers(0, 2**31))
def test_thirty_percent_of_each_subject_and_of_each_class_is_held_out(study, seed):
    windows, y = ids(study, windows_a_trial=1)
    try:
        _, test = one_split(SubjectStratified(seed), windows, y)
    except ProtocolError:
        return
    held = windows.assign(label=y).iloc[test]
    for subject, classes in study.items():
        own = held[held.subject == subject]
        assert abs(len(own) - 0.3 * len(classes)) <= 0.5 + 1e-9
        for label in set(classes):
            assert abs((own.label == label).sum() - 0.3 * classes.count(label)) < 1 + 1e-9


def test_rare_classes_are_not_rounded_away():
    # Each subject has one trial of the rare class: rounding within a subject would never hold one out.
    study = {s: ["low"] * 13 + ["high"] * 13 + ["rare"] for s in range(1, 31)}
    windows, y = ids(study, 1)
    _, test = one_split(SubjectStratified(0), windows, y)
    counts = pd.Series(y[test]).value_counts()
    assert counts["rare"] == pytest.approx(9, abs=2)
    assert counts["low"] == pytest.approx(0.3 * 390, abs=3)


@settings(max_examples=30, deadline=None)
@given(studies, st.integers(0, 1000), st.integers(0, 2**31), st.sampled_from(HOLDOUTS))
def test_the_order_of_the_rows_does_not_matter(study, seed, shuffle, protocol):
    windows, y = ids(study, 3)
    order = random.Random(shuffle).sample(range(len(windows)), len(windows))
    try:
        sides = one_split(protocol(seed), windows, y)
    except ProtocolError:
        return
    mixed = one_split(protocol(seed), windows.iloc[order].reset_index(drop=True), y[order])
    for rows, others in zip(sides, mixed, strict=True):
        assert sorted(order[row] for row in others) == sorted(rows)


def test_the_same_seed_gives_the_same_split_on_every_machine_and_another_seed_another():
    windows, y = ids({1: ["low", "high"] * 5, 2: ["low", "high"] * 5}, 1)
    # Written down once: a change here means that nobody's stored splits can be compared any more.
    pinned = [6, 7, 8, 11, 12, 17]
    assert one_split(SubjectStratified(0), windows, y)[1].tolist() == pinned
    assert one_split(SubjectStratified(1), windows, y)[1].tolist() != pinned


def test_the_split_does_not_hang_on_the_hash_seed_of_the_process():
    code = (
        "import pandas as pd, numpy as np; from bench.splits.protocols.divide_windows import RandomWindows as P;"
        "w = pd.DataFrame({'subject': np.repeat([1, 2], 20), 'trial': np.tile(np.arange(20), 2), 'start': 0});"
        "held = next(P(3).split(w, np.tile(['a', 'b'], 20)))[1].tolist()"
    )
    here: dict = {}
    exec(code, here)
    done = subprocess.run(
        [sys.executable, "-c", code + "; print(hash('a'), held)"],
        env={"PYTHONHASHSEED": "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    hashed, held = done.stdout.split(maxsplit=1)
    assert int(hashed) != hash("a")
    assert held.strip() == str(here["held"])


def test_random_windows_puts_windows_of_most_trials_on_both_sides():
    windows, y = ids({1: ["low", "high"] * 10}, 19)
    train, test = one_split(RandomWindows(0), windows, y)
    shared = set(windows.trial[train]) & set(windows.trial[test])
    assert len(shared) >= 18
    assert len(test) == round(0.3 * len(windows))


def test_a_subject_with_one_trial_is_named():
    windows, y = ids({1: ["low", "high"], 7: ["low"]})
    with pytest.raises(ProtocolError, match="subject 7 has 1 trial only"):
        one_split(SubjectStratified(0), windows, y)


def test_a_trial_with_two_classes_is_refused():
    windows, y = ids({1: ["low", "high", "low"]})
    y[0] = "high"
    with pytest.raises(ProtocolError, match="more than one class"):
        one_split(SubjectStratified(0), windows, y)


def test_a_class_without_a_training_window_is_named():
    windows, y = ids({1: ["low", "rare"], 2: ["low", "low"]})
    found = []
    for seed in range(20):
        try:
            train, _ = one_split(SubjectStratified(seed), windows, y)
        except ProtocolError as error:
            found.append(str(error))
        else:
            assert "rare" in y[train]
    assert set(found) <= {"class 'rare' has no training window: all its trials, of subject 1, were held out"}
    assert found


def test_a_data_set_without_a_division_of_its_own_is_refused():
    windows, y = ids({1: ["low", "high"]})
    with pytest.raises(ProtocolError, match="no division into training and test"):
        one_split(Predefined(0), windows, y)
    train, test = one_split(
        Predefined(0), windows.assign(split=np.resize(["train", "test"], len(windows))), y
    )
    assert train.tolist() == list(range(0, len(windows), 2))
    assert test.tolist() == list(range(1, len(windows), 2))


@settings(max_examples=30, deadline=None)  # each compares 64 draws of subjects
@given(studies, st.integers(0, 2**31))
def test_whole_subjects_are_held_out_and_every_class_is_trained_on(study, seed):
    windows, y = ids(study, 3)
    try:
        train, test = one_split(SubjectIndependent(seed), windows, y)
        said = ""
    except ProtocolError as error:
        said = str(error)
    if said:
        # Only where one subject, or all that may be held out together, has a class to itself.
        assert "cannot be held out" in said
        return
    assert sorted([*train, *test]) == list(range(len(windows)))
    subjects = set(windows.subject[train]), set(windows.subject[test])
    assert not subjects[0] & subjects[1]
    assert len(subjects[1]) == min(max(int(0.3 * len(study) + 0.5), 1), len(study) - 1)
    assert set(y[train]) == set(y)


def test_subjects_are_drawn_so_that_the_classes_are_divided_evenly():
    # Ten subjects rate high, ten low: three tenths of each, not of one kind.
    study = {s: ["high"] * 18 + ["low"] * 2 if s <= 10 else ["high"] * 2 + ["low"] * 18 for s in range(1, 21)}
    windows, y = ids(study, 1)
    for seed in range(5):
        _, test = one_split(SubjectIndependent(seed), windows, y)
        assert (y[test] == "high").mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("protocol", "column"), [(LeaveOneSubjectOut, "subject"), (LeaveOneStimulusOut, "stimulus")]
)
@settings(max_examples=30, deadline=None)
@given(study=studies, seed=st.integers(0, 1000), folds=st.sampled_from([None, 2, 3]))
def test_each_subject_or_stimulus_is_held_out_once_and_whole(protocol, column, study, seed, folds):
    windows, y = ids(study, 3)
    splitter = protocol(seed, folds)
    try:
        parts = list(splitter.split(windows, y))
        said = ""
    except ProtocolError as error:
        said = str(error)
    if said:
        assert "without a training window" in said or "different values" in said
        return
    assert len(parts) == splitter.get_n_splits(windows) == (folds or windows[column].nunique())
    assert sorted(row for _, test in parts for row in test) == list(range(len(windows)))
    for train, test in parts:
        assert sorted([*train, *test]) == list(range(len(windows)))
        assert not set(windows[column][train]) & set(windows[column][test])


def test_folds_hold_about_equally_many_windows():
    windows, y = ids({s: ["low", "high"] * (2 + s % 4) for s in range(1, 31)})
    sizes = [len(test) for _, test in LeaveOneSubjectOut(0, folds=6).split(windows, y)]
    assert max(sizes) - min(sizes) <= 50  # the windows of the largest subject


@settings(max_examples=40, deadline=None)
@given(studies, st.integers(0, 1000))
def test_oversampling_before_the_split_balances_the_whole_and_after_it_each_side(study, seed):
    windows, y = ids(study, 3)
    largest = pd.Series(y).value_counts().max()
    try:
        before = one_split(OversampleThenSplit(seed), windows, y)
        after = one_split(SplitThenOversample(seed), windows, y)
    except ProtocolError:
        return
    assert set(pd.Series(y[np.concatenate(before)]).value_counts()) == {largest}
    assert set(before[0]) | set(before[1]) == set(range(len(windows)))
    for side in after:
        assert pd.Series(y[side]).value_counts().nunique() == 1
    assert not set(after[0]) & set(after[1])


def test_copies_made_before_the_split_stand_on_both_sides():
    windows, y = ids({1: ["low"] * 18 + ["high"] * 2, 2: ["low"] * 18 + ["high"] * 2})
    train, test = one_split(OversampleThenSplit(0), windows, y)
    rare = test[y[test] == "high"]
    assert np.isin(rare, train).mean() > 0.9
    assert not np.isin(test[y[test] == "low"], train).any()
    assert len(test) == pytest.approx(0.3 * (len(train) + len(test)), abs=2)


@pytest.mark.parametrize(
    ("protocol", "study", "message"),
    [
        (SubjectIndependent(), {7: ["low", "high"] * 4}, "one subject only, 7"),
        (LeaveOneSubjectOut(), {7: ["low", "high"] * 4}, "one subject only, 7"),
        (LeaveOneStimulusOut(), {7: ["low"], 8: ["high"]}, "one stimulus only, 0"),
        (
            LeaveOneSubjectOut(),
            {7: ["low", "rare"], 8: ["low", "low"]},
            "holding out subject 7 leaves class 'rare' without a training window",
        ),
        (
            LeaveOneStimulusOut(),
            {7: ["low", "rare"], 8: ["low", "low"]},
            "holding out stimulus 1 leaves class 'rare' without",
        ),
        (SubjectIndependent(), {7: ["low", "low"], 8: ["high", "high"]}, "'high' occurs in subject 8 only"),
        (LeaveOneSubjectOut(folds=3), {7: ["low", "high"], 8: ["low", "high"]}, "folds=3, but there are 2"),
        (RandomWindows(), {7: ["low"] * 2, 9: []}, None),
    ],
)  # fmt: skip
def test_what_cannot_be_divided_is_said_with_subject_and_class(protocol, study, message):
    windows, y = ids(study)
    if message is None:
        assert len(list(protocol.split(windows, y))) == 1
        return
    with pytest.raises(ProtocolError, match=message):
        list(protocol.split(windows, y))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LeaveOneSubjectOut(folds=1), "at least 2"),
        (lambda: LeaveOneSubjectOut(folds="many"), "whole number"),
        (lambda: SubjectStratified(test_size=1.5), "between 0 and 1"),
        (lambda: SubjectStratified(test_size="big"), "test_size=big: has to lie between 0 and 1"),
        (lambda: RandomWindows(scaler="test"), "train or all"),
        (lambda: RandomWindows(stratify="no"), "stratify=no: has to be true or false"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(make, message):
    with pytest.raises(ProtocolError, match=message):
        make()


@settings(max_examples=40, deadline=None)
@given(studies, st.integers(0, 2**31), st.integers(0, 1000))
def test_without_strata_thirty_percent_of_all_windows_are_held_out_whosever_they_are(study, seed, shuffle):
    windows, y = ids(study, 3)
    protocol = RandomWindows(seed, stratify=False)
    try:
        train, test = one_split(protocol, windows, y)
    except ProtocolError:  # a class without a training window
        return
    assert sorted([*train, *test]) == list(range(len(windows)))
    assert len(test) == int(0.3 * len(windows) + 0.5)
    assert set(y[train]) == set(y)
    order = random.Random(shuffle).sample(range(len(windows)), len(windows))
    mixed = one_split(protocol, windows.iloc[order].reset_index(drop=True), y[order])
    assert sorted(order[row] for row in mixed[1]) == sorted(test)


def test_without_strata_people_and_classes_are_held_out_unevenly():
    windows, y = ids({subject: ["low", "high"] * 10 for subject in range(1, 11)}, 1)

    def shares(stratify):
        _, test = one_split(RandomWindows(0, stratify=stratify), windows, y)
        return (
            windows.iloc[test]
            .groupby([windows.subject.iloc[test], y[test]])
            .size()
            .reindex(pd.MultiIndex.from_product([range(1, 11), ["low", "high"]]), fill_value=0)
        )

    assert set(shares(True)) == {3}
    assert shares(False).max() - shares(False).min() >= 2
