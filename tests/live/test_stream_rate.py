"""Live use of models whose windows were cut from resampled recordings: samples come at the recordings' rate."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.cells.saved import read_about
from bench.live.samples import replayed
from bench.live.trial import load_trial
from bench.running.runner import execute
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite

REPOSITORY = Path(__file__).parents[2]

# What it says depends on each single sample of a window, and it gives back what it was saved with.
PROJECTION = '''
import json
import numpy as np
from bench.registry import register_estimator


@register_estimator("projection", family="features")
class Projection:
    """The class by a random projection of all samples, whatever the windows it was fitted on."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        weights = np.random.default_rng(0).standard_normal(X.shape[1:])
        high = 1 / (1 + np.exp(-np.einsum("nct,ct->n", X - X.mean(axis=2, keepdims=True), weights)))
        return np.stack([high, 1 - high], axis=1)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def save(self, path, about):
        path.write_text(json.dumps([self.classes_.tolist(), about]))

    @classmethod
    def load(cls, path):
        loaded = cls()
        classes, loaded.about_ = json.loads(path.read_text())
        loaded.classes_ = np.array(classes)
        return loaded
'''


@pytest.fixture(scope="module")
def plugins(tmp_path_factory, toy_plugins):
    from bench.discovery import add_plugin_folder

    folder = tmp_path_factory.mktemp("projection")
    (folder / "projection.py").write_text(PROJECTION)
    add_plugin_folder(folder)
    return os.pathsep.join(map(str, (toy_plugins, folder)))


@pytest.fixture
def train(toy_suite, tmp_path, plugins):
    """Run one cell on the toy recordings, which are at 16 Hz, and return its folder."""

    def make(rate=None, **windows):
        study = read_suite(str(toy_suite))
        changes = {
            "estimators": ["projection"],
            "protocols": ["subject-stratified"],
            "windows": study.windows.model_copy(update={"sampling_rate": rate, **windows}),
        }
        plan = make_plan(study, "smoke", changes, results=tmp_path / "results", save_models=True)
        ((_, stored),) = execute(plan)
        return stored.folder

    return make


@pytest.fixture
def bench(monkeypatch, capsys):
    """Run the command line in this process: exit status, rows of standard output, standard error."""

    def run(*arguments, stdin=b""):
        from bench.cli.app import main

        monkeypatch.setattr(sys, "argv", ["bench", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        told = capsys.readouterr()
        rows = pd.DataFrame(csv.DictReader(io.StringIO(told.out)))
        return end.value.code or 0, rows, " ".join(told.err.split())

    return run


def as_text(samples):
    return "".join(",".join(map(repr, column)) + "\n" for column in samples.T.tolist()).encode()


@pytest.mark.parametrize("rate", [8.0, 6.0, 5.3])
def test_a_replay_says_what_the_benchmark_said_of_the_same_windows(train, bench, rate):
    folder = train(rate)
    stored = pd.read_parquet(folder / "predictions.parquet")
    for (subject, trial), expected in list(stored.groupby(["subject", "trial"]))[::5]:
        status, found, err = bench("stream", folder, "--replay", f"{subject}/{trial}")
        assert status == 0
        assert "after its baseline of 1 s): this trial was not in training" in err
        assert found["class"].tolist() == expected.y_pred.tolist()
        best = expected[["probability low", "probability high"]].max(axis=1)
        assert found.probability.astype(float).to_numpy() == pytest.approx(best.to_numpy(), abs=2e-6)
        # Windows end so many samples of the lower rate after the end of the baseline.
        ends = expected.start - round(rate) + round(2 * rate)
        assert found.seconds.astype(float).to_numpy() * rate == pytest.approx(ends.to_numpy(), abs=1e-4)


def test_samples_are_taken_at_the_rate_of_the_recording(train, bench):
    folder = train(6.0, baseline=True)
    about, _ = read_about(folder)
    assert (about.sampling_rate, about.recorded_rate) == (6.0, 16.0)
    assert (about.window_samples, about.hop_samples) == (12, 6)
    _, expected, _ = bench("stream", folder, "--replay", "1/1")
    samples = load_trial(about, 1, 1, None, print).whole
    assert samples.shape == (2, 16 * 17)
    _, found, err = bench("stream", folder, stdin=as_text(samples))
    assert found.probability.tolist() == expected.probability.tolist()
    assert found.seconds.astype(float).tolist() == [*range(2, 18)]
    assert "windows of 2 s every 1 s, at 6 Hz: a, b samples are taken at 16 Hz and resampled to 6 Hz" in err
    assert "the filter looks 1.66667 s ahead, and windows come that much later" in err


def test_a_window_is_printed_as_soon_as_the_filter_has_its_last_sample(train, plugins):
    running = subprocess.Popen(
        [sys.executable, "-m", "bench", "stream", str(train(8.0))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "BENCH_PLUGINS": plugins, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    try:
        # The last of 16 samples at 8 Hz is the one after 1.875 s, and the filter looks 1.25 s ahead.
        running.stdin.write("1,2\n" * (int((1.875 + 1.25) * 16) + 1))
        running.stdin.flush()
        assert running.stdout.readline() == "seconds,class,probability,latency_ms,simulated\n"
        assert running.stdout.readline().startswith("2.0,")
        running.stdin.write("1,2\n" * 15)  # one sample less than the next window takes
        out, err = running.communicate()
    finally:
        running.kill()
    assert out.startswith("3.0,")  # the input has ended: what is there is made use of
    assert out.count("\n") == 2
    assert "3 windows; latency p50" in err


def test_an_input_that_is_too_short_is_counted_as_it_came(train, bench):
    status, found, err = bench("stream", train(8.0), stdin=b"1,2\n" * 30)
    assert (status, len(found)) == (2, 0)
    assert err.endswith("error: the input ended after 30 samples; a window takes 32 (2 s)")


def test_another_hop_is_in_seconds(train, bench):
    _, found, _ = bench("stream", train(8.0), "--hop", "0.5", stdin=b"1,2\n" * 64)
    assert found.seconds.astype(float).tolist() == [2.0, 2.5, 3.0, 3.5, 4.0]


def test_what_is_past_when_a_replay_begins_is_not_waited_for():
    times = [arrived for arrived, _ in replayed(np.zeros((1, 8)), 20.0, real_time=True, past=5)]
    assert np.diff(times) == pytest.approx([1 / 20] * 7)
    assert times[4] - times[0] == pytest.approx(4 / 20)


def test_a_model_without_resampling_is_described_as_it_always_was(train, bench):
    folder = train()
    about = json.loads((folder / "model.json").read_text())
    assert "recorded_rate" not in about
    assert json.loads((folder / "model.keras").read_text())[1] == about
    status, found, err = bench("stream", folder, "--replay", "1/1")
    assert (status, len(found)) == (0, 15)
    assert "resampled" not in err


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"recorded_rate": 8.0}, "model.json: damaged: Value error, recorded_rate is not above"),
        ({"recorded_rate": -1}, "model.json: damaged: recorded_rate: Input should be greater than 0"),
        ({"recorded_rate": 32.0}, "these are recordings of toy"),
    ],
)
def test_a_changed_rate_is_one_plain_message(train, bench, damage, message):
    folder = train(8.0)
    about = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**about, **damage}))
    status, found, err = bench("stream", folder, "--replay", "1/1")
    assert (status, len(found)) == (2, 0)
    assert message in err
