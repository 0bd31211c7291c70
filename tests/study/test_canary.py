"""Canaries stay quiet where nothing leaks, and are heard where something does."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bench.study.canary_deals as deals_module
from bench.cells.prepare import prepare
from bench.data.loading import find_sources, load_recordings
from bench.data.windows import Panel, Target, Windowing, make_panel
from bench.recordings import Recordings
from bench.registry import get, register_protocol
from bench.spec import parse_spec
from bench.study.canary import (
    ALARM,
    COUNTS,
    DEMONSTRATION,
    IDENTITY,
    LEVEL,
    PERMUTED,
    POSITION,
    QUIET,
    STIMULI_SHARED,
    STIMULUS,
    SUBJECTS_SHARED,
    run_canaries,
)
from bench.study.canary_deals import permute_labels
from bench.study.suite_files import read_suite


@pytest.fixture(scope="module")
def toy(toy_plugins) -> Panel:
    recordings = get("dataset", "toy").factory(n_trials=20, seconds=11)
    return make_panel(recordings, Target(name="arousal"), Windowing(seconds=2, overlap=1))


@pytest.fixture(autouse=True)
def _few_deals(monkeypatch):
    """Deal the classes few times: leaks of all trials are found so too, and the deals are most of the work."""
    monkeypatch.setattr(deals_module, "_MOST_DEALS", 4)


@pytest.fixture
def all_deals(_few_deals, monkeypatch):
    """For a test that deals the classes as often as in use."""
    monkeypatch.undo()


@pytest.fixture
def registered(monkeypatch):
    """Register protocols that are forgotten again after the test."""
    import bench.registry

    monkeypatch.setitem(bench.registry._registered, "protocol", dict(bench.registry._registered["protocol"]))
    return register_protocol


def send(panel, *protocols, canary=None, **arguments):
    found = run_canaries([panel], [parse_spec(name) for name in protocols], "min-max", **arguments)
    return [one for one in found if canary in (None, one.canary)]


def findings(found):
    return {one.finding for one in found}


def habits(toy: Panel) -> Panel:
    """Two of the four subjects rate nearly everything high, the two others nearly everything low."""
    subject, trial = toy.windows["subject"], toy.windows["trial"]
    return replace(toy, y=np.where((subject <= 2) ^ (trial <= 2), "high", "low"))


@pytest.mark.parametrize("seed", range(3))
def test_clean_protocols_are_quiet(toy, all_deals, seed):
    found = send(
        toy,
        "subject-stratified",
        "subject-independent[test_size=0.5]",
        "loso",
        "leave-one-stimulus-out[folds=4]",
        seed=seed,
    )
    assert len(found) == 4 * 6
    # Every second trial is high for everybody: the stimulus tells all, where it is in training.
    told = {one.protocol for one in found if one.finding == STIMULI_SHARED}
    assert told == {"subject-stratified", "subject-independent[test_size=0.5]", "loso"}
    assert findings(one for one in found if one.canary != STIMULUS) == {QUIET}
    assert all(one.p > LEVEL for one in found if one.finding == QUIET)
    assert all(20 < one.n_trials / max(one.deals, 1) <= 80 for one in found)


@pytest.mark.parametrize("protocol", ["random-windows", "oversample-then-split"])
def test_a_leaky_protocol_shows_what_its_leak_is_worth(toy, protocol):
    nearest, by_rank = send(toy, protocol, canary=PERMUTED)
    assert {nearest.finding, by_rank.finding} == {DEMONSTRATION}
    assert nearest.verdict.startswith("LEAKS")
    assert nearest.correct > 0.8 * nearest.n_trials
    assert nearest.chance < 0.6


def halved(panel: Panel, rows=None) -> Panel:
    """The halves of trials, of all or of some rows, under trial and stimulus ids of their own."""
    windows = panel.windows.copy()
    by_row = windows.groupby("row")["row"]
    late = by_row.cumcount() >= by_row.transform("size") / 2
    late &= windows["row"].isin(windows["row"] if rows is None else rows)
    for column in ("trial", "stimulus"):
        windows[column] = windows[column] * 2 + late.astype(int)
    return replace(panel, windows=windows)


@pytest.mark.parametrize(
    ("scaling", "protocol", "verdict"),
    [
        ("min-max", "subject-stratified", "clean (subjects, stimuli shared)"),
        ("none", "leave-one-stimulus-out[folds=4]", "clean (subjects shared)"),
    ],
)
def test_halves_of_a_trial_that_are_called_two_trials_raise_an_alarm(toy, scaling, protocol, verdict):
    found = run_canaries([halved(toy)], [parse_spec(protocol)], scaling)
    assert {one.verdict for one in found} == {verdict}
    assert findings(one for one in found if one.canary == PERMUTED) == {ALARM}
    assert findings(one for one in found if one.canary in (IDENTITY, POSITION)) == {QUIET}


def test_b6_twins_at_20_percent_of_the_test_trials_raise_an_alarm(toy_plugins, all_deals):
    recordings = get("dataset", "toy").factory(n_trials=40, seconds=11)
    panel = make_panel(recordings, Target(name="arousal"), Windowing(seconds=2, overlap=1))
    for seed in range(3):
        rows = np.random.default_rng(seed).permutation(160)[
            :27
        ]  # 54 of 187 trials, 70 % of whose twins are in training
        found = send(halved(panel, rows), "subject-stratified", "loso", canary=PERMUTED, seed=seed)
        assert [one.finding for one in found] == [ALARM, ALARM, QUIET, QUIET]
        assert all(0 < one.detectable < 0.2 for one in found)


def test_scaling_by_class_with_the_classes_of_the_test_windows_raises_an_alarm(toy, monkeypatch):
    def peeks(panel, split, scaling, resampler="", seed=0):
        sides = prepare(panel, split, scaling, resampler, seed)
        for X, y in ((sides.X_train, sides.y_train), (sides.X_test, sides.y_test)):
            for label in panel.classes:
                X[y == label] /= np.abs(X[y == label]).max() * (1 + panel.classes.index(label))
        return sides

    monkeypatch.setattr(deals_module, "prepare", peeks)
    found = send(toy, "subject-stratified", "loso", canary=PERMUTED)
    assert findings(found) == {ALARM}


def test_a_clean_protocol_that_drops_windows_by_class_raises_an_alarm(toy, registered):
    @registered("balances-by-start", promises="clean")
    class BalancesByStart(get("protocol", "subject-stratified").factory):
        def split(self, X, y, groups=None):
            early = X["start"].to_numpy() < X["start"].median()
            kept = np.where(np.asarray(y) == "high", ~early, early)
            for train, test in super().split(X, y, groups):
                yield train[kept[train]], test[kept[test]]

    found = send(toy, "balances-by-start")
    assert {one.verdict for one in found} == {"clean (subjects, stimuli shared)"}
    assert findings(one for one in found if one.canary == POSITION) == {ALARM}
    assert findings(one for one in found if one.canary not in (POSITION, STIMULUS)) == {QUIET}


def test_classes_that_decide_which_windows_there_are_raise_an_alarm(toy):
    high = toy.y == "high"
    kept = high | (toy.windows["start"] > toy.windows["start"].median()).to_numpy()
    kept &= ~high | (toy.windows["start"] < toy.windows["start"].max()).to_numpy()
    kept &= ~high | (toy.windows["start"] < toy.windows["start"].median()).to_numpy()
    thinned = replace(toy, windows=toy.windows[kept].reset_index(drop=True), y=toy.y[kept])
    found = send(thinned, "loso", "random-windows", canary=POSITION)
    assert [one.finding for one in found] == [ALARM, DEMONSTRATION]
    assert found[0].correct == found[0].n_trials == 80


def test_habits_of_subjects_are_no_alarm_and_never_tell_a_new_subject(toy):
    protocols = [
        "subject-stratified[test_size=0.5]",
        "random-windows",
        "loso",
        "subject-independent[test_size=0.5]",
    ]
    stratified, windows, loso, independent = send(habits(toy), *protocols, canary=IDENTITY)
    assert (stratified.finding, stratified.verdict) == (SUBJECTS_SHARED, "clean (subjects, stimuli shared)")
    assert windows.finding == SUBJECTS_SHARED  # what habits are worth is not what the leak is worth
    for one in (loso, independent):
        assert (one.finding, one.verdict) == (QUIET, "clean (stimuli shared)")
        assert one.correct <= one.chance * one.n_trials


def test_classes_dealt_out_leave_no_habits_that_a_stratified_split_would_show(toy):
    for seed in range(10):
        panel = permute_labels(habits(toy), seed)
        trials = panel.windows.assign(y=panel.y).drop_duplicates("row")
        assert set(pd.crosstab(trials["subject"], trials["y"])["high"]) == {10}


@settings(max_examples=30, deadline=None)
@given(
    trials=st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 9), st.sampled_from("abc"), st.integers(1, 3)),
        min_size=2, max_size=24, unique_by=lambda t: t[:2],
    ).filter(lambda trials: len({t[2] for t in trials}) > 1),
    seed=st.integers(0, 99),
    data=st.data(),
)  # fmt: skip
def test_permuted_is_between_trials_whatever_the_order_of_rows(trials, seed, data):
    rows = [(s, t, k, start, c) for k, (s, t, c, n) in enumerate(trials) for start in range(n)]
    table = pd.DataFrame(rows, columns=["subject", "trial", "row", "start", "y"])
    recordings = Recordings(
        "made", np.zeros((len(trials), 1, 9), np.float32), ("a",), 1.0,
        pd.DataFrame({"subject": [t[0] for t in trials], "trial": [t[1] for t in trials], "stimulus": 0}),
    )  # fmt: skip

    def panel(table):
        windows = table.drop(columns="y").reset_index(drop=True)
        return Panel(recordings, windows, table["y"].to_numpy(dtype=str), ("a", "b", "c"), 2, (0,))

    def permuted(table):
        return table.assign(y=permute_labels(panel(table), seed).y)

    once = permuted(table)
    assert (once.groupby("row")["y"].nunique() == 1).all()
    first, before = (t.drop_duplicates("row")["y"].value_counts().to_dict() for t in (once, table))
    assert first == before
    pd.testing.assert_frame_equal(once, permuted(table))
    shuffled = table.iloc[data.draw(st.permutations(range(len(table))))]
    # Nor may it matter in what order the recordings hold the trials.
    number = np.array(data.draw(st.permutations(range(len(trials)))))
    other = permuted(shuffled.assign(row=number[shuffled["row"]]))
    ids = ["subject", "trial", "start"]
    pd.testing.assert_series_equal(
        once.set_index(ids)["y"].sort_index(), other.set_index(ids)["y"].sort_index()
    )


def test_another_seed_deals_other_classes(toy):
    one, other = (permute_labels(toy, seed) for seed in (0, 1))
    assert 0.25 < (one.y == other.y).mean() < 0.75
    assert 0.25 < (one.y == toy.y).mean() < 0.75
    assert one.windows is toy.windows


def test_what_cannot_be_divided_is_said_and_the_rest_goes_on(toy, registered):
    from bench.errors import ProtocolError

    @registered("only-as-rated", promises="clean")
    class OnlyAsRated(get("protocol", "loso").factory):
        def split(self, X, y, groups=None):
            if (y != toy.y).any():
                raise ProtocolError("these are other classes")
            yield from super().split(X, y, groups)

    said = []
    found = send(toy, "only-as-rated", "loso", say=said.append)
    refused, rest = found[:2], [one for one in found[2:] if one.canary != STIMULUS]
    assert findings(refused) == {"not possible: toy, protocol 'only-as-rated': these are other classes"}
    assert {(one.n_trials, one.verdict) for one in refused} == {(0, "")}
    assert findings(rest) == {QUIET}
    assert said[0] == "toy, only-as-rated: permuted labels"
    assert len(said) == 2 * 5
    unknown = run_canaries([toy], [parse_spec("loso")], "subject-z-score")[0]
    assert unknown.finding.startswith("not possible: scaling subject-z-score: subject 1 has no training")


def test_a_canary_that_has_nothing_to_go_on_is_not_sent(toy):
    nobody = replace(toy, windows=toy.windows.assign(subject=0, trial=toy.windows["row"]))
    assert IDENTITY not in {one.canary for one in send(nobody, "subject-stratified")}
    first = (toy.windows["start"] == toy.windows["start"].min()).to_numpy()
    single = replace(toy, windows=toy.windows[first].reset_index(drop=True), y=toy.y[first])
    assert {one.canary for one in send(single, "subject-stratified")} == {
        PERMUTED,
        IDENTITY,
        COUNTS,
        STIMULUS,
    }
    alone = replace(single, windows=single.windows.assign(stimulus=single.windows["row"]))
    assert STIMULUS not in {one.canary for one in send(alone, "subject-stratified")}


def test_several_panels_are_corrected_together(toy):
    other = replace(toy, windows=toy.windows.copy())
    alone, both = (
        [one.p for one in run_canaries(panels, [parse_spec("loso")], "min-max") if one.finding == QUIET]
        for panels in ([toy], [toy, other])
    )
    assert len(both) == 2 * len(alone)
    assert both[: len(alone)] == pytest.approx(alone)  # each p has twice the tests and twice the rank


def real(shared_data) -> Panel:
    if not (shared_data / "HKU956").is_dir():
        pytest.skip("needs HKU956")
    suite = read_suite("hku956-arousal").thinned("quick")
    sources, _ = find_sources(parse_spec(suite.dataset), shared_data / "HKU956")
    return make_panel(load_recordings(sources[0], None), suite.target, suite.windows)


def test_on_real_recordings_windows_give_away_their_record_under_the_leaky_protocol_only(shared_data):
    found = send(real(shared_data), "subject-stratified", "random-windows", canary=PERMUTED)
    told = {(one.protocol, one.classifier): one.finding for one in found}
    assert told["subject-stratified", "1-NN"] == QUIET
    assert told["subject-stratified", "1-NN of ranks"] == QUIET
    assert told["random-windows", "1-NN"] == DEMONSTRATION
    assert told["random-windows", "1-NN of ranks"] == DEMONSTRATION


def test_b6_real_records_under_two_trial_ids_raise_an_alarm(shared_data, all_deals):
    panel = real(shared_data)
    rows = np.random.default_rng(0).permutation(panel.windows["row"].unique())
    for share in (1 / 6, 1 / 2):  # 20 and 47 % of the test trials have their twin in training
        found = send(halved(panel, rows[: round(share * len(rows))]), "subject-stratified", canary=PERMUTED)
        assert {one.verdict.split(" (")[0] for one in found} == {"clean"}
        assert findings(found) == {ALARM}
