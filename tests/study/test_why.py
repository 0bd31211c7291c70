"""`why` says what differs between a stored cell and the one that would be run now; `verify` what is damaged."""

import shutil

import pytest
from typer.testing import CliRunner

from bench.cli.app import app
from bench.errors import DataError
from bench.running.runner import execute
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite
from bench.study.why import explain


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Folder of the results that all tests here start from, once the first of them has run the suite."""
    return tmp_path_factory.mktemp("ran") / "results"


@pytest.fixture
def stored(toy_suite, tmp_path, ran):
    """A cell among the results of the whole suite, the test's own."""
    if not ran.exists():
        list(execute(make_plan(read_suite(str(toy_suite)), "smoke", {}, results=ran)))
    own = shutil.copytree(ran, tmp_path / "results")
    return own / "toy@simulated" / "random-windows" / "nearest-mean" / "seed-0"


def test_nothing_differs_right_after_a_run(stored, toy_suite):
    assert explain(stored, str(toy_suite)) == []


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("overlap = 1", "overlap = 0.5", "setting windows overlap 1 -> 0.5"),
        ('name = "arousal"', 'name = "valence"', "setting target name arousal -> valence"),
        ("[target]", "[parameters]\nnearest-mean = { unused = 2 }\n[target]", "row parameters unused 1 -> 2"),
    ],
)
def test_what_the_suite_changed_is_named(stored, toy_suite, before, after, reason):
    toy_suite.write_text(toy_suite.read_text().replace(before, after))
    assert reason in explain(stored, str(toy_suite))


def test_the_code_of_the_plugin_counts_and_that_of_others_does_not(stored, toy_suite, monkeypatch):
    from bench.registry import Plugin, get

    code = get("estimator", "nearest-mean").source_digest
    digest = Plugin.source_digest.fget
    monkeypatch.setattr(
        Plugin, "source_digest", property(lambda self: digest(self) + "!" * (self.name == "majority"))
    )
    assert explain(stored, str(toy_suite)) == []
    monkeypatch.setattr(Plugin, "source_digest", property(lambda self: "0" * 64))
    assert explain(stored, str(toy_suite)) == [f"row plugin code {code[:10]}... -> 0000000000..."]


def test_damage_is_a_reason(stored, toy_suite):
    (stored / "predictions.parquet").write_bytes(b"")
    assert explain(stored, str(toy_suite)) == ["damaged: predictions.parquet is not what was stored"]
    (stored / "result.json").write_text("{")
    (reason,) = explain(stored, str(toy_suite))
    assert reason.startswith("result.json is damaged (JSONDecodeError")


def test_a_cell_that_the_suite_no_longer_has_is_said(stored, toy_suite):
    moved = stored.with_name("seed-7")
    stored.rename(moved)
    (reason,) = explain(moved, str(toy_suite))
    assert reason.startswith("the suite has no such cell")


def test_a_folder_without_a_cell_is_an_error(tmp_path):
    with pytest.raises(DataError, match="no cell is stored there"):
        explain(tmp_path)


def test_the_commands_say_it_and_their_exit_status_too(stored, toy_suite, tmp_path):
    def bench(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    done = bench("why", stored, "--suite", toy_suite)
    assert (done.exit_code, done.output.strip()) == (0, "nothing differs: the next run reuses it")
    done = bench("verify", "--suite", toy_suite, "--results", tmp_path / "results")
    assert (done.exit_code, done.output.strip()) == (0, "13 of 13 cells are as they were stored")
    (stored / "predictions.parquet").unlink()
    assert bench("why", stored, "--suite", toy_suite).exit_code == 1
    done = bench("verify", "--suite", toy_suite, "--results", tmp_path / "results")
    assert done.exit_code == 1
    assert f"{stored}: predictions.parquet cannot be read: No such file" in done.output.replace("\n", " ")
