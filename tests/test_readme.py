"""What the README says is so."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.suites import suite_titles

REPOSITORY = Path(__file__).parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def bench(*arguments, cwd):
    environment = {**os.environ, "COLUMNS": "140", "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(
        [sys.executable, "-m", "bench", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment,
    )


def test_the_estimator_of_the_readme_is_in_the_next_leaderboard(toy_suite, toy_plugins, tmp_path):
    (code,) = (code for code in PYTHON if "register_estimator" in code)
    folder = tmp_path / "my_plugins"
    folder.mkdir()
    (folder / "forest.py").write_text(code)
    checked = bench("check", "forest", "--plugins", folder, cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout
    common = ("run", "--suite", toy_suite, "--seeds", "1", "--plugins", toy_plugins)
    assert bench(*common, cwd=tmp_path).returncode == 0
    added = bench(*common, "--plugins", folder, "--estimators", "forest,forest+ros", cwd=tmp_path)
    assert added.returncode == 0, added.stderr
    with open(tmp_path / "results" / "toy@simulated" / "leaderboard.csv") as file:
        names = {row["estimator"] for row in csv.DictReader(file)}
    assert names == {"majority", "nearest-mean", "nearest-window", "forest", "forest+ros"}


def test_the_classifier_of_the_readme_is_fitted_and_saved(tmp_path, monkeypatch):
    (code,) = (code for code in PYTHON if "MLSTMFCN" in code)
    monkeypatch.chdir(tmp_path)
    X = np.random.default_rng(0).normal(size=(40, 2, 16))
    known = {"X_train": X, "y_train": np.arange(40) % 2, "X_test": X, "trial_of_window": np.arange(40) // 2}
    exec(code, known)
    loaded = known["MLSTMFCN"].load("model.keras")
    np.testing.assert_array_equal(loaded.predict_proba(X), known["classifier"].predict_proba(X))


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\((?!http)([^)#]+)\)", README))))
def test_links_into_the_repository_lead_somewhere(link):
    assert (REPOSITORY / link).exists()


def test_every_suite_it_names_exists_and_every_suite_is_named():
    named = set(re.findall(r"--suite ([a-z0-9-]+)(?![\w.-])", README)) | set(
        re.findall(r"`([a-z0-9]+-(?:(?:arousal|valence)(?:-published)?|leakage))`", README)
    )
    assert named - {"my-suite"} <= set(suite_titles())
    assert set(suite_titles()) <= named


def test_every_option_it_shows_exists():
    helps = (
        " ".join(
            bench(command, "--help", cwd=REPOSITORY).stdout
            for command in ("run", "check", "tables", "list", "audit", "canary", "stream", "verify", "why")
        )
        + bench("data", "simulate-deap", "--help", cwd=REPOSITORY).stdout
    )
    shown = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README)) - {
        *("--benchmark-enable", "--benchmark-json"),  # pytest's
        "--logdir",  # TensorBoard's
        *("--head", "--port", "--num-cpus", "--block"),  # Ray's
        *("--nodes", "--ntasks", "--ntasks-per-node", "--cpus-per-task", "--time", "--nodelist", "--exclude"),
        *("--uea", "--hku"),  # of tests/benchmarks/convergence.py
    }
    assert shown
    assert {option for option in shown if option not in helps} == set()
