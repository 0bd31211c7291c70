"""Scaling by the seconds before each stimulus and by each person's first seconds, straight from the raw signals."""

import json

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter, ValidationError

from bench.data.origins import PanelOrigins
from bench.data.scaling import FittedScaling, Scaling, check_scaling, make_scaler, what_it_saw
from bench.data.windows import Target, Windowing, make_panel
from bench.errors import SuiteError
from bench.recordings import Recordings

RATE = 8
NAMES = ("baseline", "first-seconds[6]")


def recordings(*, order=None, ratings=(3.0, 7.0, 5.0, 8.0), lengths=(72, 88, 80, 72), **changes):
    """Three people at levels of their own, four trials each, two seconds of which are before the stimulus."""
    rng = np.random.default_rng(0)
    signals, rows = [], []
    for subject in (4, 7, 9):
        for trial, (rating, length) in enumerate(zip(ratings, lengths, strict=True), start=1):
            level = 1000.0 * subject * np.array([[1], [-5], [0.1]]) + 10 * trial
            signals.append((level + rng.standard_normal((3, length)).cumsum(axis=1)).astype(np.float32))
            rows.append((subject, trial, trial, rating))
    trials = pd.DataFrame(rows, columns=["subject", "trial", "stimulus", "arousal"])
    if order is not None:
        trials["order"] = np.tile(order, 3)
    given = {"name": "noise", "signals": signals, "channels": ("a", "b", "c"), "sampling_rate": float(RATE)}
    return Recordings(**{**given, "trials": trials, "baseline_seconds": 2.0, **changes})


def panel_of(made, **windows):
    target = Target(name="arousal", drop_at_threshold=True)
    return make_panel(made, target, Windowing(**{"seconds": 2.0, "overlap": 1.0, **windows}), ["a", "c"])


def fitted(name, panel, rows):
    return make_scaler(name).fit(panel.take(rows), PanelOrigins(panel, rows))


def scaled(name, panel, train):
    rows = np.arange(len(panel))
    return fitted(name, panel, train).transform(panel.take(rows), PanelOrigins(panel, rows))


@pytest.mark.parametrize("windows", [{}, {"baseline": True}, {"whole": True}], ids=["cut", "all", "whole"])
@pytest.mark.parametrize("form", ["list", "array"])
def test_baseline_takes_the_level_before_the_stimulus_off_and_divides_by_how_far_training_goes(form, windows):
    made = recordings() if form == "list" else recordings(lengths=[80] * 4)
    if form == "array":
        made = recordings(lengths=[80] * 4, signals=np.stack(made.signals))
    panel = panel_of(made, **windows)
    ids = panel.windows
    train = np.flatnonzero(ids["subject"] != 7)
    away = np.full(panel.shape, np.nan)
    for number, (row, start) in enumerate(zip(ids["row"], ids["start"], strict=True)):
        signal = np.asarray(made.signals[row], dtype=float)[[0, 2]]
        part = signal[:, start : start + panel.n_timepoints]
        away[number, :, : part.shape[1]] = part - signal[:, : 2 * RATE].mean(axis=1, keepdims=True)
    deviation = np.sqrt(np.nanmean(away[train] ** 2, axis=(0, 2)))
    X = scaled("baseline", panel, train)
    np.testing.assert_allclose(X, away / deviation[:, None], rtol=1e-4, atol=1e-3)
    assert X.dtype == np.float32


@pytest.mark.parametrize(
    ("order", "session"), [(None, [0, 1, 2, 3]), ([9, 2.5, 1, 4], [2, 1, 3, 0])], ids=["trial", "order"]
)
@pytest.mark.parametrize("seconds", [0.5, 6, 9, 15.5, 39])
def test_first_seconds_are_a_persons_trials_one_after_the_other_in_the_order_of_the_session(
    seconds, order, session
):
    made = recordings(order=order)
    panel = panel_of(made)
    X = scaled(f"first-seconds[{seconds}]", panel, np.arange(3))
    for number, subject in enumerate((4, 7, 9)):  # though windows of two of them are in no training
        trials = [made.signals[4 * number + place][[0, 2]] for place in session]
        first = np.concatenate(trials, axis=1)[:, : round(seconds * RATE)].astype(float)
        assert first.shape[1] == round(seconds * RATE)
        own = np.flatnonzero(panel.windows["subject"] == subject)
        expected = (panel.take(own) - first.mean(axis=1)[:, None]) / first.std(axis=1)[:, None]
        np.testing.assert_allclose(X[own], expected, rtol=1e-3, atol=2e-3)


def test_first_seconds_are_the_same_whichever_trials_have_a_class():
    rated, unrated = recordings(), recordings(ratings=(5.0, 5.0, 3.0, 7.0))
    moments = [
        fitted("first-seconds[15]", panel_of(made), np.arange(2)).fitted() for made in (rated, unrated)
    ]
    assert moments[0] == moments[1]


def test_first_seconds_are_seconds_at_the_rate_of_the_windows():
    panel = panel_of(recordings(), sampling_rate=4)
    (mean, deviation) = PanelOrigins(panel, np.arange(1)).first_moments(5)[4]
    first = panel.recordings.signals[0][[0, 2], :20]
    np.testing.assert_allclose(mean, first.mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(deviation, first.std(axis=1), rtol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_a_fitted_scaler_is_the_same_after_json(name):
    panel, rows = panel_of(recordings()), np.arange(5)
    scaler = fitted(name, panel, rows)
    content = json.loads(json.dumps(scaler.fitted().model_dump(mode="json")))
    again = TypeAdapter(FittedScaling).validate_python(content)
    assert again == scaler.fitted()
    assert again.lengths() == {2}
    every = np.arange(len(panel))
    both = [one.transform(panel.take(every), PanelOrigins(panel, every)) for one in (scaler, again.scaler())]
    assert (both[0] == both[1]).all()


@pytest.mark.parametrize("name", NAMES)
def test_padding_is_ignored_and_kept(name):
    panel = panel_of(recordings(), whole=True)
    X = scaled(name, panel, np.arange(4))
    there = np.arange(panel.n_timepoints) < panel.lengths(np.arange(len(panel)))[:, None, None]
    assert (np.isnan(X) == ~there).all()
    assert np.isnan(X).any()


@pytest.mark.parametrize("name", NAMES)
def test_a_constant_channel_stays_finite(name):
    made = recordings()
    for signal in made.signals:
        signal[0] = 33.1
    X = scaled(name, panel_of(made), np.arange(4))
    assert (X[:, 0] == 0).all()
    assert np.isfinite(X).all()


def test_a_temperature_in_steps_that_rests_before_the_stimulus_is_not_blown_up():
    made = recordings()
    for signal in made.signals:
        signal[2] = 33 + 0.1 * (np.arange(signal.shape[1]) > 3 * RATE)
    assert np.abs(scaled("baseline", panel_of(made), np.arange(4))).max() < 60
    assert np.abs(scaled("baseline", panel_of(made), np.arange(4))[:, 1]).max() < 2


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        (
            "baseline",
            {"baseline_seconds": 0.0},
            'scaling = "baseline": noise has no samples before its stimuli',
        ),
        ("baseline", {"baseline_seconds": 0.05}, r"baseline_seconds is 0\.05"),
        ("first-seconds[6]", {"sampling_rate": 1.0}, r'scaling = "first-seconds\[6\]": noise has no clock'),
        ("first-seconds[0.01]", {}, "noise has no sample in 0.01 s at 8 Hz"),
        ("first-seconds[60]", {}, r"noise has 39 s of subject 4 in all"),
    ],
)
def test_what_the_recordings_cannot_give_is_refused_before_a_window_is_scaled(name, changes, message):
    panel = panel_of(recordings(**changes))
    with pytest.raises(SuiteError, match=message):
        check_scaling(name, panel)
    with pytest.raises(SuiteError, match=message):
        scaled(name, panel, np.arange(4))


def test_people_who_are_not_known_have_no_first_seconds():
    made = recordings()
    made.trials["subject"], made.trials["trial"] = 0, np.arange(12)
    with pytest.raises(SuiteError, match="noise does not say who is who"):
        check_scaling("first-seconds[6]", panel_of(made))
    check_scaling("baseline", panel_of(made))


@pytest.mark.parametrize("name", [*NAMES, "first-seconds[0.5]", "min-max", "none"])
def test_what_the_recordings_can_give_is_not_refused(name):
    check_scaling(name, panel_of(recordings()))
    assert TypeAdapter(Scaling).validate_python(name) == name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("first-seconds", "a positive number of seconds, such as first-seconds"),
        ("first-seconds[]", "a positive number of seconds"),
        ("first-seconds[0]", "a positive number of seconds"),
        ("first-seconds[0.0]", "a positive number of seconds"),
        ("first-seconds[-6]", "a positive number of seconds"),
        ("first-seconds[x]", "a positive number of seconds"),
        ("first-seconds[nan]", "a positive number of seconds"),
        (f"first-seconds[{'9' * 400}]", "a positive number of seconds"),
        ("frist-seconds[60]", "'rank-normal', 'baseline', 'none' or 'first-seconds"),
        ("minmax", "should be 'min-max'"),
        (60, "a valid string"),
    ],
)
def test_what_is_no_scaling_is_refused(name, message):
    with pytest.raises(ValidationError, match=message):
        TypeAdapter(Scaling).validate_python(name)


def test_what_is_seen_of_people_who_are_tested_is_said():
    assert what_it_saw("baseline") == "the seconds before each stimulus"
    assert what_it_saw("first-seconds[60]") == "each person's first 60 s"
    assert what_it_saw("first-seconds[2.5]") == "each person's first 2.5 s"
    assert {what_it_saw(name) for name in ("min-max", "subject-z-score", "rank-normal", "none")} == {""}
