"""Channels by rank: as scikit-learn has it, and what a wristband's signals need."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.preprocessing import QuantileTransformer

from bench.estimators._keras_classifier.ranks import ChannelRanks
from bench.estimators.mlstm_fcn import MLSTMFCN


def skewed(n_windows: int = 60, seed: int = 0) -> np.ndarray:
    """Windows (2, 40): one channel with a heavy tail, one of few values."""
    rng = np.random.default_rng(seed)
    tail = np.exp(2 * rng.normal(size=(n_windows, 40)))
    return np.stack([tail, rng.integers(0, 5, (n_windows, 40))], axis=1).astype(np.float32)


def test_it_is_scikit_learns_transformation_but_for_the_ends():
    X = skewed()
    scaled = ChannelRanks.of(X)(X)
    for k in range(2):
        column = X[:, k].reshape(-1, 1)
        transformer = QuantileTransformer(n_quantiles=1001, output_distribution="normal", subsample=None)
        expected = transformer.fit_transform(column).reshape(60, 40)
        # There the lowest and highest value go to the ends, however many samples have them.
        inner = (X[:, k] > column.min()) & (X[:, k] < column.max())
        np.testing.assert_allclose(scaled[:, k][inner], np.clip(expected, -4, 4)[inner], atol=1e-3)
    np.testing.assert_allclose(np.unique(scaled[:, 1])[2], 0, atol=0.1)
    assert np.abs(scaled[:, 1]).max() < 2  # equal samples are in the middle of their ranks
    assert np.abs(np.quantile(scaled[:, 0], [0.1587, 0.5, 0.8413]) - [-1, 0, 1]).max() < 0.02


def test_only_training_windows_are_learnt_from_and_what_lies_beyond_stays_within():
    X = skewed()
    ranks = ChannelRanks.of(X[:30])
    far = X[30:].copy()
    far[:, 0] *= 1e6
    assert np.abs(ranks(far)).max() <= 4
    np.testing.assert_array_equal(ranks(X[:5]), ranks(X)[:5])


def test_padding_and_constant_channels():
    X = skewed()
    X[:, 1] = 7
    X[3, :, 30:] = np.nan
    scaled = ChannelRanks.of(X)(X)
    assert np.isnan(scaled[3, :, 30:]).all()
    assert np.isfinite(np.delete(scaled, 3, axis=0)).all()
    assert (scaled[0, 1] == 0).all()


@given(arrays(np.float32, (12, 1, 9), elements=st.floats(-1e6, 1e6, width=32)))
@settings(max_examples=50, deadline=None)
def test_the_order_of_samples_is_kept_and_json_holds_all(X):
    ranks = ChannelRanks.of(X)
    scaled = ranks(X)
    order = np.argsort(X, axis=None)
    assert (np.diff(scaled.ravel()[order]) >= 0).all()
    again = ChannelRanks(json.loads(json.dumps(ranks.plain())))
    np.testing.assert_array_equal(again(X), scaled)


def test_quantiles_that_are_none_are_refused():
    for wrong in ([1.0, 2.0], np.linspace(1, 0, 1001), [np.nan] * 1001):
        with pytest.raises(ValueError, match="ascending"):
            ChannelRanks([wrong])


def test_a_tail_hides_nothing_from_the_network(tiny):
    """The class is in the order of magnitude of a level, far below the largest values."""
    rng = np.random.default_rng(0)
    y = np.arange(64) % 2
    X = np.exp(rng.normal(0, 0.2, (64, 1, 32)) + 0.8 * y[:, None, None]).astype(np.float32)
    X[::8, :, :4] = 1e4
    options = {**tiny, "epochs": 15, "batch_size": 16}
    scores = {
        name: MLSTMFCN(**options, standardize=name).fit(X, y).training_scores_
        for name in ("rank-normal", "z-score")
    }
    assert scores["rank-normal"]["accuracy"] == 1
    assert scores["z-score"]["loss"] > 2 * scores["rank-normal"]["loss"]
