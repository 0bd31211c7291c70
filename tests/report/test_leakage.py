"""What each leak buys, and for whom."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from bench.report.bootstrap import SubjectBootstrap, balanced_accuracy, count_by_subject, interval
from bench.report.leaderboard import make_leaderboard
from bench.report.leakage import make_leakage, write_leakage

PROTOCOLS = ["loso", "subject-independent", "leave-one-stimulus-out[folds=5]", "subject-stratified",
             "random-windows", "split-then-oversample", "oversample-then-split"]  # fmt: skip


@pytest.fixture
def store(toy_suite, results):
    def make(**changes):
        own = results(toy_suite, **{"estimators": ["nearest-window", "majority"], "seeds": 2, **changes})
        assert all(cell.ok for cell in own.cells())
        return own

    return make


def test_every_protocol_and_every_leak_between_two_of_them_is_in_the_table(store):
    table = make_leakage(store(protocols=PROTOCOLS))
    score, leak = table[table.kind == "score"], table[table.kind == "leak"]
    assert list(score["name"].unique()) == PROTOCOLS
    assert len(score) == 2 * len(PROTOCOLS)
    assert set(leak.given) == {"subject-stratified", *PROTOCOLS[4:]}
    for _, line in leak.iterrows():
        own = score[score.estimator == line.estimator].set_index("name").value
        assert line.value == pytest.approx(100 * (own[line.given] - own[line.without]))
    known = score[score.estimator == "nearest-window"].set_index("name")
    # Labels are noise and trials have levels of their own: whatever shares trials is perfect, the rest is not.
    assert (known.value[PROTOCOLS[4:]] > 0.9).all()
    assert (known.value[PROTOCOLS[:4]] < 0.7).all()
    bought = leak[(leak.estimator == "nearest-window") & (leak.given == "random-windows")].iloc[0]
    assert bought.low > 10
    # A stimulus held out takes its class along: the commonest class of the others is the wrong one.
    chance = leak[(leak.estimator == "majority") & (leak["name"] != "the stimulus is in training")]
    assert (chance.value == 0).all()


def test_a_score_is_that_of_all_test_windows_together(store):
    own = store(protocols=["loso", "subject-stratified"])
    table = make_leakage(own)
    for _, line in table[table.kind == "score"].iterrows():
        cells = [
            cell.predictions()
            for cell in own.cells()
            if (cell.result["cell"]["protocol"], cell.result["cell"]["estimator"])
            == (line["name"], line.estimator)
        ]
        predictions = pd.concat(cells)
        assert line.value == pytest.approx(balanced_accuracy_score(predictions.y_true, predictions.y_pred))
        assert line.low <= line.value <= line.high
        assert line.n_windows == len(predictions)


def test_the_files_say_what_is_simulated_and_which_rows_leak(store):
    own = store(protocols=["subject-stratified", "random-windows", "oversample-then-split"])
    files = write_leakage(make_leaderboard(own), own)
    assert [file.name for file in files] == ["leakage.md", "leakage.csv", "leakage.png"]
    text = files[0].read_text()
    assert "SIMULATED" in text
    assert "**LEAKS trials, samples**" in text
    assert "| windows of the trial are in training" in text
    assert pd.read_csv(files[1]).simulated.all()
    assert files[2].read_bytes().startswith(b"\x89PNG")


def test_where_no_leak_lies_between_protocols_nothing_is_written_and_old_files_go(store):
    own = store(protocols=["subject-stratified"])
    old = own.folder / "leakage.md"
    old.write_text("from before")
    assert write_leakage(make_leaderboard(own), own) == []
    assert not old.exists()


def test_a_protocol_with_parameters_stands_in_where_there_is_no_plain_one(store):
    table = make_leakage(
        store(protocols=["loso[folds=2]", "subject-stratified", "random-windows[scaler=all]"])
    )
    steps = {(line.without, line.given) for _, line in table[table.kind == "leak"].iterrows()}
    assert steps == {
        ("loso[folds=2]", "subject-stratified"),
        ("subject-stratified", "random-windows[scaler=all]"),
    }


def test_the_bootstrap_draws_subjects_not_windows():
    # Two people, one always right and one always wrong: the score depends on who is drawn, not on windows.
    right, wrong = np.diag([500, 500]), np.array([[0, 500], [500, 0]])
    value, draws = SubjectBootstrap([1, 2]).scores({1: right, 2: wrong})
    assert value == 0.5
    assert set(np.round(draws, 6)) == {0.0, 0.5, 1.0}
    assert interval(draws) == (0, 1)


def test_people_who_were_not_tested_leave_gaps_and_no_crash():
    bootstrap = SubjectBootstrap([1, 2, 3])
    value, draws = bootstrap.scores({2: np.diag([3, 1])})
    assert value == 1
    assert np.isnan(draws).any()
    assert interval(draws) == (1, 1)
    assert np.isnan(interval(np.full(5, np.nan))).all()


def test_balanced_accuracy_is_scikit_learns(store):
    rng = np.random.default_rng(0)
    true, guess = rng.choice(["a", "b", "c"], 50, p=[0.7, 0.2, 0.1]), rng.choice(["a", "b", "c"], 50)
    counts = pd.crosstab(true, guess).to_numpy()
    assert balanced_accuracy(counts) == pytest.approx(balanced_accuracy_score(true, guess))
    cells = list(store(protocols=["subject-stratified"]).cells())
    total = sum(count_by_subject(cells).values())
    assert total.sum() == sum(len(cell.predictions()) for cell in cells)
