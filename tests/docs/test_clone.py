"""A clone stays clean: what the commands of the README and the pages write is ignored by git."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def git(*arguments, cwd):
    who = ("-c", "user.name=nobody", "-c", "user.email=nobody@localhost", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *who, *arguments], cwd=cwd, capture_output=True, text=True)


@pytest.fixture(scope="module")
def clone(tmp_path_factory, repository, bench, pages):
    """The working tree, committed in a folder of its own, in which the README's command was run."""
    if shutil.which("git") is None:
        pytest.skip("needs git")
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=repository)
    if listed.returncode:
        pytest.skip("needs a clone: there is no git repository here")
    folder = tmp_path_factory.mktemp("clone")
    for name in filter(None, listed.stdout.split("\0")):
        if (repository / name).is_file():  # not one that was deleted and is still listed
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(repository / name, folder / name)
    assert git("init", "--quiet", cwd=folder).returncode == 0
    assert git("add", "--all", cwd=folder).returncode == 0
    assert git("commit", "--quiet", "--message", "all", cwd=folder).returncode == 0
    # What stands before it installs the program, which needs a package index: here it is the one of the clone.
    (command,) = re.findall(
        r"^pip install \S+ \S+ -e \. && (python -m bench run .*)$", pages["README.md"], re.MULTILINE
    )
    # In full it takes minutes; models are kept for a test below.
    done = bench(*shlex.split(command)[3:], "--profile", "smoke", "--save-models", cwd=folder, root=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def pasted(commands, bench, clone):
    """A function that runs a command that a page shows, in the clone."""

    def run(command, *more, **replaced):
        assert command in commands
        words = [replaced.get(word, word) for word in shlex.split(command)[3:]]
        done = bench(*words, *more, cwd=clone, root=clone)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture
def results(clone) -> Path:
    return clone / "results" / "deap-arousal@simulated"


def test_the_program_that_was_run_is_the_one_of_the_clone(clone):
    found = subprocess.run(
        [sys.executable, "-c", "import bench; print(bench.__file__)"],
        cwd=clone, env={**os.environ, "PYTHONPATH": str(clone)}, capture_output=True, text=True,
    )  # fmt: skip
    assert Path(found.stdout.strip()).parent.parent == clone


def test_the_run_leaves_the_clone_clean(clone, results):
    assert git("status", "--porcelain", cwd=clone).stdout == ""
    for name in ("leaderboard.md", "leaderboard.csv", "leaderboard.tex"):
        assert (results / name).stat().st_size > 200
    assert any(results.glob("confusion/*.png"))
    assert any(results.glob("confusion/*.csv"))
    cells = [file.parent for file in results.glob("**/result.json")]
    assert len(cells) == 6 + 13  # three estimators, and what sees ids only, under two protocols
    assert all((cell / "predictions.parquet").is_file() for cell in cells)


def test_the_tests_leave_the_clone_clean(clone):
    # One file stands for all: the whole test command takes minutes, and this test is a part of it.
    (one,) = clone.glob("tests/**/test_spec.py")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", str(one)],
        cwd=clone, env={**os.environ, "PYTHONPATH": str(clone)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert git("status", "--porcelain", cwd=clone).stdout == ""


def test_tables_are_made_again_and_cells_verified(clone, results, pasted):
    before = (results / "leaderboard.csv").read_bytes()
    (results / "leaderboard.csv").unlink()
    pasted("python -m bench tables --suite deap-arousal")
    assert (results / "leaderboard.csv").read_bytes() == before
    told = pasted("python -m bench verify --suite deap-arousal")
    assert "19 of 19 cells and 1 of 1 capsules are as they were stored" in told
    cell = str(results / "random-windows" / "majority" / "seed-0")
    assert "nothing differs" in pasted("python -m bench why CELL", CELL=cell)
    assert git("status", "--porcelain", cwd=clone).stdout == ""


def test_a_second_run_with_the_profile_reuses_all(pasted):
    # 41 s in docs/measured-figures.md, with nothing stored.
    again = pasted("python -m bench run --suite deap-arousal --profile smoke")
    assert "6 cells: 0 to run, 6 reused" in again


def test_a_kept_model_classifies_a_recording_and_a_stream(clone, results, commands, pasted, bench):
    pasted("python -m bench run --suite deap-arousal --save-models", "--profile", "smoke")
    cell = str(results / "subject-stratified" / "mlstm-fcn" / "seed-0")
    replayed = pasted("python -m bench stream CELL --replay 3/12", CELL=cell)
    assert len(replayed.splitlines()) > 10
    samples = "\n".join(f"{number % 7},1.5,{number % 5},30" for number in range(2000))
    for command in (
        "python -m bench stream CELL --hop 1 --format jsonl",
        "python -m bench stream CELL --format csv",
    ):
        assert command in commands
        words = shlex.split(command.replace("CELL", shlex.quote(cell)))[3:]
        done = subprocess.run(
            [sys.executable, "-m", "bench", *words],
            cwd=clone, env={**os.environ, "PYTHONPATH": str(clone)}, input=samples, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) >= 3
    assert git("status", "--porcelain", cwd=clone).stdout == ""
