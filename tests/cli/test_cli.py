"""The program as a user meets it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PLUGINS = Path(__file__).parents[1] / "plugins"


def bench(*arguments, cwd, columns=100, **environment):
    return subprocess.run(
        [sys.executable, "-m", "bench", *map(str, arguments)],
        capture_output=True, text=True, cwd=cwd,
        env={**os.environ, "COLUMNS": str(columns), "BENCH_PLUGINS": str(PLUGINS), "PYTHONPATH": str(REPOSITORY), **environment},
    )  # fmt: skip


def flat(text):
    return " ".join(text.split())


@pytest.fixture
def run(toy_suite, tmp_path):
    def make(*arguments, columns=100):
        return bench("run", "--suite", toy_suite, *arguments, cwd=tmp_path, columns=columns)

    return make


def test_a_run_prints_a_line_a_cell_and_the_leaderboard_and_a_second_one_reuses_all(run, tmp_path):
    first = run("--seeds", "1")
    assert first.returncode == 0, first.stderr
    assert "6 cells: 6 to run, 0 reused" in first.stdout
    assert all(f"{number}/6 " in first.stdout for number in range(1, 7))
    assert "after each cell: balanced accuracy, seconds to fit + to predict" in first.stdout
    assert "Leaking protocols, not to be ranked with the above" in first.stdout
    assert "SIMULATED recordings" in first.stdout
    folder = tmp_path / "results" / "toy@simulated"
    for name in ("leaderboard.md", "leaderboard.csv", "leaderboard.tex"):
        assert (folder / name).stat().st_size > 200
    second = run("--seeds", "1")
    assert "6 cells: 0 to run, 6 reused" in second.stdout
    assert second.returncode == 0


def test_a_wide_terminal_shows_data_preparation_and_memory_too(run):
    done = run("--seeds", "1", "--estimators", "majority", columns=140)
    assert done.stdout.count(" predict 0.0 s  data 0.") == 2
    assert done.stdout.count(" MB\n") == 2


def test_a_failed_cell_makes_the_exit_status_one_and_its_reason_is_shown(run):
    done = run("--estimators", "majority,breaks", "--seeds", "1")
    assert done.returncode == 1
    assert "failed: RuntimeError: the loss is nan | and so on" in flat(done.stdout)
    assert "2 of 4 cells failed" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--engine", "rai"], "--engine rai: unknown; did you mean 'ray'?"),
        (["--address", "auto"], "--address is of a Ray cluster: say --engine ray too"),
        (["--timeout", "5x"], "--timeout 5x: give a time such as 90s, 15m or 2h"),
        (["--timeout", "0"], "--timeout 0: give a time such as 90s, 15m or 2h"),
        (["--budget", "soon"], "--budget soon: give a time such as 90s, 15m or 2h"),
        (["--memory", "4"], "--memory 4: give a size such as 800MB or 4GB"),
        (["--memory", "lots"], "--memory lots: give a size such as 800MB or 4GB"),
    ],
)
def test_a_limit_that_cannot_be_understood_is_said_before_data_are_read(run, options, message):
    done = run(*options)
    assert done.returncode == 2
    assert message in done.stderr
    assert not done.stdout


def test_a_cell_that_exceeds_its_limit_is_a_line_and_the_exit_status_is_one(run):
    done = run("--estimators", "majority,mlstm-fcn", "--seeds", "1", "--timeout", "0.5s")
    assert done.returncode == 1
    assert "timeout: longer than 0.5 s" in flat(done.stdout)


def test_what_does_not_fit_into_the_budget_is_listed_and_the_plan_says_what_cells_take(run):
    run("--estimators", "majority", "--seeds", "1")
    planned = flat(run("--estimators", "majority,nearest-mean,breaks", "--seeds", "2", "--plan").stdout)
    assert "expected, one at a time: 0:00:0" in planned
    assert "not timed yet: breaks" in planned
    done = run("--estimators", "majority,nearest-mean", "--seeds", "2", "--budget", "0.001s")
    assert done.returncode == 1
    assert "6 of 8 cells did not fit into --budget; the same command goes on:" in done.stderr
    assert "  nearest-mean: 4\n  majority: 2\n" in done.stderr


def test_results_that_cannot_be_written_stop_the_run_before_anything_is_fitted(run, tmp_path):
    (tmp_path / "file").write_text("")
    done = run("--results", tmp_path / "file")
    assert done.returncode == 2
    assert "results cannot be written" in flat(done.stderr)
    assert "Traceback" not in done.stderr
    assert " 1/" not in done.stdout


def test_a_plan_stores_nothing_and_shows_what_would_be_run(run, tmp_path):
    done = run(
        "--plan",
        "--estimators",
        "nearest-mean[unused=3]+ros",
        "--protocols",
        "random-windows",
        "--subjects",
        "1-3",
    )
    assert done.returncode == 0
    assert "nearest-mean[unused=3]+ros" in done.stdout
    assert "3 subjects" in done.stdout
    assert "LEAKS trials" in done.stdout
    assert not (tmp_path / "results").exists()


def test_tables_are_rebuilt_without_tensorflow_or_sktime(run, toy_suite, tmp_path):
    run("--seeds", "1")
    folder = tmp_path / "results" / "toy@simulated"
    before = (folder / "leaderboard.csv").read_text()
    (folder / "leaderboard.csv").unlink()
    code = (
        f"import sys; sys.argv = ['bench', 'tables', '--suite', {str(toy_suite)!r}]\n"
        "from bench.cli.app import app\n"
        "try:\n    app()\nexcept SystemExit:\n    pass\n"
        "assert not {'tensorflow', 'keras', 'sktime'} & set(sys.modules), 'heavy import'\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    assert (folder / "leaderboard.csv").read_text() == before


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
        (["run"], "Missing option '--suite'"),
        (["run", "--suite", "uea", "--seeds", "0"], "Invalid value for '--seeds'"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_plain_message_and_exit_status_two(arguments, message, tmp_path):
    done = bench(*arguments, cwd=tmp_path, HKU956_ROOT="", DEAP_ROOT="")
    assert done.returncode == 2, done.stdout
    assert message in flat(done.stderr).replace(" │", "")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()


def test_a_narrow_terminal_shows_whole_names_and_scores(run):
    done = run("--seeds", "1", columns=50)
    for name in ("nearest-mean", "nearest-window", "majority", "subject-stratified"):
        assert name in done.stdout
    assert max(map(len, done.stdout.splitlines()[-25:-3])) <= 50


@pytest.mark.parametrize(
    ("command", "example"),
    [
        ("run", "python -m bench run --suite deap-arousal"),
        ("stream", "recorder | python -m bench stream CELL/model.keras --hop 1 --format jsonl"),
    ],
)
def test_help_has_examples(command, example):
    done = bench(command, "--help", cwd=REPOSITORY)
    assert example in flat(done.stdout)
    assert done.returncode == 0


def test_list_shows_everything_there_is():
    done = bench("list", cwd=REPOSITORY)
    for name in ("deap-arousal", "uea", "mlstm-fcn", "dtw-knn", "hku956", "subject-stratified", "+smote"):
        assert name in done.stdout
    assert "UNAVAILABLE, pip install no-such" in flat(done.stdout)


def test_audit_prints_a_line_a_protocol_and_fits_nothing(toy_suite, tmp_path):
    done = bench("audit", "--suite", toy_suite, cwd=tmp_path, columns=80)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["protocol", "subject-stratified", "random-windows"]
    assert lines[1].endswith("clean (subjects shared)")
    assert "LEAKS trials, samples" in lines[2]
    assert not (tmp_path / "results").exists()
    wide = bench(
        "audit", "--suite", toy_suite, "--protocols", "oversample-then-split", cwd=tmp_path, columns=170
    )
    assert (
        "scaler, resampler, model selection" in wide.stdout or "LEAKS trials, samples, scaler" in wide.stdout
    )


def test_audit_says_which_protocol_cannot_divide_the_data_and_shows_the_others(toy_suite, tmp_path):
    done = bench(
        "audit",
        "--suite",
        toy_suite,
        "--subjects",
        "1",
        "--protocols",
        "loso,subject-stratified",
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "clean (subjects shared)" in done.stdout
    assert "protocol 'loso': there is one subject only, 1" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--protocols", "lose"], "did you mean 'loso'"),
        (["--protocols", "loso[fold=3]"], "has no parameter 'fold'; did you mean 'folds'"),
        (["--protocols", "loso+ros"], "resamplers belong to estimators"),
        (["--profile", "fast"], "--profile fast: unknown"),
    ],
)
def test_audit_answers_a_typo_with_the_nearest(toy_suite, tmp_path, arguments, message):
    done = bench("audit", "--suite", toy_suite, *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert message in flat(done.stderr)


def test_ablations_are_run_from_the_command_line_and_tabled(toy_suite, tmp_path):
    toy_suite.write_text(
        toy_suite.read_text().replace(
            "[target]",
            '[ablations]\nestimator = "nearest-mean"\n[ablations.rows]\n"not scaled" = { scaling = "none" }\n[target]',
        )
    )
    done = bench("run", "--suite", toy_suite, "--ablations", "--seeds", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "2 cells: 2 to run" in done.stdout
    both = bench("run", "--suite", toy_suite, "--ablations", "--estimators", "majority", cwd=tmp_path)
    assert both.returncode == 2
    assert "--estimators and --protocols change nothing" in flat(both.stderr)
    assert "ablations.md" in done.stdout
    text = (tmp_path / "results" / "toy@simulated" / "ablations.md").read_text()
    assert "| not scaled" in text
    again = bench("tables", "--suite", toy_suite, cwd=tmp_path)
    assert again.returncode == 0
    assert (tmp_path / "results" / "toy@simulated" / "ablations.md").read_text() == text


def test_canaries_are_quiet_under_clean_protocols_and_demonstrate_the_leaks(toy_suite, tmp_path):
    done = bench("canary", "--suite", toy_suite, cwd=tmp_path, columns=130)
    assert done.returncode == 0, done.stdout + done.stderr
    found = [line.split() for line in done.stdout.splitlines() if "1-nearest-neighbour" in line]
    assert [(line[3], line[-1]) for line in found] == [
        ("subject-stratified", "quiet"),
        ("random-windows", "demonstration"),
    ]
    assert "exact binomial, corrected for all tests" in flat(done.stdout)


def test_an_alarm_is_exit_status_1(toy_suite, tmp_path):
    (tmp_path / "sly").mkdir()
    (tmp_path / "sly" / "sly.py").write_text(
        """
from bench.splits.protocols.hold_out_trials import SubjectStratified
from bench.registry import register_protocol

@register_protocol("sly", promises="clean")
class Sly(SubjectStratified):
    "Keeps late windows of one class and early ones of the other: the audit sees nothing."
    def split(self, X, y, groups=None):
        for train, test in super().split(X, y, groups):
            keep = (X["start"].to_numpy() > 120) == (y == "high")
            yield train[keep[train]], test[keep[test]]
"""
    )
    done = bench(
        "canary", "--suite", toy_suite, "--protocols", "sly", "--plugins", "sly", cwd=tmp_path, columns=80
    )
    assert done.returncode == 1
    assert "ALARM" in done.stdout
    audit = bench("audit", "--suite", toy_suite, "--protocols", "sly", "--plugins", "sly", cwd=tmp_path)
    assert audit.returncode == 0
