"""Signals at a lower sampling rate: what is kept, what is filtered out, and where windows and results know it."""

import json
from fractions import Fraction
from math import ceil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.data.sampling_rate import RateReducer, at_rate
from bench.data.windows import Target, Windowing, make_panel
from bench.errors import SuiteError
from bench.recordings import Recordings
from bench.running.runner import execute, job_of
from bench.running.shared import shared
from bench.study.panels import suite_panel
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite
from bench.study.why import explain


def recordings_of(*signals, rate=64.0, channels=None, baseline=0.0, as_array=False):
    signals = [np.atleast_2d(signal).astype(np.float32) for signal in signals]
    n = len(signals)
    trials = pd.DataFrame(
        {"subject": 1, "trial": np.arange(n), "stimulus": np.arange(n), "arousal": np.resize([2.0, 8.0], n)}
    )
    channels = channels or [f"c{k}" for k in range(len(signals[0]))]
    return Recordings("made", np.stack(signals) if as_array else signals, channels, rate, trials, baseline)


def wave(hertz, rate, seconds=20.0):
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate + 0.3)


RATES = [(64.0, 16.0), (128.0, 48.0), (64.0, 33.7), (100.0, 99.0)]


# As shares of the fastest wave that the rate can show, where the recording shows it at all.
WAVES = [
    (*rates, share)
    for rates in RATES
    for share in (0.02, 0.5, 0.83, 1.17, 1.9)
    if share * rates[1] < rates[0]
]


@pytest.mark.parametrize(("recorded", "rate", "share"), WAVES)
def test_waves_that_the_rate_can_show_stay_as_they_are_and_faster_ones_vanish(recorded, rate, share):
    hertz, kept = share * rate / 2, share < 1
    (found,) = at_rate(recordings_of(wave(hertz, recorded), rate=recorded), rate).signals[0]
    inside = slice(10, -10)  # at the ends the filter has half its surroundings
    expected = kept * wave(hertz, rate)[: len(found)]
    np.testing.assert_allclose(found[inside], expected[inside], atol=0.004)


@pytest.mark.parametrize(("recorded", "rate"), RATES)
@pytest.mark.parametrize("level", [33.0, -1e6])
def test_a_level_stays_as_it_is_up_to_both_ends(recorded, rate, level):
    (found,) = at_rate(recordings_of(np.full(700, level), rate=recorded), rate).signals[0]
    np.testing.assert_allclose(found, level, rtol=1e-7)


@given(st.integers(1, 500), st.integers(1, 40), st.integers(2, 40))
def test_a_trial_lasts_as_long_as_before(n_samples, up, down):
    ratio = min(Fraction(up, down), 1 / Fraction(up, down))
    made = at_rate(recordings_of(np.zeros((2, n_samples)), rate=80.0), float(80 * ratio))
    assert made.signals[0].shape == (2, ceil(n_samples * ratio))
    assert made.signals[0].dtype == np.float32


def test_each_trial_is_resampled_by_itself_and_arrays_stay_arrays():
    noise = np.random.default_rng(0).standard_normal((3, 4, 8064))
    together = at_rate(recordings_of(*noise, rate=128.0, as_array=True), 32)
    assert isinstance(together.signals, np.ndarray)
    assert together.signals.shape == (3, 4, 2016)
    assert (together.sampling_rate, together.recorded_rate) == (32.0, 128.0)
    alone = at_rate(recordings_of(noise[1], rate=128.0), 32)
    assert (alone.signals[0] == together.signals[1]).all()


def test_the_rate_of_the_recordings_changes_nothing_at_all():
    made = recordings_of(wave(3, 64))
    assert at_rate(made, None) is made
    assert at_rate(made, 64) is made


@pytest.mark.parametrize(
    ("recorded", "rate", "message"),
    [
        (64.0, 128, "[windows] sampling_rate = 128: made has 64 samples a second, and more cannot be made"),
        (1.0, 32, "[windows] sampling_rate = 32: made has 1 samples a second"),
        (
            64.0,
            20.3718,
            "sampling_rate = 20.3718: is to the 64 samples a second of made in no ratio of whole",
        ),
        (64.0, 0.001, "sampling_rate = 0.001: is to the 64 samples a second of made in no ratio of whole"),
    ],
)
def test_a_rate_that_cannot_be_had_is_one_plain_message(recorded, rate, message):
    made = recordings_of(np.zeros(700), np.zeros(700), rate=recorded)
    with pytest.raises(SuiteError) as caught:
        make_panel(made, Target(name="arousal"), Windowing(sampling_rate=rate))
    assert message in str(caught.value)
    if "; " in str(caught.value):
        near = float(str(caught.value).partition("; ")[2].partition(" ")[0])
        assert near == pytest.approx(rate, rel=1e-3)
        assert at_rate(made, near).sampling_rate == near


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf"])
def test_a_rate_that_is_none_is_refused_with_its_key(toy_suite, value):
    toy_suite.write_text(
        toy_suite.read_text().replace("overlap = 1", f"overlap = 1\nsampling_rate = {value}")
    )
    with pytest.raises(SuiteError, match=r"key 'windows\.sampling_rate'"):
        read_suite(str(toy_suite))


def test_windows_are_cut_from_the_resampled_trial_after_its_baseline():
    noise = np.random.default_rng(0).standard_normal((2, 1, 64 * 20))
    made = recordings_of(*noise, baseline=3.0)
    panel = make_panel(made, Target(name="arousal"), Windowing(sampling_rate=16))
    full = make_panel(made, Target(name="arousal"), Windowing())
    assert panel.shape == (len(full), 1, 80)
    assert (panel.windows.start * 4).tolist() == full.windows.start.tolist()
    lowered = at_rate(made, 16).signals
    for x, ids in zip(panel.X, panel.windows.itertuples(), strict=True):
        assert (x == lowered[ids.row][:, ids.start : ids.start + 80]).all()


def test_heart_rate_variability_is_computed_before(toy_suite):
    pytest.importorskip("neurokit2")
    beats = np.cumsum([500, *[800, 900] * 17]) / 1000
    since = np.arange(30 * 128)[:, None] / 128 - beats
    pulse = np.exp(-((since / 0.1) ** 2)).sum(axis=1)
    suite = read_suite(str(toy_suite))
    windows = suite.windows.model_copy(update={"sampling_rate": 4.0})
    suite = suite.model_copy(update={"derived": ["hrv"], "windows": windows})
    panel = suite_panel(suite, recordings_of(pulse, pulse, rate=128.0, channels=["PPG"]), print)
    assert panel.channels == ("PPG", "HRV (ms)")
    # At 4 Hz, beats would be 250 ms apart or 500.
    np.testing.assert_allclose(panel.X[:, 1], 100, atol=20)


@settings(max_examples=50)
@given(
    st.integers(1, 200), st.integers(1, 3), st.fractions(Fraction(1, 40), 1, max_denominator=40), st.integers()
)  # fmt: skip
def test_samples_as_they_come_give_what_the_whole_trial_gives(n_samples, n_channels, ratio, seed):
    if ratio == 1:
        ratio = Fraction(1, 3)
    recorded, rate = 50.0, float(50 * ratio)
    signal = np.random.default_rng(abs(seed)).standard_normal((n_channels, n_samples)) + 33
    made = recordings_of(signal, rate=recorded)
    reducer = RateReducer(n_channels, rate, recorded)
    found = []
    for k, sample in enumerate(made.signals[0].T):
        new = reducer.push(sample)
        # Given by the sample that comes `delay` after its own time, or is the last before that.
        due = int((Fraction(len(found)) / ratio) + Fraction(10) / ratio)
        assert (new is not None) == (k == due)
        found += [] if new is None else [new]
    found += reducer.rest()
    assert reducer.delay == pytest.approx(10 / rate)
    np.testing.assert_allclose(np.transpose(found), at_rate(made, rate).signals[0], rtol=2e-7)


@pytest.fixture
def plan(toy_suite, tmp_path):
    """Plan the toy suite, with some more keys of its windows."""
    text = toy_suite.read_text()

    def make(keys="", rows="", **changes):
        toy_suite.write_text(text.replace("overlap = 1", f"overlap = 1\n{keys}\n") + rows)
        study = read_suite(str(toy_suite))
        return make_plan(study, "smoke", changes, results=tmp_path / "results", ablations=bool(rows))

    return make


def test_a_suite_without_the_key_keeps_the_cells_that_were_stored_before_there_was_one(plan):
    first = plan()
    windows = first.tasks[0].identity["setting"]["windows"]
    assert list(windows) == ["seconds", "overlap", "baseline", "per_trial", "whole"]
    list(execute(first))
    assert plan().waiting == []
    assert plan("sampling_rate = 16").waiting == []
    assert len(plan("sampling_rate = 8").waiting) == len(first.tasks)


def test_why_says_in_words_that_the_signals_are_resampled(plan, toy_suite):
    first = plan("sampling_rate = 8", estimators=["nearest-mean"], protocols=["subject-stratified"])
    ((_, stored),) = execute(first)
    assert explain(stored.folder, str(toy_suite)) == []
    plan("sampling_rate = 4")
    reasons = explain(stored.folder, str(toy_suite))
    line = "setting windows sampling_rate: the signals were resampled to 8 Hz, now they are resampled to 4 Hz"
    assert line in reasons
    plan()
    reasons = explain(stored.folder, str(toy_suite))
    assert line.replace("resampled to 4 Hz", "left as they were recorded") in reasons


def test_a_result_says_what_was_resampled(plan, capsys):
    from rich.console import Console

    from bench.cli.plan_table import print_plan
    from bench.running.cost import Costs

    todo = plan("sampling_rate = 8", estimators=["nearest-mean"], protocols=["subject-stratified"])
    print_plan(todo, Costs(), Console(width=120))
    assert "classes low, high, resampled from 16 to 8 Hz\n" in capsys.readouterr().out
    ((_, stored),) = execute(todo)
    about = json.loads((stored.folder / "result.json").read_text())["suite"]
    assert (about["sampling_rate"], about["recorded_rate"]) == (8.0, 16.0)
    assert todo.tasks[0].identity["setting"]["windows"]["sampling_rate"] == 8.0


def test_the_audit_finds_the_windows_that_overlap_in_time(plan):
    held_out, divided = plan("sampling_rate = 6", estimators=["majority"]).tasks
    assert held_out.split.audit.verdict == "clean (subjects, stimuli shared)"
    assert divided.split.audit.verdict == "LEAKS trials, samples"
    windows, split = divided.panel.windows, divided.split
    seconds = windows.assign(seconds=windows.start / 6)
    pairs = seconds.iloc[split.test].reset_index().merge(seconds.iloc[split.train], on=["subject", "trial"])
    overlapping = pairs["index"][(pairs.seconds_x - pairs.seconds_y).abs() < 2].nunique()
    assert divided.split.audit.shared_samples == pytest.approx(overlapping / len(split.test))
    assert 0.5 < divided.split.audit.shared_samples < 1


def test_ablations_of_one_rate_share_their_signals(plan, tmp_path):
    todo = plan(
        rows='[ablations]\nestimator = "nearest-mean"\n[ablations.rows]\n'
        '"8 Hz" = { windows = { sampling_rate = 8 } }\n'
        '"8 Hz, short" = { windows = { sampling_rate = 8, seconds = 1, overlap = 0 } }\n'
        '"16 Hz" = { windows = { sampling_rate = 16 } }\n'
        '"32 Hz" = { windows = { sampling_rate = 32 } }\n'
    )
    assert [task.cell.ablation for task in todo.tasks] == ["", "8 Hz", "8 Hz, short"]
    reference, lowered, short = (job.panel for job in shared([job_of(t, todo) for t in todo.tasks], tmp_path))
    assert (reference.n_timepoints, lowered.n_timepoints, short.n_timepoints) == (32, 16, 8)
    assert lowered.recordings.signals.file == short.recordings.signals.file
    assert reference.recordings.signals.file != lowered.recordings.signals.file
    names = {row["name"]: row for row in todo.ablations}
    assert names["16 Hz"]["ablation"] == ""
    assert "toy has 16 samples a second" in names["32 Hz"]["left_out"]
    assert all(stored.ok for _, stored in execute(todo))
