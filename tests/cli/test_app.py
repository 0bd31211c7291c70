"""What all commands have in common: help, and mistakes that a user can mend."""

import pytest


def flat(text):
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--suite", "deap-arousl"], "no suite is called 'deap-arousl'; did you mean 'deap-arousal'?"),
        (["run", "--suite", "uea", "--profile", "quik"], "--profile quik: unknown; did you mean 'quick'?"),
        (["run", "--suite", "uea", "--estimators", "rockt"], "no estimator is called 'rockt'; did you mean 'rocket'?"),
        (["run", "--suite", "uea", "--estimators", "rocket["], "is not of the form name"),
        (["run", "--suite", "uea", "--estimators", ","], "--estimators: none is named"),
        (["run", "--suite", "uea", "--subjects", "x"], "'x' is neither a number nor a range"),
        (["run", "--suite", "hku956-arousal"], "data set 'hku956' needs its folder: --data-root DIR or HKU956_ROOT=DIR"),
        (["run", "--suite", "deap-arousal", "--data-root", "absent"], "--data-root absent: no such folder"),
        (["run", "--suite", "deap-arousal", "--data-root", "."], "no s01.dat"),
        (["run", "--suite", "uea", "--plugins", "absent"], "plugin folder absent: no such folder"),
        (["tables", "--suite", "uea"], "no results yet; run first: python -m bench run --suite uea"),
        (["list", "estimator"], "list estimator: unknown; did you mean 'estimators'?"),
        (["lst"], "Did you mean 'list'?"),
        (["run"], "say what to run: --suite NAME (see `list suites`) or --folder DIR --target COLUMN"),
        (["run", "--suite", "uea", "--seeds", "0"], "Invalid value for '--seeds'"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_plain_message_and_exit_status_two(bench, arguments, message, tmp_path):
    done = bench(*arguments, cwd=tmp_path, HKU956_ROOT="", DEAP_ROOT="")
    assert done.returncode == 2, done.stdout
    assert message in flat(done.stderr).replace(" │", "")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()


def test_a_mistake_ends_a_process_with_exit_status_two(process, tmp_path):
    done = process("run", "--suite", "deap-arousl", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: no suite is called 'deap-arousl'; did you mean 'deap-arousal'?\n"


@pytest.mark.parametrize(
    ("command", "example"),
    [
        ("run", "python -m bench run --suite deap-arousal"),
        ("stream", "recorder | python -m bench stream CELL/model.keras --hop 1 --format jsonl"),
    ],
)
def test_help_has_examples(bench, command, example):
    done = bench(command, "--help")
    assert example in flat(done.stdout)
    assert done.returncode == 0
