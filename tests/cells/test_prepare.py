"""What an estimator gets of a split: scaled windows, and what the scaler may have seen of the test side."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.cells.prepare import prepare, scaled_windows, shared_windows
from bench.data.windows import Target, Windowing, make_panel
from bench.registry import get
from bench.spec import parse_spec
from bench.splits.divide import divide

UNLABELLED = ("baseline", "first-seconds[20]")
PROTOCOLS = ("loso", "subject-stratified")
SAW = {"baseline": "the seconds before each stimulus", "first-seconds[20]": "each person's first 20 s"}


@pytest.fixture(scope="module")
def toy(toy_plugins):
    """Recordings of four people, ten trials of 17 s each, the first second of which is before the stimulus."""
    return get("dataset", "toy").factory(effect=0.5)


def panel_of(recordings, *, whole=False):
    windowing = Windowing(seconds=2.0, overlap=1.0, whole=whole)
    return make_panel(recordings, Target(name="arousal"), windowing, ["b"])


def split_of(panel, protocol):
    return next(divide(parse_spec(protocol), panel, seed=0))[1]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("scaling", UNLABELLED)
def test_both_sides_are_scaled_as_the_raw_signals_say(toy, scaling, protocol):
    panel = panel_of(toy)
    split = split_of(panel, protocol)
    windows = scaled_windows(panel, split, scaling)

    def as_defined(rows):
        ids = panel.windows.iloc[rows]
        for row, subject, start in zip(ids["row"], ids["subject"], ids["start"], strict=True):
            window = toy.signals[row][1, start : start + 32].astype(float)
            if scaling == "baseline":
                yield window - toy.signals[row][1, :16].astype(float).mean()
            else:
                own = np.flatnonzero(toy.trials["subject"] == subject)[:2]
                first = np.concatenate([toy.signals[one][1] for one in own])[: 20 * 16].astype(float)
                yield (window - first.mean()) / first.std()

    train, test = (np.stack(list(as_defined(rows))) for rows in (split.train, split.test))
    if scaling == "baseline":
        deviation = np.sqrt((train**2).mean())
        train, test = train / deviation, test / deviation
    np.testing.assert_allclose(windows.X_train[:, 0], train, atol=1e-4)
    np.testing.assert_allclose(windows.X_test[:, 0], test, atol=1e-4)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 9),
    gain=st.floats(-50, 50),
    protocol=st.sampled_from(PROTOCOLS),
    scaling=st.sampled_from(UNLABELLED),
)
def test_nothing_of_the_test_side_but_what_is_named_reaches_training(toy, seed, gain, protocol, scaling):
    rng = np.random.default_rng(seed)
    panel = panel_of(toy)
    split = split_of(panel, protocol)
    tested = np.unique(panel.windows["row"].to_numpy()[split.test])
    # All of the test trials but what the scaling is named after: the first second, or the first 20 s of a person.
    signals = [signal.copy() for signal in toy.signals]
    for row in tested:
        trial = toy.trials["trial"].iloc[row]
        kept = 16 if scaling == "baseline" else max(0, 20 - 17 * (trial - 1)) * 16
        signals[row][:, kept:] = gain * rng.standard_cauchy(signals[row][:, kept:].shape)
    trials = toy.trials.copy()
    trials.loc[tested, ["arousal", "valence"]] = rng.uniform(1, 9, (len(tested), 2))
    other = panel_of(replace(toy, signals=signals, trials=trials))
    before, after = (scaled_windows(one, split, scaling) for one in (panel, other))
    assert (before.X_train == after.X_train).all()
    assert before.scaler.fitted() == after.scaler.fitted()
    assert (before.X_test != after.X_test).any()


@pytest.mark.parametrize("scaling", UNLABELLED)
def test_a_test_window_is_scaled_by_its_own_trial_or_person_whoever_is_trained_on(toy, scaling):
    panel = panel_of(toy)
    split = split_of(panel, "loso")
    few = replace(split, train=split.train[:50], scaler_rows=split.scaler_rows[:50])
    first, second = (scaled_windows(panel, one, scaling).X_test for one in (split, few))
    ratio = first / second
    np.testing.assert_allclose(ratio, ratio[0, 0, 0], rtol=1e-4)
    if scaling != "baseline":
        assert (first == second).all()


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("scaling", ["min-max", "rank-normal", "none", *UNLABELLED])
def test_shared_windows_are_the_scaled_ones(toy, tmp_path, scaling, protocol, whole):
    signals = [signal[:, : 200 + 4 * number] for number, signal in enumerate(toy.signals[:20])]
    panel = panel_of(replace(toy, signals=signals, trials=toy.trials[:20]), whole=whole)
    split = split_of(panel, protocol)
    own = scaled_windows(panel, split, scaling)
    for _ in range(2):  # made, and read again
        shared = shared_windows(tmp_path / "windows", panel, split, scaling)
        assert (shared.X_train == own.X_train).all()
        assert (shared.X_test == own.X_test).all()
        assert shared.scaler.fitted() == own.scaler.fitted()


@pytest.mark.parametrize("resampler", ["", "ros"])
@pytest.mark.parametrize("scaling", UNLABELLED)
def test_the_audit_says_what_the_scaler_saw(toy, tmp_path, scaling, resampler):
    panel = panel_of(toy)
    panel = replace(panel, y=np.where(panel.windows["trial"] <= 3, "high", "low"))
    split = split_of(panel, "loso")
    file = tmp_path / "windows"
    for _ in range(2):
        sides = prepare(panel, split, scaling, resampler, windows_file=file)
        assert sides.audit.verdict == f"clean (stimuli shared; scaled by {SAW[scaling]})"
        assert sides.audit.clean
    assert prepare(panel, split, "min-max", resampler).audit.verdict == "clean (stimuli shared)"


@pytest.mark.parametrize("scaling", UNLABELLED)
def test_what_leaks_is_branded_whatever_scales_it(toy, scaling):
    panel = panel_of(toy)
    verdict = prepare(panel, split_of(panel, "random-windows"), scaling).audit.verdict
    assert verdict.startswith("LEAKS trials, samples")


@pytest.mark.parametrize("scaling", UNLABELLED)
def test_resampled_windows_are_made_of_scaled_ones(toy, tmp_path, scaling):
    panel = panel_of(toy)
    panel = replace(panel, y=np.where(panel.windows["trial"] <= 3, "high", "low"))
    split = split_of(panel, "loso")
    sides = prepare(panel, split, scaling, "ros", windows_file=tmp_path / "windows")
    known = {window.tobytes() for window in scaled_windows(panel, split, scaling).X_train}
    made = sides.X_train[len(split.train) :]
    assert len(made)
    assert {window.tobytes() for window in made} <= known


@pytest.mark.parametrize(("protocol", "column"), [("loso", "subject"), ("subject-stratified", "row")])
@pytest.mark.parametrize("resampler", ["", "ros"])
def test_training_holds_out_people_where_the_protocol_does_and_else_trials(toy, protocol, column, resampler):
    panel = panel_of(toy)
    panel = replace(panel, y=np.where(panel.windows["trial"] <= 3, "high", "low"))
    split = split_of(panel, protocol)
    sides = prepare(panel, split, "none", resampler)
    known = dict(zip((window.tobytes() for window in panel.take(split.train)), split.train, strict=True))
    of_window = [panel.windows[column].iloc[known[window.tobytes()]] for window in sides.X_train]
    assert len(of_window) == len(sides.groups)
    pairs = set(zip(of_window, sides.groups.tolist(), strict=True))
    assert len(pairs) == len(set(of_window)) == len(set(sides.groups))
