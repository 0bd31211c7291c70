"""`new` writes a start that works as it is, never over something, and `check` tells of it in a terminal."""

import shlex

import pytest

from bench.study.start import LIKES
from bench.study.suite_checks import check_estimators, check_protocols
from bench.study.suite_files import read_suite


@pytest.fixture
def new(bench, tmp_path):
    def run(*arguments, columns=80):
        return bench("new", *arguments, cwd=tmp_path, columns=columns)

    return run


def commands(done):
    """The commands that are to be typed next, as words after ``python -m bench``."""
    lines = [line for line in done.stdout.splitlines() if line.startswith("python -m bench ")]
    return [shlex.split(line, comments=True)[3:] for line in lines]


@pytest.mark.parametrize("like", LIKES)
def test_an_estimator_keeps_the_interface_as_it_is_written(new, bench, tmp_path, like):
    needs = {"keras": "keras"}.get(like, like)
    pytest.importorskip(needs, reason=f"needs {needs}, which is not installed")
    done = new("estimator", f"start-of-{like}", "--like", like)
    assert done.returncode == 0, done.stderr
    file = tmp_path / "my_plugins" / f"start_of_{like}.py"
    assert done.stdout.startswith(f"my_plugins/{file.name} is written.")
    assert "my-estimator" not in file.read_text()
    assert "my_estimator" not in file.read_text()
    check, run = commands(done)
    checked = bench(*check, cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.splitlines()[-1].endswith("keeps the interface")
    assert (run[0], run[-2:]) == ("run", ["--plugins", "my_plugins"])
    assert f"start-of-{like}" in run[run.index("--estimators") + 1]


def test_an_estimator_is_of_scikit_learn_unless_something_else_is_asked_for(new, tmp_path):
    assert new("estimator", "start-of-none").returncode == 0
    assert "RandomForestClassifier" in (tmp_path / "my_plugins" / "start_of_none.py").read_text()


def test_a_data_set_is_read_as_it_is_written_and_a_suite_comes_next(new, bench, tmp_path):
    check, suite = commands(new("dataset", "start-recordings", "--in", "mine"))
    checked = bench(*check, cwd=tmp_path)
    assert checked.returncode == 0
    assert "24 trials of 4 subjects, 2 channels at 16 Hz; to predict: arousal" in checked.stdout
    plan, run = commands(bench(*suite, cwd=tmp_path))
    assert plan == [*run, "--plan"]
    suite = read_suite(str(tmp_path / run[run.index("--suite") + 1]))
    assert suite.title.startswith("start-recordings-study: ")
    assert [str(spec) for spec in check_estimators(suite)] == suite.estimators
    assert [str(spec) for spec in check_protocols(suite)] == suite.protocols


@pytest.mark.slow  # recordings are simulated first
def test_a_suite_is_run_as_it_is_written(new, bench, tmp_path, blank_pictures):
    for command in commands(new("suite", "start-study")):
        done = bench(*command, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    board = tmp_path / "results" / "start-study@simulated" / "leaderboard.csv"
    assert "moments-forest" in board.read_text()


def test_nothing_is_overwritten(new, tmp_path):
    (tmp_path / "my_plugins").mkdir()
    file = tmp_path / "my_plugins" / "start_twice.py"
    file.write_text("mine\n")
    done = new("estimator", "start-twice")
    assert done.returncode == 2
    assert "start_twice.py is there already: nothing was written" in done.stderr
    assert file.read_text() == "mine\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("estimatr", "x"), "new estimatr: unknown; did you mean 'estimator'?"),
        (("estimator", "x", "--like", "pytorch"), "--like pytorch: unknown; did you mean 'torch'?"),
        (("dataset", "x", "--like", "torch"), "--like torch is of an estimator, not of a dataset"),
        (("estimator", "MyNet"), "use lower-case words with '-' between them, such as 'my-net'"),
        (("estimator", "my_net"), "such as 'my-net'"),
        (("estimator", "../net"), "such as 'net'"),
        (("dataset", "ä"), "such as 'my-dataset'"),
        (("estimator", "class"), "that word means something else in Python"),
        (("estimator", "rocket"), "an estimator is called 'rocket' already"),
        (("estimator", "deap"), "a dataset is called 'deap' already"),
        (("estimator", "aeon-features"), "the file name aeon_features.py is taken by"),
        (("suite", "deap-arousal"), "a suite is called 'deap-arousal' already"),
        (("suite", "My_Study"), "such as 'my-study'"),
        (("suite", "x", "--in", "file"), "--in file: that is no folder"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line_and_nothing_is_written(new, tmp_path, arguments, message):
    (tmp_path / "file").touch()
    done = new(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_name_that_a_file_in_the_folder_has_registered_is_taken(new, tmp_path):
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "some_file.py").write_text(
        "from bench.registry import register_estimator\n"
        "@register_estimator('start-taken', family='x')\ndef taken():\n    '''There.'''\n"
    )
    done = new("estimator", "start-taken", "--in", "others")
    assert done.returncode == 2
    assert "an estimator is called 'start-taken' already, in " in done.stderr


def test_a_check_fits_into_the_terminal_says_what_to_do_and_fails(bench, toy_plugins, tmp_path):
    done = bench("check", "of-neighbours", cwd=tmp_path, columns=80)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    (fault,) = (number for number, line in enumerate(lines) if line.startswith("FAULT"))
    assert lines[fault + 2].startswith("       What to do: compute what is learnt")
    assert lines[-1] == "of-neighbours: 1 fault"


@pytest.mark.parametrize(("typed", "meant"), [("nearest-men", "nearest-mean"), ("hku95", "hku956")])
def test_a_mistyped_name_is_answered_with_the_nearest_of_its_kind(bench, toy_plugins, tmp_path, typed, meant):
    done = bench("check", typed, cwd=tmp_path)
    assert done.returncode == 2
    assert f"did you mean '{meant}'?" in done.stderr
