"""What no audit can see is found by the recipe of the docs: the same run on a copy with the ratings shuffled."""

import numpy as np
import pandas as pd
import pytest

from bench.discovery import add_plugin_folder
from bench.report.leaderboard import make_leaderboard
from bench.running.runner import execute
from bench.study.canary import ALARM, run_canaries
from bench.study.panels import load_all, suite_panel
from bench.study.plan import make_plan
from bench.study.suite import Suite
from bench.study.suite_checks import check_protocols

PLUGIN = """
import numpy as np
import pandas as pd
from scipy.stats import ttest_ind

from bench.recordings import Recordings
from bench.registry import register_dataset


@register_dataset("chosen-channels", description="", licence="", where="", cache=False)
def chosen_channels(root, *, subjects=None):
    trials = pd.read_csv(root / "ratings.csv")
    rng = np.random.default_rng(0)
    level = rng.standard_normal((len(trials), 600)).astype(np.float32)
    # The fault: these channels are chosen by the ratings of all trials, those that will be tested included.
    best = np.argsort(ttest_ind(level[trials.arousal > 5], level[trials.arousal <= 5]).pvalue)[:6]
    signals = np.repeat(level[:, best, None], 16, axis=2)
    signals += 0.1 * rng.standard_normal(signals.shape).astype(np.float32)
    names = [f"noise {k}" for k in best]
    return Recordings("chosen-channels", signals, names, 4.0, trials, simulated=True)
"""


@pytest.fixture
def study(tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "chosen_channels.py").write_text(PLUGIN)
    add_plugin_folder(tmp_path / "plugins")
    rng = np.random.default_rng(1)
    subject, trial = np.repeat(range(1, 11), 20), np.tile(range(20), 10)
    ratings = rng.permuted(np.tile([3.0, 7.0], (10, 10)), axis=1).ravel()
    table = pd.DataFrame({"subject": subject, "trial": trial, "stimulus": trial, "arousal": ratings})
    (tmp_path / "data").mkdir()
    table.to_csv(tmp_path / "data" / "ratings.csv", index=False)
    suite = Suite.model_validate(
        {
            "name": "chosen", "title": "Chosen channels", "dataset": "chosen-channels", "seeds": 1,
            "protocols": ["loso[folds=5]"], "estimators": ["nearest-mean"],
            "target": {"name": "arousal"}, "windows": {"seconds": 2, "overlap": 0},
        }
    )  # fmt: skip
    return suite, tmp_path / "data", table


def score(suite, data, results):
    plan = make_plan(suite, "full", data_root=data, results=results)
    list(execute(plan))
    table = make_leaderboard(plan.store).table
    return table[table.estimator == "nearest-mean"].iloc[0]


def test_b1_channels_chosen_by_the_ratings_inside_a_plugin_are_found_on_shuffled_ratings(
    study, toy_plugins, tmp_path
):
    suite, data, table = study
    row = score(suite, data, tmp_path / "results")
    assert row.audit.startswith("clean")  # nothing in the windows gives it away,
    ((_, recordings),), _ = load_all(suite, data, print)
    panel = suite_panel(suite, recordings, print)
    found = run_canaries([panel], check_protocols(suite), suite.scaling)
    assert ALARM not in {one.finding for one in found}  # and canaries come after the choice.
    shuffled = table.assign(
        arousal=table.groupby("subject")["arousal"].transform(lambda own: own.sample(frac=1, random_state=3))
    )
    copy = tmp_path / "shuffled"
    copy.mkdir()
    shuffled.to_csv(copy / "ratings.csv", index=False)
    blind = score(suite, copy, tmp_path / "blind")
    assert blind.balanced_accuracy > 0.55
    assert blind.above_floor_low > 0
