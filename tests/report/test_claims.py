"""What results say of a sentence, of two sets of themselves, and of all estimators beside each other."""

import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from bench.cells.capsule import CAPSULE
from bench.errors import DataError, SuiteError
from bench.report.changes import make_changes
from bench.report.claims import Claim, check_claim, read_claim
from bench.report.comparisons import make_comparisons, tied_with_first
from bench.report.comparisons_files import write_comparisons
from bench.report.leaderboard import make_leaderboard
from bench.report.leaderboard_files import write_leaderboard

from .made_studies import made_store

SHARES = {"good": 0.85, "fair": 0.65, "same": 0.65, "majority": 0.5}


@pytest.fixture
def like(toy_suite, results):
    """The result of a real cell."""
    store = results(toy_suite, estimators=["nearest-mean"], protocols=["subject-stratified"], seeds=1)
    return next(cell.result for cell in store.cells() if not cell.signal_free)


@pytest.fixture
def made(like, tmp_path):
    return made_store(tmp_path / "results", like, SHARES)


@pytest.fixture
def suite(made, tmp_path, toy_suite):
    """The file of the suite that the results are of."""
    path = tmp_path / "made.toml"
    path.write_text(toy_suite.read_text())
    return path


# Claims


@pytest.mark.parametrize(
    ("sentence", "verdict", "status"),
    [
        ("good > fair", "supported", 0),
        ("good < fair", "contradicted", 1),
        ("fair > same", "cannot tell", 2),
        ("good = fair", "contradicted", 1),
        ("good > floor", "supported", 0),
        ("floor > good", "contradicted", 1),
    ],
)
def test_three_answers_and_their_exit_states(made, suite, bench, sentence, verdict, status):
    done = bench("claim", f"{sentence} on {suite}", "--results", made.folder.parent)
    assert done.returncode == status, done.stderr
    first, *lines = done.stdout.splitlines()
    assert first == f"{verdict}: {sentence} on {suite}"
    assert any("12 people, 1 seed" in line for line in lines)
    assert any(line.startswith("  p ") and "Wilcoxon" in line for line in lines)
    assert lines[-1] == f"evidence: {made.folder}"


def test_the_effect_is_the_mean_over_people_of_their_own_balanced_accuracy(made):
    verdict, (evidence,) = check_claim(read_claim("good > fair on made"), made)
    cells = {cell.result["cell"]["estimator"]: cell.predictions() for cell in made.cells()}
    own = {
        name: table.assign(right=table.y_true == table.y_pred).groupby("subject").right.mean()
        for name, table in cells.items()
    }
    assert verdict == "supported"
    assert evidence.comparison.difference == pytest.approx((own["good"] - own["fair"]).mean())
    assert evidence.comparison.low < evidence.comparison.difference < evidence.comparison.high


def test_a_claim_without_a_protocol_is_about_every_clean_one(like, tmp_path):
    one = made_store(tmp_path / "a", like, SHARES)
    other = made_store(tmp_path / "b", like, SHARES | {"good": 0.5}, protocol="subject-blocked")
    leaking = made_store(
        tmp_path / "c", like, SHARES | {"good": 0.5}, protocol="random-windows", verdict="LEAKS trials"
    )
    both = made_store(tmp_path / "d", like, {}, beside=[*one.cells(), *other.cells(), *leaking.cells()])
    verdict, evidence = check_claim(read_claim("good > fair on made"), both)
    assert [(one.protocol, one.verdict) for one in evidence] == [
        ("loso", "supported"),
        ("subject-blocked", "contradicted"),
    ]
    assert verdict == "cannot tell"
    named, (one,) = check_claim(read_claim("good > fair on made under random-windows"), both)
    assert (named, one.audit) == ("contradicted", "LEAKS trials")


def test_too_few_people_are_said_to_be_too_few(like, tmp_path, suite, bench):
    few = made_store(tmp_path / "few", like, SHARES, n_people=5)
    done = bench("claim", f"good > fair on {suite}", "--results", few.folder.parent)
    assert done.returncode == 2
    assert "too few people: a test needs 6" in done.stdout


@pytest.mark.parametrize(
    "text", ["good>fair on made", "good > fair", "good ~ fair on made", "", "good > fair on"]
)
def test_what_is_no_claim_is_answered_with_its_form(text):
    with pytest.raises(SuiteError, match="write ESTIMATOR > ESTIMATOR on SUITE"):
        read_claim(text)


def test_specs_with_parameters_are_read():
    claim = read_claim("mlstm-fcn[cells=64,lstm=true]+ros > mlstm-fcn on deap-arousal under loso[folds=6]")
    assert claim == Claim(
        "mlstm-fcn[cells=64,lstm=true]+ros", ">", "mlstm-fcn", "deap-arousal", "loso[folds=6]"
    )


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        ("goood > fair on made", "no result of 'goood' under loso; did you mean 'good'"),
        ("good > fair on made under losso", "no results under 'losso'; did you mean 'loso'"),
    ],
)
def test_a_mistyped_name_is_answered_with_the_nearest(made, sentence, message):
    with pytest.raises(DataError, match=message):
        check_claim(read_claim(sentence), made)


# All beside each other


def test_the_table_says_who_is_tied_with_the_first(made):
    table, (standing,) = make_comparisons(made)
    assert standing.scores.columns[0] == "good"
    assert [rank.tied for rank in standing.ranks] == [True, False, False]
    assert len(table) == 3  # pairs of what sees a signal
    assert (table.p_holm >= table.p_sign_flip).all()
    told = {
        frozenset(pair): p < 0.05
        for pair, p in zip(table[["first", "second"]].to_numpy(), table.p_holm, strict=True)
    }
    assert told == {
        frozenset({"good", "fair"}): True,
        frozenset({"good", "same"}): True,
        frozenset({"fair", "same"}): False,
    }


def test_the_files_of_comparisons_are_written_and_taken_away(made, like, tmp_path):
    files = write_comparisons(make_leaderboard(made), made, *make_comparisons(made))
    text = files[0].read_text()
    assert "12 people, 1 seed. First: good, tied with none. Of 2 others, 2 are told to be worse." in text
    assert pd.read_csv(files[1]).n_people.unique().tolist() == [12]
    few = made_store(tmp_path / "results", like, SHARES, n_people=5)
    assert write_comparisons(make_leaderboard(few), few, *make_comparisons(few)) == []
    assert not files[0].exists()


def test_leaking_protocols_are_not_compared(like, tmp_path):
    leaking = made_store(tmp_path, like, SHARES, verdict="LEAKS trials")
    table, standings = make_comparisons(leaking)
    assert (len(table), standings) == (0, [])


def test_the_first_and_those_tied_with_it_are_bold(like, tmp_path):
    made = made_store(tmp_path, like, {"good": 0.8, "level": 0.8, "fair": 0.6, "majority": 0.5})
    write_leaderboard(make_leaderboard(made), made, tied_with_first(make_comparisons(made)[1]))
    rows = {
        row.split("|")[2].strip(): row
        for row in (made.folder / "leaderboard.md").read_text().splitlines()
        if row.count("|") > 9
    }
    bold = {name for name, row in rows.items() if "**0." in row}
    assert bold == {"good", "level"}
    assert (made.folder / "leaderboard.tex").read_text().count(r"\textbf{0.") == 2


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_the_tables_compile(like, tmp_path):
    names = {"good": 0.8, "a_b[c=d]": 0.6, "50%#&~^": 0.55, "majority": 0.5}
    made = made_store(tmp_path, like, names)
    write_leaderboard(make_leaderboard(made), made, tied_with_first(make_comparisons(made)[1]))
    (tmp_path / "paper.tex").write_text(
        r"\documentclass{article}\usepackage{booktabs,xcolor}\begin{document}\input{made/leaderboard}\end{document}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "paper.pdf").stat().st_size > 1000


# Two sets of results


def test_what_changed_is_told_by_people(made, like, tmp_path):
    after = made_store(
        tmp_path / "after", like, {"good": 0.85, "fair": 0.8, "new": 0.6, "majority": 0.5}, seconds=3.0
    )
    table = make_changes(made, after).set_index("estimator")
    assert table.told.to_dict() == {
        "fair": "better",
        "good": "the same predictions",
        "majority": "the same predictions",
        "same": "only before",
        "new": "only after",
    }
    assert table.change["fair"] == pytest.approx(0.15, abs=0.03)
    assert table.times_as_long["good"] == pytest.approx(3, rel=0.2)
    assert np.isnan(table.change["new"])


def test_compare_fails_where_something_fell_and_only_then(made, like, bench, tmp_path):
    worse = made_store(tmp_path / "after", like, SHARES | {"good": 0.75})
    for after, by, status in ((worse, "0.02", 1), (worse, "0.2", 0), (made, "0", 0)):
        done = bench("compare", made.folder, after.folder, "--fail-if-worse", by)
        assert done.returncode == status, done.stdout + done.stderr
    done = bench("compare", made.folder, worse.folder / CAPSULE, "--fail-if-worse", "0.02")
    assert "worse: good under loso: worse" in done.stderr
    gone = made_store(tmp_path / "gone", like, {"fair": 0.65, "majority": 0.5})
    assert bench("compare", made.folder, gone.folder, "--fail-if-worse", "0.5").returncode == 1


def test_what_else_changed_is_said_beside_the_score(made, like, bench, tmp_path):
    leaks = made_store(tmp_path / "leaks", like, SHARES, verdict="LEAKS trials")
    told = make_changes(made, leaks).set_index("estimator").told
    assert told["good"] == "the same predictions; audit: clean -> LEAKS trials"
    failing = made_store(tmp_path / "failing", like, SHARES)
    cell = next(cell for cell in failing.cells() if cell.result["cell"]["estimator"] == "good")
    failing.amend(cell, {"status": "failed", "reason": "the loss is nan"})
    done = bench("compare", made.folder, failing.folder, "--fail-if-worse", "0.5")
    assert done.returncode == 1
    assert "worse: good under loso: 1 of 1 cells failed after" in done.stderr


def test_a_revision_of_git_is_compared(made, bench, tmp_path):
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / CAPSULE).write_bytes((made.folder / CAPSULE).read_bytes())
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"],
    ):
        subprocess.run(["git", *command], cwd=repository, check=True)
    done = bench("compare", f"HEAD:{CAPSULE}", made.folder, cwd=repository)
    assert done.returncode == 0, done.stderr
    assert "the same predictions" in done.stdout
    done = bench("compare", "HEAD:nothing.parquet", made.folder, cwd=repository)
    assert done.returncode == 2
    assert "error: HEAD:nothing.parquet: fatal: path 'nothing.parquet' does not exist" in done.stderr


def test_what_cannot_be_compared_is_named(made, bench, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.parquet").write_text("no capsule")
    for path, message in (
        (tmp_path / "nothing", "no such folder or file"),
        (tmp_path / "empty", "no results of a suite are stored there"),
        (tmp_path / "text.parquet", "text.parquet: damaged, or no capsule"),
    ):
        done = bench("compare", path, made.folder)
        assert (done.returncode, message in done.stderr) == (2, True), done.stderr
