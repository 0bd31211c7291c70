"""What each leak buys, and for whom."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from bench.report.leaderboard import make_leaderboard
from bench.report.leakage import make_leakage
from bench.report.leakage_files import write_leakage

PROTOCOLS = ["loso", "subject-independent", "leave-one-stimulus-out[folds=5]", "subject-stratified",
             "random-windows", "split-then-oversample", "oversample-then-split"]  # fmt: skip


@pytest.fixture
def store(toy_suite, results):
    def make(**changes):
        own = results(toy_suite, **{"estimators": ["nearest-window", "majority"], "seeds": 2, **changes})
        assert all(cell.ok for cell in own.cells())
        return own

    return make


def test_every_protocol_and_every_step_between_two_of_them_is_in_the_table(store):
    table = make_leakage(store(protocols=PROTOCOLS))
    score, steps = table[table.kind == "score"], table[table.kind.isin(["leak", "known"])]
    assert list(score["name"].unique()) == PROTOCOLS
    assert (score[score.estimator == "nearest-window"]["name"] == PROTOCOLS).all()
    assert set(steps.given) == {"subject-stratified", "random-windows", "oversample-then-split"}
    known = score[score.estimator == "nearest-window"].set_index("name")
    # Labels are noise and trials have levels of their own: whatever shares trials is perfect, the rest is not.
    assert (known.value[PROTOCOLS[4:]] > 0.9).all()
    assert (known.value[PROTOCOLS[:4]] < 0.7).all()
    bought = steps[(steps.estimator == "nearest-window") & (steps.given == "random-windows")].iloc[0]
    assert bought.value == pytest.approx(
        100 * (known.value["random-windows"] - known.value["subject-stratified"])
    )
    # A stimulus held out takes its class along: the commonest class of the others is the wrong one.
    chance = steps[(steps.estimator == "majority") & (steps["name"] != "the stimulus is in training")]
    assert (chance.value.dropna() == 0).all()


def test_a_score_is_that_of_all_test_windows_of_a_seed_together(store):
    own = store(protocols=["loso", "subject-stratified"])
    table = make_leakage(own)
    for _, line in table[table.kind == "score"].iterrows():
        cells = [
            (cell.place[0], cell.predictions())
            for cell in own.cells()
            if (cell.result["cell"]["protocol"], cell.result["cell"]["estimator"])
            == (line["name"], line.estimator)
        ]
        scores = []
        for seed in {seed for seed, _ in cells}:
            predictions = pd.concat([one for own_seed, one in cells if own_seed == seed])
            scores.append(balanced_accuracy_score(predictions.y_true, predictions.y_pred))
        assert line.value == pytest.approx(np.mean(scores))


def test_c3_balancing_after_the_split_is_no_leak_and_is_not_in_the_table_of_leaks(store):
    table = make_leakage(store(protocols=PROTOCOLS, seeds=1))
    leaks = table[table.kind == "leak"]
    assert ("random-windows", "split-then-oversample") not in set(
        zip(leaks.without, leaks.given, strict=True)
    )
    # What a clean protocol lets be known stands apart from leaks.
    assert set(table[table.kind == "known"].without) == {*PROTOCOLS[:3]}
    assert set(leaks.given) == {"random-windows", "oversample-then-split"}


def test_c3_a_pair_is_of_the_same_people(store):
    own = store(protocols=["subject-independent", "subject-stratified"], seeds=1)
    table = make_leakage(own)
    line = table[(table.kind == "known") & (table.estimator == "nearest-window")].iloc[0]
    hits = {}
    for cell in own.cells():
        if cell.result["cell"]["estimator"] == "nearest-window":
            hits[cell.result["cell"]["protocol"]] = cell.predictions()
    people = set(hits["subject-independent"].subject)
    assert 0 < len(people) < 4
    assert line.n_people == len(people)
    scores = {}
    for name, predictions in hits.items():
        both = predictions[predictions.subject.isin(people)]
        scores[name] = balanced_accuracy_score(both.y_true, both.y_pred)
    assert line.value == pytest.approx(100 * (scores["subject-stratified"] - scores["subject-independent"]))


def test_c3_protocols_that_train_on_another_share_of_the_windows_are_not_compared(store):
    own = store(protocols=["loso[folds=4]", "subject-stratified[test_size=0.5]"], seeds=1)
    table = make_leakage(own)
    lines = table[table.kind == "known"]
    assert lines.value.isna().all()
    assert lines.not_compared.str.contains("trains on 450 windows").all()
    text = write_leakage(make_leaderboard(own), own)[0].read_text()
    assert "Not compared: loso[folds=4] trains on 450 windows" in text


def test_a4_level_blind_estimators_say_so(store):
    own = store(
        protocols=["subject-stratified", "random-windows"],
        estimators=["rocket[num_kernels=20]", "nearest-window"],
        seeds=1,
    )
    text = write_leakage(make_leaderboard(own), own)[0].read_text()
    assert "Level-blind: rocket[num_kernels=20]. A constant" in text


def test_a4_the_suite_of_leaks_has_estimators_that_see_levels_and_a_network_trained_to_its_end():
    from bench.study.suite_files import read_suite

    for profile in ("quick", "full"):
        suite = read_suite("hku956-leakage").thinned(profile)
        assert {"dtw-knn", "moments-forest"} <= set(suite.estimators)
        assert "epochs" not in suite.parameters.get("mlstm-fcn", {})


def test_the_figure_and_the_tables_draw_the_floor(store):
    own = store(protocols=["subject-stratified", "random-windows"], seeds=1)
    score = make_leakage(own)
    score = score[score.kind == "score"]
    leaking = score[score["name"] == "random-windows"]
    assert (leaking.floor == 1).all()
    text = write_leakage(make_leaderboard(own), own)[0].read_text()
    assert "| 1.000, " in text
    assert "chance" not in text.split("## ")[1].replace("stratified-chance", "")


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
    steps = table[table.kind.isin(["leak", "known"])]
    assert set(zip(steps.without, steps.given, strict=True)) == {
        ("loso[folds=2]", "subject-stratified"),
        ("subject-stratified", "random-windows[scaler=all]"),
    }
