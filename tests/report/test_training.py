"""Learning curves beside the tables."""

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from bench.cli.app import app
from bench.report.leaderboard import make_leaderboard
from bench.report.training import make_training, still_falling, write_training

FILES = ["training.md", "training.csv", "training.png"]


@pytest.fixture
def store(toy_suite, results):
    def make(*estimators, **changes):
        own = results(toy_suite, **{"estimators": list(estimators), "seeds": 3, **changes})
        assert all(cell.ok for cell in own.cells())
        return own

    return make


def write(own):
    return write_training(make_leaderboard(own), own)


def test_a_row_for_each_estimator_and_protocol_that_tells_of_its_training(store):
    own = store("in-epochs", "in-epochs[tells=no-best-epoch,epochs=30]", "nearest-mean")
    table, curves = make_training(own)
    assert list(table.estimator) == ["in-epochs", "in-epochs[tells=no-best-epoch,epochs=30]"] * 2
    assert list(table.protocol.unique()) == ["subject-stratified", "random-windows"]  # what leaks is last
    assert {len(fits) for fits in curves.values()} == {3}
    board = make_leaderboard(own).table.set_index(["estimator", "protocol"])
    for line in table.itertuples():
        epochs = 30 if "30" in line.estimator else 10
        assert (line.n_fits, line.n_epochs, line.best_epoch) == (3, epochs, epochs - 1)
        assert line.loss_first == pytest.approx(1.1)  # the median seed is 1
        assert line.loss_best == pytest.approx(1.1 / 2 ** (epochs - 1))
        assert line.training_balanced_accuracy == pytest.approx(0.75)
        expected = board.balanced_accuracy[line.estimator, line.protocol]
        assert line.balanced_accuracy == pytest.approx(expected)
        # The loss halves with every epoch, and the last tenth is one epoch or three.
        assert line.loss_still_falling == pytest.approx(50 if epochs == 10 else 87.5)


def test_the_files_say_what_they_are_of_and_what_it_means(store):
    own = store("in-epochs", "nearest-mean", seeds=1)
    files = write(own)
    assert [file.name for file in files] == FILES
    text = files[0].read_text()
    assert "SIMULATED" in text
    assert "has not learnt its training windows says nothing about the data" in text
    (_, line) = [line for line in text.splitlines() if line.startswith("| in-epochs")]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[:3] == ["in-epochs", "random-windows", "**LEAKS trials, samples**"]
    assert cells[3:9] == ["1", "10", "9", "1", "0.001953", "0.750"]
    assert cells[10] == "50.0 %"
    assert pd.read_csv(files[1]).simulated.all()
    assert files[2].read_bytes().startswith(b"\x89PNG")


def test_tables_rebuilds_them_from_the_stored_cells(store, toy_suite, tmp_path, blank_pictures):
    own = store("in-epochs", "majority", seeds=1)
    command = ["tables", "--suite", str(toy_suite), "--results", str(tmp_path / "results")]
    said = CliRunner().invoke(app, command)
    assert said.exit_code == 0
    assert "training.md" in " ".join(said.output.split())
    before = [(own.folder / name).read_bytes() for name in FILES[:2]]
    for name in FILES:
        (own.folder / name).unlink()
    assert CliRunner().invoke(app, command).exit_code == 0
    assert [(own.folder / name).read_bytes() for name in FILES[:2]] == before
    assert (own.folder / "training.png").is_file()


def test_a_suite_without_such_estimators_has_no_such_files_and_old_ones_go(store):
    own = store("majority", seeds=1)
    for name in FILES:
        (own.folder / name).write_text("from before")
    assert write(own) == []
    assert not any((own.folder / name).exists() for name in FILES)


def test_scores_alone_make_a_table_and_no_figure(store):
    own = store("in-epochs[tells=scores-alone]", seeds=1)
    (own.folder / "training.png").write_text("from before")
    assert [file.name for file in write(own)] == FILES[:2]
    assert not (own.folder / "training.png").exists()
    table, _ = make_training(own)
    assert table.training_balanced_accuracy.tolist() == [0.75, 0.75]
    assert table[["n_epochs", "best_epoch", "loss_first", "loss_still_falling"]].isna().all(axis=None)
    assert "| – " in (own.folder / "training.md").read_text()


def test_a_damaged_curve_keeps_no_table_back_and_is_said(store, blank_pictures):
    own = store("in-epochs", seeds=2, protocols=["subject-stratified"])
    first = next(own.cells())
    (first.folder / "training.csv").write_text("nonsense")
    (file, *_) = write(own)
    assert "Fits without a curve that can be read: 1." in file.read_text()
    table, _ = make_training(own)
    assert table.loss_first.tolist() == pytest.approx([1.1])  # of the other seed
    assert table.n_fits.tolist() == [2]


@pytest.mark.parametrize(
    ("loss", "percent"),
    [
        ([2.0, 1.0], 50),
        ([1.0, 2.0], -100),
        (np.linspace(1, 0.5, 21), 100 * 0.05 / 0.55),
        ([1.0], np.nan),
        ([0.0, 0.0], np.nan),
        ([np.nan, 1.0], np.nan),
        ([1.0, np.nan], np.nan),
    ],
)
def test_by_how_much_a_loss_is_still_falling(loss, percent):
    assert still_falling(np.array(loss)) == pytest.approx(percent, nan_ok=True)
