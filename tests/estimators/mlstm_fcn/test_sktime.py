"""MLSTM-FCN as a classifier of sktime: the checks that sktime makes of its own."""

import numpy as np
import pytest
from sktime.datasets import load_basic_motions, load_japanese_vowels

from bench.estimators import mlstm_fcn

# All 258 checks pass, and take minutes: `tests_to_run=None`.
CHECKS = ["test_constructor", "test_set_params", "test_clone"]
TRAINING_CHECKS = ["test_persistence_via_pickle", "test_classifier_output"]


@pytest.mark.parametrize(
    ("checks", "least"),
    [
        pytest.param(CHECKS, 4, id="untrained"),
        pytest.param(CHECKS + TRAINING_CHECKS, 10, id="trained", marks=pytest.mark.slow),
    ],
)
def test_the_checks_of_sktime(checks, least, uncompiled):
    from sktime.utils.estimator_checks import check_estimator

    with uncompiled():
        results = check_estimator(mlstm_fcn.MLSTMFCNClassifier, tests_to_run=checks, verbose=False)
    assert len(results) > least
    assert {name: result for name, result in results.items() if result != "PASSED"} == {}


def test_it_is_the_same_network(tiny, uncompiled):
    X, y = load_basic_motions(split="train", return_X_y=True, return_type="numpy3D")
    options = {**tiny, "epochs": 2, "batch_size": 40}
    with uncompiled():
        expected = mlstm_fcn.MLSTMFCN(**options).fit(X, y).predict_proba(X)
        for given in (X, load_basic_motions(split="train")[0]):
            classifier = mlstm_fcn.MLSTMFCNClassifier(**options).fit(given, y)
            np.testing.assert_allclose(classifier.predict_proba(given), expected, rtol=1e-4, atol=1e-6)


def test_series_of_unequal_length(tiny):
    X, y = load_japanese_vowels(split="train")
    few = np.arange(0, 270, 10)
    classifier = mlstm_fcn.MLSTMFCNClassifier(**{**tiny, "epochs": 2, "batch_size": 27})
    assert classifier.fit(X.iloc[few], y[few]).predict(X.iloc[few]).shape == (27,)


def test_an_unknown_parameter_is_named():
    with pytest.raises(TypeError, match="no parameter 'cell'"):
        mlstm_fcn.MLSTMFCNClassifier(cell=8)
