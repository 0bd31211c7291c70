"""The HRV channel: beats with known intervals, what is kept, and what is refused."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.data.hrv import HRV, add_hrv
from bench.errors import DataError, PluginError
from bench.recordings import Recordings

RATE = 128
STEP = 1000 / RATE  # ms
CHANNELS = ("GSR (Ohm)", "PPG (a.u.)", "temperature (a.u.)")
needs_neurokit = pytest.mark.usefixtures("_neurokit")


@pytest.fixture(scope="module")
def _neurokit() -> None:
    pytest.importorskip("neurokit2")


def pulse_wave(beats: np.ndarray, seconds: float) -> np.ndarray:
    """Return a wave with its peaks at `beats` (s), and a lower second hill after each of them."""
    since = np.arange(round(seconds * RATE))[:, None] / RATE - beats
    return (np.exp(-((since / 0.1) ** 2)) + 0.3 * np.exp(-(((since - 0.3) / 0.1) ** 2))).sum(axis=1)


def beats_of(*intervals: float) -> np.ndarray:
    """Return the times (s) of beats, from 0.5 s on, `intervals` (ms) apart."""
    return np.cumsum([500, *intervals]) / 1000


def trial(pulse: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return a trial whose second channel is `pulse`, shape (3, n_samples), float32."""
    signal = np.random.default_rng(seed).standard_normal((3, len(pulse))).astype(np.float32)
    signal[1] = pulse
    return signal


def recordings_of(*signals: np.ndarray, channels=CHANNELS, as_list=False, rate: float = RATE) -> Recordings:
    ids = np.arange(len(signals))
    return Recordings(
        name="made",
        signals=list(signals) if as_list else np.stack(signals),
        channels=channels,
        sampling_rate=rate,
        trials=pd.DataFrame({"subject": ids // 2 + 1, "trial": ids, "stimulus": ids, "arousal": ids / 2}),
        baseline_seconds=3.0,
        simulated=True,
        credit="Made up.",
    )


def hrv_of(pulse: np.ndarray) -> np.ndarray:
    return add_hrv(recordings_of(trial(pulse))).signals[0][-1]


ALTERNATING = pulse_wave(beats_of(*[800, 900] * 17), 30)
EVEN = pulse_wave(beats_of(*[850] * 34), 30)


@needs_neurokit
def test_the_difference_of_alternating_intervals_is_found() -> None:
    # Each of the three beats of a difference is rounded to a sample, the middle one counts twice.
    np.testing.assert_allclose(hrv_of(ALTERNATING), 100, atol=2 * STEP)


@needs_neurokit
def test_an_even_pulse_has_none() -> None:
    assert hrv_of(EVEN).max() <= 2 * STEP
    whole = round(0.75 * RATE) * STEP  # an interval of whole samples
    # At the ends the filter has half its surroundings, and moves a beat by a sample.
    values = hrv_of(pulse_wave(beats_of(*[whole] * 38), 30))
    assert values.max() <= STEP
    assert np.median(values) == 0


@needs_neurokit
def test_a_difference_is_held_from_the_beat_that_shows_it_to_the_next() -> None:
    beats = beats_of(*[800] * 15, *[900] * 15)
    changed = hrv_of(pulse_wave(beats, 27)) > 50
    start, end = np.flatnonzero(np.diff(changed.astype(int)))
    # Interval 15, the first long one, ends with beat 16.
    assert start / RATE == pytest.approx(beats[16], abs=0.03)
    assert end / RATE == pytest.approx(beats[17], abs=0.03)


@needs_neurokit
def test_the_nearest_difference_is_held_at_both_ends() -> None:
    values = hrv_of(pulse_wave(beats_of(700, 1000, *[1000] * 20, 700), 25))
    third, last = 2.2, 22.9  # s: beats that end the first and the last pair of unequal intervals
    assert (values[: int((third + 0.9) * RATE)] == values[0]).all()
    # The published band blurs what differs from beat to beat: a lone beat moves by a sample or two.
    assert values[0] == pytest.approx(300, abs=3 * STEP)
    assert (values[int((third + 1.1) * RATE) : int((last - 1.1) * RATE)] <= 2 * STEP).all()
    assert (values[int((last + 0.1) * RATE) :] == values[-1]).all()
    assert values[-1] == pytest.approx(300, abs=2 * STEP)


@needs_neurokit
@pytest.mark.parametrize(
    "pulse",
    [
        np.zeros(1000),
        np.linspace(0, 1, 1000),
        np.linspace(1, 0, 200),
        pulse_wave(beats_of(800), 4),
        ALTERNATING[: RATE // 2],
        ALTERNATING[:1],
    ],
    ids=["zero", "rising", "falling, no wave", "two beats", "half a second", "one sample"],
)
def test_fewer_than_three_beats_give_zeros(pulse: np.ndarray) -> None:
    values = hrv_of(pulse)
    assert values.shape == pulse.shape
    assert (values == 0).all()


@needs_neurokit
def test_no_beats_are_found_in_the_rounding_error_of_a_constant() -> None:
    levels = np.random.default_rng(0).normal(0, 1000, (100, 1)).astype(np.float32)
    flat = [np.repeat(level[None], 8064, axis=1) for level in levels]
    made = add_hrv(recordings_of(*flat, channels=("PPG",), rate=256))
    assert not made.signals[:, -1].any()


@needs_neurokit
def test_three_beats_are_enough() -> None:
    assert hrv_of(pulse_wave(beats_of(800, 1000), 4)) == pytest.approx(200, abs=3 * STEP)


@needs_neurokit
@pytest.mark.parametrize("as_list", [False, True])
def test_all_else_is_kept_to_the_bit(as_list: bool) -> None:
    cut = 3000 if as_list else len(EVEN)
    given = recordings_of(trial(ALTERNATING, 1), trial(EVEN, 2)[:, :cut], as_list=as_list)
    before = given.fingerprint
    made = add_hrv(given)
    assert list(made.channels) == [*CHANNELS, "HRV (ms)"]
    assert type(made.signals) is type(given.signals)
    assert [signal.shape for signal in made.signals] == [(4, len(EVEN)), (4, cut)]
    for new, old in zip(made.signals, given.signals, strict=True):
        assert new.dtype == np.float32
        assert new[:3].tobytes() == old.tobytes()
    pd.testing.assert_frame_equal(made.trials, given.trials)
    for name in ("name", "sampling_rate", "baseline_seconds", "simulated", "credit"):
        assert getattr(made, name) == getattr(given, name)
    del given.__dict__["fingerprint"]  # it is computed once
    assert given.fingerprint == before


@needs_neurokit
def test_read_only_signals_will_do() -> None:
    signal = trial(EVEN)
    signal.flags.writeable = False
    assert add_hrv(recordings_of(signal, as_list=True)).signals[0].shape == (4, len(EVEN))


@needs_neurokit
def test_a_trial_does_not_depend_on_the_others() -> None:
    rng = np.random.default_rng(5)
    pulses = [EVEN, 1000 * rng.standard_normal(len(EVEN)), np.zeros(len(EVEN)), ALTERNATING]
    together = add_hrv(recordings_of(*map(trial, pulses))).signals
    for pulse, signal in zip(pulses, together, strict=True):
        np.testing.assert_array_equal(signal[-1], hrv_of(pulse))
    turned = add_hrv(recordings_of(*map(trial, pulses[::-1]))).signals
    np.testing.assert_array_equal(turned[::-1], together)
    assert len({signal[-1].tobytes() for signal in together}) == 4


@needs_neurokit
@pytest.mark.parametrize("name", ["PPG", "BVP", "bvp (a.u.)", "Plethysmograph", "photoplethysmogram"])
def test_the_pulse_is_known_by_its_name_wherever_it_stands(name: str) -> None:
    signal = trial(ALTERNATING)[[0, 2, 1]]
    made = add_hrv(recordings_of(signal, channels=("EDA", "temperature", name)))
    np.testing.assert_array_equal(made.signals[0][-1], hrv_of(ALTERNATING))


def test_without_a_pulse_the_channels_are_named() -> None:
    given = recordings_of(trial(EVEN), channels=("GSR (Ohm)", "not PPG", "temperature"))
    with pytest.raises(DataError, match=r"made: .* PPG, BVP .*: GSR \(Ohm\), not PPG, temperature$"):
        add_hrv(given)


@needs_neurokit
def test_the_channel_is_not_added_twice() -> None:
    once = add_hrv(recordings_of(trial(EVEN)))
    with pytest.raises(DataError, match=r"HRV \(ms\) already"):
        add_hrv(once)


@needs_neurokit
def test_a_sampling_rate_below_the_filters_band_is_refused() -> None:
    with pytest.raises(DataError, match="more than 6 samples a second, not 6"):
        add_hrv(recordings_of(trial(EVEN), rate=6.0))
    for length in (17, 24, 25, 40, 1000):
        values = add_hrv(recordings_of(trial(EVEN)[:, :length], rate=16.5)).signals[0][-1]
        assert np.isfinite(values).all()


def without_neurokit(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(sys.modules):
        if name.split(".")[0] == "neurokit2":
            monkeypatch.delitem(sys.modules, name)


def test_missing_neurokit_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    without_neurokit(monkeypatch)
    monkeypatch.setitem(sys.modules, "neurokit2", None)
    with pytest.raises(PluginError) as caught:
        add_hrv(recordings_of(trial(EVEN)))
    assert str(caught.value) == (
        "the HRV channel needs neurokit2, not installed here: pip install 'mlstm-bench[hrv]'"
    )


def test_a_package_missing_to_neurokit_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_neurokit(monkeypatch)
    (tmp_path / "neurokit2.py").write_text("import no_such_package\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PluginError, match="needs no_such_package, not installed here: pip install 'mlstm"):
        add_hrv(recordings_of(trial(EVEN)))


def test_neurokit_is_not_imported_at_start_up() -> None:
    code = "import sys, bench.data.hrv; sys.exit('neurokit2' in sys.modules or 'matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@needs_neurokit
def test_it_says_one_line_and_warns_of_nothing() -> None:
    lines: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        add_hrv(recordings_of(trial(EVEN), trial(np.zeros(len(EVEN)))), lines.append)
    assert len(lines) == 1
    assert "PPG (a.u.)" in lines[0]
    assert "2 trials" in lines[0]


@needs_neurokit
def test_simulated_deap_is_plausible() -> None:
    from bench.discovery import discover

    discover()
    from bench.datasets.deap_simulated import deap_simulated

    made = add_hrv(deap_simulated(subjects=[1]))
    values = made.signals[:, list(made.channels).index(HRV)]
    assert values.shape == (40, 8064)
    assert values.min() >= 0
    assert 0 < np.median(values) < 200
    assert (values.max(axis=1) > 0).all()
    np.testing.assert_array_equal(values % STEP, 0)  # exact: a power of two


@needs_neurokit
def test_real_wrist_recordings_of_different_length(shared_data: Path) -> None:
    if not (shared_data / "HKU956").is_dir():
        pytest.skip("needs HKU956")
    from bench.discovery import discover

    discover()
    from bench.datasets.hku956 import hku956

    given = hku956(shared_data / "HKU956", subjects=[1910])
    made = add_hrv(given)
    assert list(made.channels) == [*given.channels, HRV]
    assert isinstance(made.signals, list)
    lengths = [signal.shape[1] for signal in given.signals]
    assert len(set(lengths)) > 1
    assert [signal.shape for signal in made.signals] == [(4, length) for length in lengths]
    values = np.concatenate([signal[-1] for signal in made.signals])
    assert np.isfinite(values).all()
    assert values.min() >= 0
    # The wrist moves and beats are missed, hence so loose a bound.
    assert 0 < np.median(values) < 500
    np.testing.assert_array_equal(values % (1000 / 64), 0)
