"""A saved MLSTM-FCN: the same predictions again, and nothing that a file says is run."""

import json
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from bench.estimators.mlstm_fcn import MLSTMFCN

SMALL = {"filters": (6, 8), "kernel_sizes": (5, 3), "squeeze_ratio": 2, "epochs": 2, "random_state": 0}
STATE = "mlstm_fcn.json"


def windows(kind: str = "text"):
    X = np.random.default_rng(0).normal(size=(24, 3, 20)).astype(np.float32)
    y = np.arange(24) % 3
    return X, {"text": np.array(["lów", "mid", "high"])[y], "number": y * 10, "float": y / 2}[kind]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    X, y = windows()
    fitted = MLSTMFCN(**SMALL).fit(X, y)
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    fitted.save(path, about={"channels": ["GSR (Ohm)", "PPG"], "note": np.float32(0.5)})
    return fitted, path


VARIANTS = [
    {"attention": True},
    {"dtype": "mixed_bfloat16"},
    {"lstm": False, "standardize": "z-score"},
    {"shuffle": False, "squeeze_excite": False},
]


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_every_variant_predicts_the_same_to_the_bit(variant, tmp_path):
    X, y = windows("number")
    fitted = MLSTMFCN(**{**SMALL, **variant}).fit(X, y)
    fitted.save(tmp_path / "model.keras")
    loaded = MLSTMFCN.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    assert loaded.predict(X).dtype == y.dtype
    assert loaded.get_params() == fitted.get_params()


def test_windows_of_unequal_length(tmp_path):
    X, y = windows("float")
    unequal = [x[:, : 20 - k % 5] for k, x in enumerate(X)]
    fitted = MLSTMFCN(**SMALL).fit(unequal, y)
    fitted.save(tmp_path / "model.keras")
    loaded = MLSTMFCN.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict_proba(unequal), fitted.predict_proba(unequal))
    np.testing.assert_array_equal(loaded.predict(unequal), fitted.predict(unequal))


def test_another_process_predicts_the_same_and_knows_the_labels(saved, tmp_path):
    fitted, path = saved
    X, _ = windows()
    np.save(tmp_path / "X.npy", X)
    code = f"""
import sys; sys.path[:0] = {sys.path!r}
import numpy as np
from bench.estimators.mlstm_fcn import MLSTMFCN
loaded = MLSTMFCN.load({str(path)!r})
np.savez("out.npz", p=loaded.predict_proba(np.load("X.npy")), classes=loaded.classes_)
"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    with np.load(tmp_path / "out.npz") as out:
        np.testing.assert_array_equal(out["p"], fitted.predict_proba(X))
        assert out["classes"].tolist() == fitted.classes_.tolist() == ["high", "lów", "mid"]


def test_what_else_is_kept(saved):
    fitted, path = saved
    loaded = MLSTMFCN.load(path)
    assert loaded.about_ == {"channels": ["GSR (Ohm)", "PPG"], "note": 0.5}
    assert loaded.history_ == fitted.history_
    assert loaded.best_epoch_ == fitted.best_epoch_
    loaded.fit(*windows())  # it may be fitted anew


def test_keras_reads_the_network(saved):
    import keras

    fitted, path = saved
    X, _ = windows()
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


def test_code_in_the_network_of_a_file_is_not_run(saved, tmp_path):
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
    X, _ = windows()
    np.testing.assert_array_equal(MLSTMFCN.load(mixed).predict_proba(X), fitted.predict_proba(X))
    assert not mark.exists()
    with pytest.raises(ValueError, match="no saved MLSTM-FCN"):
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
        changed(network__filters=[6, 9]),
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
    with pytest.raises(ValueError, match=r"changed\.keras: no saved MLSTM-FCN, or damaged"):
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
        with pytest.raises(ValueError, match=rf"{name}\.keras: no saved MLSTM-FCN, or damaged"):
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


def test_what_cannot_be_saved_is_said(tmp_path):
    with pytest.raises(ValueError, match="fit comes first"):
        MLSTMFCN().save(tmp_path / "model.keras")
    X, y = windows()
    fitted = MLSTMFCN(**SMALL).fit(X, y)
    with pytest.raises(ValueError, match=r"has to end in \.keras"):
        fitted.save(tmp_path / "model.h5")
