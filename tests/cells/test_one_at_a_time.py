"""Test windows are predicted in no order, and one that is predicted otherwise among others is a leak."""

from dataclasses import replace

import numpy as np
import pytest

from bench.cells.cell import Cell, run_cell
from bench.cells.making import make_estimator
from bench.cells.one_at_a_time import alike_alone
from bench.cells.prepare import prepare
from bench.data.windows import Target, Windowing, make_panel
from bench.registry import get
from bench.spec import parse_spec
from bench.splits.divide import divide


class Plain:
    """Probabilities of a window's own mean."""

    classes_ = np.array(["high", "low"])

    def predict_proba(self, X):
        p = 1 / (1 + np.exp(-X.mean(axis=(1, 2))))
        return np.stack([p, 1 - p], axis=1)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class OfNeighbours(Plain):
    """Averages each window's probabilities with those of the windows beside it."""

    def predict_proba(self, X):
        own = super().predict_proba(X)
        return (np.roll(own, 1, axis=0) + own + np.roll(own, -1, axis=0)) / 3


X = np.random.default_rng(0).normal(size=(60, 2, 20)).astype(np.float32) * 3


@pytest.mark.parametrize(("estimator", "alike"), [(Plain(), True), (OfNeighbours(), False)])
@pytest.mark.parametrize("with_probabilities", [True, False])
def test_an_estimator_that_looks_at_the_windows_beside_is_found(estimator, alike, with_probabilities):
    probabilities = estimator.predict_proba(X) if with_probabilities else None
    assert alike_alone(estimator, X, estimator.predict(X), probabilities) is alike


def test_a_single_test_window_is_alike():
    assert alike_alone(Plain(), X[:1], Plain().predict(X[:1]), Plain().predict_proba(X[:1]))


@pytest.fixture
def panel(toy_plugins):
    recordings = get("dataset", "toy").factory()
    return make_panel(recordings, Target(name="arousal"), Windowing(seconds=2, overlap=1))


def run_one(panel, estimator, protocol="subject-stratified"):
    ((_, split),) = divide(parse_spec(protocol), panel, 0)
    outcome = run_cell(Cell("", protocol, estimator, estimator, "", (), "min-max", 0), panel, split)
    assert outcome.status == "ok", outcome.reason
    return outcome


def test_b_an_estimator_that_averages_its_neighbours_leaks_the_test_block(panel):
    assert run_one(panel, "nearest-window").audit.verdict.startswith("clean")
    assert run_one(panel, "of-neighbours").audit.verdict == "LEAKS test block"


def test_b_the_place_of_a_window_among_the_test_windows_tells_nothing(panel):
    # Copies stand behind the others under this protocol: their place alone would tell most of their class.
    panel = replace(panel, y=np.where(panel.windows.trial % 4 == 0, "high", "low"))
    outcome = run_one(panel, "by-place", "split-then-oversample")
    assert "resampled test" in outcome.audit.verdict
    ((_, split),) = divide(parse_spec("split-then-oversample"), panel, 0)
    y = panel.y[split.test]
    rare = y[-1]
    told = np.where(np.arange(len(y)) > 2 * len(y) // 3, y == rare, y != rare).mean()
    assert told > 0.65
    assert abs(outcome.scores["accuracy"] - 0.5) < (told - 0.5) / 2


def test_predictions_stand_beside_the_windows_that_they_are_of(panel):
    outcome = run_one(panel, "nearest-window")
    ((_, split),) = divide(parse_spec("subject-stratified"), panel, 0)
    assert outcome.predictions["y_true"].tolist() == panel.y[split.test].tolist()
    sides = prepare(panel, split, "min-max", seed=0)
    fitted = make_estimator(get("estimator", "nearest-window"), {}, 0).fit(sides.X_train, sides.y_train)
    assert outcome.predictions["y_pred"].tolist() == fitted.predict(sides.X_test).tolist()
