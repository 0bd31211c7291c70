"""Which trials of a data set hold the same recorded signal."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d

from bench.data.loading import find_sources, load_recordings
from bench.data.signals import write_signals
from bench.spec import parse_spec
from bench.splits.near_copies import near_copies

SECONDS, RATE = 40, 128


@cache
def simulated(*subjects):
    (source,), _ = find_sources(parse_spec("deap-simulated"), None)
    return [np.asarray(signal) for signal in load_recordings(source, list(subjects)).signals]


def piece(signal, start):
    """From `start` seconds on."""
    return signal[:, int(start * RATE) :][:, : SECONDS * RATE].copy()


def with_noise(signal, share=0.1):
    noise = np.random.default_rng(0).standard_normal(signal.shape)
    return signal + share * signal.std(axis=1, keepdims=True) * noise


def pairs(groups):
    """Of trials with the same number."""
    return {(a, b) for b in range(len(groups)) for a in range(b) if groups[a] == groups[b]}


def noise(n_trials, n_channels=2, n_samples=960, seed=0):
    return np.random.default_rng(seed).standard_normal((n_trials, n_channels, n_samples)).astype(np.float32)


SIGNS = np.array([[1], [-1], [1], [1]])
GAINS = np.array([[0.5], [3], [-100], [1e-3]])
LEVELS = np.array([[1e3], [-5], [0.1], [7]])


@pytest.mark.parametrize(
    ("start", "change"),
    [
        (0, lambda x: x),
        (0, lambda x: 1.00001 * x),
        (0, lambda x: x + 3),
        (0, lambda x: x * SIGNS),
        (0, with_noise),
        (0, lambda x: with_noise(x) * GAINS + LEVELS),
        (5 + 3 / RATE, lambda x: x),
        (5 + 3 / RATE, lambda x: with_noise(x) * GAINS + LEVELS),
        (20 + 7 / RATE, lambda x: x),
        (20 + 7 / RATE, lambda x: with_noise(x) * GAINS + LEVELS),
    ],
    ids=[
        "identical", "gain", "level", "a channel inverted", "noise", "noise, gain, sign, level",
        "5 s later", "5 s later, noise, gain, sign, level", "20 s later", "20 s later, noise, gain, sign, level",
    ],
)  # fmt: skip
def test_a_copy_is_found_and_nothing_else(start, change):
    signals = [piece(signal, 0) for signal in simulated(1, 2)]
    for trial in (3, 17, 60):
        signals.append(change(piece(simulated(1, 2)[trial], start)).astype(np.float32))
    assert pairs(near_copies(signals, RATE)) == {(3, 80), (17, 81), (60, 82)}


def test_a_quarter_in_common_is_enough_for_most():
    """62 s at 64 Hz, of which 15 are also in the other: pulse, breath and conductance, at another gain."""
    longer = [np.concatenate(simulated(1, 2)[k : k + 2], axis=1) for k in range(0, 80, 2)]
    start = 8064 * 3 // 4
    earlier = [signal[:, :8064] for signal in longer]
    later = [(2 * signal[:, start : start + 8064] + 1).astype(np.float32) for signal in longer]
    found = pairs(near_copies([*earlier, *later], RATE))
    expected = {(k, k + 40) for k in range(40)}
    assert found <= expected
    assert len(found) > 30


def test_b2_every_recording_twice_under_another_persons_number_times_1_00001():
    signals = simulated(1, 2)
    twice = [*signals, *(signal * np.float32(1.00001) for signal in signals)]
    assert pairs(near_copies(twice, RATE)) == {(k, k + 80) for k in range(80)}


def test_b3_trials_of_15_s_cut_every_11_s_from_one_drifting_recording():
    rng = np.random.default_rng(0)
    drift = np.cumsum(rng.standard_normal((3, 32 * 180)), axis=1)
    recording = (drift + rng.standard_normal(drift.shape)).astype(np.float32)
    signals = [recording[:, at : at + 32 * 15] for at in range(0, 32 * 165, 32 * 11)]
    assert set(near_copies([*signals, *noise(4, 3, 480)], 32.0)) == {0, 1, 2, 3, 4}
    assert set(near_copies(signals, 32.0)) == {0}


def test_recordings_of_several_people_are_not_grouped():
    signals = simulated(1, 2, 3)
    assert not pairs(near_copies(signals, RATE))


@pytest.mark.parametrize("parameters", ["", "[heart_rate=true]"])
def test_hku956_is_not_grouped(shared_data, parameters):
    (source,), _ = find_sources(parse_spec(f"hku956{parameters}"), shared_data / "HKU956")
    recordings = load_recordings(source, None)
    signals = [recordings.signals[k] for k in range(0, len(recordings.signals), 8)]
    assert not pairs(near_copies(signals, recordings.sampling_rate))


@pytest.mark.parametrize("problem", ["BasicMotions", "JapaneseVowels"])
def test_problems_of_the_archive_are_not_grouped(problem):
    (source,), _ = find_sources(parse_spec(f"uea[problem={problem}]"), None)
    assert not pairs(near_copies(load_recordings(source, None).signals, 1.0))


def test_without_a_clock_a_copy_is_found():
    (source,), _ = find_sources(parse_spec("uea[problem=BasicMotions]"), None)
    signals = list(load_recordings(source, None).signals)
    signals.append((with_noise(signals[5]) * -2).astype(np.float32))
    assert pairs(near_copies(signals, 1.0)) == {(5, 80)}


def test_what_is_too_short_to_judge_is_found_if_it_is_bit_for_bit_the_same():
    signals = noise(6, n_samples=12)
    signals[4] = signals[1]
    signals[5] = 2 * signals[2]
    assert pairs(near_copies(signals, 1.0)) == {(1, 4)}


@pytest.mark.parametrize("value", [0.0, 36.6])
def test_trials_without_any_change_are_nobodys_copies(value):
    signals = noise(8)
    signals[2:6] = value
    assert not pairs(near_copies(signals, 16.0))


def test_a_channel_that_is_off_hides_no_copy_and_makes_none():
    signals = noise(8)
    signals[:, 1] = 0
    signals[7] = with_noise(signals[0])
    assert pairs(near_copies(signals, 16.0)) == {(0, 7)}


def test_one_oscillation_at_any_phase_is_no_copy():
    t = np.arange(64 * 60) / 64
    phases = np.random.default_rng(0).integers(0, 64, (30, 2, 1)) / 64
    signals = np.sin(2 * np.pi * (t + phases)).astype(np.float32)
    assert not pairs(near_copies(signals, 64.0))


def test_pulses_of_nearly_one_rate_are_no_copies():
    rng = np.random.default_rng(0)
    rate = 1.1 + 0.02 * gaussian_filter1d(rng.standard_normal((60, 1, 64 * 60)), 64 * 4, axis=2) / 0.03
    phase = 2 * np.pi * np.cumsum(rate / 64, axis=2)
    pulse = np.cos(phase) + 0.4 * np.cos(2 * phase + 1)
    assert not pairs(near_copies(pulse.astype(np.float32), 64.0))


def test_straight_drifts_are_no_copies():
    slope = np.random.default_rng(0).uniform(0.5, 1, (40, 1, 1))
    drift = 30 + slope * np.linspace(0, 1, 64 * 40)
    assert not pairs(near_copies(drift.astype(np.float32), 64.0))


def test_rare_steps_of_one_size_are_no_copies():
    """As a temperature that is told in steps of 0.02 degrees four times a second, interpolated."""
    steps = np.random.default_rng(0).choice([-1, 0, 1], p=[0.03, 0.94, 0.03], size=(60, 1, 160))
    told = 33 + 0.02 * np.cumsum(steps, axis=2)
    at = np.arange(64 * 39) / 64
    signals = [np.interp(at, np.arange(160) / 4, of_trial[0])[None].astype(np.float32) for of_trial in told]
    assert not pairs(near_copies(signals, 64.0))


def test_a_start_that_all_sessions_have_in_common_makes_no_copies():
    signals = noise(6, n_samples=64 * 30)
    signals[:, 0, :160] = signals[0, 0, :160]
    assert not pairs(near_copies(signals, 64.0))


def test_a_group_reaches_by_way_of_a_third_trial_and_is_numbered_by_its_first():
    recording = noise(1, n_samples=3000)[0]
    middle, first, last = recording[:, 700:1700], recording[:, :1000], recording[:, 1400:2400]
    signals = [noise(1, n_samples=1000, seed=1)[0], first, noise(1, n_samples=1000, seed=2)[0], last]
    assert near_copies(signals, 16.0).tolist() == [0, 1, 2, 3]
    assert near_copies([*signals, middle], 16.0).tolist() == [0, 1, 2, 1, 1]


def test_trials_of_different_lengths_are_compared():
    recording = noise(1, n_samples=4000)[0]
    others = [noise(1, n_samples=n, seed=n)[0] for n in (700, 900, 2000, 5)]
    signals = [recording, *others, with_noise(recording[:, 3000:3600]).astype(np.float32)]
    assert pairs(near_copies(signals, 16.0)) == {(0, 5)}


def test_one_trial_is_a_group():
    assert near_copies(noise(1), 16.0).tolist() == [0]


def test_mapped_signals_and_an_array_give_the_same(tmp_path):
    signals = noise(6)
    signals[4, :, 100:] = signals[1, :, :-100]
    signals[5] = -signals[2]
    groups = near_copies(signals, 16.0)
    assert groups.dtype == np.int64
    assert groups.tolist() == [0, 1, 2, 3, 1, 2]
    assert (
        near_copies(write_signals(tmp_path / "signals.npy", list(signals)), 16.0).tolist() == groups.tolist()
    )


@settings(max_examples=20, deadline=None)
@given(
    copies=st.lists(
        st.tuples(st.integers(0, 7), st.integers(0, 500), st.floats(0.01, 100), st.booleans()), max_size=12
    ),
    shuffled=st.randoms(use_true_random=False),
)
def test_whatever_the_order_the_groups_are_those_of_the_recordings(copies, shuffled):
    recordings = noise(8, n_samples=1500)
    signals = [(k, recording[:, :1000]) for k, recording in enumerate(recordings)]
    for k, start, gain, inverted in copies:
        copy = recordings[k, :, start : start + 1000] * gain * (-1 if inverted else 1)
        signals.append((k, copy.astype(np.float32)))
    shuffled.shuffle(signals)
    of = [k for k, _ in signals]
    assert near_copies([signal for _, signal in signals], 16.0).tolist() == [
        list(dict.fromkeys(of)).index(k) for k in of
    ]
