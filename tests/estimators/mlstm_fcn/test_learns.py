"""MLSTM-FCN can learn physiological signals: it memorises windows that are there to be memorised."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.cells.prepare import prepare
from bench.estimators.mlstm_fcn import MLSTMFCN
from bench.spec import parse_spec
from bench.splits.divide import divide
from bench.study.panels import load_all, suite_panel
from bench.study.suite_files import read_suite


@pytest.fixture(scope="module")
def windows(shared_data: Path) -> tuple[np.ndarray, np.ndarray]:
    """512 training windows of HKU956 arousal, as the suite scales and resamples them."""
    suite = read_suite("hku956-arousal").thinned("quick")
    ((_, recordings),), _ = load_all(suite, shared_data / "HKU956", print)
    panel = suite_panel(suite, recordings, print)
    ((_, split),) = divide(parse_spec("random-windows"), panel, 0)
    sides = prepare(panel, split, suite.scaling)
    rows = np.random.default_rng(0).permutation(len(sides.y_train))[:512]
    return sides.X_train[rows], sides.y_train[rows]


@pytest.mark.slow
@pytest.mark.parametrize(
    "training",
    [
        pytest.param({}, id="default"),
        # As the published training, for the 250 epochs of Karim et al. (2019).
        pytest.param({"schedule": "plateau", "batch_size": 64, "epochs": 250}, id="published"),
    ],
)
def test_512_windows_of_real_recordings_are_memorised(
    windows: tuple[np.ndarray, np.ndarray], training: dict[str, Any]
) -> None:
    X, y = windows
    fitted = MLSTMFCN(random_state=0, **training).fit(X, y)
    assert (fitted.predict(X) == y).mean() >= 0.98
    assert fitted.history_["loss"][-1] < fitted.history_["loss"][0] / 3
