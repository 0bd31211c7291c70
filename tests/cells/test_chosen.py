"""Parameters that training decides on, by windows that it holds out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.cells.chosen import ChosenByValidation, _hold_out, options_of
from bench.running.runner import execute
from bench.spec import Choice, parse_spec
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite

RNG = np.random.default_rng(0)


class Threshold:
    """Tells the class by whether a channel's mean is above a threshold; notes what it was given."""

    seen = []  # noqa: RUF012

    def __init__(self, channel, scale=1.0):
        self.channel, self.scale = channel, scale

    def fit(self, X, y, groups=None):
        Threshold.seen.append((self.channel, len(X), None if groups is None else groups.tolist()))
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.where(X[:, self.channel].mean(axis=1) > 0, "high", "low")


def windows(n=60):
    y = np.where(np.arange(n) % 2, "high", "low")
    X = RNG.normal(size=(n, 3, 5)).astype(np.float32)
    X[:, 1] += np.where(y == "high", 2, -2)[:, None]
    return X, y


def chosen(options, seed=0):
    def make(parameters):
        return Threshold(**parameters)

    return ChosenByValidation(make, make, options, seed)


def test_a_spec_may_offer_values():
    spec = parse_spec("mlstm-fcn[cells=8|64|128,lstm=true]+ros")
    assert spec.parameters == {"cells": Choice((8, 64, 128)), "lstm": True}
    assert str(spec) == "mlstm-fcn[cells=8|64|128,lstm=true]+ros"
    assert parse_spec(str(spec)) == spec
    assert str(parse_spec("a[b=true|false, c=one | other]")) == "a[b=true|false,c=one|other]"


@pytest.mark.parametrize("text", ["a[b=8|8]", "a[b=|8]", "a[b=8|]", "a[b=../x|8]"])
def test_what_offers_nothing_or_one_thing_twice_is_refused(text):
    from bench.errors import SuiteError

    with pytest.raises(SuiteError):
        parse_spec(text)


def test_options_are_all_combinations_and_one_where_nothing_is_open():
    assert options_of({"a": 1}) == [{"a": 1}]
    found = options_of({"a": Choice((1, 2)), "b": 0, "c": Choice(("x", "y"))})
    assert [tuple(one.values()) for one in found] == [(1, 0, "x"), (1, 0, "y"), (2, 0, "x"), (2, 0, "y")]


def test_the_best_option_on_held_out_groups_is_fitted_again_to_all_windows():
    X, y = windows()
    groups = np.repeat(np.arange(10), 6)
    Threshold.seen.clear()
    estimator = chosen([{"channel": k, "scale": 2.0} for k in range(3)]).fit(X, y, groups=groups)
    assert [one["channel"] for one in estimator.tried_] == [0, 1, 2]
    assert max(estimator.tried_, key=lambda one: one["balanced accuracy"])["channel"] == 1
    assert "scale" not in estimator.tried_[0]  # it was no choice
    assert estimator.predict(X).tolist() == y.tolist()
    assert estimator.classes_.tolist() == ["high", "low"]
    *tried, last = Threshold.seen
    assert last == (1, 60, groups.tolist())
    for channel, n, seen in tried:
        assert n < 60, channel
        assert all(seen.count(group) in (0, 6) for group in range(10))


def test_nothing_but_training_windows_decides():
    X, y = windows()
    first = chosen([{"channel": k} for k in range(3)]).fit(X, y)
    again = chosen([{"channel": k} for k in range(3)]).fit(X, y)
    assert first.tried_ == again.tried_


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 1000),
    n_groups=st.integers(2, 20),
    n=st.integers(20, 60),
    mixed=st.integers(0, 5),
)
def test_a_group_is_never_on_both_sides_and_mixed_windows_on_none(seed, n_groups, n, mixed):
    rng = np.random.default_rng(seed)
    groups = np.concatenate([np.arange(n_groups), rng.integers(0, n_groups, n)])
    y = rng.choice(["a", "b"], len(groups))
    groups[len(groups) - mixed :] = -1
    try:
        training, held_out = _hold_out(y, groups, seed)
    except ValueError as error:
        assert "cannot be chosen" in str(error)  # noqa: PT017
        return
    assert not set(groups[training]) & set(groups[held_out])
    assert -1 not in groups[training]
    assert -1 not in groups[held_out]
    assert sorted([*training, *held_out]) == np.flatnonzero(groups != -1).tolist()


def test_one_group_cannot_decide():
    X, y = windows()
    with pytest.raises(ValueError, match="fewer than two groups"):
        chosen([{"channel": 0}, {"channel": 1}]).fit(X, y, groups=np.zeros(60, int))


def test_a_cell_stores_what_was_tried_and_its_verdict_says_so(toy_suite, tmp_path):
    suite = read_suite(str(toy_suite))
    changes = {
        "estimators": ["nearest-mean", "nearest-window[n_neighbors=1|5]"],
        "protocols": ["loso"],
        "seeds": 1,
    }
    plan = make_plan(suite, "quick", changes, results=tmp_path)
    done = list(execute(plan))
    for task, stored in done:
        assert stored.ok, stored.result["reason"]
        if task.cell.plugin == "nearest-mean":
            assert "tried" not in stored.result
            assert "chosen" not in stored.result["audit"]["verdict"]
            continue
        assert [one["n_neighbors"] for one in stored.result["tried"]] == [1, 5]
        assert all(0 <= one["balanced accuracy"] <= 1 for one in stored.result["tried"])
        assert stored.result["audit"]["verdict"] == "clean (stimuli shared; n_neighbors chosen in training)"
        assert stored.result["cell"]["estimator"] == "nearest-window[n_neighbors=1|5]"
    again = make_plan(suite, "quick", changes, results=tmp_path)
    assert again.waiting == []
