"""The ridge classifier for many windows of many features: as scikit-learn's, wherever both can be had."""

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifierCV
from sktime.datasets import load_basic_motions

from bench.estimators import _ridge
from bench.estimators._ridge import PENALTIES, LargeRidge
from bench.estimators.rocket import minirocket


def classes_in_noise(shape, n_classes, seed=0, signal=0.3):
    """Correlated features, float32, whose first class has another mean; a fifth of the labels is drawn anew."""
    rng = np.random.default_rng(seed)
    codes = np.arange(shape[0]) % n_classes
    mixed = np.eye(shape[1]) + 0.05 * rng.standard_normal((shape[1], shape[1]))
    X = (rng.standard_normal(shape) + signal * (codes == 0)[:, None]) @ mixed
    codes = np.where(rng.random(shape[0]) < 0.2, rng.integers(0, n_classes, shape[0]), codes)
    return X.astype(np.float32), np.array([f"class {code}" for code in codes])


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(400, 60), (200, 190), (90, 300)])
@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])  # at 30, triangular systems are solved in float64
def test_it_chooses_and_predicts_as_scikit_learn(monkeypatch, shape, weighted, n_classes, scale):
    monkeypatch.setattr(_ridge, "_ROWS", 64)  # several blocks, the last one smaller
    X, y = classes_in_noise(shape, n_classes)
    X *= np.float32(scale)
    weights = np.random.default_rng(1).uniform(0.1, 3, len(y)) if weighted else None
    theirs = RidgeClassifierCV(alphas=PENALTIES).fit(X, y, weights)
    ours = LargeRidge().fit(X, y, weights)
    assert ours.alpha_ == pytest.approx(theirs.alpha_)
    assert ours.errors_[ours.alpha_] == pytest.approx(-theirs.best_score_, rel=1e-6)
    np.testing.assert_allclose(ours.coef_.T.squeeze(), theirs.coef_, atol=1e-5 * np.abs(theirs.coef_).max())
    X_test, _ = classes_in_noise(shape, n_classes, seed=2)
    np.testing.assert_array_equal(ours.predict(X_test * scale), theirs.predict(X_test * scale))
    assert ours.classes_.tolist() == theirs.classes_.tolist()


def test_a_smaller_penalty_is_chosen_where_it_errs_less_and_no_more_are_tried_than_that_takes():
    X, y = classes_in_noise((300, 40), 2, signal=2.0)
    fitted = LargeRidge().fit(X * np.float32(0.1), y)
    assert fitted.alpha_ < PENALTIES[-1]
    tried = sorted(fitted.errors_)
    assert tried == pytest.approx(PENALTIES[-len(tried) :])
    assert fitted.alpha_ == tried[1]


def test_features_that_are_not_finite_are_refused():
    X, y = classes_in_noise((50, 20), 2)
    X[3, 4] = np.inf
    with pytest.raises(ValueError, match="not finite"):
        LargeRidge().fit(X, y)


def test_minirocket_predicts_the_same_however_its_ridge_is_solved(monkeypatch):
    X, y = load_basic_motions(split="train", return_X_y=True, return_type="numpy3D")
    X_test, _ = load_basic_motions(split="test", return_X_y=True, return_type="numpy3D")
    predicted = []
    for large in (_ridge.LARGE, 0):
        monkeypatch.setattr(_ridge, "LARGE", large)
        fitted = minirocket(num_kernels=500, random_state=0, n_jobs=1).fit(X, y)
        predicted.append(fitted.predict(X_test))
        assert isinstance(fitted.ridge_, LargeRidge) == (large == 0)
    np.testing.assert_array_equal(*predicted)
