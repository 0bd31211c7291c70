"""Live use of models whose windows were cut from resampled recordings: samples come at the recordings' rate."""

import json

import numpy as np
import pandas as pd
import pytest

from bench.cells.saved import read_about
from bench.live.samples import replayed
from bench.study.suite_files import read_suite

from .stored_probabilities import are_as_stored


@pytest.fixture
def train_at(train, toy_suite):
    """Train on windows at a rate, by default that of the recordings: 16 Hz."""

    def make(rate=None, *, scaling="min-max", **windows):
        changes = {"sampling_rate": rate, **windows}
        windows = read_suite(str(toy_suite)).windows.model_copy(update=changes)
        return train(estimators=["projection"], windows=windows, scaling=scaling)

    return make


@pytest.mark.parametrize(
    ("rate", "scaling"),
    [(8.0, "min-max"), (6.0, "min-max"), (5.3, "min-max"), (6.0, "baseline"), (6.0, "first-seconds[20]")],
)
def test_a_replay_says_what_the_benchmark_said_of_the_same_windows(train_at, stream, rate, scaling):
    folder = train_at(rate, scaling=scaling)
    stored = pd.read_parquet(folder / "predictions.parquet")
    for (subject, trial), expected in list(stored.groupby(["subject", "trial"]))[::5]:
        done = stream(folder, "--replay", f"{subject}/{trial}")
        found = done.windows
        assert done.status == 0
        assert "after its baseline of 1 s): this trial was not in training" in done.err
        assert found["class"].tolist() == expected.y_pred.tolist()
        best = expected[["probability low", "probability high"]].max(axis=1)
        assert are_as_stored(found.probability, best)
        # Windows end so many samples of the lower rate after the end of the baseline.
        ends = expected.start - round(rate) + round(2 * rate)
        assert found.seconds.astype(float).to_numpy() * rate == pytest.approx(ends.to_numpy(), abs=1e-4)


def test_samples_are_taken_at_the_rate_of_the_recording(train_at, stream, recorded, as_text):
    folder = train_at(6.0, baseline=True)
    about, _ = read_about(folder)
    assert (about.sampling_rate, about.recorded_rate) == (6.0, 16.0)
    assert (about.window_samples, about.hop_samples) == (12, 6)
    expected = stream(folder, "--replay", "1/1").windows
    samples = recorded(folder).whole
    assert samples.shape == (2, 16 * 17)
    done = stream(folder, stdin=as_text(samples))
    found = done.windows
    assert found.probability.tolist() == expected.probability.tolist()
    assert found.seconds.astype(float).tolist() == [*range(2, 18)]
    assert (
        "windows of 2 s every 1 s, at 6 Hz: a, b samples are taken at 16 Hz and resampled to 6 Hz" in done.err
    )
    assert "the filter looks 1.66667 s ahead, and windows come that much later" in done.err


def test_a_window_is_printed_as_soon_as_the_filter_has_its_last_sample(train_at, process):
    running = process(train_at(8.0))
    # The last of 16 samples at 8 Hz is the one after 1.875 s, and the filter looks 1.25 s ahead.
    running.stdin.write("1,2\n" * (int((1.875 + 1.25) * 16) + 1))
    running.stdin.flush()
    assert running.stdout.readline() == "seconds,class,probability,latency_ms,simulated\n"
    assert running.stdout.readline().startswith("2.0,")
    running.stdin.write("1,2\n" * 15)  # one sample less than the next window takes
    out, err = running.communicate()
    assert out.startswith("3.0,")  # the input has ended: what is there is made use of
    assert out.count("\n") == 2
    assert "3 windows; latency p50" in err


def test_an_input_that_is_too_short_is_counted_as_it_came(train_at, stream):
    done = stream(train_at(8.0), stdin=b"1,2\n" * 30)
    assert (done.status, len(done.windows)) == (2, 0)
    assert done.err.endswith("error: the input ended after 30 samples; a window takes 32 (2 s)")


def test_another_hop_is_in_seconds(train_at, stream):
    windows = stream(train_at(8.0), "--hop", "0.5", stdin=b"1,2\n" * 64).windows
    assert windows.seconds.astype(float).tolist() == [2.0, 2.5, 3.0, 3.5, 4.0]


def test_what_is_past_when_a_replay_begins_is_not_waited_for():
    times = [arrived for arrived, _ in replayed(np.zeros((1, 8)), 20.0, real_time=True, past=5)]
    assert np.diff(times) == pytest.approx([1 / 20] * 7)
    assert times[4] - times[0] == pytest.approx(4 / 20)


def test_a_model_without_resampling_is_described_as_it_always_was(train_at, stream):
    folder = train_at()
    about = json.loads((folder / "model.json").read_text())
    assert "recorded_rate" not in about
    assert json.loads((folder / "model.keras").read_text())[1] == about
    done = stream(folder, "--replay", "1/1")
    assert (done.status, len(done.windows)) == (0, 15)
    assert "resampled" not in done.err


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"recorded_rate": 8.0}, "model.json: damaged: Value error, recorded_rate is not above"),
        ({"recorded_rate": -1}, "model.json: damaged: recorded_rate: Input should be greater than 0"),
        ({"recorded_rate": 32.0}, "these are recordings of toy"),
    ],
)
def test_a_changed_rate_is_one_plain_message(train_at, stream, damage, message):
    folder = train_at(8.0)
    about = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**about, **damage}))
    done = stream(folder, "--replay", "1/1")
    assert (done.status, len(done.windows)) == (2, 0)
    assert message in done.err
