"""A split that somebody else made is read from a file, audited and run."""

import numpy as np
import pandas as pd
import pytest

from bench.data.windows import Target, Windowing, make_panel
from bench.errors import ProtocolError
from bench.registry import get
from bench.spec import parse_spec
from bench.splits.divide import divide, divisions
from bench.splits.split_file import register_split


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch):
    import bench.registry

    get("protocol", "loso")
    monkeypatch.setitem(bench.registry._registered, "protocol", dict(bench.registry._registered["protocol"]))


@pytest.fixture
def panel(toy_plugins):
    return make_panel(
        get("dataset", "toy").factory(), Target(name="arousal"), Windowing(seconds=2, overlap=1)
    )


@pytest.fixture
def file_of(tmp_path):
    def write(table, name="Their split.csv"):
        path = tmp_path / name
        path.write_text(table if isinstance(table, str) else table.to_csv(index=False), encoding="utf-8")
        return path

    return write


def split_of(path, panel):
    return [split for _, split in divide(parse_spec(register_split(path)), panel, 0)]


def test_whole_trials_on_the_sides_that_the_file_says(panel, file_of):
    trials = panel.windows[["subject", "trial"]].drop_duplicates()
    side = np.where(trials.trial % 3 == 0, "test", "train")
    path = file_of(trials.assign(side=side))
    assert register_split(path) == "split-their-split"
    (split,) = split_of(path, panel)
    assert set(panel.windows.trial.iloc[split.test] % 3) == {0}
    assert len(split.train) + len(split.test) == len(panel)
    assert split.audit.verdict.startswith("clean (subjects")


def test_windows_by_their_start_leak_and_are_run_all_the_same(panel, file_of):
    side = np.where(np.random.default_rng(0).random(len(panel)) < 0.3, "test", "train")
    (split,) = split_of(file_of(panel.windows[["subject", "trial", "start"]].assign(side=side)), panel)
    assert (np.sort(split.test) == np.flatnonzero(side == "test")).all()
    assert split.audit.verdict == "LEAKS trials, samples"


def test_each_fold_of_a_file_is_tested_once(panel, file_of):
    trials = panel.windows[["subject", "trial"]].drop_duplicates()
    splits = split_of(file_of(trials.assign(fold=trials.subject % 2 + 5)), panel)
    assert len(splits) == 2
    assert sorted(row for split in splits for row in split.test) == list(range(len(panel)))
    assert {split.audit.shared_subjects for split in splits} == {0}


def test_what_the_file_leaves_out_is_on_neither_side_and_a_line_given_twice_is_a_copy(panel, file_of):
    trials = panel.windows[["subject", "trial"]].drop_duplicates()
    some = trials[trials.subject <= 2].assign(side="train")
    some.iloc[:3, 2] = "test"
    twice = pd.concat([some, some.iloc[:1]])
    (split,) = split_of(file_of(twice), panel)
    assert split.audit.left_out == pytest.approx((panel.windows.subject > 2).mean())
    assert "resampled test" in split.audit.verdict


def test_a_changed_file_gives_other_divisions(panel, file_of):
    trials = panel.windows[["subject", "trial"]].drop_duplicates()
    sources = []
    for held in (0, 1):
        path = file_of(trials.assign(side=np.where(trials.trial % 3 == held, "test", "train")))
        ((one),) = divisions(parse_spec(register_split(path)), panel, 0)
        sources.append(one.source)
    assert sources[0] != sources[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("subject,trail,side\n1,1,train\n", "no column 'trial', did you mean 'trail'|no column 'trial'"),
        ("subject,trial\n1,1\n", "needs one of the columns 'side' and 'fold'"),
        ("subject,trial,side,fold\n1,1,train,2\n", "needs one of the columns"),
        ("subject,trial,side\n", "no line after the header"),
        ("subject,trial,side\n1,1,train\n1,2,left\n", "line 3: side 'left' is neither train nor test"),
        ("subject,trial,side\n1,one,train\n", "line 2: trial 'one' is no whole number"),
        ("subject,trial,side\n1,,train\n", "line 2: trial '' is no whole number"),
        ("subject,trial,fold\n1,1,0\n1,2,0\n", "one fold only"),
        ("", "no CSV file"),
        ("subject,trial,side\n1,1,train,4,5\n1,2\n", "Their split.csv"),
        ("subject,trial,side\n1,1,train\n1,2,train\n2,1,train\n", "none of its test windows is among"),
        ("subject,trial,side\n900,1,train\n1,2,test\n", "none of its train windows is among"),
    ],
)
def test_a_file_that_is_no_split_is_refused_with_the_line(panel, file_of, text, message):
    with pytest.raises(ProtocolError, match=message):
        split_of(file_of(text), panel)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ProtocolError, match=r"nowhere\.csv: cannot be read"):
        register_split(tmp_path / "nowhere.csv")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "split.csv"
    path.write_bytes(b"\x80\x04\x95pickle\xff\xfe\x00")
    with pytest.raises(ProtocolError, match=r"split\.csv"):
        register_split(path)
