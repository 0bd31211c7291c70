"""How windows are divided."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.protocols import Predefined, ProtocolError, RandomWindows, SubjectStratified


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


studies = st.dictionaries(
    st.integers(1, 99),
    st.lists(st.sampled_from(["low", "high", "other"]), min_size=4, max_size=40),
    min_size=2,
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(studies, st.integers(0, 2**31), st.sampled_from([SubjectStratified, RandomWindows]))
def test_every_window_is_on_one_side_and_every_subject_on_both(study, seed, protocol):
    windows, y = ids(study)
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
@given(studies, st.integers(0, 1000), st.randoms(), st.sampled_from([SubjectStratified, RandomWindows]))
def test_the_order_of_the_rows_does_not_matter(study, seed, random, protocol):
    windows, y = ids(study)
    order = list(range(len(windows)))
    random.shuffle(order)
    try:
        _, test = one_split(protocol(seed), windows, y)
    except ProtocolError:
        return
    _, mixed = one_split(protocol(seed), windows.iloc[order].reset_index(drop=True), y[order])
    assert {order[row] for row in mixed} == set(test)


def test_the_same_seed_gives_the_same_split_on_every_machine_and_another_seed_another():
    windows, y = ids({1: ["low", "high"] * 5, 2: ["low", "high"] * 5}, 1)
    # Written down once: a change here means that nobody's stored splits can be compared any more.
    pinned = [6, 7, 8, 11, 12, 17]
    assert one_split(SubjectStratified(0), windows, y)[1].tolist() == pinned
    assert one_split(SubjectStratified(1), windows, y)[1].tolist() != pinned


def test_the_split_does_not_hang_on_the_hash_seed_of_the_process():
    code = (
        "import pandas as pd, numpy as np; from bench.protocols import RandomWindows as P;"
        "w = pd.DataFrame({'subject': np.repeat([1, 2], 20), 'trial': np.tile(np.arange(20), 2), 'start': 0});"
        "print(next(P(3).split(w, np.tile(['a', 'b'], 20)))[1].tolist())"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": s},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for s in ("1", "2")
    }
    assert len(runs) == 1


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
    assert set(found) <= {"class 'rare' has no training window: all its trials were held out"}
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
