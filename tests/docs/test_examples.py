"""The code of the README and the pages, run as pasted."""

from __future__ import annotations

import csv
import shlex

import numpy as np
import pytest


@pytest.fixture
def code_with(blocks):
    """A function that gives the one block of a language in which a text stands."""

    def find(language: str, text: str) -> str:
        (code,) = {code for _, code in blocks(language) if text in code}
        return code

    return find


@pytest.fixture
def pasted(commands, bench):
    """A function that runs a command that a page shows."""

    def run(command, **others):
        assert command in commands
        done = bench(*shlex.split(command)[3:], **others)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture
def my_plugins(tmp_path, code_with):
    """A function that writes the plugin in which a text stands into the folder of the pages."""

    def write(text, file):
        folder = tmp_path / "my_plugins"
        folder.mkdir(exist_ok=True)
        (folder / file).write_text(code_with("python", text))
        return folder

    return write


def test_every_python_block_is_run_here(blocks):
    known = (
        'register_estimator("forest"',
        "MLSTMFCN(",
        'register_dataset(\n    "pairs"',
        'Path("recordings", "signals"',
        "register_resampler(",
        "register_protocol(",
    )
    for page, code in blocks("python"):
        assert any(text in code for text in known), f"{page}: run this one too:\n{code}"


def test_the_estimator_of_the_readme_keeps_the_interface(my_plugins, pasted, tmp_path):
    my_plugins("register_estimator(", "forest.py")
    checked = pasted("python -m bench check forest --plugins my_plugins", cwd=tmp_path)
    assert "FAULT" not in checked
    assert checked.count("ok ") > 5


@pytest.mark.parametrize(
    ("command", "file"),
    [
        ("python -m bench new estimator my-forest", "my_plugins/my_forest.py"),
        ("python -m bench new estimator my-network --like torch", "my_plugins/my_network.py"),
        ("python -m bench new suite my-study", "my-study.toml"),
    ],
)
def test_a_start_is_written(pasted, tmp_path, command, file):
    assert f"{file} is written" in pasted(command, cwd=tmp_path)
    assert (tmp_path / file).is_file()


@pytest.mark.slow
def test_an_estimator_may_be_a_folder(my_plugins, pasted, tmp_path):
    folder = my_plugins("register_estimator(", "forest.py")
    (folder / "forest").mkdir()
    (folder / "forest.py").rename(folder / "forest" / "__init__.py")
    assert "ok " in pasted("python -m bench check forest --plugins my_plugins", cwd=tmp_path)


def test_the_data_set_of_the_page_is_read(my_plugins, pasted, tmp_path):
    my_plugins("register_dataset(", "pairs.py")
    folder = tmp_path / "PAIRS"
    folder.mkdir()
    rows = [(subject, trial) for subject in (1, 2) for trial in (1, 2, 3)]
    table = [f"{subject},{trial},{trial},{trial * 2.5}" for subject, trial in rows]
    (folder / "ratings.csv").write_text("\n".join(["subject,trial,stimulus,arousal", *table]) + "\n")
    for subject, trial in rows:
        np.savetxt(folder / f"{subject}_{trial}.csv", np.ones((64 * trial, 2)), delimiter=",")
    read = pasted("python -m bench check pairs --plugins my_plugins --data-root PAIRS", cwd=tmp_path)
    assert "6 trials of 2 subjects, 2 channels at 64 Hz; to predict: arousal" in read


@pytest.fixture
def own_folder(code_with, tmp_path, monkeypatch):
    """The folder of recordings that the page makes, in the folder returned."""
    monkeypatch.chdir(tmp_path)
    exec(code_with("python", 'Path("recordings", "signals"'), {})
    return tmp_path


def test_the_folder_of_the_page_is_described_and_drawn(own_folder, pasted):
    shown = pasted("python -m bench data describe recordings --picture trial.png", cwd=own_folder)
    assert shown.startswith("recordings: 4 people, 16 trials of 20 s")
    assert "no gap in time, no other rate or unit" in shown
    assert (own_folder / "trial.png").stat().st_size > 10_000


@pytest.mark.slow
def test_the_folder_of_the_page_is_run_and_its_tables_are_made_again(own_folder, pasted):
    pasted("python -m bench run --folder recordings --target stress", cwd=own_folder)
    again = pasted("python -m bench tables --suite results/recordings/suite.toml", cwd=own_folder)
    assert "subject-stratified" in again
    assert "mlstm-fcn" in again


def test_the_suite_of_the_page_can_be_read(code_with, tmp_path):
    from bench.study.suite_checks import check_estimators, check_protocols
    from bench.study.suite_files import read_suite

    file = tmp_path / "my-suite.toml"
    file.write_text(code_with("toml", "extends"))
    suite = read_suite(str(file))
    assert (suite.name, suite.target.rule, suite.windows.sampling_rate) == ("my-suite", "levels", 16)
    assert [str(spec) for spec in check_estimators(suite)] == suite.estimators
    assert [str(spec) for spec in check_protocols(suite)] == suite.protocols
    assert suite.ablations.rows["windows of 10 s"].windows == {"seconds": 10.0, "overlap": 4.0}


def test_every_toml_block_is_a_suite_that_is_read_here(blocks):
    assert len(blocks("toml")) == 1


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("python -m bench list", "mlstm-fcn"),
        ("python -m bench list datasets", "hku956"),
        ("python -m bench list suites --show deap-valence", "sampling_rate = 4"),
        ("python -m bench list estimators", "moments-forest"),
        ("python -m bench list resamplers", "+smote"),
        ("python -m bench --help", "canary"),
    ],
)
def test_what_there_is_is_listed(commands, command, shown):
    from typer.testing import CliRunner

    from bench.cli.app import app

    assert command in commands
    done = CliRunner().invoke(app, shlex.split(command)[3:])  # in this process: it takes no second
    assert done.exit_code == 0
    assert shown in done.output


@pytest.mark.slow
def test_the_estimator_of_the_readme_is_in_the_next_leaderboard(my_plugins, pasted, bench, tmp_path):
    before = bench("run", "--suite", "deap-arousal", "--estimators", "majority", cwd=tmp_path)
    assert before.returncode == 0, before.stderr
    my_plugins("register_estimator(", "forest.py")
    pasted(
        "python -m bench run --suite deap-arousal --plugins my_plugins --estimators forest,forest+ros",
        cwd=tmp_path,
    )
    with open(tmp_path / "results" / "deap-arousal@simulated" / "leaderboard.csv") as file:
        rows = list(csv.DictReader(file))
    with_signals = {row["estimator"] for row in rows if row["family"] != "signal-free"}
    assert with_signals == {"forest", "forest+ros"}
    assert {"majority", "subject-prior"} <= {row["estimator"] for row in rows}


@pytest.mark.slow
def test_the_resampler_of_the_page_balances(toy_suite, toy_plugins, my_plugins, bench, tmp_path):
    folder = my_plugins("register_resampler(", "borderline.py")
    options = ("--plugins", toy_plugins, "--plugins", folder, "--estimators", "nearest-mean+borderline")
    done = bench("run", "--suite", toy_suite, *options, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_classifier_of_the_page_is_fitted_and_saved(code_with, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    X = np.random.default_rng(0).normal(size=(40, 2, 16))
    known = {"X_train": X, "y_train": np.arange(40) % 2, "X_test": X, "trial_of_window": np.arange(40) // 2}
    exec(code_with("python", "MLSTMFCN("), known)
    loaded = known["MLSTMFCN"].load("model.keras")
    np.testing.assert_array_equal(loaded.predict_proba(X), known["classifier"].predict_proba(X))


@pytest.mark.slow
def test_the_suite_of_the_page_can_be_planned_and_audited(code_with, pasted, tmp_path):
    (tmp_path / "my-suite.toml").write_text(code_with("toml", "extends"))
    planned = pasted("python -m bench run --suite my-suite.toml --profile smoke --plan", cwd=tmp_path)
    assert "DEAP in nine classes" in planned
    audited = pasted(
        "python -m bench audit --suite my-suite.toml --profile smoke --subjects 1-3", cwd=tmp_path
    )
    assert "subject-stratified" in audited


@pytest.mark.slow
def test_protocols_are_audited_and_canaries_sent(pasted, tmp_path):
    assert "LEAKS trials, samples" in pasted("python -m bench audit --suite deap-arousal", cwd=tmp_path)
    several = pasted(
        "python -m bench audit --suite deap-arousal --protocols loso,leave-one-stimulus-out,oversample-then-split",
        cwd=tmp_path,
    )
    assert "loso" in several
    assert "copies" in several
    assert "permuted labels" in pasted("python -m bench canary --suite deap-arousal", cwd=tmp_path)


@pytest.mark.slow
def test_simulated_recordings_are_written(pasted, tmp_path):
    pasted("python -m bench data simulate-deap DIR --subjects 2", cwd=tmp_path)
    assert sorted(file.name for file in (tmp_path / "DIR").glob("*.dat")) == ["s01.dat", "s02.dat"]
