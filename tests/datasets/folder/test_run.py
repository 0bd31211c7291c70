"""A folder of one's own, from its files to the leaderboard, with no suite and no plugin written."""

import csv

import pytest

from bench.study.suite_files import read_suite, suite_as_toml

QUICK = ("--estimators", "nearest-mean", "--profile", "smoke")


@pytest.fixture
def run(bench, own, toy_plugins, blank_pictures):
    """``python -m bench run --folder recordings ...`` where the folder is."""

    def start(*arguments):
        return bench("run", "--folder", "recordings", *arguments, cwd=own.root.parent, columns=80)

    return start


def with_gap(own):
    path = own.sensor("BVP", 4, 1)
    lines = own.lines(path)
    own.write(path, [*lines[:65], *lines[97:]])


def test_a_folder_of_three_rates_and_a_gap_is_run_to_its_leaderboard(run, own):
    with_gap(own)
    done = run("--target", "stress", *QUICK)
    assert done.returncode == 0, done.stderr
    told = done.stderr.splitlines()
    assert told.count("recordings/signals/4_1: BVP: a gap in time of 0.5 s at 0.984375 s: interpolated") == 1
    assert "protocols that the trials allow: loso, subject-stratified" in told
    assert "9 cells: 9 to run" in done.stdout
    with open(own.root.parent / "results" / "recordings" / "leaderboard.csv") as file:
        rows = [row for row in csv.DictReader(file) if row["estimator"] == "nearest-mean"]
    assert {(row["protocol"], row["n_people"]) for row in rows} == {
        ("loso", "8"),
        ("subject-stratified", "8"),
    }
    assert {row["simulated"] for row in rows} == {"False"}


def test_what_is_to_be_known_is_said_once_a_run_also_of_a_folder_that_was_read_before(run, own):
    with_gap(own)
    for _ in range(2):
        done = run("--target", "stress", "--plan", *QUICK)
        assert done.stderr.count("recordings/signals/4_1: BVP: a gap in time of 0.5 s") == 1


def test_the_suite_that_was_made_is_kept_and_other_commands_take_it(run, bench, own):
    first = run("--target", "stress", *QUICK, "--protocols", "subject-stratified")
    kept = "results/recordings/suite.toml"
    assert f"python -m bench tables --suite {kept}" in first.stderr
    folder = own.root.parent
    assert 'folder = "../../recordings"' in (folder / kept).read_text()
    assert bench("tables", "--suite", kept, cwd=folder).returncode == 0
    assert "clean" in bench("audit", "--suite", kept, cwd=folder).stdout
    again = bench("run", "--suite", kept, *QUICK, "--protocols", "subject-stratified", cwd=folder)
    assert "1 cells: 0 to run, 1 reused" in again.stdout
    cell = "results/recordings/subject-stratified/nearest-mean/seed-0"
    assert "nothing differs" in bench("why", cell, "--suite", kept, cwd=folder).stdout


def test_results_of_another_target_are_not_replaced(run, own):
    run("--target", "stress", *QUICK, "--protocols", "subject-stratified")
    other = run("--target", "arousal", "--threshold", "5", *QUICK)
    assert other.returncode == 2
    assert other.stderr.splitlines()[-1] == (
        "error: results/recordings holds results with --target stress: write those of arousal elsewhere, with "
        "--results DIR"
    )


def test_numbers_are_cut_at_the_threshold(run, own):
    done = run("--target", "arousal", "--threshold", "5", "--plan", *QUICK)
    assert done.returncode == 0, done.stderr
    done = run("--target", "arousal", "--threshold", "2.15", "--plan", *QUICK)
    assert "protocols that the trials allow" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--folder needs --target, the column to predict: arousal or stress"),
        (["--target", "stres"], "--target stres: no rating or label in trials.csv; did you mean 'stress'?"),
        (
            ["--target", "arousal"],
            "--target arousal: numbers from 2.1 to 7.5 need --threshold X: above it is high, else low",
        ),
        (
            ["--target", "arousal", "--threshold", "9"],
            "--threshold 9: leaves one class; arousal goes from 2.1 to 7.5",
        ),
        (
            ["--target", "stress", "--threshold", "5"],
            "--threshold 5: stress holds texts, which are the classes",
        ),
        (
            ["--target", "stress", "--overlap", "6"],
            "--overlap 6: has to be 0 or more, and less than the 5 s of a window",
        ),
        (["--target", "stress", "--suite", "deap-arousal"], "--suite and --folder: give one of them"),
        (
            ["--target", "stress", "--window-seconds", "20"],
            "recordings: subject 1, trial 1 lasts 12.0 s, too short for a window of 20 s",
        ),
    ],
)
def test_what_cannot_be_run_is_one_plain_line(run, options, message):
    done = run(*options, *QUICK)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"error: {message}"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "say what to run: --suite NAME (see `list suites`) or --folder DIR --target COLUMN"),
        (["--folder", "recordngs", "--target", "x"], "--folder recordngs: no such folder"),
        (
            ["--folder", "recordings", "--target", "x", "--data-root", "."],
            "--data-root is of a suite's data set; --folder is the folder itself",
        ),
        (
            ["--folder", "recordings", "--target", "x", "--profile", "quik"],
            "--profile quik: unknown; did you mean 'quick'?",
        ),
        (
            ["--suite", "deap-arousal", "--target", "x"],
            "--target is of --folder DIR; a suite says it in its file",
        ),
        (
            ["--suite", "deap-arousal", "--window-seconds", "3"],
            "--window-seconds is of --folder DIR; a suite says it in its file",
        ),
    ],
)
def test_options_that_do_not_go_together_are_one_plain_line(bench, tmp_path, options, message):
    done = bench("run", *options, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, f"error: {message}\n")


def test_every_fault_of_the_files_is_a_line_and_the_exit_status_is_two(run, own):
    own.sensor("EDA", 3, 2).write_text("time,EAD (uS)\n0,1\n1,2\n2,3\n")
    own.sensor("temperature", 5, 1).unlink()
    done = run("--target", "stress")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-2:] == [
        "error: recordings/signals/3_2/EDA.csv: column 'EAD (uS)' is not in the other trials; did you mean 'EDA (uS)'?",
        "recordings/signals/5_1: no 'temperature (deg C)', which the other trials have",
    ]


def test_a_person_without_a_class_is_named(run, own):
    path = own.root / "trials.csv"
    lines = own.lines(path)
    own.write(path, [line.replace("high", "low") if line.startswith("3,") else line for line in lines])
    done = run("--target", "stress", "--plan", *QUICK)
    assert "recordings: subject 3 has no trial with stress 'high'" in done.stderr.splitlines()


def test_protocols_are_those_that_the_trials_allow(run, own):
    path = own.root / "trials.csv"
    lines = own.lines(path)
    one_each = [line for line in lines[1:] if int(line[0]) % 2 == int(line[2]) % 2 and int(line[2]) < 3]
    own.write(path, [lines[0], *one_each])
    done = run("--target", "stress", "--plan", *QUICK)
    assert (
        "protocols that the trials allow: loso (not subject-stratified: subject 1 has 1 trial only"
        in done.stderr
    )
    alone = [line for line in lines[1:] if line.startswith("1,")]
    own.write(path, [lines[0], *alone])
    done = run("--target", "stress", "--plan", *QUICK)
    assert "protocols that the trials allow: subject-stratified (not loso: " in done.stderr


def test_numbers_with_two_values_are_classes(run, own):
    path = own.root / "trials.csv"
    lines = own.lines(path)
    own.write(path, [line.replace(",high", ",1").replace(",low", ",0") for line in lines])
    done = run("--target", "stress", "--plan", *QUICK)
    assert done.returncode == 0, done.stderr


def test_a_folder_called_as_a_suite_does_not_take_its_results(bench, own, toy_plugins):
    own.root.rename(own.root.with_name("uea"))
    folder = own.root.parent
    bench(
        "run",
        "--folder",
        "uea",
        "--target",
        "stress",
        *QUICK,
        "--protocols",
        "subject-stratified",
        cwd=folder,
    )
    assert sorted(path.name for path in (folder / "results").iterdir()) == ["uea-folder"]


SUITE = """
title = "My own recordings"
dataset = {folder = "recordings"}
protocols = ["subject-stratified"]
estimators = ["nearest-mean"]
[target]
name = "stress"
rule = "label"
"""


def test_a_suite_names_the_folder_as_seen_from_its_file(bench, own, toy_plugins, tmp_path, blank_pictures):
    file = own.root.parent / "mine.toml"
    file.write_text(SUITE)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = bench("run", "--suite", file, cwd=elsewhere)
    assert done.returncode == 0, done.stderr
    assert (elsewhere / "results" / "mine" / "leaderboard.md").exists()
    child = elsewhere / "child.toml"
    child.write_text(f'extends = "{file}"\nseeds = 2\n')
    assert read_suite(str(child)).dataset == read_suite(str(file)).dataset


def test_a_suite_on_a_folder_is_written_as_it_is_read(own):
    file = own.root.parent / "mine.toml"
    file.write_text(SUITE)
    suite = read_suite(str(file))
    for place in (None, own.root.parent):
        file.write_text(suite_as_toml(suite, place))
        assert read_suite(str(file)) == suite


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ('{foldr = "recordings"}', "its key 'foldr' is unknown; did you mean 'folder'?"),
        ("{folder = 3}", 'has to be the name of a data set, or { folder = "DIR" }'),
        ('{folder = ""}', 'has to be the name of a data set, or { folder = "DIR" }'),
        ("7", 'has to be the name of a data set, or { folder = "DIR" }'),
    ],
)
def test_a_data_set_that_is_neither_name_nor_folder_is_refused(bench, tmp_path, dataset, message):
    file = tmp_path / "mine.toml"
    file.write_text(SUITE.replace('{folder = "recordings"}', dataset))
    done = bench("run", "--suite", "mine.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: mine.toml: key 'dataset': {message}")


def test_a_suite_whose_folder_is_gone_says_so(bench, tmp_path):
    (tmp_path / "mine.toml").write_text(SUITE)
    done = bench("run", "--suite", "mine.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert f"suite 'mine': key 'dataset.folder': there is no folder {tmp_path / 'recordings'}" in done.stderr
