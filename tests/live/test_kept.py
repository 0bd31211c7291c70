"""A run keeps models if it is asked to, and says of which it cannot."""

import json

import pandas as pd
import pytest

from bench.cells.saved import read_about


@pytest.fixture
def run(bench, toy_suite, tmp_path, plugins, blank_pictures):
    """Run cells on the toy recordings by ``python -m bench run``; what it says on standard error is one line."""

    def make(*arguments):
        done = bench(
            "run", "--suite", toy_suite, "--results", tmp_path / "results", "--seeds", "1", *arguments
        )
        return done.returncode, done.stdout, " ".join(done.stderr.split())

    return make


def test_a_folder_says_all_that_live_use_needs(train):
    folder = train(dataset="toy[effect=0.5]")
    assert {path.name for path in folder.iterdir()} == {
        "result.json", "predictions.parquet", "model.keras", "model.json", "SHA256SUMS",
    }  # fmt: skip
    about = json.loads((folder / "model.json").read_text())
    assert about["plugin"] == "kept-mean"
    assert about["data"] == {
        "name": "toy", "plugin": "toy", "parameters": {"effect": 0.5}, "simulated": True, "credit": "",
    }  # fmt: skip
    assert (about["window_samples"], about["hop_samples"], about["sampling_rate"]) == (32, 16, 16.0)
    assert about["classes"] == ["low", "high"]
    assert about["verdict"] == "clean (subjects, stimuli shared)"
    tested = pd.read_parquet(folder / "predictions.parquet")[["subject", "trial"]].drop_duplicates()
    trained = {(int(s), t) for s, trials in about["trained_on"].items() for t in trials}
    assert len(trained) + len(tested) == 40
    assert not trained & set(tested.itertuples(index=False, name=None))


@pytest.mark.parametrize("save_models", [True, False])
def test_only_what_can_be_saved_and_is_asked_for_is_kept(train, save_models):
    for name in ("other-save", "majority", "nearest-window"):
        folder = train(estimators=[name], save_models=save_models)
        assert not list(folder.glob("model.*"))
    assert bool(list(train(save_models=save_models).glob("model.*"))) is save_models


def test_a_stored_cell_without_its_model_is_run_again_if_models_are_asked_for(run, tmp_path):
    command = ("--protocols", "subject-stratified", "--estimators", "majority,other-save,kept-mean")
    assert "3 cells: 3 to run" in run(*command)[1]
    status, out, err = run(*command, "--save-models")
    assert status == 0
    assert "3 cells: 1 to run, 2 reused" in out
    assert "run again: it has no model.keras" in out
    assert "--save-models: no model is kept of majority, other-save: the program cannot save these" in err
    assert len(list(tmp_path.glob("**/model.keras"))) == 1
    for again in (command, (*command, "--save-models")):
        assert "3 cells: 0 to run, 3 reused" in run(*again)[1]
    assert len(list(tmp_path.glob("**/model.keras"))) == 1


def test_a_model_that_cannot_be_saved_costs_no_result_and_is_said(run, tmp_path):
    status, _, err = run(
        *("--save-models", "--protocols", "subject-stratified", "--estimators", "kept-mean[how=fails]")
    )
    assert status == 0
    assert "seed-0: the model was not kept: ValueError: cannot be written" in err
    (result,) = tmp_path.glob("**/kept-mean*/seed-0/result.json")
    assert json.loads(result.read_text())["status"] == "ok"
    assert {path.name for path in result.parent.iterdir()} == {
        "result.json",
        "predictions.parquet",
        "SHA256SUMS",
    }


def test_an_ablation_keeps_its_own_windows_and_scaling(run, stream, toy_suite, tmp_path):
    toy_suite.write_text(
        toy_suite.read_text()
        + '[ablations]\nestimator = "kept-mean"\n[ablations.rows]\n'
        + '"short" = { scaling = "none", windows = { seconds = 1.0, overlap = 0.0 } }\n'
    )
    assert run("--ablations", "--save-models")[0] == 0
    (folder,) = tmp_path.glob("results/toy@simulated/ablations/short/**/kept-mean/seed-0")
    about, _ = read_about(folder)
    assert (about.window_samples, about.hop_samples, about.scaling.name) == (16, 16, "none")
    assert len(stream(folder, "--replay", "1/1").windows) == 16
