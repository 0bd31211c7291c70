"""A data set plugin is told what is wrong with what it returns."""

import numpy as np
import pandas as pd
import pytest

from bench.recordings import DataError, Recordings


def make(signals=None, trials=None, **changes):
    if signals is None:
        signals = np.zeros((3, 2, 50), dtype=np.float32)
    if trials is None:
        trials = pd.DataFrame(
            {"subject": [1, 1, 2], "trial": [1, 2, 1], "stimulus": [1, 2, 1], "arousal": 5.0}
        )
    arguments = {"name": "mine", "channels": ("a", "b"), "sampling_rate": 10.0, **changes}
    return Recordings(signals=signals, trials=trials, **arguments)


def spoiled(value):
    signals = np.zeros((3, 2, 50), dtype=np.float32)
    signals[2, 1, 7] = value
    return signals


TRIALS = make().trials


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trials": TRIALS.drop(columns="stimulus")}, "mine: the table of trials has no column stimulus"),
        ({"trials": TRIALS[:2]}, "mine: 3 signals but 2 rows"),
        ({"signals": [], "trials": TRIALS[:0]}, "mine: no trial at all"),
        ({"trials": TRIALS.assign(trial=1)}, "mine: subject 1 has trial 1 twice"),
        (
            {"trials": TRIALS.assign(order=[1, np.nan, 2])},
            "mine: the column order .* has to hold finite numbers",
        ),
        ({"trials": TRIALS.assign(order=["first", "second", "third"])}, "the column order"),
        ({"trials": TRIALS.assign(recording=1, onset=np.inf)}, "the column onset .* finite numbers"),
        ({"trials": TRIALS.assign(recording=1)}, "needs both recording and onset, or neither"),
        ({"channels": ("a",)}, r"mine: subject 1, trial 1: shape \(2, 50\), expected \(1, n_samples\)"),
        ({"signals": np.zeros((3, 2, 50))}, "mine: subject 1, trial 1: float64 samples, expected float32"),
        ({"signals": spoiled(np.nan)}, "mine: subject 2, trial 1: a sample of b is not finite"),
        ({"signals": spoiled(-np.inf)}, "mine: subject 2, trial 1: a sample of b is not finite"),
    ],
)
def test_a_contradiction_is_named(changes, message):
    with pytest.raises(DataError, match=message):
        make(**changes)


def test_samples_whose_sum_overflows_are_finite_all_the_same():
    assert len(make(signals=np.full((3, 2, 50), 3e38, dtype=np.float32)).signals) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"signals": spoiled(1e-30)},
        {"trials": TRIALS.assign(arousal=[5.0, 5.0, np.nextafter(5.0, 6.0)])},
        {"sampling_rate": 11.0},
        {"channels": ("b", "a")},
        {"simulated": True},
    ],
)
def test_the_fingerprint_tells_any_difference(changes):
    assert make(**changes).fingerprint != make().fingerprint


def test_the_fingerprint_is_the_same_for_an_array_and_a_list_of_its_trials():
    assert make(signals=list(np.zeros((3, 2, 50), dtype=np.float32))).fingerprint == make().fingerprint
