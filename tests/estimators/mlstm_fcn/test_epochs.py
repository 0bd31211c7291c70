"""What MLSTM-FCN records of an epoch, and keeps by it, is of all windows of that epoch, whatever Keras says.

Each test computes the same figure in another way. They run on the lowest and the highest Keras allowed.
"""

from __future__ import annotations

import contextlib
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest

from bench.estimators._keras_classifier.schedules import learning_rate
from bench.estimators._keras_classifier.windows import hold_out_groups
from bench.estimators.mlstm_fcn import MLSTMFCN

# Without dropout, what is computed twice is the same twice; without an LSTM it compiles sooner.
SMALL: dict[str, Any] = {
    **{"filters": (8, 8), "kernel_sizes": (5, 3), "squeeze_ratio": 4, "dropout": 0.0, "lstm": False},
    **{"batch_size": 16, "random_state": 0},
}
# For what is not about the layers: sooner still.
SINGLE: dict[str, Any] = {**SMALL, "batch_size": 8, "filters": (8,), "kernel_sizes": (5,)}


def noisy(n_windows: int = 45, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Windows of (3, 32) of noise, which tells nothing of their class; a third are of class 1."""
    rng = np.random.default_rng(seed)
    X = rng.normal(0, 1, (n_windows, 3, 32)).astype(np.float32)
    return X, rng.permutation(np.arange(n_windows) % 3 == 0).astype(int)


def class_weights(y: np.ndarray) -> np.ndarray:
    return len(y) / (2 * np.bincount(y)[y])


def cross_entropy(probabilities: np.ndarray, y: np.ndarray) -> np.ndarray:
    return -np.log(np.asarray(probabilities, dtype=np.float64)[np.arange(len(y)), y])


class Epochs(MLSTMFCN):
    """An estimator that keeps its first weights and what is told of every epoch: confusions, weights after it."""

    @contextlib.contextmanager
    def _log(self, windows: Any) -> Any:
        self.confusions: list[dict[str, np.ndarray]] = []
        self.weights: list[list[np.ndarray]] = []
        self.initial = self._now()

        def told(progress: Any) -> None:
            self.confusions.append({part: np.array(c) for part, c in progress.confusions.items()})
            self.weights.append(self._now())

        with super()._log(windows) as (checkpoint, key, _):
            yield checkpoint, key, told

    def _now(self) -> list[np.ndarray]:
        return [np.array(w) for w in self.model_.trainable_weights]


class Step(NamedTuple):
    """Of one batch, computed just before the step: summed weighted loss, labels, predicted classes."""

    loss: float
    true: np.ndarray
    predicted: np.ndarray


def fit_with_steps(estimator: Epochs, X: np.ndarray, y: np.ndarray) -> list[list[Step]]:
    """Fit; return the steps of each epoch, computed in training mode by the network itself."""
    seen: list[Step] = []
    train_on_batch = keras.Model.train_on_batch

    def computed_first(self: Any, x: Any, y: Any, sample_weight: Any = None, **options: Any) -> Any:
        probabilities = np.array(self(x, training=True))
        seen.append(
            Step(float(cross_entropy(probabilities, y) @ sample_weight), y, probabilities.argmax(axis=1))
        )
        return train_on_batch(self, x, y, sample_weight=sample_weight, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.Model, "train_on_batch", computed_first)
        estimator.fit(X, y)
    batches = -(-len(y) // estimator.batch_size)
    return [seen[k : k + batches] for k in range(0, len(seen), batches)]


def losses_of(epochs: list[list[Step]], n_windows: int) -> list[float]:
    return [sum(step.loss for step in steps) / n_windows for steps in epochs]


@pytest.fixture(scope="module")
def erratic() -> tuple[Epochs, list[list[Step]], np.ndarray, np.ndarray]:
    """A fit with far too long steps, whose best epoch is neither its last nor that of the best last batch."""
    for seed in range(8):
        X, y = noisy(seed=seed)
        options: dict[str, Any] = {"schedule": "plateau", "patience": 1, "learning_rate": 1.0}
        fitted = Epochs(epochs=10, **options, **{**SMALL, "batch_size": 8})
        epochs = fit_with_steps(fitted, X, y)
        best = int(np.argmin(losses_of(epochs, len(y))))
        last_batches = [steps[-1].loss / len(steps[-1].true) for steps in epochs]
        if best not in (9, int(np.argmin(last_batches))):
            return fitted, epochs, X, y
    raise AssertionError("no fit is erratic: these tests would show nothing")


def test_loss_and_accuracy_of_an_epoch_are_those_of_predictions_in_training_mode():
    X, y = noisy()
    fitted = Epochs(epochs=2, learning_rate=1e-12, **SMALL)
    for epoch, steps in enumerate(fit_with_steps(fitted, X, y)):
        true, predicted = (np.concatenate(parts) for parts in list(zip(*steps, strict=True))[1:])
        assert len(steps) == 3
        assert sorted(true) == sorted(y)
        right = true == predicted
        expected = {
            "loss": sum(step.loss for step in steps) / len(y),
            "accuracy": right.mean(),
            "balanced_accuracy": (right[true == 0].mean() + right[true == 1].mean()) / 2,
        }
        recorded = {name: fitted.history_[name][epoch] for name in expected}
        assert recorded == pytest.approx(expected, rel=1e-4)


def test_a_confusion_counts_every_training_window_once(erratic):
    fitted, epochs, _, y = erratic
    assert len(fitted.confusions) == len(epochs)
    for of_epoch in fitted.confusions:
        np.testing.assert_array_equal(of_epoch["train"].sum(axis=1), np.bincount(y))


def test_the_epoch_kept_is_that_of_lowest_loss_over_all_its_windows(erratic):
    fitted, epochs, _, y = erratic
    losses = losses_of(epochs, len(y))
    np.testing.assert_allclose(fitted.history_["loss"], losses, rtol=1e-3)
    assert fitted.best_epoch_ == int(np.argmin(losses))
    for kept, then in zip(fitted.model_.trainable_weights, fitted.weights[fitted.best_epoch_], strict=True):
        np.testing.assert_array_equal(np.array(kept), then)


def test_plateau_follows_the_loss_of_the_epochs(erratic):
    fitted, epochs, _, y = erratic
    losses = losses_of(epochs, len(y))
    expected = [learning_rate("plateau", 1.0, k, 0.0, losses[:k], 1) for k in range(10)]
    np.testing.assert_allclose(fitted.history_["learning_rate"], expected, rtol=1e-6)
    assert len(set(expected)) > 2


def test_validation_is_recorded_over_all_windows_held_out():
    X, y = noisy(64)
    groups = np.arange(64) // 4
    fitted = Epochs(epochs=3, validation=0.25, **SINGLE).fit(X, y, groups=groups)
    _, held_out = hold_out_groups(y, groups, 0.25, 0)
    for k, of_epoch in enumerate(fitted.confusions):
        counts = of_epoch["validation"]
        np.testing.assert_array_equal(counts.sum(axis=1), np.bincount(y[held_out]))
        assert fitted.history_["val_accuracy"][k] == pytest.approx(counts.trace() / len(held_out))
    assert fitted.best_epoch_ == int(np.argmin(fitted.history_["val_loss"]))
    # The moments of the end are computed anew, from other batches: nearly the same.
    losses = cross_entropy(fitted.predict_proba(X[held_out]), y[held_out]) @ class_weights(y)[held_out]
    recorded = fitted.history_["val_loss"][fitted.best_epoch_]
    assert recorded == pytest.approx(losses / len(held_out), rel=0.05)


def test_training_scores_are_those_of_its_predictions(erratic):
    fitted, _, X, y = erratic
    right = fitted.predict(X) == y
    expected = {
        "loss": cross_entropy(fitted.predict_proba(X), y) @ class_weights(y) / len(y),
        "accuracy": right.mean(),
        "balanced_accuracy": (right[y == 0].mean() + right[y == 1].mean()) / 2,
    }
    assert fitted.training_scores_ == pytest.approx(expected, rel=1e-4)


def test_a_window_is_predicted_alone_as_among_others(erratic):
    fitted, _, X, _ = erratic
    together = fitted.predict_proba(X)
    alone = np.concatenate([fitted.predict_proba(X[k : k + 1]) for k in range(5)])
    np.testing.assert_allclose(alone, together[:5], atol=1e-5)


def test_the_optimiser_steps_at_the_rate_that_is_recorded():
    """Adam's first step is as long as its learning rate, in every weight with a gradient (Kingma, Ba 2015)."""
    X, y = noisy(8)
    fitted = Epochs(epochs=1, learning_rate=0.5, **SINGLE).fit(X, y)  # one batch, at the start of the cycle
    (rate,) = fitted.history_["learning_rate"]
    longest = max(np.abs(b - a).max() for a, b in zip(fitted.initial, fitted.weights[0], strict=True))
    assert longest == pytest.approx(rate, rel=1e-3)
    assert rate == pytest.approx(0.5 / 25)


def test_a_window_of_no_weight_teaches_nothing():
    X, y = noisy(48)
    weight = np.where(np.arange(48) < 9, 0.0, 1.0)
    other = np.where(weight == 0, 1 - y, y)
    first, second = (
        MLSTMFCN(epochs=2, **SINGLE).fit(X, labels, sample_weight=weight) for labels in (y, other)
    )
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))


def test_moments_of_normalisation_end_as_those_of_the_training_windows():
    X, y = noisy(48)
    model = MLSTMFCN(epochs=2, standardize="none", **SMALL).fit(X, y).model_
    first = next(layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization))
    convolved = np.array(keras.Model(model.input, first.input)(X))
    off = np.array(first.moving_mean) - convolved.mean(axis=(0, 1, 2))
    assert np.abs(off / convolved.std(axis=(0, 1, 2))).max() < 0.02
    # The mean variance within batches of 16 windows is less than that of all by what batches differ.
    np.testing.assert_allclose(first.moving_variance, convolved.var(axis=(0, 1, 2)), rtol=0.1)
