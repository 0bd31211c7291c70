"""How long the README's first command takes: a whole process, as somebody starts it who has no data at hand.

``pytest tests/benchmarks/test_first_leaderboard.py --benchmark-enable -s``: the profile `quick`, no results and no cached
recordings yet, once. Without the option the profile `smoke` shows that it runs.
"""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from bench.cells.job import hardware
from bench.study.suite_files import read_suite

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.benchmark(group="first leaderboard")
@pytest.mark.timeout(3600)
def test_first_leaderboard(benchmark, measured, tmp_path):
    profile = "quick" if measured else "smoke"
    command = ["run", "--suite", "deap-arousal", "--profile", profile, "--results", tmp_path / "results"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "BENCH_CACHE": str(tmp_path / "cache")}

    def run():
        done = subprocess.run(
            [sys.executable, "-m", "bench", *map(str, command)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    benchmark.pedantic(run, rounds=1)
    board = pd.read_csv(tmp_path / "results" / "deap-arousal@simulated" / "leaderboard.csv")
    suite = read_suite("deap-arousal").thinned(profile)
    assert set(board[board.family != "signal-free"].estimator) == set(suite.estimators)
    assert set(board.status) == {"ok"}
    if measured:
        machine = f"{hardware()['processor']}, {len(os.sched_getaffinity(0))} cores"
        fits = board[board.estimator.isin(suite.estimators)]
        shown = fits[["estimator", "protocol", "balanced_accuracy", "fit_seconds", "predict_seconds"]]
        benchmark.extra_info |= {"processor": machine, "fit seconds, all": round(fits.fit_seconds.sum(), 1)}
        print(f"\n{benchmark.stats.stats.median:.1f} s on {machine}\n{shown.to_string(index=False)}")
