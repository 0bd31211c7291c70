"""What a split leaks."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.data.windows import content_keys
from bench.splits.audit import audit_made, audit_split, united, with_scaling


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
    assert audit.verdict == "clean (stimuli shared)"
    assert audit.clean


def test_an_identical_window_in_training_is_a_copy_whatever_its_ids():
    table = windows([1, 1, 2, 2], [1, 2, 1, 2], 0)
    content = np.array([10, 11, 12, 10])
    audit = audit_split(table, np.array([0, 1]), np.array([2, 3]), 640, content=content)
    assert audit.copies == 0.5
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


def test_b_row_3_trials_cut_from_one_recording_share_samples_where_recording_and_onset_are_known():
    # 15 s cut every 11 s, windows of 5 s: the last of a trial reaches into the first of the next.
    ids = [(1, trial, start) for trial in range(6) for start in (0, 30, 60, 90)]
    table = windows(*map(list, zip(*ids, strict=True)))
    cut = table.assign(recording=7, onset=11.0 * table.trial)
    train, test = np.flatnonzero(table.trial % 2), np.flatnonzero(table.trial % 2 == 0)
    assert audit_split(table, train, test, 50, sampling_rate=10).verdict == "clean (subjects shared)"
    found = audit_split(cut, train, test, 50, sampling_rate=10)
    assert found.verdict == "LEAKS samples"
    # Each test trial but the outer two is overlapped by its neighbours with the windows at 0 s (from 11 s of the
    # trial before: 9 to 14 s) and at 9 s.
    near = {
        row
        for row in test
        for other in train
        if abs((110 * cut.trial + cut.start)[row] - (110 * cut.trial + cut.start)[other]) < 50
    }
    assert found.shared_samples == pytest.approx(len(near) / len(test))


def test_recordings_of_two_people_are_told_apart_by_their_numbers():
    table = windows([1, 2], [1, 1], 0).assign(recording=["a", "b"], onset=0.0)
    assert audit_split(table, np.array([0]), np.array([1]), 640).verdict == "clean"
    same = table.assign(recording="a")
    assert audit_split(same, np.array([0]), np.array([1]), 640).verdict == "LEAKS samples"


def test_a3_trials_beside_a_test_trial_in_the_session_are_counted_and_named():
    table = windows([1] * 5 + [2] * 5, [*range(5)] * 2, 0).assign(order=[3, 1, 2, 5, 4] * 2)
    train, test = np.array([0, 5, 6, 7]), np.array([4, 8])
    audit = audit_split(
        table, train, test, 640
    )  # trial 4 follows trial 0 in the session; trial 3 follows trial 4
    assert audit.shared_neighbours == 0.5
    assert audit.verdict == "clean (subjects, neighbours shared)"
    assert audit_split(table.drop(columns="order"), train, test, 640).shared_neighbours == 0


def test_a8_a_song_that_the_person_has_heard_in_training_is_counted_and_named():
    table = windows([1, 1, 1, 2], [1, 2, 3, 1], 0).assign(stimulus=["a", "b", "a", "b"])
    audit = audit_split(table, np.array([0, 3]), np.array([1, 2]), 640)
    assert audit.repeats == 0.5  # trial 3; song b was heard in training by another person only
    assert audit.verdict == "clean (subjects, stimuli, repeats shared)"


def test_b_row_2_trials_that_hold_nearly_the_same_signal_are_a_leak_whatever_their_ids():
    table = windows([1, 1, 2, 2, 3], [1, 1, 1, 1, 1], [0, 9, 0, 9, 0]).assign(row=[0, 0, 1, 1, 2])
    train, test = np.array([0, 1]), np.array([2, 3, 4])
    audit = audit_split(table, train, test, 5, near_copies=np.array([0, 0, 1]))
    assert audit.near_copies == pytest.approx(2 / 3)
    assert audit.verdict == "LEAKS near-copies"
    assert audit_split(table, train, test, 5, near_copies=np.array([0, 1, 1])).verdict == "clean"
    assert audit_split(table, train, test, 5, near_copies=np.arange(3)).verdict == "clean"
    # Of one recording, as far as the data set says: what they share is counted by samples.
    cut = table.assign(recording=[5, 5, 5, 5, 6], onset=[0.0, 0.0, 60.0, 60.0, 0.0])
    assert audit_split(cut, train, test, 5, near_copies=np.array([0, 0, 1])).verdict == "clean"


@pytest.mark.parametrize("protocol", ["loso", "subject-independent[test_size=0.5]"])
def test_b_row_2_every_recording_again_under_another_persons_number_stops_the_run(toy_plugins, protocol):
    import dataclasses

    from bench.data.windows import Target, Windowing, make_panel
    from bench.registry import get
    from bench.spec import parse_spec
    from bench.splits.copies_in_recordings import near_copies_of
    from bench.splits.divide import divide
    from bench.splits.split import LeakError

    once = get("dataset", "toy").factory(n_trials=6, seconds=40)
    again = once.trials.assign(subject=once.trials.subject + 10)
    twice = dataclasses.replace(
        once,
        signals=[*once.signals, *(signal * np.float32(1.00001) for signal in once.signals)],
        trials=pd.concat([once.trials, again], ignore_index=True),
    )
    verdicts = []
    for recordings in (once, twice):
        panel = make_panel(recordings, Target(name="arousal"), Windowing(seconds=2, overlap=1))
        panel = dataclasses.replace(panel, near_copies=near_copies_of(recordings))
        splits = list(divide(parse_spec(protocol), panel, 0, strict=False))
        verdicts.append({split.audit.verdict for _, split in splits})
    assert all(verdict.startswith("clean") for verdict in verdicts[0])
    assert verdicts[1] == {"LEAKS near-copies"}
    with pytest.raises(LeakError, match="near-copies"):
        list(divide(parse_spec(protocol), panel, 0))


def test_a_test_side_with_copies_of_its_own_windows_is_named():
    table = windows([1, 1, 2], [1, 2, 1], 0)
    audit = audit_split(table, np.array([0, 0]), np.array([2, 2]), 640)
    assert audit.resampled_test == 0.5
    assert audit.verdict == "LEAKS resampled test"


def test_thresholds_that_saw_ratings_of_the_test_side_stand_in_the_verdict(toy_plugins):
    from bench.data.windows import Target, Windowing, make_panel
    from bench.registry import get
    from bench.spec import parse_spec
    from bench.splits.divide import divide

    recordings = get("dataset", "toy").factory()
    verdicts = []
    for threshold in (5.0, "subject-median"):
        panel = make_panel(
            recordings, Target(name="arousal", threshold=threshold), Windowing(seconds=2, overlap=1)
        )
        ((_, split),) = divide(parse_spec("subject-stratified"), panel, 0)
        verdicts.append(split.audit.verdict)
    assert "thresholds saw test ratings" not in verdicts[0]
    assert verdicts[1].endswith("thresholds saw test ratings)")


def test_trials_dropped_by_their_rating_stand_in_the_verdict():
    table = windows([1, 2], [1, 1], 0)
    audit = audit_split(table, np.array([0]), np.array([1]), 640, dropped=0.004)
    assert audit.verdict == "clean (1 % out)"


def test_what_the_scaler_saw_of_strangers_stands_in_the_verdict():
    audit = audit_split(windows([1, 2], [1, 1], 0), np.array([0]), np.array([1]), 640)
    assert with_scaling(audit, "").verdict == "clean"
    assert (
        with_scaling(audit, "each person's first 60 s").verdict
        == "clean (scaled by each person's first 60 s)"
    )


def test_windows_on_neither_side_are_counted():
    table = windows([1, 1, 2, 2], [1, 2, 1, 2], 0)
    assert audit_split(table, np.array([0]), np.array([2]), 640).left_out == 0.5


@pytest.mark.parametrize(
    ("verdicts", "together"),
    [
        (["clean", "clean (stimuli shared)"], "clean (stimuli shared)"),
        (["clean (neighbours shared)", "clean (subjects shared)"], "clean (subjects, neighbours shared)"),
        (
            ["clean (subjects, stimuli shared; 3 % out)", "clean (subjects shared; 3 % out)"],
            "clean (subjects, stimuli shared; 3 % out)",
        ),
        (["clean (subjects not known)", "clean (subjects not known)"], "clean (subjects not known)"),
        (["clean (subjects shared)", "LEAKS test block", "LEAKS trials"], "LEAKS trials, test block"),
    ],
)
def test_a7_the_verdict_of_several_splits_is_what_any_of_them_leaks_or_shares(verdicts, together):
    assert united(verdicts) == together
    assert united(verdicts[::-1]) == together
