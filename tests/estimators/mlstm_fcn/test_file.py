"""A saved MLSTM-FCN: the same predictions again, and nothing that a file says is run."""

import json
import os
import zipfile

import numpy as np
import pytest

from bench.estimators.mlstm_fcn import MLSTMFCN

STATE = "mlstm_fcn.json"


VARIANTS = [
    {"attention": True},
    {"dtype": "mixed_bfloat16"},
    {"lstm": False, "standardize": "z-score"},
    {"squeeze_excite": False},
    {"attention": True, "squeeze_excite": False, "shuffle": False},
]


@pytest.mark.parametrize("switches", VARIANTS, ids=str)
def test_every_variant_predicts_the_same_to_the_bit(switches, variant, toy, tmp_path):
    X, y = toy(shape=(2, 20))
    fitted = variant(**switches)
    fitted.save(tmp_path / "model.keras")
    loaded = MLSTMFCN.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    assert loaded.predict(X).dtype == y.dtype
    assert loaded.get_params() == fitted.get_params()


def test_windows_of_unequal_length(unequal, fitted_on_unequal, tmp_path):
    windows, y = unequal()
    assert y.dtype == float
    fitted_on_unequal.save(tmp_path / "model.keras")
    loaded = MLSTMFCN.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict_proba(windows), fitted_on_unequal.predict_proba(windows))
    np.testing.assert_array_equal(loaded.predict(windows), fitted_on_unequal.predict(windows))
    assert loaded.predict(windows).dtype == float


def test_another_process_predicts_the_same_and_knows_the_labels(saved, text_windows, elsewhere):
    fitted, _ = saved
    np.testing.assert_array_equal(elsewhere["saved"], fitted.predict_proba(text_windows[0]))
    assert elsewhere["classes"].tolist() == fitted.classes_.tolist() == ["high", "lów", "mid"]


def test_what_else_is_kept(saved, text_windows):
    fitted, path = saved
    loaded = MLSTMFCN.load(path)
    assert loaded.about_ == {"channels": ["GSR (Ohm)", "PPG"], "note": 0.5}
    assert loaded.history_ == fitted.history_
    assert loaded.best_epoch_ == fitted.best_epoch_
    loaded.set_params(lstm=False).fit(*text_windows)  # it may be fitted anew


def test_keras_reads_the_network(saved, text_windows):
    import keras

    fitted, path = saved
    X, _ = text_windows
    network = keras.saving.load_model(path)
    np.testing.assert_allclose(network.predict_on_batch(fitted.ranks_(X)), fitted.predict_proba(X), rtol=1e-5)


def rewritten(path, target, **members):
    """Copy the archive with other content of some members; None leaves one out."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = members.get(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return target


def test_code_in_the_network_of_a_file_is_not_run(saved, text_windows, tmp_path):
    """A network with a Lambda layer, which Keras itself would run when told to trust the file."""
    import keras

    fitted, path = saved
    mark = tmp_path / "was here"
    evil = keras.Sequential(
        [keras.Input((3, 20)), keras.layers.Lambda(lambda x, file=str(mark): (open(file, "w").close(), x)[1])]
    )
    mark.unlink(missing_ok=True)
    evil.save(tmp_path / "evil.keras")
    mark.unlink(missing_ok=True)
    with zipfile.ZipFile(tmp_path / "evil.keras") as archive:
        config = archive.read("config.json")
    mixed = rewritten(path, tmp_path / "mixed.keras", **{"config.json": config})
    X, _ = text_windows
    np.testing.assert_array_equal(MLSTMFCN.load(mixed).predict_proba(X), fitted.predict_proba(X))
    assert not mark.exists()
    with pytest.raises(ValueError, match="no saved MLSTMFCN"):
        MLSTMFCN.load(tmp_path / "evil.keras")
    assert not mark.exists()


def changed(**changes):
    def change(state):
        for key, value in changes.items():
            *tables, last = key.split("__")
            table = state
            for name in tables:
                table = table[name]
            table[last] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        changed(format=1),
        changed(quantiles=None),
        changed(quantiles=[[0.0, 1.0]]),
        changed(parameters__standardize="z-score"),
        changed(label_type="|O"),
        changed(classes=["one", "two"]),
        changed(parameters__schedule="exec"),
        changed(parameters__surprise=1),
        changed(network__shape=[3, 30]),
        changed(network__shape="3"),
        changed(network__moments=[[0.0], [1.0]]),
        changed(network__filters=[8, 9]),
        changed(network__surprise=1),
        lambda state: state.clear(),
    ],
)
def test_a_state_that_does_not_fit_is_refused(saved, tmp_path, change):
    _, path = saved
    with zipfile.ZipFile(path) as archive:
        state = json.loads(archive.read(STATE))
    change(state)
    file = rewritten(path, tmp_path / "changed.keras", **{STATE: json.dumps(state)})
    with pytest.raises(ValueError, match=r"changed\.keras: no saved MLSTMFCN, or damaged"):
        MLSTMFCN.load(file)


def test_damaged_and_foreign_files_are_refused(saved, tmp_path):
    _, path = saved
    whole = path.read_bytes()
    (tmp_path / "cut.keras").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.keras").write_bytes(b"")
    (tmp_path / "pickle.keras").write_bytes(b"\x80\x04cos\nsystem\n(S'false'\ntR.")
    rewritten(path, tmp_path / "weights.keras", **{"model.weights.h5": b"nothing"})
    rewritten(path, tmp_path / "none.keras", **{"model.weights.h5": None})
    for name in ("cut", "empty", "pickle", "weights", "none"):
        with pytest.raises(ValueError, match=rf"{name}\.keras: no saved MLSTMFCN, or damaged"):
            MLSTMFCN.load(tmp_path / f"{name}.keras")
    with pytest.raises(FileNotFoundError):
        MLSTMFCN.load(tmp_path / "absent.keras")


def test_an_older_file_stays_whole_until_it_is_replaced(saved, tmp_path):
    fitted, _ = saved
    path = tmp_path / "model.keras"
    path.write_bytes(b"older")
    with pytest.raises(TypeError, match="cannot be saved"):
        fitted.save(path, about={"what": object()})
    assert path.read_bytes() == b"older"
    fitted.save(path)
    assert MLSTMFCN.load(path).about_ == {}
    assert os.listdir(tmp_path) == ["model.keras"]


def test_what_cannot_be_saved_is_said(saved, tmp_path):
    with pytest.raises(ValueError, match="fit comes first"):
        MLSTMFCN().save(tmp_path / "model.keras")
    fitted, _ = saved
    with pytest.raises(ValueError, match=r"has to end in \.keras"):
        fitted.save(tmp_path / "model.h5")
