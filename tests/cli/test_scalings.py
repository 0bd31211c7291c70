"""Scalings that work under every protocol, from the command line."""

import json

import pandas as pd
import pytest

NOTES = {
    "baseline": "scaled by the seconds before each stimulus",
    "first-seconds[30]": "scaled by each person's first 30 s",
}


@pytest.mark.parametrize("scaling", NOTES)
def test_a_suite_is_run_with_people_held_out_and_its_verdicts_say_what_the_scaler_saw(
    run, toy_suite, tmp_path, scaling
):
    toy_suite.write_text(f'scaling = "{scaling}"\n' + toy_suite.read_text())
    done = run("--protocols", "loso,subject-stratified", "--estimators", "nearest-mean", "--seeds", "1")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "results" / "toy@simulated"
    for protocol, n in (("loso", 4), ("subject-stratified", 1)):
        stored = [
            json.loads(file.read_text()) for file in folder.glob(f"{protocol}/nearest-mean/*/result.json")
        ]
        assert [cell["status"] for cell in stored] == ["ok"] * n
        assert all(NOTES[scaling] in cell["audit"]["verdict"] for cell in stored)
        assert all(cell["identity"]["setting"]["scaling"] == scaling for cell in stored)
    board = pd.read_csv(folder / "leaderboard.csv").set_index(["protocol", "estimator"])
    assert NOTES[scaling] in board.audit["loso", "nearest-mean"]
    assert board.audit["loso", "nearest-mean"].startswith("clean")
    again = run("--protocols", "loso,subject-stratified", "--estimators", "nearest-mean", "--seeds", "1")
    assert "5 cells: 0 to run, 5 reused" in again.stdout


@pytest.mark.parametrize(
    ("dataset", "scaling", "message"),
    [
        ("toy-ids", "baseline", 'scaling = "baseline": toy-ids has no samples before its stimuli'),
        ("toy", "first-seconds[200]", 'scaling = "first-seconds[200]": toy has 170 s of subject 1 in all'),
    ],
)
def test_what_the_data_set_cannot_give_is_refused_before_anything_is_run(
    run, toy_suite, tmp_path, dataset, scaling, message
):
    text = toy_suite.read_text().replace('dataset = "toy"', f'dataset = "{dataset}"')
    toy_suite.write_text(f'scaling = "{scaling}"\n' + text)
    done = run("--plan")
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()
