"""What a review of the tables found wrong, point by point: each test fails where the point is wrong again."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from bench.data.windows import Windowing
from bench.report.floor import ABOVE, BELOW, LEVEL
from bench.report.leaderboard import make_leaderboard
from bench.report.leaderboard_files import about_protocol, ranks, write_leaderboard
from bench.splits.audit import united


@pytest.fixture
def run(toy_suite, results):
    return lambda **changes: results(toy_suite, **changes)


def rows_of(board, estimator, protocol):
    table = board.table
    return table[(table.estimator == estimator) & (table.protocol == protocol)].iloc[0]


@pytest.mark.parametrize("protocol", ["leave-one-stimulus-out", "loso"])
def test_a1_majority_scores_what_one_answer_does_however_many_folds_test_one_class_only(run, protocol):
    # Seven of ten stimuli are high: each fold tests one class, whose recall is no balanced accuracy.
    store = run(dataset="toy[n_high=7]", protocols=[protocol], estimators=["nearest-mean"], seeds=2)
    board = make_leaderboard(store)
    row = rows_of(board, "majority", protocol)
    for column in ("balanced_accuracy", "trial_balanced_accuracy"):
        assert row[column] == 0.5
    assert np.isnan(row.within_people) or row.within_people == 0.5
    assert (row.n_cells, row.n_seeds) == ((20, 2) if protocol == "leave-one-stimulus-out" else (8, 2))


def test_a1_the_deviation_is_over_seeds_and_folds_are_scored_together(run):
    store = run(protocols=["loso"], estimators=["nearest-mean"], seeds=2)
    scores = []
    for seed in (0, 1):
        parts = [
            c.predictions() for c in store.cells() if c.place[0] == seed and "nearest-mean" in str(c.folder)
        ]
        predictions = pd.concat(parts)
        scores.append(balanced_accuracy_score(predictions.y_true, predictions.y_pred))
    row = rows_of(make_leaderboard(store), "nearest-mean", "loso")
    assert row.balanced_accuracy == pytest.approx(np.mean(scores))
    assert row.balanced_accuracy_std == pytest.approx(np.std(scores, ddof=1))


def test_a2_the_floor_is_in_every_table_whatever_estimators_are_asked_for(run):
    board = make_leaderboard(run(estimators=["nearest-mean"], seeds=1))
    for protocol, rows in board.table.groupby("protocol"):
        floors = set(rows.estimator[rows.family == "signal-free"])
        assert {"majority", "stratified-chance", "subject-prior", "stimulus-prior"} <= floors
        best = rows[rows.family == "signal-free"].balanced_accuracy.max()
        assert rows_of(board, "nearest-mean", protocol).floor == pytest.approx(max(best, 0.5))


@pytest.mark.parametrize("follows", ["subject", "stimulus", "order"])
@pytest.mark.parametrize(
    "protocol",
    [
        "subject-stratified",
        "subject-blocked",
        "subject-independent[test_size=0.67]",  # eight people in each seed: fewer get no interval
        "loso[folds=3]",
        "leave-one-stimulus-out[folds=5]",
    ],
)
def test_a2_labels_that_follow_ids_only_put_nothing_above_the_floor_and_the_table_says_so(
    run, follows, protocol
):
    # Signals tell person, stimulus and place in the session as loudly as can be; nothing tells a class beside these.
    store = run(
        dataset=f"toy-ids[follows={follows}]",
        protocols=[protocol],
        estimators=["moments-forest[n_estimators=50]", "nearest-mean", "nearest-window"],
        seeds=5,
        windows=Windowing(seconds=2.0, overlap=1.0, per_trial=2),
    )
    board = make_leaderboard(store)
    compared = board.table[board.table.family != "signal-free"]
    assert len(compared) == 3
    assert compared.above_floor_low.notna().all()
    assert (compared.above_floor_low <= 0).all()
    assert set(compared.against_floor) <= {LEVEL, BELOW}
    write_leaderboard(board, store)
    assert f"{ABOVE.capitalize()}: none." in (store.folder / "leaderboard.md").read_text()


def test_a2_what_the_signal_tells_is_above_the_floor(run):
    store = run(
        dataset="toy-ids[follows=signal]",
        protocols=["subject-stratified"],
        estimators=["nearest-mean"],
        seeds=5,
    )
    row = rows_of(make_leaderboard(store), "nearest-mean", "subject-stratified")
    assert row.against_floor == ABOVE
    assert row.above_floor_low > 0.1


def test_a2_under_a_leak_ids_tell_the_class_and_nothing_is_measured_above_them(run):
    store = run(protocols=["random-windows"], estimators=["nearest-window"], seeds=1)
    board = make_leaderboard(store)
    row = rows_of(board, "nearest-window", "random-windows")
    assert row.floor == 1
    assert np.isnan(row.above_floor)
    assert "nothing is measured above it" in " ".join(about_protocol(board.table))


def test_a2_scores_within_people_are_free_of_what_the_person_gives_away(run):
    store = run(
        dataset="toy-ids[follows=subject]",
        protocols=["subject-stratified"],
        estimators=["nearest-window"],
        seeds=2,
    )
    row = rows_of(make_leaderboard(store), "subject-prior", "subject-stratified")
    assert row.balanced_accuracy > 0.7
    assert row.within_people == 0.5


def test_a7_the_worst_verdict_is_shown_and_all_that_any_split_leaks():
    assert united(["clean (subjects shared)", "LEAKS trials", "clean"]) == "LEAKS trials"
    assert united(["LEAKS copies", "LEAKS trials, samples"]) == "LEAKS trials, samples, copies"
    assert united(["clean", "clean (subjects shared)"]) == "clean (subjects shared)"
    assert united(["clean", "clean"]) == "clean"


def test_a8_records_in_which_a_person_hears_a_song_again_are_counted_and_said(shared_data):
    from bench.registry import get

    trials = get("dataset", "hku956").factory(shared_data / "HKU956").trials
    again = int((trials.groupby(["subject", "stimulus"]).size() - 1).sum())
    root = Path(__file__).parents[2]
    docs = (root / "docs" / "own-data.md").read_text()
    assert "956 songs" not in (root / "README.md").read_text() + docs
    assert f"{len(trials)} records of {trials.stimulus.nunique()} songs" in docs
    assert f"in {again} records a person hears a song again" in docs


def test_a9_an_estimator_that_failed_on_a_split_is_marked_and_not_ranked(run, toy_suite):
    import json

    store = run(estimators=["nearest-mean", "nearest-window"], protocols=["subject-stratified"], seeds=5)
    before = make_leaderboard(store).table
    assert sorted(ranks(before)) == ["1", "2"] + ["–"] * (len(before) - 2)
    best = before[before.family != "signal-free"].estimator.iloc[0]
    path = store.folder / "subject-stratified" / best / "seed-3" / "result.json"
    path.write_text(
        json.dumps({**json.loads(path.read_text()), "status": "failed", "reason": "ValueError: no"})
    )
    board = make_leaderboard(store)
    assert board.table.estimator.iloc[-1] == best
    assert board.table.status.iloc[-1] == "1 of 5 failed"
    assert ranks(board.table)[-1] == "–"
    write_leaderboard(board, store)
    assert "1 of 5 failed: ValueError: no" in (store.folder / "leaderboard.md").read_text()


def test_a9_an_estimator_that_was_not_run_on_a_split_is_not_ranked_either(run):
    import shutil

    store = run(estimators=["nearest-mean", "nearest-window"], protocols=["loso"], seeds=5)
    shutil.rmtree(store.folder / "loso" / "nearest-mean" / "seed-2-fold-1")
    table = make_leaderboard(store).table
    row = table[table.estimator == "nearest-mean"].iloc[0]
    assert row.status == "1 of 20 splits not run"
    assert ranks(table)[table.index.get_loc(row.name)] == "–"


def test_c6_few_seeds_are_not_ranked_and_shown_with_the_digits_that_they_bear(run):
    store = run(estimators=["nearest-mean"], protocols=["subject-stratified"], seeds=2)
    board = make_leaderboard(store)
    assert set(ranks(board.table)) == {"–"}
    write_leaderboard(board, store)
    text = (store.folder / "leaderboard.md").read_text()
    line = next(line for line in text.splitlines() if "| nearest-mean" in line or "*nearest-mean*" in line)
    assert not re.search(r"0\.\d{3}", line)
    assert "4 people are tested, 12 trials a seed, 2 seeds." in text
    assert "other work on the machine can double them" in text


def test_d_trials_are_scored_by_the_mean_probability_of_their_windows(run):
    store = run(estimators=["nearest-mean"], protocols=["subject-stratified"], seeds=1)
    (cell,) = [c for c in store.cells() if c.result["cell"]["estimator"] == "nearest-mean"]
    trials = (
        cell.predictions()
        .groupby(["subject", "trial"])
        .agg({"y_true": "first", "probability low": "mean", "probability high": "mean"})
    )
    voted = np.where(trials["probability low"] >= trials["probability high"], "low", "high")
    row = rows_of(make_leaderboard(store), "nearest-mean", "subject-stratified")
    assert row.trial_balanced_accuracy == pytest.approx(balanced_accuracy_score(trials.y_true, voted))
