"""`tables` from what is stored."""

import subprocess
import sys

from bench.report.leaderboard import make_leaderboard
from bench.report.leaderboard_files import write_leaderboard
from bench.running.runner import execute
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite


def test_tables_are_rebuilt_without_tensorflow_or_sktime(toy_suite, tmp_path):
    plan = make_plan(read_suite(str(toy_suite)), "quick", {"seeds": 1}, results=tmp_path / "results")
    assert len(list(execute(plan))) == 6
    write_leaderboard(make_leaderboard(plan.store), plan.store)
    board = tmp_path / "results" / "toy@simulated" / "leaderboard.csv"
    before = board.read_text()
    board.unlink()
    code = (
        f"import sys; sys.argv = ['bench', 'tables', '--suite', {str(toy_suite)!r}]\n"
        "from bench.cli.app import app\n"
        "try:\n    app()\nexcept SystemExit:\n    pass\n"
        "assert not {'tensorflow', 'keras', 'sktime'} & set(sys.modules), 'heavy import'\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    assert board.read_text() == before
