"""What a split leaks."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.audit import audit_split


def windows(subjects, trials, starts):
    return pd.DataFrame({"subject": subjects, "trial": trials, "start": starts})


def test_whole_subjects_apart_are_clean():
    table = windows([1, 1, 2, 2], [1, 2, 1, 2], 0)
    assert audit_split(table, np.array([0, 1]), np.array([2, 3]), 640).verdict == "clean"


def test_trial_numbers_that_two_subjects_have_in_common_are_no_leak():
    table = windows([1, 2], [1, 1], 0)
    audit = audit_split(table, np.array([0]), np.array([1]), 640)
    assert (audit.shared_trials, audit.shared_subjects) == (0, 0)


def test_whole_trials_of_the_same_subjects_are_clean_and_say_so():
    table = windows([1, 1], [1, 2], 0)
    audit = audit_split(table, np.array([0]), np.array([1]), 640)
    assert audit.verdict == "clean (subjects shared)"
    assert audit.clean


def test_subjects_that_are_not_known_are_not_called_shared():
    assert (
        audit_split(windows([0, 0], [1, 2], 0), np.array([0]), np.array([1]), 9).verdict
        == "clean (subjects not known)"
    )


@pytest.mark.parametrize(("distance", "verdict"), [(639, "LEAKS trials, samples"), (640, "LEAKS trials")])
def test_windows_share_samples_when_they_start_less_than_their_length_apart(distance, verdict):
    table = windows(1, [1, 1, 2], [0, distance, 0])
    audit = audit_split(table, np.array([0]), np.array([1, 2]), 640)
    assert audit.verdict == verdict
    assert not audit.clean
    assert audit.shared_trials == 0.5


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(0, 60), st.booleans()),
        min_size=2, max_size=40, unique_by=lambda row: row[:3],
    ).filter(lambda rows: len({row[3] for row in rows}) == 2)
)  # fmt: skip
def test_the_shares_are_those_that_a_look_at_every_pair_finds(rows):
    subject, trial, start, test = (np.array(column) for column in zip(*rows, strict=True))
    audit = audit_split(windows(subject, trial, start), np.flatnonzero(~test), np.flatnonzero(test), 5)
    same_subject = subject[test][:, None] == subject[~test]
    same_trial = same_subject & (trial[test][:, None] == trial[~test])
    near = same_trial & (np.abs(start[test][:, None] - start[~test]) < 5)
    assert audit.shared_subjects == pytest.approx(same_subject.any(axis=1).mean())
    assert audit.shared_trials == pytest.approx(same_trial.any(axis=1).mean())
    assert audit.shared_samples == pytest.approx(near.any(axis=1).mean())
