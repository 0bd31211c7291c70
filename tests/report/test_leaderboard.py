"""Tables and figures say what the stored predictions say."""

import csv
import json
import shutil
from functools import partial

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from bench.cells.store import Store
from bench.errors import DataError
from bench.report.confusion import write_confusions
from bench.report.leaderboard import make_leaderboard
from bench.report.leaderboard_files import write_leaderboard
from bench.running.runner import execute
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite

CONTRACT = [
    "estimator", "protocol", "audit", "n_cells", "n_seeds", "accuracy", "accuracy_std", "balanced_accuracy",
    "balanced_accuracy_std", "f1_macro", "within_people", "trial_balanced_accuracy", "floor", "above_floor",
    "above_floor_low", "above_floor_high", "fit_seconds", "predict_seconds", "simulated",
]  # fmt: skip


@pytest.fixture
def run(toy_suite, results):
    return partial(results, toy_suite)


def signals(board):
    """Return the rows of estimators that see signals; those that see ids only are in every table."""
    return board.table[board.table.family != "signal-free"]


def rewrite(cell_folder, **changes):
    """Change a stored result by hand."""
    path = cell_folder / "result.json"
    result = json.loads(path.read_text())
    result.update(changes)
    path.write_text(json.dumps(result))


def test_the_header_says_from_which_rate_signals_were_resampled(run, toy_suite):
    windows = read_suite(str(toy_suite)).windows
    store = run(windows=windows.model_copy(update={"sampling_rate": 8.0}), seeds=1)
    board = make_leaderboard(store)
    write_leaderboard(board, store)
    assert "resampled from 16 to 8 Hz" in (store.folder / "leaderboard.md").read_text()


def test_the_scores_are_those_of_the_stored_predictions(run):
    store = run()
    table = make_leaderboard(store).table
    assert set(CONTRACT) <= set(table)
    row = table[(table.estimator == "nearest-mean") & (table.protocol == "subject-stratified")].iloc[0]
    accuracies, balanced = [], []
    for seed in (0, 1):
        predictions = pd.read_parquet(
            store.folder / "subject-stratified" / "nearest-mean" / f"seed-{seed}" / "predictions.parquet"
        )
        hit = predictions.y_true == predictions.y_pred
        accuracies.append(hit.mean())
        balanced.append(hit.groupby(predictions.y_true).mean().mean())
    assert row.accuracy == pytest.approx(np.mean(accuracies))
    assert row.accuracy_std == pytest.approx(np.std(accuracies, ddof=1))
    assert row.balanced_accuracy == pytest.approx(np.mean(balanced))
    assert row.n_cells == 2
    assert row.status == "ok"


def test_clean_rows_come_first_the_best_first_and_leaking_ones_apart_and_branded(run):
    store = run()
    board = make_leaderboard(store)
    write_leaderboard(board, store)
    assert (
        signals(board).audit.tolist()
        == ["clean (subjects, stimuli shared)"] * 2 + ["LEAKS trials, samples"] * 2
    )
    for _, part in board.table.groupby("audit"):
        assert part.balanced_accuracy.is_monotonic_decreasing
    text = (store.folder / "leaderboard.md").read_text()
    clean, leaking = text.split("## Leaking protocols, not to be ranked with the above")
    assert "random-windows" not in clean
    assert leaking.count("**LEAKS trials, samples**") == (board.table.protocol == "random-windows").sum()


def test_every_file_says_that_the_recordings_are_simulated(run, blank_pictures):
    store = run(estimators=["nearest-mean"], seeds=1)
    board = make_leaderboard(store)
    write_leaderboard(board, store)
    written = write_confusions(board, store)
    assert store.folder.name == "toy@simulated"
    for name in ("leaderboard.md", "leaderboard.tex"):
        assert "SIMULATED" in (store.folder / name).read_text()
    with open(store.folder / "leaderboard.csv") as file:
        assert {row["simulated"] for row in csv.DictReader(file)} == {"True"}
    assert all("--simulated" in path.name for path in written)


def test_confusions_hold_every_test_window_of_every_seed(run):
    store = run()
    board = make_leaderboard(store)
    written = write_confusions(board, store)
    assert len(written) == 2 * 4  # none of what sees no signals
    table = pd.read_csv(
        store.folder / "confusion" / "random-windows--nearest-mean--simulated.csv", index_col=0
    )
    assert list(table) == list(table.index) == ["low", "high"]
    stored = [c for c in store.cells() if c.folder.parts[-3:-1] == ("random-windows", "nearest-mean")]
    predictions = pd.concat([cell.predictions() for cell in stored])
    assert table.to_numpy().sum() == len(predictions)
    assert table.loc["low", "high"] == ((predictions.y_true == "low") & (predictions.y_pred == "high")).sum()
    picture = imread(store.folder / "confusion" / "random-windows--nearest-mean--simulated.png")
    assert min(picture.shape[:2]) > 300
    assert picture[..., :3].std() > 0.05


def test_figures_of_rows_that_are_gone_are_removed(run, blank_pictures):
    store = run(estimators=["nearest-window", "nearest-mean"], seeds=1)
    write_confusions(make_leaderboard(store), store)
    shutil.rmtree(store.folder / "random-windows" / "nearest-window")
    write_confusions(make_leaderboard(store), store)
    names = {path.name for path in (store.folder / "confusion").iterdir()}
    assert not any(name.startswith("random-windows--nearest-window") for name in names)
    assert len(names) == 6


def test_failed_cells_are_rows_with_a_reason(run):
    store = run(estimators=["breaks", "majority"], seeds=1)
    board = make_leaderboard(store)
    write_leaderboard(board, store)
    failed = board.table[board.table.estimator == "breaks"]
    assert failed.n_cells.tolist() == [0, 0]
    assert failed.status.tolist() == ["failed", "failed"]
    assert failed.balanced_accuracy.isna().all()
    # The pipe of the message must not become a column.
    assert (
        r"failed: RuntimeError: the loss is nan \| and so on" in (store.folder / "leaderboard.md").read_text()
    )


def test_a_row_that_failed_in_part_counts_what_it_has(run):
    store = run(seeds=2, estimators=["nearest-mean"])
    folder = store.folder / "subject-stratified" / "nearest-mean" / "seed-1"
    rewrite(folder, status="failed", reason="ValueError: no")
    row = signals(make_leaderboard(store)).iloc[0]
    assert (row.n_cells, row.status, row.reason) == (1, "1 of 2 failed", "ValueError: no")
    assert np.isnan(row.accuracy_std)


def test_cells_on_other_data_or_windows_are_left_out_and_counted(run):
    run(estimators=["nearest-window", "nearest-mean"], seeds=1)
    store = run(estimators=["nearest-mean"], seeds=1, subjects="1-3")
    board = make_leaderboard(store)
    assert set(signals(board).estimator) == {"nearest-mean"}
    assert board.left_out == 2
    write_leaderboard(board, store)
    assert "2 stored cells are left out" in (store.folder / "leaderboard.md").read_text()


def test_seeds_with_other_parameters_are_not_averaged_with_the_newest(run):
    run(estimators=["nearest-mean"], seeds=2)
    store = run(estimators=["nearest-mean"], seeds=1, parameters={"nearest-mean": {"unused": 2}})
    board = make_leaderboard(store)
    assert signals(board).n_cells.tolist() == [1, 1]
    assert board.left_out == 2


def test_a_data_set_of_several_problems_has_a_table_each(tmp_path, blank_pictures):
    plan = make_plan(read_suite("uea"), "smoke", {"estimators": ["moments-forest"]}, results=tmp_path)
    list(execute(plan))
    board = make_leaderboard(plan.store)
    write_leaderboard(board, plan.store)
    text = (plan.store.folder / "leaderboard.md").read_text()
    assert "## BasicMotions: clean protocols" in text
    assert "## JapaneseVowels: clean protocols" in text
    majority = board.table[board.table.estimator == "majority"]
    assert majority.set_index("dataset").accuracy.round(3).to_dict() == {
        "BasicMotions": 0.25,
        "JapaneseVowels": 0.084,
    }
    assert {p.name for p in write_confusions(board, plan.store) if p.suffix == ".png"} == {
        "BasicMotions--predefined--moments-forest.png",
        "JapaneseVowels--predefined--moments-forest.png",
    }


def test_an_empty_store_says_so(tmp_path):
    with pytest.raises(DataError, match="no results are stored there"):
        make_leaderboard(Store(tmp_path, "nothing", False))
