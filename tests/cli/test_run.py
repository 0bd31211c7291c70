"""`run`, from the first line to the exit status."""

import pytest


def flat(text):
    return " ".join(text.split())


def test_a_run_prints_a_line_a_cell_and_the_leaderboard_and_a_second_one_reuses_all(
    process, run, toy_suite, tmp_path
):
    first = process("run", "--suite", toy_suite, "--seeds", "1", cwd=tmp_path)
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


def test_an_estimator_of_the_suite_that_is_not_installed_is_left_out_and_one_that_is_asked_for_is_an_error(
    run, toy_suite
):
    toy_suite.write_text(toy_suite.read_text().replace('"nearest-mean"', '"lacks-package"'))
    done = run("--seeds", "1")
    assert done.returncode == 0
    assert (
        "estimator 'lacks-package' is left out: it needs no_such_module.part, not installed here: pip install no-such"
        in flat(done.stdout + done.stderr)
    )
    assert "4 cells: 4 to run" in done.stdout
    asked = run("--seeds", "1", "--estimators", "lacks-package,majority")
    assert asked.returncode == 2
    assert "pip install no-such" in asked.stderr


def test_a_wide_terminal_shows_data_preparation_and_memory_too(run):
    done = run("--seeds", "1", "--estimators", "majority", columns=140)
    assert done.stdout.count(" predict 0.0 s  data 0.") == 2
    assert done.stdout.count(" MB\n") == 2


def test_a_narrow_terminal_shows_whole_names_and_scores(run):
    done = run("--seeds", "1", columns=50)
    for name in ("nearest-mean", "nearest-window", "majority", "subject-stratified"):
        assert name in done.stdout
    assert max(map(len, done.stdout.splitlines()[-25:-3])) <= 50


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
    done = run(
        "--protocols",
        "random-windows",
        "--estimators",
        "majority,mlstm-fcn",
        "--seeds",
        "1",
        "--timeout",
        "0.5s",
    )
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


def test_ablations_are_run_from_the_command_line_and_tabled(bench, run, toy_suite, tmp_path):
    toy_suite.write_text(
        toy_suite.read_text().replace(
            "[target]",
            '[ablations]\nestimator = "nearest-mean"\n[ablations.rows]\n"not scaled" = { scaling = "none" }\n[target]',
        )
    )
    done = run("--ablations", "--seeds", "1")
    assert done.returncode == 0, done.stderr
    assert "2 cells: 2 to run" in done.stdout
    both = run("--ablations", "--estimators", "majority")
    assert both.returncode == 2
    assert "--estimators changes nothing where they have no sampling_rates" in flat(both.stderr)
    other = run("--ablations", "--protocols", "loso")
    assert other.returncode == 2
    assert "--protocols and --split change nothing" in flat(other.stderr)
    assert "ablations.md" in done.stdout
    text = (tmp_path / "results" / "toy@simulated" / "ablations.md").read_text()
    assert "| not scaled" in text
    again = bench("tables", "--suite", toy_suite, cwd=tmp_path)
    assert again.returncode == 0
    assert (tmp_path / "results" / "toy@simulated" / "ablations.md").read_text() == text


def test_a_split_out_of_a_file_is_run_shown_by_its_verdict_and_its_tables_made_again(
    bench, toy_suite, tmp_path
):
    lines = ["subject,trial,side"]
    lines += [f"{s},{t},{'test' if t % 3 == 0 else 'train'}" for s in (1, 2, 3, 4) for t in range(1, 11)]
    (tmp_path / "theirs.csv").write_text("\n".join(lines))
    ours = ["--suite", toy_suite, "--estimators", "nearest-mean", "--seeds", "1"]
    done = bench("run", *ours, "--split", "theirs.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "results" / "toy@simulated"
    board = (folder / "leaderboard.md").read_text()
    assert "### split-theirs" in board
    assert "clean (subjects, stimuli shared)" not in board  # trial 3 of everybody is a stimulus of its own
    assert "clean (subjects shared)" in board
    again = bench("tables", "--suite", toy_suite, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert (folder / "leaderboard.md").read_text() == board
    assert "1 cells: 0 to run, 1 reused" in bench("run", *ours, "--split", "theirs.csv", cwd=tmp_path).stdout
