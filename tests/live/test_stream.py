"""Models are kept by a run, and classify recordings and live samples."""

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.cells.saved import read_about
from bench.data.windows import Windowing
from bench.live.trial import load_trial
from bench.running.runner import execute
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite

REPOSITORY = Path(__file__).parents[2]

# An estimator with a file format of its own, as a user may write one.
KEPT_MEAN = '''
import json
import numpy as np
from bench.registry import register_estimator


@register_estimator("kept-mean", family="features")
class KeptMean:
    """Nearest class mean; it can save itself."""

    def __init__(self, *, how: str = ""):
        self.how = how

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.means_ = np.stack([X[y == c].mean(axis=(0, 2)) for c in self.classes_])
        return self

    def predict_proba(self, X):
        away = np.exp(-np.linalg.norm(X.mean(axis=2)[:, None] - self.means_, axis=2))
        return away / away.sum(axis=1, keepdims=True)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def save(self, path, about):
        path.write_text(json.dumps([self.classes_.tolist(), self.means_.tolist()]))
        if self.how == "fails":
            raise ValueError("cannot be written")

    @classmethod
    def load(cls, path):
        loaded = cls()
        loaded.classes_, loaded.means_ = map(np.array, json.loads(path.read_text()))
        return loaded


@register_estimator("other-save", family="features")
class OtherSave(KeptMean):
    """Has methods called save and load that take something else, as sktime's classes do."""

    def save(self, path=None, serialization_format="pickle"):
        raise AssertionError("not to be called")
'''


@pytest.fixture(scope="module")
def plugins(tmp_path_factory, toy_plugins):
    from bench.discovery import add_plugin_folder

    folder = tmp_path_factory.mktemp("kept")
    (folder / "kept_mean.py").write_text(KEPT_MEAN)
    add_plugin_folder(folder)
    return os.pathsep.join(map(str, (toy_plugins, folder)))


@pytest.fixture
def train(toy_suite, tmp_path, plugins):
    """Run one cell on the toy recordings and return its folder."""

    def make(*, estimators=("kept-mean",), protocols=("subject-stratified",), save_models=True, **changes):
        changes = {"estimators": list(estimators), "protocols": list(protocols), "seeds": 1, **changes}
        plan = make_plan(
            read_suite(str(toy_suite)),
            "quick",
            changes,
            results=tmp_path / "results",
            save_models=save_models,
        )
        return [stored for _, stored in execute(plan)][-1].folder

    return make


@pytest.fixture
def bench(monkeypatch, capsys):
    """Run the command line in this process: exit status, standard output, standard error."""

    def run(*arguments, stdin=b""):
        from bench.cli.app import main

        monkeypatch.setattr(sys, "argv", ["bench", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        told = capsys.readouterr()
        return end.value.code or 0, told.out, " ".join(told.err.split())

    return run


def rows(out):
    return list(csv.DictReader(io.StringIO(out)))


def as_text(samples, separator=","):
    return "".join(separator.join(map(repr, column)) + "\n" for column in samples.T.tolist()).encode()


def samples_of(folder, subject=1, trial=1):
    about, _ = read_about(folder)
    return load_trial(about, subject, trial, None, print).signal


def test_a_folder_says_all_that_live_use_needs(train):
    folder = train(dataset="toy[effect=0.5]")
    assert {path.name for path in folder.iterdir()} == {
        "result.json", "predictions.parquet", "model.keras", "model.json", "SHA256SUMS",
    }  # fmt: skip
    about = json.loads((folder / "model.json").read_text())
    assert about["plugin"] == "kept-mean"
    assert about["data"] == {
        "name": "toy", "plugin": "toy", "parameters": {"effect": 0.5}, "simulated": True, "credit": "",
    }  # fmt: skip
    assert (about["window_samples"], about["hop_samples"], about["sampling_rate"]) == (32, 16, 16.0)
    assert about["classes"] == ["low", "high"]
    assert about["verdict"] == "clean (subjects shared)"
    tested = pd.read_parquet(folder / "predictions.parquet")[["subject", "trial"]].drop_duplicates()
    trained = {(int(s), t) for s, trials in about["trained_on"].items() for t in trials}
    assert len(trained) + len(tested) == 40
    assert not trained & set(tested.itertuples(index=False, name=None))


@pytest.mark.parametrize("save_models", [True, False])
def test_only_what_can_be_saved_and_is_asked_for_is_kept(train, save_models):
    for name in ("other-save", "majority", "nearest-window"):
        folder = train(estimators=[name], save_models=save_models)
        assert not list(folder.glob("model.*"))
    assert bool(list(train(save_models=save_models).glob("model.*"))) is save_models


def test_a_stored_cell_without_its_model_is_run_again_if_models_are_asked_for(
    bench, toy_suite, tmp_path, plugins
):
    command = ("run", "--suite", toy_suite, "--results", tmp_path / "results", "--seeds", "1")
    command += ("--protocols", "subject-stratified", "--estimators", "majority,other-save,kept-mean")
    assert "3 cells: 3 to run" in bench(*command)[1]
    status, out, err = bench(*command, "--save-models")
    assert status == 0
    assert "3 cells: 1 to run, 2 reused" in out
    assert "run again: it has no model.keras" in out
    assert "--save-models: no model is kept of majority, other-save: the program cannot save these" in err
    assert len(list(tmp_path.glob("**/model.keras"))) == 1
    for again in (command, (*command, "--save-models")):
        assert "3 cells: 0 to run, 3 reused" in bench(*again)[1]
    assert len(list(tmp_path.glob("**/model.keras"))) == 1


def test_a_model_that_cannot_be_saved_costs_no_result_and_is_said(bench, toy_suite, tmp_path, plugins):
    status, _, err = bench(
        *("run", "--suite", toy_suite, "--results", tmp_path / "results", "--seeds", "1", "--save-models"),
        *("--protocols", "subject-stratified", "--estimators", "kept-mean[how=fails]"),
    )
    assert status == 0
    assert "seed-0: the model was not kept: ValueError: cannot be written" in err
    (result,) = tmp_path.glob("**/seed-0/result.json")
    assert json.loads(result.read_text())["status"] == "ok"
    assert {path.name for path in result.parent.iterdir()} == {
        "result.json",
        "predictions.parquet",
        "SHA256SUMS",
    }


def test_an_ablation_keeps_its_own_windows_and_scaling(bench, toy_suite, tmp_path, plugins):
    toy_suite.write_text(
        toy_suite.read_text()
        + '[ablations]\nestimator = "kept-mean"\n[ablations.rows]\n'
        + '"short" = { scaling = "none", windows = { seconds = 1.0, overlap = 0.0 } }\n'
    )
    results = tmp_path / "results"
    assert bench("run", "--suite", toy_suite, "--ablations", "--save-models", "--results", results)[0] == 0
    (folder,) = results.glob("toy@simulated/ablations/short/**/seed-0")
    about, _ = read_about(folder)
    assert (about.window_samples, about.hop_samples, about.scaling.name) == (16, 16, "none")
    assert len(rows(bench("stream", folder, "--replay", "1/1")[1])) == 16


@pytest.mark.parametrize("scaling", ["min-max", "subject-z-score", "rank-normal", "none"])
def test_a_replay_says_what_the_benchmark_said_of_the_same_windows(train, bench, scaling):
    folder = train(scaling=scaling, dataset="toy[effect=0.5]")
    stored = pd.read_parquet(folder / "predictions.parquet")
    for (subject, trial), expected in list(stored.groupby(["subject", "trial"]))[::5]:
        status, out, err = bench("stream", folder, "--replay", f"{subject}/{trial}")
        assert status == 0
        assert "this trial was not in training" in err
        found = pd.DataFrame(rows(out))
        assert found["class"].tolist() == expected.y_pred.tolist()
        assert found.true.tolist() == expected.y_true.tolist()
        best = expected[["probability low", "probability high"]].max(axis=1)
        assert found.probability.astype(float).to_numpy() == pytest.approx(best.to_numpy(), abs=2e-6)
        # The windows' ends, counted from the end of the baseline of one second.
        assert (found.seconds.astype(float) + 1 - 2).to_numpy() * 16 == pytest.approx(
            expected.start.to_numpy()
        )


def test_cases_of_unequal_length_are_filled_up_as_in_the_benchmark(train, bench):
    folder = train(
        dataset="uea[problem=JapaneseVowels]",
        target=read_suite("uea").target,
        windows=Windowing(whole=True),
        protocols=["predefined"],
    )
    for row in pd.read_parquet(folder / "predictions.parquet").iloc[::90].itertuples():
        status, out, _ = bench("stream", folder, "--replay", f"0/{row.trial}")
        (found,) = rows(out)
        assert (status, found["class"], found["true"]) == (0, row.y_pred, row.y_true)


def test_a_replay_of_a_training_trial_is_called_no_test(train, bench):
    folder = train()
    trial = json.loads((folder / "model.json").read_text())["trained_on"]["2"][0]
    _, _, err = bench("stream", folder, "--replay", f"2/{trial}")
    assert (
        f"subject 2, trial {trial} (after its baseline of 1 s): this trial was in training: what follows is no test"
        in err
    )


def test_samples_of_standard_input_are_classified_as_the_replay_is(train, bench):
    folder = train()
    _, replayed, _ = bench("stream", folder, "--replay", "1/1")
    samples = samples_of(folder)
    flipped = as_text(np.stack([samples[1], np.arange(samples.shape[1]), samples[0]]))
    inputs = [
        as_text(samples),
        as_text(samples, " "),
        as_text(samples, "\t  "),
        as_text(samples)[:-1],
        b"\xef\xbb\xbfa,b\n" + as_text(samples),
        b"a (V)   b\r\n" + as_text(samples, " ").replace(b"\n", b"\r\n"),
        b'"b (deg C)", time of day, a\n\n' + flipped,
        b"b (deg C)\tn\ta\n" + flipped.replace(b",", b"\t"),
    ]
    for stdin in inputs:
        status, out, err = bench("stream", folder, stdin=stdin)
        assert status == 0
        assert [r["probability"] for r in rows(out)] == [r["probability"] for r in rows(replayed)], stdin[:40]
        assert "15 windows; latency p50" in err


@pytest.mark.parametrize(
    ("stdin", "message"),
    [
        (b"1,2\n1,x\n", "error: line 2: b is 'x', no finite number"),
        (b"1,2\nnan,2\n", "error: line 2: a is 'nan', no finite number"),
        (b"1,2\n1,1e39\n", "error: line 2: b is '1e39', no finite number"),
        (b"1,2\n\n1,\n", "error: line 3: b is '', no finite number"),
        (b"1,2\n1\n", "error: line 2: 1 values, expected 2 (a, b)"),
        (b"1 2 3\n", "error: line 1: 3 values, expected 2 (a, b)"),
        (b"b,t,a\n1,x\n", "error: line 2: 2 values, expected 3, as many as the header names"),
        (b"b,t,a\n1,x,y\n", "error: line 2: a is 'y', no finite number"),
        (b"a,bb\n", "error: line 1: no column for the model's channel 'b'; did you mean 'bb'?"),
        (b"a,time\n", "error: line 1: no column for the model's channel 'b'; known: a, time"),
        (b"a,b,b\n", "error: line 1: there are 2 columns for channel 'b'"),
        (b"1,2\n\xff\xfe\n", "error: line 2: not text"),
        (b"", "error: the input ended after 0 samples; a window takes 32 (2 s)"),
        (b"1,2\n" * 31, "error: the input ended after 31 samples; a window takes 32 (2 s)"),
    ],
)  # fmt: skip
def test_a_line_that_is_no_sample_is_one_plain_message(train, bench, stdin, message):
    status, out, err = bench("stream", train(), stdin=stdin)
    assert status == 2
    assert err.endswith(message)
    assert rows(out) == []


def test_a_column_in_another_unit_is_refused(train, bench):
    folder = train()
    about = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(
        json.dumps({**about, "channels": ["GSR (Ohm)", "temperature (deg C)"]})
    )
    status, _, err = bench("stream", folder, stdin=b"temperature (deg C) GSR (uS)\n1 2\n")
    assert status == 2
    assert "line 1: column 'GSR (uS)' has another unit than 'GSR (Ohm)'" in err
    good = b"temperature (deg C) GSR (Ohm)\n" + b"1 2\n" * 32
    assert bench("stream", folder, stdin=good)[0] == 0


def test_a_bad_line_after_some_windows_leaves_these_and_their_summary(train, bench):
    status, out, err = bench("stream", train(), stdin=b"1,2\n" * 40 + b"oops\n")
    assert status == 2
    assert len(rows(out)) == 1
    assert "1 window; latency" in err
    assert err.endswith("error: line 41: 1 values, expected 2 (a, b)")


@pytest.mark.parametrize(
    ("hop", "ends"), [("0.5", [2.0, 2.5, 3.0, 3.5, 4.0]), ("2", [2.0, 4.0]), ("3", [2.0])]
)
def test_another_hop(train, bench, hop, ends):
    _, out, _ = bench("stream", train(), "--hop", hop, stdin=b"1,2\n" * 70)
    assert [float(row["seconds"]) for row in rows(out)] == ends


def test_windows_further_apart_than_they_are_long_hold_the_right_samples(train, bench):
    folder = train()
    samples = samples_of(folder)
    _, out, _ = bench("stream", folder, "--hop", "3", stdin=as_text(samples))
    _, alone, _ = bench("stream", folder, stdin=as_text(samples[:, 48:80]))
    assert rows(out)[1]["probability"] == rows(alone)[0]["probability"]


def test_formats(train, bench):
    folder = train()
    _, text, err = bench("stream", folder, "--replay", "1/1", "--format", "text")
    lines = text.splitlines()
    assert lines[0] == "kept-mean trained on toy, SIMULATED recordings: arousal low, high"
    assert lines[3].split() == ["seconds", "class", "probability", "latency", "ms", "true"]
    assert len(lines) == 4 + 15 + 1
    assert len({len(line) for line in lines[4:-1]}) <= 2  # aligned: the last column is low or high
    assert lines[-1].startswith("15 windows; latency p50 ")
    _, jsonl, err = bench("stream", folder, "--replay", "1/1", "--format", "jsonl")
    found = [json.loads(line) for line in jsonl.splitlines()]
    assert list(found[0]) == ["seconds", "class", "probability", "latency_ms", "true", "simulated"]
    assert found[0]["simulated"] is True
    assert "SIMULATED" in err
    assert "15 windows; latency p50 " in err
    _, text, _ = bench("stream", folder, "--format", "text", stdin=b"1,2\n" * 32)
    assert "true" not in text


def test_scaling_by_subject_asks_whose_signals_these_are(train, bench):
    folder = train(scaling="subject-z-score")
    samples = as_text(samples_of(folder, 3, 1))
    status, _, err = bench("stream", folder, stdin=samples)
    assert status == 2
    assert "does not know whose signals these are: give --subject, one of 1, 2, 3, 4" in err
    assert "subject 9: give --subject" in bench("stream", folder, "--subject", "9", stdin=samples)[2]
    _, own, _ = bench("stream", folder, "--subject", "3", stdin=samples)
    _, replayed, _ = bench("stream", folder, "--replay", "3/1")
    assert [r["probability"] for r in rows(own)] == [r["probability"] for r in rows(replayed)]
    held_out = train(scaling="min-max", protocols=["loso"])
    assert "--subject 3 changes nothing" in bench("stream", held_out, "--subject", "3", stdin=samples)[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--replay", "one"], "--replay 'one': not of the form SUBJECT/TRIAL, such as 3/12"),
        (["--replay", "9/1"], "toy: no subject 9"),
        (["--replay", "1/11"], "toy: subject 1 has no trial 11; known: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10"),
        (["--real-time"], "--real-time belongs to --replay SUBJECT/TRIAL"),
        (["--data-root", "."], "--data-root belongs to --replay SUBJECT/TRIAL"),
        (["--hop", "0"], "--hop 0: has to be at least a sample, 0.0625 s"),
        (["--hop", "nan"], "--hop nan: has to be at least a sample"),
        (["--format", "cvs"], "--format cvs: unknown; did you mean 'csv'?"),
    ],
)
def test_a_mistaken_option_is_one_plain_message(train, bench, arguments, message):
    status, _, err = bench("stream", train(), *arguments)
    assert status == 2
    assert message in err


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"format": 2}, "model.json: has format 2; this program reads format 1"),
        ({"format": None}, "model.json: has format None"),
        ({"surprise": 1}, "model.json: damaged: surprise: Extra inputs are not permitted"),
        ({"window_samples": 0}, "model.json: damaged: window_samples: Input should be greater than"),
        (
            {"channels": ["a"]},
            "model.json: damaged: Value error, scaling has values of other than 1 channels",
        ),
        ({"classes": ["low", "medium"]}, "model.keras: predicts 'high', which model.json does not know"),
        ({"plugin": "kept-men"}, "no estimator is called 'kept-men'; did you mean 'kept-mean'?"),
        ({"plugin": "majority"}, "estimator 'majority' has no load(path)"),
        ({"channels": ["a", "c"]}, "toy: no channel 'c'"),
        ({"sampling_rate": 8.0}, "these are recordings of toy"),
    ],
)
def test_a_changed_model_json_is_one_plain_message(train, bench, damage, message):
    folder = train()
    about = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**about, **damage}))
    status, out, err = bench("stream", folder, "--replay", "1/1")
    assert (status, out) == (2, "")
    assert message in err


def test_what_is_no_model_is_one_plain_message(train, bench, tmp_path):
    folder = train()
    assert "no such file" in bench("stream", tmp_path / "absent.keras")[2]
    assert "no model.keras in this folder" in bench("stream", tmp_path)[2]
    (folder / "model.keras").write_bytes(b"\x00\x01")
    status, _, err = bench("stream", folder)
    assert status == 2
    assert f"error: {folder}/model.keras: " in err
    (folder / "model.json").write_text("{")
    assert "model.json: damaged" in bench("stream", folder)[2]
    (folder / "model.json").write_text("[1]")
    assert "model.json: not written by python -m bench run" in bench("stream", folder)[2]
    (folder / "model.json").unlink()
    status, _, err = bench("stream", folder / "model.keras")
    assert status == 2
    assert "model.keras: no model.json beside it" in err


def test_simulated_recordings_never_stand_in_for_those_of_a_model(train, bench):
    """A data set without its folder falls back on simulated recordings in a run; here it must not."""
    folder = train()
    about = json.loads((folder / "model.json").read_text())
    about["data"] |= {"name": "deap", "plugin": "deap", "simulated": False}
    (folder / "model.json").write_text(json.dumps(about))
    status, _, err = bench("stream", folder, "--replay", "1/1")
    assert status == 2
    assert "trained on 'deap', whose recordings are needed: --data-root DIR" in err


def test_a_replay_in_real_time_takes_as_long_as_the_recording(train, bench):
    folder = train(dataset="toy[seconds=4]")
    started = time.monotonic()
    _, out, _ = bench("stream", folder, "--replay", "1/1", "--real-time")
    assert time.monotonic() - started >= 3
    assert [float(row["seconds"]) for row in rows(out)] == [2, 3]


@pytest.fixture
def process(plugins):
    """Start the program in a process of its own, with a pipe to it and from it."""
    started = []

    def start(*arguments):
        done = subprocess.Popen(
            [sys.executable, "-m", "bench", *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "BENCH_PLUGINS": plugins, "PYTHONPATH": str(REPOSITORY)},
            # Whoever runs the tests in the background may have Ctrl-C ignored, which processes inherit.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        started.append(done)
        return done

    yield start
    for done in started:
        done.kill()
        done.communicate()


def test_a_window_is_printed_as_soon_as_its_last_sample_has_been_written(train, process):
    running = process("stream", train())
    running.stdin.write("b,a\n" + "1,2\n" * 32)
    running.stdin.flush()
    assert running.stdout.readline() == "seconds,class,probability,latency_ms,simulated\n"
    assert running.stdout.readline().startswith("2.0,")
    running.stdin.write("1,2\n" * 16)
    running.stdin.flush()
    assert running.stdout.readline().startswith("3.0,")
    out, err = running.communicate()
    assert (running.returncode, out) == (0, "")
    assert "2 windows; latency p50 " in err


def test_ctrl_c_is_a_good_end(train, process):
    running = process("stream", train())
    running.stdin.write("1,2\n" * 50)
    running.stdin.flush()
    assert [running.stdout.readline() for _ in range(3)][2].startswith("3.0,")
    running.send_signal(signal.SIGINT)
    assert running.wait(30) == 0
    err = running.stderr.read()
    assert "2 windows; latency p50 " in err
    assert "Traceback" not in err


def test_mlstm_fcn_is_kept_by_a_run_and_says_the_same_live(train, process, bench, tmp_path):
    folder = train(estimators=["mlstm-fcn[epochs=1,cells=4]"], dataset="toy[effect=0.5]")
    expected = pd.read_parquet(folder / "predictions.parquet").query("subject == 1")
    expected = expected[expected.trial == expected.trial.iloc[0]]
    out, err = process("stream", folder, "--replay", f"1/{expected.trial.iloc[0]}").communicate()
    found = pd.DataFrame(rows(out))
    assert found["class"].tolist() == expected.y_pred.tolist()
    best = expected[["probability low", "probability high"]].max(axis=1)
    assert found.probability.astype(float).to_numpy() == pytest.approx(best.to_numpy(), abs=1e-4)
    assert found.latency_ms.astype(float).iloc[0] < 1000  # it was compiled before
    assert err.splitlines()[0].endswith("trained on toy, SIMULATED recordings: arousal low, high")

    other = train(estimators=["mlstm-fcn[epochs=1,cells=5]"])
    shutil.copy(other / "model.json", folder / "model.json")
    status, _, err = bench("stream", folder, "--replay", "1/1")
    assert status == 2
    assert "the model.json beside it is of another model, or was changed" in err
    os.truncate(folder / "model.keras", 1000)
    status, _, err = bench("stream", folder, "--replay", "1/1")
    assert status == 2
    assert "model.keras: no saved MLSTM-FCN, or damaged" in err
