"""Features named for what they are hold against neurokit2, and no window or channel is lost on the way."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.estimators.physio_features import features as module
from bench.estimators.physio_features import physio_features
from bench.estimators.physio_features.channels import is_resistance, kind_of
from bench.estimators.physio_features.features import PhysioFeatures, features_of
from bench.estimators.physio_features.pulse import find_beats
from bench.estimators.physio_features.skin_conductance import smallest_response

DEAP = ("GSR (Ohm)", "respiration (a.u.)", "PPG (a.u.)", "temperature (a.u.)")
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch):
    """A hundred predictions of one window each, as `check` makes them, take a minute with 500 trees."""
    monkeypatch.setattr("bench.estimators.physio_features._TREES", 50)


@pytest.fixture(scope="module")
def nk():
    return pytest.importorskip("neurokit2")


def cut(signal: np.ndarray, seconds: float, rate: float) -> np.ndarray:
    width = round(seconds * rate)
    return np.stack([signal[k : k + width] for k in range(0, len(signal) - width + 1, width)]).astype(float)


def windows(n: int = 120, seconds: float = 5, rate: float = 16) -> np.ndarray:
    """Wandering windows of four channels, read-only."""
    X = RNG.normal(size=(n, 4, round(seconds * rate))).cumsum(axis=2).astype(np.float32)
    X.flags.writeable = False
    return X


@pytest.mark.parametrize(
    ("kind", "names"),
    {
        "skin conductance": ["EDA (uS)", "GSR (Ohm)", "wrist_eda", "skin conductance", "SCL", "skin"],
        "pulse": ["BVP", "PPG (a.u.)", "finger plethysmograph", "Photoplethysmogram", "blood volume pulse"],
        "respiration": ["respiration (a.u.)", "RSP", "Resp", "respiratory inductance plethysmograph"],
        "temperature": ["temperature (deg C)", "SKT", "skin temperature", "wrist_temp"],
        "": ["HRV (ms)", "heart rate (bpm)", "EEG temporal", "ECG", "a", "x1", "Scale", "press"],
    }.items(),
)
def test_channels_are_known_by_words_of_their_names(kind, names):
    assert {name: kind_of(name) for name in names} == dict.fromkeys(names, kind)


@pytest.mark.parametrize("rate", [16, 64, 128])
@pytest.mark.parametrize("bpm", [50, 72, 110])
def test_heart_rate_and_variability_are_those_of_neurokit2(nk, rate, bpm):
    signal = nk.ppg_simulate(duration=60, sampling_rate=128, heart_rate=bpm, random_state=1)
    peaks = nk.ppg_findpeaks(nk.ppg_clean(signal, sampling_rate=128), sampling_rate=128)["PPG_Peaks"]
    theirs = nk.hrv_time(peaks, sampling_rate=128)
    at_rate = signal[:: 128 // rate]
    found = features_of("PPG", cut(at_rate, 60, rate), rate, 0)
    assert found["heart rate (bpm)"] == pytest.approx(60_000 / theirs["HRV_MeanNN"].item(), abs=0.5)
    assert found["SDNN (ms)"] == pytest.approx(theirs["HRV_SDNN"].item(), rel=0.1)
    # A sample lasts 62 ms at 16 Hz, and the simulated beats come a sample early or late.
    assert found["RMSSD (ms)"] == pytest.approx(theirs["HRV_RMSSD"].item(), rel=0.1 if rate > 16 else 0.3)
    short = features_of("PPG", cut(at_rate, 5, rate), rate, 0)["heart rate (bpm)"]
    assert short.mean() == pytest.approx(bpm, rel=0.02)


def test_beats_are_found_where_they_are_between_samples():
    rate, beats = 16.0, np.arange(0.53, 29.5, 0.81)
    time = np.arange(30 * 16) / rate
    wave = np.exp(-((time[:, None] - beats) ** 2) / (2 * 0.1**2)).sum(axis=1)
    found = find_beats(np.stack([wave, -wave, np.full_like(wave, 7.0)]), rate)
    assert set(found.window) == {0, 1}  # nothing is found in a constant
    own = found.time[found.window == 0]
    nearest = np.abs(own[:, None] - beats).min(axis=1)
    assert len(own) == len(beats)
    assert nearest.max() < 0.02


def test_missed_beats_make_no_intervals():
    rate, beats = 64.0, np.arange(0.5, 59.5, 0.8)
    time = np.arange(60 * 64) / rate
    wave = np.exp(-((time[:, None] - np.delete(beats, [20, 40])) ** 2) / (2 * 0.1**2)).sum(axis=1)
    found = features_of("BVP", wave[None], rate, 0)
    assert found["heart rate (bpm)"] == pytest.approx(75, abs=0.2)
    assert found["RMSSD (ms)"] < 15
    assert found["pNN20"] < 0.1


def test_power_of_the_heart_rate_is_in_the_band_of_the_breath():
    rate, beats = 64.0, [0.5]
    while beats[-1] < 119:  # intervals that follow a breath of 0.25 Hz
        beats.append(beats[-1] + 0.8 + 0.05 * np.sin(2 * np.pi * 0.25 * beats[-1]))
    time = np.arange(120 * 64) / rate
    wave = np.exp(-((time[:, None] - np.array(beats)) ** 2) / (2 * 0.1**2)).sum(axis=1)
    found = features_of("BVP", wave[None], rate, 0)
    assert found["HF power (ms2)"] == pytest.approx(50**2 / 2, rel=0.25)
    assert found["LF/HF"] < 0.05


@pytest.mark.parametrize("rate", [16, 128])
@pytest.mark.parametrize("per_minute", [9, 15, 24])
def test_the_rate_of_breathing_is_that_of_neurokit2(nk, rate, per_minute):
    signal = nk.rsp_simulate(duration=60, sampling_rate=rate, respiratory_rate=per_minute, random_state=1)
    table, _ = nk.rsp_process(signal, sampling_rate=rate)
    found = features_of("respiration", cut(signal, 60, rate), rate, 0)
    assert found["rate (1/min)"] == pytest.approx(table["RSP_Rate"].mean(), abs=1.0)
    assert found["rate (1/min)"] == pytest.approx(per_minute, abs=1.0)


def test_even_breaths_are_more_regular_than_noise_and_as_deep_as_they_are():
    time = np.arange(60 * 16) / 16
    even = 3 * np.sin(2 * np.pi * 0.25 * time)
    found = features_of("respiration", np.stack([even, RNG.normal(size=len(time)).cumsum()]), 16, 0)
    assert found["depth"][0] == pytest.approx(6, rel=0.02)
    assert found["mean frequency (Hz)"][0] == pytest.approx(0.25, rel=0.05)
    assert found["regularity"][0] > 0.95 > 0.8 > found["regularity"][1]


@pytest.mark.parametrize("n_responses", [1, 3, 6])
def test_level_and_responses_of_the_skin_are_those_of_neurokit2(nk, n_responses):
    signal = nk.eda_simulate(
        duration=60, sampling_rate=64, scr_number=n_responses, noise=0.001, random_state=2
    )
    parts = nk.eda_phasic(nk.eda_clean(signal, sampling_rate=64), sampling_rate=64, method="highpass")
    x = signal[None]
    found = features_of("EDA", x, 64, smallest_response(x, 64))
    assert found["responses"] == n_responses
    assert found["tonic level"] == pytest.approx(parts["EDA_Tonic"].mean(), rel=0.02)
    # The filters differ in how they prolong the ends.
    assert found["phasic power"] == pytest.approx((parts["EDA_Phasic"] ** 2).mean(), rel=0.4)


def test_responses_are_as_high_as_they_rise_from_trough_to_peak():
    time = np.arange(20 * 16) / 16
    rises = sum(height * np.exp(-((time - at) ** 2) / 2) for height, at in ((0.5, 5), (0.02, 10), (0.3, 15)))
    slope = 0.01 * time
    found = features_of("EDA", (2 + rises - slope)[None], 16, 0.05)
    assert found["responses"] == 2
    assert found["responses total"] == pytest.approx(0.5 + 0.3, abs=0.1)
    assert found["response amplitude"] * 2 == pytest.approx(found["responses total"])
    none = features_of("EDA", (2 - slope)[None], 16, 0.05)
    assert (none["responses"], none["response amplitude"], none["responses total"]) == (0, 0, 0)
    assert features_of("EDA", (2 - slope[:80])[None], 16, 0.05)["tonic slope"] == pytest.approx(
        -0.01, rel=1e-3
    )


def test_a_fall_of_resistance_is_a_response():
    assert is_resistance("GSR (Ohm)")
    assert not is_resistance("EDA (uS)")
    time = np.arange(20 * 16) / 16
    rise = (5 + np.exp(-((time - 10) ** 2) / 2)).astype(np.float32)
    of_conductance = PhysioFeatures(("EDA (uS)",), 16).fit(rise[None, None])
    of_resistance = PhysioFeatures(("GSR (Ohm)",), 16).fit(-rise[None, None])
    np.testing.assert_array_equal(
        of_resistance.transform(-rise[None, None]), of_conductance.transform(rise[None, None])
    )
    place = of_conductance.feature_names_.index("EDA (uS): responses")
    assert of_conductance.transform(rise[None, None])[0, place] == 1


def test_temperature_has_level_slope_and_deviation_about_it():
    time = np.arange(5 * 16) / 16
    found = features_of("temperature (deg C)", (32 + 0.02 * time)[None], 16, 0)
    assert {name: values.item() for name, values in found.items()} == pytest.approx(
        {"level": 32 + 0.02 * time.mean(), "slope": 0.02, "deviation": 0}, abs=1e-9
    )


def test_a_channel_of_no_known_kind_or_too_short_gives_moments():
    four = ["mean", "deviation", "slope", "range"]
    assert list(features_of("ECG", np.ones((2, 80)), 16, 0)) == four
    assert list(features_of("BVP", np.ones((2, 32)), 16, 0)) == four  # 2 s
    assert list(features_of("BVP", np.ones((2, 80)), 4, 0)) == four  # four samples a second
    assert list(features_of("respiration", np.ones((2, 32)), 16, 0)) == four
    for seconds in (0.0625, 1, 5, 12, 61):
        names = PhysioFeatures(DEAP, 16).fit(windows(8, seconds)).feature_names_
        assert len(set(names)) == len(names)
        assert {name.split(": ")[0] for name in names} == set(DEAP)


def test_windows_that_cannot_tell_of_a_pulse_say_so(recwarn):
    PhysioFeatures(DEAP, 16).fit(windows(seconds=20))
    assert not recwarn.list
    with pytest.warns(
        UserWarning, match=r"PPG \(a.u.\): windows of 20 s at 8 Hz do not tell of pulse: mean"
    ) as said:
        PhysioFeatures(DEAP, 8).fit(windows(seconds=20, rate=8))
    assert len(said) == 1


def test_longer_windows_have_more_features():
    columns = [
        set(PhysioFeatures(DEAP, 16).fit(windows(4, seconds)).feature_names_)
        for seconds in (5, 12, 25, 61, 121)
    ]
    assert all(shorter < longer for shorter, longer in pairwise(columns))
    assert "PPG (a.u.): RMSSD (ms)" in columns[0]
    assert columns[-1] - columns[-2] == {"PPG (a.u.): LF power (ms2)", "PPG (a.u.): LF/HF"}


@settings(max_examples=40, deadline=None)
@given(
    X=arrays(np.float32, st.tuples(st.integers(1, 4), st.just(4), st.just(80)), elements=st.floats(-1e6, 1e6, width=32)),
    rate=st.sampled_from([1.0, 4.0, 16.0, 20.0]),
)  # fmt: skip
def test_features_are_finite_whatever_the_windows_hold(X, rate):
    features = PhysioFeatures(DEAP, rate).fit(windows(6, 80 / rate, rate))
    found = features.transform(X)
    assert found.shape == (len(X), len(features.feature_names_))
    assert np.isfinite(found).all()
    assert np.isfinite(PhysioFeatures(DEAP, rate).fit(X).transform(X)).all()


def test_a_window_without_beats_has_the_median_of_training():
    X = windows()
    features = PhysioFeatures(DEAP, 16).fit(X)
    flat = np.zeros((1, 4, 80), np.float32)
    place = features.feature_names_.index("PPG (a.u.): heart rate (bpm)")
    own = features_of("PPG", X[:, 2].astype(float), 16, 0)["heart rate (bpm)"]
    assert features.transform(flat)[0, place] == pytest.approx(np.nanmedian(own))


def test_a_window_has_the_same_features_alone_and_in_any_company():
    X = windows(2 * 1000 + 3)
    features = PhysioFeatures(DEAP, 16).fit(X[:300])
    together = features.transform(X)
    for k in (0, 999, 1000, 2002):
        np.testing.assert_allclose(features.transform(X[k : k + 1])[0], together[k], rtol=1e-9, atol=1e-12)


def test_features_of_the_same_windows_are_made_once(monkeypatch):
    made = []
    monkeypatch.setattr(
        module, "_made", lambda X, *others, real=module._made: made.append(len(X)) or real(X, *others)
    )
    X, y = windows(150), np.array(["low", "high"] * 75)
    for classifier in ("logistic", "svm", "forest"):
        estimator = physio_features(
            classifier=classifier, channels=DEAP, sampling_rate=16.0, random_state=0, n_jobs=1
        ).fit(X, y)
        estimator.predict_proba(X)
    assert made == [150]
    PhysioFeatures(DEAP, 32.0).fit(X)
    PhysioFeatures(DEAP, 16.0).fit(X + 1)
    assert made == [150] * 3
    for step in range(10):
        PhysioFeatures(DEAP, 16.0).fit(X + step)
    assert len(module._tables) <= 4


def learnable(n: int, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Windows whose heart rate and temperature tell the class."""
    labels = np.arange(n) % n_classes
    time = np.arange(10 * 16) / 16
    X = RNG.normal(size=(n, 4, len(time))) * 0.1
    X[:, 2] += np.sin(2 * np.pi * (1.0 + 0.4 * (labels % 2))[:, None] * time + RNG.uniform(0, 6, (n, 1)))
    X[:, 3] += 30 + (labels // 2)[:, None]
    return X.astype(np.float32), np.array([f"class {label}" for label in labels])


@pytest.mark.parametrize("classifier", ["logistic", "svm", "forest"])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_every_classifier_learns_heart_rate_and_temperature(classifier, n_classes):
    X, y = learnable(160, n_classes)
    estimator = physio_features(
        classifier=classifier, channels=DEAP, sampling_rate=16.0, random_state=0, n_jobs=1
    ).fit(X[:80], y[:80])
    predicted, probabilities = estimator.predict(X[80:]), estimator.predict_proba(X[80:])
    assert (predicted == y[80:]).mean() > 0.9
    assert estimator.classes_.tolist() == sorted(set(y))
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(80))
    np.testing.assert_array_equal(predicted, estimator.classes_[probabilities.argmax(axis=1)])
    assert "PPG (a.u.): heart rate (bpm)" in estimator.feature_names_


@pytest.mark.parametrize("classifier", ["logistic", "svm", "forest"])
def test_classes_and_windows_can_weigh_more(classifier):
    X, y = windows(200), np.array(["low"] * 180 + ["high"] * 20)
    fresh = windows(100)

    def share_of_high(class_weight=None, sample_weight=None):
        estimator = physio_features(
            classifier=classifier,
            class_weight=class_weight,
            channels=DEAP,
            sampling_rate=16.0,
            random_state=0,
            n_jobs=1,
        ).fit(X, y, sample_weight)
        return estimator.predict_proba(fresh)[:, 0].mean()

    weights = np.where(y == "high", 9.0, 1.0)
    balanced = share_of_high("balanced")
    assert balanced == pytest.approx(share_of_high(None, weights), abs=0.05)
    if classifier != "forest":  # whose leaves are pure, whatever the weights
        assert balanced > share_of_high() + 0.05


def test_what_is_not_there_is_refused():
    with pytest.raises(ValueError, match="classifier is logistic, svm or forest, not 'tree'"):
        physio_features(classifier="tree", channels=DEAP, sampling_rate=16.0, random_state=0, n_jobs=1)
    with pytest.raises(ValueError, match=r"expected \(n_windows, 2, 80\) for the channels BVP, EDA"):
        PhysioFeatures(("BVP", "EDA"), 16.0).fit(windows(3))
    with pytest.raises(ValueError, match=r"expected \(n_windows, 4, 80\)"):
        PhysioFeatures(DEAP, 16.0).fit(windows(3)).transform(windows(3, seconds=6))


@pytest.mark.parametrize("classifier", ["logistic", "svm", "forest"])
def test_it_keeps_the_interface(classifier):
    from bench.spec import parse_spec
    from bench.study.check import check_estimator

    faults = [
        found
        for found in check_estimator(parse_spec(f"physio-features[classifier={classifier}]"))
        if found.fault
    ]
    assert faults == []


def test_the_harness_tells_an_estimator_the_names_of_its_channels_and_their_rate(toy_suite, tmp_path):
    from bench.cells.cell import run_cell
    from bench.cells.making import make_estimator
    from bench.errors import SuiteError
    from bench.registry import get
    from bench.spec import Choice
    from bench.study.plan import make_plan
    from bench.study.suite_files import read_suite

    def plan(spec):
        changes = {"estimators": [spec], "protocols": ["subject-stratified"]}
        return make_plan(read_suite(str(toy_suite)), "smoke", changes, results=tmp_path)

    (task,) = plan("physio-features").tasks
    outcome = run_cell(task.cell, task.panel, task.split, keep_fitted=True)
    assert outcome.status == "ok", outcome.reason
    told = outcome.fitted.estimator
    assert (told.channels, told.sampling_rate) == (("a", "b"), 16.0)
    assert dict(task.cell.parameters) == {"classifier": "logistic", "class_weight": None}
    for name in ("channels", "sampling_rate"):
        with pytest.raises(SuiteError, match=f"has no parameter '{name}'"):
            plan(f"physio-features[{name}=3]")
    X, y = learnable(60, 2)
    open_one = {"classifier": Choice(("logistic", "svm"))}
    chosen = make_estimator(
        get("estimator", "physio-features"), open_one, 0, channels=DEAP, sampling_rate=16.0
    )
    assert chosen.fit(X, y).feature_names_[0] == "GSR (Ohm): tonic level"
