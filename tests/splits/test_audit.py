"""What a split leaks."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.data.windows import content_keys
from bench.splits.audit import audit_made, audit_split


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


def test_a_stimulus_in_training_is_counted_and_no_leak():
    table = windows([1, 1, 2, 2], [1, 2, 1, 2], 0).assign(stimulus=[5, 6, 5, 7])
    audit = audit_split(table, np.array([0, 1]), np.array([2, 3]), 640)
    assert audit.shared_stimuli == 0.5
    assert audit.verdict == "clean"


def test_an_identical_window_in_training_is_a_copy_whatever_its_ids():
    table = windows([1, 1, 2, 2], [1, 2, 1, 2], 0)
    content = np.array([10, 11, 12, 10])
    audit = audit_split(table, np.array([0, 1]), np.array([2, 3]), 640, content=content)
    assert audit.copies == 0.5
    assert audit.selection_saw_test
    assert audit.verdict == "LEAKS copies"


def test_a_window_and_its_copy_on_both_sides_are_found():
    table = windows([1, 1, 1], [1, 2, 3], 0)
    audit = audit_split(table, np.array([0, 1, 1]), np.array([1, 2]), 640)
    assert audit.copies == 0.5
    assert audit.verdict == "LEAKS trials, samples, copies, scaler, resampler"


@pytest.mark.parametrize("what", ["scaler", "resampler"])
def test_what_was_fitted_on_a_test_window_is_named(what):
    table = windows([1, 1, 2], [1, 2, 1], 0)
    train, test = np.array([0, 1]), np.array([2])
    audit = audit_split(table, train, test, 9, **{f"{what}_rows": np.array([0, 1, 2])})
    assert audit.verdict == f"LEAKS {what}"
    assert getattr(audit, f"{what}_saw_test")
    assert not audit.selection_saw_test


def test_a_test_window_that_parented_a_synthetic_one_is_found():
    table = windows([1, 1, 2, 2], [1, 2, 1, 2], 0)
    audit = audit_split(table, np.array([0, 1]), np.array([2, 3]), 4)
    X_test = np.zeros((2, 1, 4), np.float32)
    X_made = np.ones((1, 1, 4), np.float32)
    assert audit_made(audit, np.array([2, 3]), X_test, np.array([0, 1]), X_made).verdict == "clean"
    found = audit_made(audit, np.array([2, 3]), X_test, np.array([1, 3]), X_made)
    assert found.parents == 0.5
    assert found.verdict == "LEAKS synthetic"


def test_a_synthetic_window_identical_to_a_test_window_is_a_copy():
    table = windows([1, 1, 2], [1, 2, 1], 0)
    audit = audit_split(table, np.array([0, 1]), np.array([2]), 4)
    X = np.arange(4, dtype=np.float32).reshape(1, 1, 4)
    assert audit_made(audit, np.array([2]), X, np.array([0, 1]), X.copy()).verdict == "LEAKS copies"


def test_windows_of_equal_samples_have_equal_keys_and_others_not():
    X = np.random.default_rng(0).standard_normal((50, 2, 8)).astype(np.float32)
    X[7] = X[3]
    keys = content_keys(X)
    assert keys[7] == keys[3]
    assert len(set(keys.tolist())) == 49
    assert (content_keys(np.asfortranarray(X)) == keys).all()


def test_identical_windows_of_different_trials_are_found_in_a_panel(toy_plugins):
    import dataclasses

    from bench.data.windows import Target, Windowing, make_panel
    from bench.registry import get

    recordings = get("dataset", "toy").factory()
    signals = list(recordings.signals)
    signals[5] = signals[0]
    twin = dataclasses.replace(recordings, signals=signals)
    panel = make_panel(twin, Target(name="arousal"), Windowing(seconds=2, overlap=1))
    first, other = (np.flatnonzero(panel.windows["row"] == row) for row in (0, 5))
    assert (panel.content[first] == panel.content[other]).all()
    assert np.unique(panel.content).size == len(panel) - len(first)
