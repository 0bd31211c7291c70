"""TensorBoard's events of MLSTM-FCN, read back from the files of real fits."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.hparams import metadata
from tensorboard.util.tensor_util import make_ndarray

from bench.estimators.mlstm_fcn import MLSTMFCN

TRAIN = {"loss", "accuracy", "balanced_accuracy", "learning_rate", "seconds"}
VALIDATION = {"loss", "accuracy", "balanced_accuracy"}


def named(windows):
    """Return windows and their labels as text."""
    X, labels = windows
    return X, np.array([f"class {label}" for label in labels])


def read(folder: Path) -> EventAccumulator:
    """Return all that a run's folder holds."""
    return EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload()


def scalars(run: EventAccumulator) -> dict[str, dict[int, float]]:
    """Return the scalars of each tag by step, having checked that no step is there twice."""
    found = {}
    for tag in run.Tags()["tensors"]:
        if tag.startswith("epoch_"):
            events = run.Tensors(tag)
            found[tag] = {event.step: make_ndarray(event.tensor_proto).item() for event in events}
            assert len(found[tag]) == len(events)
    return found


def told(history: dict[str, list[float]], names: set[str], prefix: str = "") -> dict[str, dict[int, float]]:
    """Return what `scalars` has to find."""
    return {
        f"epoch_{name}": pytest.approx(dict(enumerate(history[prefix + name])), rel=1e-6) for name in names
    }


def images(run: EventAccumulator) -> dict[int, np.ndarray]:
    """Return the confusion matrices by step, decoded."""
    events = run.Tensors("confusion_matrix")
    found = {event.step: imread(io.BytesIO(make_ndarray(event.tensor_proto)[2])) for event in events}
    assert len(found) == len(events)
    return found


def hyperparameters(run: EventAccumulator) -> dict[str, bool | float | str]:
    """Return the run's row of the table of hyperparameters."""
    content = run.SummaryMetadata(metadata.SESSION_START_INFO_TAG).plugin_data.content
    values = metadata.parse_session_start_info_plugin_data(content).hparams
    return {name: getattr(value, value.WhichOneof("kind")) for name, value in values.items()}


def count_graphs(folder: Path) -> int:
    """Return in how many events of a run there is a graph."""
    return sum(
        event.HasField("graph_def")
        for path in folder.glob("*tfevents*")
        for event in EventFileLoader(str(path)).Load()
    )


@pytest.fixture(scope="module")
def logged(toy, small, tmp_path_factory) -> tuple[MLSTMFCN, Path]:
    """A fit of four epochs with a validation part, and its folder; to be read only."""
    folder = tmp_path_factory.mktemp("log")
    estimator = MLSTMFCN(epochs=4, validation=0.25, log_dir=str(folder), **small).fit(*named(toy()))
    return estimator, folder


def test_scalars_are_the_history(logged):
    estimator, folder = logged
    assert scalars(read(folder / "train")) == told(estimator.history_, TRAIN)
    assert scalars(read(folder / "validation")) == told(estimator.history_, VALIDATION, "val_")
    rates = scalars(read(folder / "train"))["epoch_learning_rate"]
    assert len(set(rates.values())) == 4  # it rises and falls


def test_confusion_matrices_of_the_first_and_the_last_epoch(logged):
    for run in ("train", "validation"):
        found = images(read(logged[1] / run))
        # Between them is none: an epoch of this network is over long before a drawing has paid off.
        assert list(found) == [0, 3]
        for image in found.values():
            assert 200 <= min(image.shape[:2]) <= max(image.shape[:2]) <= 500
            assert image.shape[2] == 3
            assert image.std() > 0.1


def test_hyperparameters(logged):
    estimator, folder = logged
    values = hyperparameters(read(folder / "train"))
    assert values.keys() == estimator.get_params().keys() - {"log_dir", "n_jobs"}
    assert values["batch_size"] == 8
    assert values["dropout"] == 0.8
    assert values["lstm"] is True
    assert values["schedule"] == "one-cycle"
    assert values["filters"] == "(8, 8)"
    assert values["shuffle"] == "None"


def test_graph_has_the_layers(logged):
    estimator, folder = logged
    names = "\n".join(node.name for node in read(folder / "train").Graph().node)
    for layer in estimator.model_.layers[1:]:
        # Inference drops nothing.
        assert layer.name in names or layer.name.startswith("dropout"), layer.name
    assert count_graphs(folder / "train") == 1
    assert count_graphs(folder / "validation") == 0


def test_a_log_changes_no_result(logged, toy, fitted):
    X, _ = toy()
    silent = fitted(epochs=4, validation=0.25)
    np.testing.assert_array_equal(silent.predict_proba(X), logged[0].predict_proba(X))


def test_without_validation_part_there_is_no_such_run(toy, tiny, tmp_path):
    MLSTMFCN(epochs=1, log_dir=str(tmp_path), **tiny).fit(*named(toy()))
    assert [path.name for path in tmp_path.iterdir()] == ["train"]
    assert list(images(read(tmp_path / "train"))) == [0]


def test_a_new_fit_takes_the_place_of_the_old_and_of_nothing_else(logged, toy, tiny, tmp_path):
    shutil.copytree(logged[1], tmp_path, dirs_exist_ok=True)
    assert list((tmp_path / "validation").iterdir())
    foreign = tmp_path / "train" / "events.out.tfevents.1.somebody.1.v2"
    foreign.touch()
    estimator = MLSTMFCN(epochs=1, cells=16, log_dir=str(tmp_path), **tiny).fit(*named(toy()))
    assert foreign.exists()
    foreign.unlink()
    assert scalars(read(tmp_path / "train")) == told(estimator.history_, TRAIN)
    assert hyperparameters(read(tmp_path / "train"))["cells"] == 16
    assert not list((tmp_path / "validation").iterdir())


def test_an_interrupted_fit_goes_on_in_the_same_charts_and_ends_as_if_it_had_not_been_interrupted(
    toy, tmp_path
):
    import keras

    from bench.estimators._keras_classifier.metrics import predict
    from bench.estimators._keras_classifier.tensorboard import TensorBoardLog
    from bench.estimators._keras_classifier.training import Settings, train
    from bench.estimators._keras_classifier.windows import Windows
    from bench.estimators.mlstm_fcn.network import build_network

    X, y = toy()
    windows = Windows(X, y)
    settings = Settings(7, 8, "one-cycle", 1e-3, 100, None, None, 0)
    calls = []

    def fit(folder: Path, last: int = 99):
        keras.utils.set_random_seed(0)
        network = build_network((3, 32), 2, filters=(8,), kernel_sizes=(5,))
        with TensorBoardLog(folder, network, {"cells": 8}, ["a", "b"]) as log:

            def tell(progress):
                calls.append(progress.epochs)
                log(progress)
                if progress.epochs == last:
                    raise KeyboardInterrupt

            progress = train(
                network,
                windows,
                settings,
                validation=windows,
                checkpoint=folder / "checkpoint.npz",
                told=tell,
            )
        return progress, predict(network, X)

    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path, 4)
    for run in ("train", "validation"):
        assert [*scalars(read(tmp_path / run))["epoch_loss"]] == [0, 1, 2, 3]
        assert list(images(read(tmp_path / run))) == [0, 3]
    # One file reaches the disk only in part, as of a process that was killed; its end is unreadable.
    (cut,) = (tmp_path / "validation").glob("*tfevents*")
    cut.write_bytes(cut.read_bytes()[:30])

    progress, predicted = fit(tmp_path)
    assert 1 < calls[4] <= 4  # it repeats epochs that were told, and begins with none
    assert scalars(read(tmp_path / "train")) == told(progress.history, TRAIN)
    assert scalars(read(tmp_path / "validation")) == told(progress.history, VALIDATION, "val_")
    drawn = list(images(read(tmp_path / "train")))
    assert drawn == sorted(drawn)
    assert (drawn[0], drawn[-1]) == (0, 6)
    assert count_graphs(tmp_path / "train") == 1
    assert hyperparameters(read(tmp_path / "train")) == {"cells": 8}
    assert not (tmp_path / "checkpoint.npz").exists()

    whole, expected = fit(tmp_path / "whole")
    assert progress.history["loss"] == whole.history["loss"]
    np.testing.assert_array_equal(predicted, expected)


@pytest.mark.parametrize("n", [2, 9, 25])
def test_drawing_of_a_diagonal(n):
    from bench.estimators._keras_classifier.tensorboard import draw_confusion

    counts = np.diag(np.arange(n, dtype=np.float32))  # no window is of the first class
    image = draw_confusion(counts, [f"a $name_ that is too long for the margin {k}" for k in range(n)])
    assert image.dtype == np.uint8
    assert 200 <= min(image.shape[:2]) <= max(image.shape[:2]) <= 1100
    # The darkest blue of the map fills n - 1 cells, but for the figures in them.
    dark = (image == (8, 48, 107)).all(axis=2).sum()
    cell = max(200 / n, 30) ** 2
    assert 0.6 * cell * (n - 1) < dark < 1.05 * cell * (n - 1)
