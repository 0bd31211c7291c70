"""An installed package brings an estimator and a data set by its entry points, to the project as it is installed."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "their-plugins"
version = "1.0"

[project.entry-points."bench.estimators"]
their-forest = "their_plugins.their_forest"

[project.entry-points."bench.datasets"]
their-recordings = "their_plugins.their_recordings"

[tool.hatch.build.targets.wheel]
packages = ["their_plugins"]
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A function that runs the program of a folder in which the wheels of the project and of a package are installed."""
    work = tmp_path_factory.mktemp("installed")
    site = work / "site"

    def run(*arguments, cwd=work):
        environment = {**os.environ, "PYTHONPATH": str(site), "COLUMNS": "120", "BENCH_PLUGINS": ""}
        done = subprocess.run(
            [sys.executable, *map(str, arguments)], capture_output=True, text=True, cwd=cwd, env=environment
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def install(project):
        run("-m", "hatchling", "build", "-t", "wheel", "-d", work / "wheels" / project.name, cwd=project)
        (wheel,) = (work / "wheels" / project.name).glob("*.whl")
        run("-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", site, wheel)

    install(REPOSITORY)
    package = work / "theirs" / "their_plugins"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package.parent / "pyproject.toml").write_text(PROJECT)
    # The starts that the program writes are all that a package needs: in its wheel they are there as well.
    run("-m", "bench", "new", "estimator", "their-forest", "--in", package)
    run("-m", "bench", "new", "dataset", "their-recordings", "--in", package)
    install(package.parent)
    assert run("-c", "import bench; print(bench.__file__)").startswith(str(site))
    return run


def test_they_are_listed_and_keep_the_interface(installed):
    listed = installed("-m", "bench", "list")
    assert "their-forest" in listed
    assert "their-recordings" in listed
    assert "not importable" not in listed
    assert "keeps the interface" in installed("-m", "bench", "check", "their-forest")
    assert "24 trials of 4 subjects" in installed("-m", "bench", "check", "their-recordings")


def test_a_suite_is_run_on_them(installed, tmp_path):
    installed("-m", "bench", "new", "suite", "their-study", cwd=tmp_path)
    file = tmp_path / "their-study.toml"
    file.write_text(file.read_text().replace('"deap-simulated"', '"their-recordings"'))
    options = ("--suite", file, "--profile", "smoke", "--estimators", "their-forest[n_estimators=10]")
    installed("-m", "bench", "run", *options, cwd=tmp_path)
    with (tmp_path / "results" / "their-study@simulated" / "leaderboard.csv").open() as board:
        rows = [row for row in csv.DictReader(board) if row["family"] != "signal-free"]
    assert {row["estimator"] for row in rows} == {"their-forest[n_estimators=10]"}
    assert {row["status"] for row in rows} == {"ok"}
    assert {row["dataset"] for row in rows} == {"their-recordings"}
