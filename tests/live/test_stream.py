"""Kept models classify recordings and live samples."""

import csv
import io
import json
import os
import signal
import time

import pandas as pd
import pytest

from bench.data.windows import Windowing
from bench.study.suite_files import read_suite

from .stored_probabilities import are_as_stored


@pytest.mark.parametrize(
    "scaling", ["min-max", "subject-z-score", "rank-normal", "baseline", "first-seconds[5]", "none"]
)
def test_a_replay_says_what_the_benchmark_said_of_the_same_windows(train, stream, scaling):
    folder = train(scaling=scaling, dataset="toy[effect=0.5]")
    stored = pd.read_parquet(folder / "predictions.parquet")
    for (subject, trial), expected in list(stored.groupby(["subject", "trial"]))[::5]:
        done = stream(folder, "--replay", f"{subject}/{trial}")
        assert done.status == 0
        assert "this trial was not in training" in done.err
        found = done.windows
        assert found["class"].tolist() == expected.y_pred.tolist()
        assert found.true.tolist() == expected.y_true.tolist()
        best = expected[["probability low", "probability high"]].max(axis=1)
        assert are_as_stored(found.probability, best)
        # The windows' ends, counted from the end of the baseline of one second.
        assert (found.seconds.astype(float) + 1 - 2).to_numpy() * 16 == pytest.approx(
            expected.start.to_numpy()
        )


def test_cases_of_unequal_length_are_filled_up_as_in_the_benchmark(train, stream):
    folder = train(
        dataset="uea[problem=JapaneseVowels]",
        target=read_suite("uea").target,
        windows=Windowing(whole=True),
        protocols=["predefined"],
    )
    for row in pd.read_parquet(folder / "predictions.parquet").iloc[::90].itertuples():
        done = stream(folder, "--replay", f"0/{row.trial}")
        (found,) = done.windows.to_dict("records")
        assert (done.status, found["class"], found["true"]) == (0, row.y_pred, row.y_true)


def test_a_replay_of_a_training_trial_is_called_no_test(train, stream):
    folder = train()
    trial = json.loads((folder / "model.json").read_text())["trained_on"]["2"][0]
    assert (
        f"subject 2, trial {trial} (after its baseline of 1 s): this trial was in training: what follows is no test"
        in stream(folder, "--replay", f"2/{trial}").err
    )


def test_formats(train, stream):
    folder = train()
    lines = stream(folder, "--replay", "1/1", "--format", "text").out.splitlines()
    assert lines[0] == "kept-mean trained on toy, SIMULATED recordings: arousal low, high"
    assert lines[3].split() == ["seconds", "class", "probability", "latency", "ms", "true"]
    assert len(lines) == 4 + 15 + 1
    assert len({len(line) for line in lines[4:-1]}) <= 2  # aligned: the last column is low or high
    assert lines[-1].startswith("15 windows; latency p50 ")
    jsonl = stream(folder, "--replay", "1/1", "--format", "jsonl")
    found = [json.loads(line) for line in jsonl.out.splitlines()]
    assert list(found[0]) == ["seconds", "class", "probability", "latency_ms", "true", "simulated"]
    assert found[0]["simulated"] is True
    assert "SIMULATED" in jsonl.err
    assert "15 windows; latency p50 " in jsonl.err
    assert "true" not in stream(folder, "--format", "text", stdin=b"1,2\n" * 32).out


@pytest.mark.parametrize("scaling", ["subject-z-score", "first-seconds[30]"])
def test_scaling_by_subject_asks_whose_signals_these_are(train, stream, recorded, as_text, scaling):
    folder = train(scaling=scaling)
    samples = as_text(recorded(folder, 3, 1).signal)
    done = stream(folder, stdin=samples)
    assert done.status == 2
    assert "does not know whose signals these are: give --subject, one of 1, 2, 3, 4" in done.err
    assert "subject 9: give --subject" in stream(folder, "--subject", "9", stdin=samples).err
    own = stream(folder, "--subject", "3", stdin=samples).windows
    replayed = stream(folder, "--replay", "3/1").windows
    assert own.probability.tolist() == replayed.probability.tolist()
    held_out = train(scaling="min-max", protocols=["loso"])
    assert "--subject 3 changes nothing" in stream(held_out, "--subject", "3", stdin=samples).err


def test_first_seconds_know_a_person_who_was_held_out(train, stream, recorded, as_text):
    folder = train(scaling="first-seconds[30]", protocols=["loso"])
    about = json.loads((folder / "model.json").read_text())
    (stranger,) = {"1", "2", "3", "4"} - set(about["trained_on"])
    assert about["verdict"] == "clean (stimuli shared; scaled by each person's first 30 s)"
    stored = pd.read_parquet(folder / "predictions.parquet")
    expected = stored[stored.trial == 3]["probability high"].to_numpy()
    found = stream(
        folder, "--subject", stranger, stdin=as_text(recorded(folder, int(stranger), 3).signal)
    ).windows
    own = found.probability.astype(float).where(found["class"] == "high", 1 - found.probability.astype(float))
    # Of the other class 1 - p was stored too, rounded by itself: .0005 in all.
    assert own.to_numpy() == pytest.approx(expected, abs=5e-4)


def test_a_stream_does_not_say_what_was_before_the_stimulus(train, stream, recorded, as_text):
    folder = train(scaling="baseline", protocols=["loso"])
    about = json.loads((folder / "model.json").read_text())
    assert about["verdict"] == "clean (stimuli shared; scaled by the seconds before each stimulus)"
    done = stream(folder, stdin=as_text(recorded(folder, 3, 1).signal))
    assert (done.status, done.out) == (2, "")
    assert "nothing says which these are: it can only --replay SUBJECT/TRIAL" in done.err
    replayed = stream(folder, "--replay", "3/1", "--subject", "2")
    assert "--subject 2 changes nothing: the model's scaling is baseline" in replayed.err
    assert (
        replayed.windows.probability.tolist()
        == stream(folder, "--replay", "3/1").windows.probability.tolist()
    )


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
def test_a_mistaken_option_is_one_plain_message(train, stream, arguments, message):
    done = stream(train(), *arguments)
    assert done.status == 2
    assert message in done.err


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
def test_a_changed_model_json_is_one_plain_message(train, stream, damage, message):
    folder = train()
    about = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**about, **damage}))
    done = stream(folder, "--replay", "1/1")
    assert (done.status, done.out) == (2, "")
    assert message in done.err


def test_what_is_no_model_is_one_plain_message(train, stream, tmp_path):
    folder = train()
    assert "no such file" in stream(tmp_path / "absent.keras").err
    assert "no model.keras in this folder" in stream(tmp_path).err
    (folder / "model.keras").write_bytes(b"\x00\x01")
    done = stream(folder)
    assert done.status == 2
    assert f"error: {folder}/model.keras: " in done.err
    (folder / "model.json").write_text("{")
    assert "model.json: damaged" in stream(folder).err
    (folder / "model.json").write_text("[1]")
    assert "model.json: not written by python -m bench run" in stream(folder).err
    (folder / "model.json").unlink()
    done = stream(folder / "model.keras")
    assert done.status == 2
    assert "model.keras: no model.json beside it" in done.err


def test_simulated_recordings_never_stand_in_for_those_of_a_model(train, stream):
    """A data set without its folder falls back on simulated recordings in a run; here it must not."""
    folder = train()
    about = json.loads((folder / "model.json").read_text())
    about["data"] |= {"name": "deap", "plugin": "deap", "simulated": False}
    (folder / "model.json").write_text(json.dumps(about))
    done = stream(folder, "--replay", "1/1")
    assert done.status == 2
    assert "trained on 'deap', whose recordings are needed: --data-root DIR" in done.err


def test_a_replay_in_real_time_takes_as_long_as_the_recording(train, stream):
    folder = train(dataset="toy[seconds=2]", windows=Windowing(seconds=0.5, overlap=0.25))
    started = time.monotonic()
    windows = stream(folder, "--replay", "1/1", "--real-time").windows
    assert time.monotonic() - started >= 1
    assert windows.seconds.astype(float).tolist() == [0.5, 0.75, 1]


def test_a_window_is_printed_as_soon_as_its_last_sample_has_been_written(train, process):
    running = process(train())
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
    running = process(train())
    running.stdin.write("1,2\n" * 50)
    running.stdin.flush()
    assert [running.stdout.readline() for _ in range(3)][2].startswith("3.0,")
    running.send_signal(signal.SIGINT)
    assert running.wait(30) == 0
    err = running.stderr.read()
    assert "2 windows; latency p50 " in err
    assert "Traceback" not in err


MLSTM_FCN = {"estimators": ["mlstm-fcn[epochs=1,cells=4]"], "dataset": "toy[effect=0.5]"}


def first_tested(folder):
    """Return what a run predicted of the first trial of subject 1 that was not in training, and its number."""
    predictions = pd.read_parquet(folder / "predictions.parquet").query("subject == 1")
    trial = int(predictions.trial.iloc[0])
    return predictions[predictions.trial == trial], trial


def says_the_same(windows, expected):
    assert windows["class"].tolist() == expected.y_pred.tolist()
    best = expected[["probability low", "probability high"]].max(axis=1)
    assert windows.probability.astype(float).to_numpy() == pytest.approx(
        best.to_numpy(), abs=1e-4 + 2.5e-4
    )  # the rounding of what is stored
    assert windows.latency_ms.astype(float).iloc[0] < 1000  # it was compiled before


def test_mlstm_fcn_is_kept_by_a_run_and_says_the_same_live(train, stream):
    folder = train(**MLSTM_FCN)
    expected, trial = first_tested(folder)
    done = stream(folder, "--replay", f"1/{trial}")
    says_the_same(done.windows, expected)
    assert "trained on toy, SIMULATED recordings: arousal low, high" in done.err

    about = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**about, "estimator": "mlstm-fcn[epochs=1,cells=5]"}))
    done = stream(folder, "--replay", "1/1")
    assert done.status == 2
    assert "the model.json beside it is of another model, or was changed" in done.err
    os.truncate(folder / "model.keras", 1000)
    done = stream(folder, "--replay", "1/1")
    assert done.status == 2
    assert "model.keras: no saved MLSTMFCN, or damaged" in done.err


@pytest.mark.slow
def test_mlstm_fcn_says_the_same_in_a_process_of_its_own_and_tensorflow_says_nothing(
    train, process, recorded
):
    folder = train(**MLSTM_FCN)
    expected, trial = first_tested(folder)
    recorded(folder, 1, trial)  # reading it for the first time would be told, too
    out, err = process(folder, "--replay", f"1/{trial}").communicate()
    says_the_same(pd.DataFrame(csv.DictReader(io.StringIO(out))), expected)
    assert err.splitlines()[0].endswith("trained on toy, SIMULATED recordings: arousal low, high")
