"""Windows and labels."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bench.data.windows import Target, Windowing, make_panel
from bench.errors import DataError, SuiteError
from bench.recordings import Recordings


def recordings(lengths, rate=128.0, baseline=3.0, arousal=None, n_channels=2):
    n = len(lengths)
    # Each sample tells its trial and its place, so that a window can be checked by its content.
    signals = [
        (np.arange(length) + 100_000 * row + np.zeros((n_channels, 1))).astype(np.float32)
        for row, length in enumerate(lengths)
    ]
    trials = pd.DataFrame(
        {
            "subject": 1,
            "trial": np.arange(n),
            "stimulus": np.arange(n),
            "arousal": np.resize([2.0, 8.0], n) if arousal is None else arousal,
            "valence": np.resize([8.0, 2.0, 8.0, 2.0, 2.0], n),
        }
    )
    return Recordings("made", signals, [f"c{i}" for i in range(n_channels)], rate, trials, baseline)


AROUSAL = Target(name="arousal")


def test_a_deap_trial_gives_twenty_windows_with_the_baseline_and_nineteen_without():
    starts = Windowing(baseline=True).starts(8064, 128, 3.0)
    assert len(starts) == 20
    assert starts[:2].tolist() == [0, 384]
    starts = Windowing().starts(8064, 128, 3.0)
    assert len(starts) == 19
    assert starts[0] == 384
    assert starts[-1] + 640 <= 8064


@given(
    lengths=st.lists(st.integers(40, 400), min_size=2, max_size=6),
    seconds=st.integers(1, 9),
    overlap=st.integers(0, 8),
    baseline=st.booleans(),
)
def test_windows_lie_within_their_trial_a_hop_apart_and_leave_no_room_for_one_more(
    lengths, seconds, overlap, baseline
):
    if overlap >= seconds:
        overlap = seconds - 1
    made = recordings(lengths, rate=4.0)
    windowing = Windowing(seconds=seconds, overlap=overlap, baseline=baseline)
    first = 0 if baseline else 12
    if min(lengths) < first + 4 * seconds:
        with pytest.raises(DataError, match=r"subject 1, trial \d+ lasts .* too short"):
            make_panel(made, AROUSAL, windowing)
        return
    panel = make_panel(made, AROUSAL, windowing)
    assert panel.X.dtype == np.float32
    assert panel.X.shape == panel.shape == (len(panel), 2, 4 * seconds)
    starts, trials = panel.windows.start.to_numpy(), panel.windows.trial.to_numpy()
    content = starts[:, None] + np.arange(4 * seconds) + 100_000 * trials[:, None]
    assert (content[:, None] == panel.X).all()
    assert (panel.y == np.where(trials % 2, "high", "low")).all()
    assert set(trials) == set(range(len(lengths)))
    for trial in range(len(lengths)):
        own = starts[trials == trial]
        assert own[0] == first
        assert (np.diff(own) == 4 * (seconds - overlap)).all()
        assert own[-1] + 4 * (2 * seconds - overlap) > lengths[trial]


@given(st.integers(1, 30))
def test_thinning_keeps_consecutive_windows_from_the_middle(per_trial):
    everything = Windowing().starts(8064, 128, 3.0).tolist()
    starts = Windowing(per_trial=per_trial).starts(8064, 128, 3.0).tolist()
    assert len(starts) == min(per_trial, 19)
    before = everything.index(starts[0])
    assert starts == everything[before : before + len(starts)]
    assert abs(before - (len(everything) - before - len(starts))) <= 1


def test_taking_some_windows_gives_the_same_samples_as_taking_all():
    panel = make_panel(recordings([1300, 2000, 1500]), AROUSAL, Windowing())
    some = np.array([3, 0, 2])
    assert (panel.take(some) == panel.X[some]).all()


def test_all_windows_of_deap_cost_little_more_memory_than_they_hold():
    n_trials = 320  # a quarter of DEAP: what is used besides weighs the more
    signals = np.zeros((n_trials, 4, 8064), dtype=np.float32)
    trials = recordings([1] * n_trials).trials
    made = Recordings("made", signals, ["a", "b", "c", "d"], 128.0, trials, 3.0)
    tracemalloc.start()
    panel = make_panel(made, AROUSAL, Windowing(baseline=True))
    X = panel.take(np.arange(len(panel)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert X.shape == (20 * n_trials, 4, 640)
    assert peak <= 1.3 * X.nbytes


def test_whole_trials_of_unequal_length_are_filled_up_with_nan_at_the_end():
    panel = make_panel(recordings([7, 29, 12], rate=1.0, baseline=0), AROUSAL, Windowing(whole=True))
    assert panel.shape == (3, 2, 29)
    assert np.isnan(panel.X[0, :, 7:]).all()
    assert not np.isnan(panel.X[0, :, :7]).any()
    assert not np.isnan(panel.X[1]).any()


@given(st.lists(st.floats(1, 9), min_size=2, max_size=30))
def test_high_is_above_the_threshold_and_nothing_else(ratings):
    made = recordings([1] * len(ratings), arousal=ratings)
    labels, classes = AROUSAL.classify(made.trials)
    assert labels.tolist() == ["high" if rating > 5 else "low" for rating in ratings]
    assert set(classes) == set(labels)


def test_trials_rated_at_the_threshold_can_be_dropped():
    made = recordings([2000] * 4, arousal=[-3.0, 0.0, 4.0, 0.0])
    panel = make_panel(made, Target(name="arousal", threshold=0, drop_at_threshold=True), Windowing())
    assert sorted(panel.windows.trial.unique()) == [0, 2]
    kept = make_panel(made, Target(name="arousal", threshold=0), Windowing())
    assert sorted(kept.windows.trial.unique()) == [0, 1, 2, 3]


def test_levels_round_half_up_to_one_to_nine_and_stand_in_their_order():
    ratings = [1.0, 1.49, 1.5, 2.5, 4.5, 8.49, 8.5, 9.0]
    labels, classes = Target(name="arousal", rule="levels").classify(
        recordings([1] * 8, arousal=ratings).trials
    )
    assert labels.tolist() == ["1", "1", "2", "3", "5", "8", "9", "9"]
    assert classes == ("1", "2", "3", "5", "8", "9")


def test_quadrants_name_arousal_first():
    made = recordings([1] * 4, arousal=[2.0, 8.0, 8.0, 5.0])
    labels, classes = Target(name="quadrant", rule="quadrants").classify(made.trials)
    assert labels.tolist() == ["LAHV", "HALV", "HAHV", "LALV"]
    assert classes == ("LALV", "LAHV", "HALV", "HAHV")


def test_an_unknown_target_is_refused_with_the_nearest_one():
    with pytest.raises(SuiteError, match="did you mean 'arousal'"):
        Target(name="arousl").classify(recordings([1, 1]).trials)


def test_one_class_only_is_refused():
    with pytest.raises(DataError, match="arousal has one class only, high"):
        make_panel(recordings([2000, 2000], arousal=[7.0, 8.0]), AROUSAL, Windowing())


def test_windows_must_be_longer_than_their_overlap():
    with pytest.raises(ValidationError, match=r"overlap \(5.0 s\) must be shorter than the window \(5.0 s\)"):
        Windowing(seconds=5, overlap=5)
