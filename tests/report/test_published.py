"""Published figures stand beside ours, and the pattern of recall by class tells how copies were made."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from bench.cells.store import Store
from bench.data.windows import Target
from bench.registry import get
from bench.report.leaderboard import make_leaderboard, notes
from bench.report.published import conclude, write_published
from bench.spec import parse_spec
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite

REPOSITORY = Path(__file__).parents[2]
PLAIN, AFTER, BEFORE = "random-windows[scaler=all]", "split-then-oversample", "oversample-then-split"

# One window a trial: copies are all that can be recognised.
SUITE = """
title = "Toy recordings, nine classes"
dataset = "toy[n_trials=60]"
protocols = ["random-windows[scaler=all]", "split-then-oversample", "oversample-then-split"]
estimators = ["nearest-window", "majority"]
[target]
name = "valence"
rule = "levels"
[windows]
seconds = 16
overlap = 0
[profiles.quick]
"""
PUBLISHED = """
[[published]]
estimator = "nearest-window"
protocols = ["split-then-oversample", "oversample-then-split"]
oversampled = true
epochs = 2000
accuracy = 0.7536
recall = {recall}
source = "somewhere"
[[published]]
estimator = "nearest-window"
protocols = ["random-windows[scaler=all]"]
oversampled = false
accuracy = 0.473
source = "elsewhere"
[[published]]
estimator = "never-run[cells=8]"
protocols = ["random-windows[scaler=all]"]
oversampled = false
accuracy = 0.361
source = "elsewhere"
"""
# Two problems of those that sktime ships, and one that is not there.
PROBLEMS = """
title = "Problems of an archive"
dataset = "uea-paper"
scaling = "none"
protocols = ["predefined"]
estimators = ["majority", "stratified-chance"]
seeds = 3
[target]
name = "label"
rule = "label"
[windows]
whole = true
[profiles.quick]
"""
OF_PROBLEMS = "".join(
    f"""
[[published]]
variant = "{problem}"
estimator = "{estimator}"
protocols = ["predefined"]
accuracy = {accuracy}
source = "{source}"
"""
    for problem, estimator, accuracy, source in (
        ("JapaneseVowels", "stratified-chance", 0.1, "elsewhere"),
        ("JapaneseVowels", "majority", 0.1, "somewhere"),
        ("BasicMotions", "majority", 0.267, "somewhere"),
        ("ArticularyWordRecognition", "majority", 0.04, "somewhere"),
    )
)
LEVELS = [str(level) for level in range(1, 10)]


@pytest.fixture
def class_sizes(toy_plugins):
    """Trials of each class of the toy data set: fewer of 1 and of 9, which get half as wide a range."""
    trials = get("dataset", "toy").factory(n_trials=60).trials
    labels, classes = Target(name="valence", rule="levels").classify(trials)
    return {name: int((labels == name).sum()) for name in classes}


@pytest.fixture
def run(tmp_path, results, class_sizes, monkeypatch):
    """Run the toy suite; return its board, itself and its store. Published recall falls with class size."""
    monkeypatch.delenv("UEA_ROOT", raising=False)

    def make(text=SUITE + PUBLISHED, **changes):
        recall = [1 - size / 60 for size in class_sizes.values()]
        path = tmp_path / "toy.toml"
        path.write_text(text.format(recall=recall))
        store = results(path, **changes)
        return make_leaderboard(store), read_suite(str(path)), store

    return make


def text_of(store):
    return (store.folder / "published.md").read_text()


def conclusion(store):
    return next(line for line in text_of(store).splitlines() if "published pattern of recall" in line)


def test_a_model_that_remembers_windows_has_the_published_pattern_if_copies_are_made_before_the_split(
    run, class_sizes
):
    board, suite, store = run()
    assert write_published(board, suite, store) == [
        store.folder / name for name in ("published.md", "published.csv", "recall.csv", "recall-by-class.png")
    ]
    recall = pd.read_csv(store.folder / "recall.csv").set_index(["estimator", "protocol"])
    by_size = sorted(LEVELS, key=class_sizes.__getitem__)
    before, after = (
        recall.loc[("nearest-window", order), by_size].astype(float) for order in (BEFORE, AFTER)
    )
    assert before[:3].mean() > 0.6 > 0.3 > before[-3:].mean()
    assert after[:3].mean() < 0.3
    text = conclusion(store)
    assert text.startswith(f"Of these protocols, {BEFORE} gives the published pattern of recall by class")
    # `majority` has learned nothing, and its recall is no pattern.
    assert text.endswith("counted: nearest-window, of 2 estimators).")


def test_the_recall_is_that_of_the_stored_predictions(run, blank_pictures):
    board, suite, store = run(estimators=["nearest-window"], seeds=2)
    write_published(board, suite, store)
    recall = pd.read_csv(store.folder / "recall.csv").set_index(["estimator", "protocol"])
    folders = (store.folder / BEFORE / "nearest-window").glob("seed-*")
    stored = pd.concat([pd.read_parquet(folder / "predictions.parquet") for folder in folders])
    wanted = (stored.y_true == stored.y_pred).groupby(stored.y_true).mean()
    assert recall.loc[("nearest-window", BEFORE), LEVELS].astype(float).tolist() == pytest.approx(
        wanted[LEVELS], abs=1e-5
    )


def test_our_accuracy_stands_beside_the_published_and_what_has_not_run_says_so(run, blank_pictures):
    board, suite, store = run(estimators=["nearest-window"])
    write_published(board, suite, store)
    table = pd.read_csv(store.folder / "published.csv", dtype=str, keep_default_na=False)
    assert not table.eq("").any(axis=None)
    table = table.set_index(["estimator", "protocol"])
    assert len(table) == 4
    row = table.loc[("nearest-window", BEFORE)]
    ours = board.table.set_index("protocol").loc[BEFORE]
    assert row["published %"] == "75.36"
    assert float(row["ours %"]) == pytest.approx(100 * ours.accuracy, abs=0.006)
    assert float(row["difference"]) == pytest.approx(100 * ours.accuracy - 75.36, abs=0.006)
    assert float(row["our balanced accuracy %"]) == pytest.approx(100 * ours.balanced_accuracy, abs=0.006)
    assert row["chance %"] == "11.11"
    assert row["audit"] == ours.audit
    assert (row["published epochs"], row["our epochs"]) == ("2000", "–")
    absent = table.loc[("never-run[cells=8]", PLAIN)]
    assert set(absent[["ours %", "difference", "our balanced accuracy %", "audit", "our epochs"]]) == {
        "not run"
    }
    assert absent["published epochs"] == "not stated"


def test_the_epochs_of_our_rows_are_those_they_were_trained_for(run, tmp_path, monkeypatch):
    from bench.discovery import add_plugin_folder

    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "slow.py").write_text(
        "from bench.registry import register_estimator\n"
        "@register_estimator('trained', family='features')\n"
        "def trained(*, epochs: int = 1):\n"
        "    'A guess.'\n"
        "    from sklearn.dummy import DummyClassifier\n"
        "    return DummyClassifier()\n"
    )
    add_plugin_folder(tmp_path / "plugins")
    text = (SUITE + PUBLISHED).replace('"nearest-window"', '"trained"')
    board, suite, store = run(text, parameters={"trained": {"epochs": 7}})
    write_published(board, suite, store)
    table = pd.read_csv(store.folder / "published.csv").set_index("estimator")
    assert set(table.loc["trained", "our epochs"]) == {"7"}


def test_a_row_whose_cells_failed_says_so(run, blank_pictures):
    board, suite, store = run((SUITE + PUBLISHED).replace('"nearest-window"', '"breaks"'))
    write_published(board, suite, store)
    table = pd.read_csv(store.folder / "published.csv", dtype=str).set_index("estimator")
    assert set(table.loc["breaks", "ours %"]) == {"failed"}
    assert "cannot tell" in conclusion(store)


def test_every_file_says_that_the_recordings_are_simulated_and_repeats_the_notes(run, monkeypatch):
    drawn = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (drawn.append(self), save(self, *a, **k)))
    board, suite, store = run()
    write_published(board, suite, store)
    text = text_of(store)
    assert text.splitlines()[0].endswith("(SIMULATED recordings)")
    assert "ours % (SIMULATED)" in text
    assert all(note in text for note in notes(board))
    assert "Caveat: the recordings are SIMULATED and the profile quick" in text
    assert set(pd.read_csv(store.folder / "published.csv")["our recordings"]) == {"SIMULATED"}
    recall = pd.read_csv(store.folder / "recall.csv").set_index("protocol").recordings
    assert set(recall.drop("published")) == {"SIMULATED"}
    assert recall["published"] == "as published"
    (figure,) = drawn
    assert "SIMULATED" in figure.get_supxlabel()
    assert [axes.get_title() for axes in figure.axes] == ["nearest-window", "majority"]
    assert len(figure.legends[0].get_texts()) == 4
    markers = {line.get_marker() for line in figure.axes[0].lines}
    assert len(markers) == 4
    picture = imread(store.folder / "recall-by-class.png")
    assert picture[..., :3].std() > 0.05


def test_a_full_run_on_recordings_has_no_caveat(run, blank_pictures):
    board, suite, store = run(estimators=["nearest-window"])
    about = {**board.about, "simulated": False, "profile": "full"}
    write_published(dataclasses.replace(board, about=about), suite, store)
    assert "Caveat" not in text_of(store)
    assert "SIMULATED" not in text_of(store)


def test_a_suite_without_published_figures_gets_no_file_and_loses_none(run):
    board, suite, store = run(SUITE, estimators=["majority"])
    kept = store.folder / "recall-by-class.png"
    kept.write_text("mine")
    before = sorted(store.folder.iterdir())
    assert write_published(board, suite, store) == []
    assert sorted(store.folder.iterdir()) == before


def test_without_one_of_the_orders_nothing_is_concluded_and_an_older_figure_goes(run):
    board, suite, store = run(estimators=["nearest-window"], protocols=[BEFORE])
    figure = store.folder / "recall-by-class.png"
    figure.write_text("of an earlier run")
    assert figure not in write_published(board, suite, store)
    assert not figure.exists()
    assert f"cannot tell, {AFTER} has no results" in conclusion(store)
    # Class sizes come from a row without balancing, and there is none.
    rows = [line for line in text_of(store).splitlines() if line.startswith("| nearest-window | oversample")]
    assert [cell.strip() for cell in rows[-1].split("|")][4] == "–"


def test_a_class_that_was_never_tested_has_no_recall(run, blank_pictures):
    board, suite, store = run(estimators=["nearest-window"])
    for _, counts in board.confusions.values():
        counts[LEVELS.index("9")] = 0
    write_published(board, suite, store)
    recall = pd.read_csv(store.folder / "recall.csv").set_index("protocol")["9"]
    assert set(recall.drop("published")) == {"–"}
    assert np.isfinite(float(recall["published"]))
    assert BEFORE in conclusion(store)


@pytest.mark.parametrize(
    ("before", "after", "mean", "said"),
    [
        (0.9, 0.1, 0.7, f"Of these protocols, {BEFORE} gives"),
        (-0.2, 0.6, 0.7, f"Of these protocols, {AFTER} gives"),
        (0.9, 0.7, 0.7, "cannot tell, they are too close"),
        (0.4, -0.9, 0.7, "cannot tell, none comes near"),
        (0.9, np.nan, 0.7, "cannot tell, no estimator"),
        (0.9, 0.1, 0.2, "cannot tell, no estimator"),
    ],
)
def test_an_order_is_named_only_if_it_comes_near_and_the_other_does_not(before, after, mean, said):
    rows = [
        ("a", "published", np.nan, 0.3, 0.7),
        ("a", BEFORE, before, 0.2, mean),
        ("a", AFTER, after, 0.1, mean),
    ]
    measures = pd.DataFrame(rows, columns=["estimator", "protocol", "correlation", "rare - common", "mean"])
    assert said in conclude(measures, [AFTER, BEFORE], 1 / 9)


@pytest.mark.parametrize("target", ["arousal", "valence"])
def test_the_committed_tables_are_what_the_committed_predictions_give(target, tmp_path):
    suite = read_suite(f"deap-{target}-published")
    committed = Store(REPOSITORY / "results" / "reference", suite.name, True)
    if not any(committed.cells()):
        pytest.skip("needs the cells of the reference results, which a clone does not hold; run the suite")
    copy = Store(tmp_path, suite.name, True)
    shutil.copytree(committed.folder, copy.folder)
    for name in ("published.md", "published.csv", "recall.csv"):
        (copy.folder / name).unlink()
    write_published(make_leaderboard(copy), suite, copy)
    for name in ("published.md", "published.csv", "recall.csv"):
        assert (copy.folder / name).read_bytes() == (committed.folder / name).read_bytes()


@pytest.mark.parametrize("folder", ["uea-paper"])
def test_the_committed_accuracies_beside_published_ones_are_those_of_the_committed_leaderboard(folder):
    results = REPOSITORY / "results" / "reference" / folder
    if not results.is_dir():
        pytest.skip("needs the reference results of a clone")
    rows = pd.read_csv(results / "published.csv")
    board = pd.read_csv(results / "leaderboard.csv")
    keys = ["estimator", "protocol"] + (["dataset"] if "problem" in rows else [])
    both = rows.rename(columns={"problem": "dataset"}).merge(board, on=keys, how="left")
    ours = both["ours %"].replace("–", np.nan).astype(float)
    np.testing.assert_allclose(ours, 100 * both["accuracy"], atol=0.005 + 1e-4)
    assert len(both) == len(rows)
    assert ours.notna().any()


def of_problems(store):
    """Return the rows of published.csv by problem and estimator, and the lines of the table in published.md."""
    rows = pd.read_csv(store.folder / "published.csv", dtype=str, keep_default_na=False)
    lines = [line for line in text_of(store).splitlines() if line.startswith("|")]
    return (
        rows.set_index(["problem", "estimator"]),
        [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines],
    )


def test_each_figure_stands_beside_our_accuracy_on_its_own_problem(run):
    board, suite, store = run(PROBLEMS + OF_PROBLEMS)
    write_published(board, suite, store)
    rows, _ = of_problems(store)
    assert not rows.eq("").any(axis=None)
    ours = board.table.set_index(["dataset", "estimator"])
    for problem, estimator, published in (
        ("BasicMotions", "majority", 26.7),
        ("JapaneseVowels", "majority", 10.0),
        ("JapaneseVowels", "stratified-chance", 10.0),
    ):
        files = (store.folder / problem / "predefined" / estimator).glob("*/predictions.parquet")
        stored = [(table.y_true == table.y_pred).mean() for table in map(pd.read_parquet, files)]
        assert len(stored) == 3
        row = rows.loc[(problem, estimator)]
        assert float(row["published %"]) == published
        assert float(row["ours %"]) == pytest.approx(100 * np.mean(stored), abs=0.006)
        assert float(row["our standard deviation"]) == pytest.approx(100 * np.std(stored, ddof=1), abs=0.006)
        assert float(row["difference"]) == pytest.approx(100 * np.mean(stored) - published, abs=0.011)
        assert float(row["our balanced accuracy %"]) == pytest.approx(
            100 * ours.loc[(problem, estimator)].balanced_accuracy, abs=0.006
        )
        assert (row["our seeds"], row["audit"]) == ("3", ours.loc[(problem, estimator)].audit)
    assert float(rows.loc[("JapaneseVowels", "stratified-chance"), "our standard deviation"]) > 0
    assert rows["chance %"].to_dict() == {
        ("ArticularyWordRecognition", "majority"): "not run",
        ("BasicMotions", "majority"): "25.00",
        ("JapaneseVowels", "majority"): "11.11",
        ("JapaneseVowels", "stratified-chance"): "11.11",
    }
    absent = rows.loc[("ArticularyWordRecognition", "majority")]
    assert set(absent[["ours %", "our standard deviation", "difference", "our seeds", "audit"]]) == {
        "not run"
    }


def test_the_table_of_several_problems_has_what_differs_and_says_the_rest_once(run):
    board, suite, store = run(PROBLEMS + OF_PROBLEMS)
    write_published(board, suite, store)
    rows, (header, _, *lines) = of_problems(store)
    assert header == [
        *("problem", "estimator", "published %", "ours %", "difference", "seeds", "our epochs", "source")
    ]
    assert [line[:2] for line in lines] == [
        ["ArticularyWordRecognition", "majority"],
        ["BasicMotions", "majority"],
        ["JapaneseVowels", "stratified-chance"],
        ["JapaneseVowels", "majority"],
    ]
    assert lines[0][2:] == ["4.00", "not run", "not run", "not run", "not run", "1"]
    assert lines[1][2:] == ["26.70", "25.00 ± 0.00", "-1.70", "3", "–", "1"]
    drawn = rows.loc[("JapaneseVowels", "stratified-chance")]
    assert lines[2][3] == f"{drawn['ours %']} ± {drawn['our standard deviation']}"
    assert [line[-1] for line in lines] == ["1", "1", "2", "1"]
    text = text_of(store)
    assert "In all rows: protocol predefined, audit clean (subjects not known).\n" in text
    assert text.endswith("Sources:\n\n1. somewhere.\n2. elsewhere.\n")
    assert "1811.00075" in text
    assert "one table a data set" not in text


def test_where_no_figure_has_recall_there_is_none_and_an_older_one_goes(run):
    plain = SUITE + PUBLISHED.replace("recall = {recall}\n", "")
    for text, changes in (
        (PROBLEMS + OF_PROBLEMS, {"seeds": 1}),
        (plain, {"estimators": ["nearest-window"]}),
    ):
        board, suite, store = run(text, **changes)
        for name in ("recall.csv", "recall-by-class.png"):
            (store.folder / name).write_text("of an earlier run")
        written = [store.folder / name for name in ("published.md", "published.csv")]
        assert write_published(board, suite, store) == written
        assert not list(store.folder.glob("recall*"))
        assert "ecall" not in text_of(store)
        assert "| difference" in text_of(store)


def test_one_seed_has_no_deviation_and_a_failed_row_no_accuracy(run):
    text = (PROBLEMS + OF_PROBLEMS).replace('"stratified-chance"', '"breaks"')
    board, suite, store = run(text, seeds=1)
    write_published(board, suite, store)
    rows, (_, _, *lines) = of_problems(store)
    assert lines[1][3] == "25.00"
    assert rows.loc[("BasicMotions", "majority"), "our standard deviation"] == "–"
    assert lines[2][3:6] == ["failed", "failed", "0"]


def test_a_figure_of_no_problem_in_particular_stands_beside_each(run):
    general = OF_PROBLEMS[: OF_PROBLEMS.index("[[published]]", 10)].replace(
        'variant = "JapaneseVowels"\n', ""
    )
    board, suite, store = run(PROBLEMS + general, seeds=1)
    write_published(board, suite, store)
    rows, _ = of_problems(store)
    assert list(rows.index) == [
        ("BasicMotions", "stratified-chance"),
        ("JapaneseVowels", "stratified-chance"),
    ]
    ours = board.table[board.table.estimator == "stratified-chance"].set_index("dataset").accuracy
    assert rows["ours %"].to_list() == [f"{100 * ours[problem]:.2f}" for problem, _ in rows.index]
    assert rows["ours %"].nunique() == 2


def test_what_is_not_the_same_in_all_rows_has_a_column(run):
    other = OF_PROBLEMS.replace(
        'protocols = ["predefined"]', 'protocols = ["predefined", "loso"]\nepochs = 9', 1
    )
    board, suite, store = run(PROBLEMS + other, seeds=1)
    write_published(board, suite, store)
    _, (header, _, *lines) = of_problems(store)
    assert header[2:5] == ["protocol", "published epochs", "published %"]
    assert [line[2:4] for line in lines] == [
        *(["predefined", "not stated"], ["predefined", "not stated"]),
        *(["predefined", "9"], ["loso", "9"], ["predefined", "not stated"]),
    ]
    assert "In all rows: audit clean (subjects not known)." in text_of(store)


def test_recall_by_class_of_several_data_sets_is_not_compared_and_that_is_said(run):
    general = OF_PROBLEMS.replace('variant = "JapaneseVowels"', "recall = [0.1, 0.2]", 1)
    board, suite, store = run(PROBLEMS + general, seeds=1)
    assert len(write_published(board, suite, store)) == 2
    assert "Recall by class is not compared: there are several data sets." in text_of(store)


def test_the_tables_of_several_problems_are_rebuilt_from_what_is_stored(run, bench, tmp_path, blank_pictures):
    board, suite, store = run(PROBLEMS + OF_PROBLEMS, seeds=1)
    written = write_published(board, suite, store)
    before = [file.read_bytes() for file in written]
    for file in written:
        file.unlink()
    done = bench("tables", "--suite", "toy.toml", "--results", "results", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "published.md" in done.stdout
    assert [file.read_bytes() for file in written] == before


PAPER = {
    "ArticularyWordRecognition": {("mlstm-fcn", 0.973), ("rocket", 0.993), ("dtw-knn", 0.987)},
    "AtrialFibrillation": {("mlstm-fcn", 0.267), ("rocket", 0.067), ("dtw-knn", 0.2)},
    "BasicMotions": {("mlstm-fcn", 0.95), ("rocket", 1.0), ("dtw-knn", 0.975)},
    "JapaneseVowels": {("mlstm-fcn", 0.976), ("mlstm-fcn", 1.0), ("rocket", 0.965), ("dtw-knn", 0.949)},
}


def test_the_suite_of_the_archive_holds_the_published_figures_of_what_it_runs():
    suite = read_suite("uea-paper")
    found = {problem: set() for problem in PAPER}
    for figure in suite.published:
        found[figure.variant].add((figure.estimator, figure.accuracy))
        assert figure.estimator in suite.estimators
        assert figure.protocols == suite.protocols == ["predefined"]
    assert found == PAPER
    assert suite.seeds == 5
    for profile in ("quick", "full"):  # neither thins what the figures of MLSTM-FCN are compared with
        thinned = suite.thinned(profile)
        assert (thinned.seeds, thinned.estimators) == (5, suite.estimators)
        assert "mlstm-fcn" not in thinned.parameters


@pytest.mark.parametrize("profile", ["smoke", "full"])
def test_an_estimator_of_the_suite_has_the_same_parameters_on_all_problems(profile, tmp_path, monkeypatch):
    monkeypatch.delenv("UEA_ROOT", raising=False)
    plan = make_plan(read_suite("uea-paper"), profile, results=tmp_path)
    assert {task.cell.variant for task in plan.tasks} == {"BasicMotions", "JapaneseVowels"}
    assert len({(task.cell.estimator, task.cell.parameters) for task in plan.tasks}) == 5


ROWS = {
    "arousal": {
        ("mlstm-fcn[cells=8,batch_size=64]", False, None, 0.473),
        ("mlstm-fcn[cells=8,batch_size=128]", False, None, 0.438),
        ("mlstm-fcn[cells=64,batch_size=128]", False, None, 0.417),
        ("mlstm-fcn[cells=128,batch_size=128]", False, None, 0.361),
        ("mlstm-fcn[cells=8,batch_size=64]", True, 2000, 0.7536),
    },
    "valence": {
        ("mlstm-fcn[cells=8,batch_size=64]", False, None, 0.379),
        ("mlstm-fcn[cells=8,batch_size=128]", False, None, 0.477),
        ("mlstm-fcn[cells=64,batch_size=128]", False, None, 0.399),
        ("mlstm-fcn[cells=128,batch_size=128]", False, None, 0.335),
        ("mlstm-fcn[cells=8,batch_size=128]", True, 2000, 0.7781),
    },
}
RECALL = {
    "arousal": [0.94, 0.87, 0.76, 0.62, 0.55, 0.72, 0.48, 0.72, 0.94],
    "valence": [0.97, 0.90, 0.81, 0.74, 0.64, 0.56, 0.66, 0.87, 0.99],
}


@pytest.mark.parametrize("target", ROWS)
def test_the_suites_hold_the_published_figures_and_run_what_they_stand_for(target):
    suite = read_suite(f"deap-{target}-published")
    assert len(suite.published) == 5
    assert {(p.estimator, p.oversampled, p.epochs, p.accuracy) for p in suite.published} == ROWS[target]
    for figure in suite.published:
        assert figure.recall == (RECALL[target] if figure.oversampled else [])
        assert figure.protocols == ([AFTER, BEFORE] if figure.oversampled else [PLAIN])
        assert "athar70/MLSTM" in figure.source
        assert figure.estimator in suite.estimators
        assert set(figure.protocols) <= set(suite.protocols)
        assert str(parse_spec(figure.estimator)) == figure.estimator
    assert (suite.target.name, suite.target.rule, suite.windows.baseline) == (target, "levels", True)
    assert suite.thinned("full").parameters["mlstm-fcn"] == {
        "schedule": "plateau",
        "standardize": "none",
        "epochs": 2000,
    }


@pytest.mark.parametrize("target", ROWS)
def test_the_suites_can_be_planned(target, tmp_path):
    plan = make_plan(read_suite(f"deap-{target}-published"), "smoke", results=tmp_path)
    assert len(plan.tasks) == 6
    audits = {task.cell.protocol: task.split.audit for task in plan.tasks}
    assert audits[BEFORE].copies > 0.3 > 0 == audits[AFTER].copies == audits[PLAIN].copies
    assert all(audit.scaler_saw_test for audit in audits.values())
