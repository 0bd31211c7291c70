"""Exact nearest neighbours under dependent dynamic time warping, most pairs told apart by lower bounds.

DTW_D warps all channels together: the squared differences of all channels are summed at every step of the path
[1]_, and the path stays within a Sakoe-Chiba band. Of one test series, cheapest first:

1. **Coarse bounds** to all training series: LB_Kim of the two ends, and LB_Keogh [2]_ of the means of some segments,
   both ways round. A mean of distances to an envelope is at least the distance of the means, as that distance is
   convex. Training series are tried in the order of this bound, and the first one beyond the best distance ends the
   search.
2. **LB_Keogh**, both ways round, over all time points; given up when it exceeds the best distance.
3. **DTW**, of which only cells are computed that can be on a path below the best distance: less what LB_Keogh says
   the rows to come will cost at least [3]_, [4]_.

No bound is used to the last bit: whatever could be a tie by rounding is computed. So neighbours and distances are, to
the bit, those of the full search in `sktime`; of equally distant ones the first counts.

References
----------
.. [1] M. Shokoohi-Yekta, B. Hu, H. Jin, J. Wang, E. Keogh, "Generalizing DTW to the multi-dimensional case requires
   an adaptive approach", Data Mining and Knowledge Discovery 31, 2017.
.. [2] E. Keogh, C. A. Ratanamahatana, "Exact indexing of dynamic time warping", Knowledge and Information Systems 7,
   2005.
.. [3] T. Rakthanmanon et al., "Searching and mining trillions of time series subsequences under dynamic time
   warping", KDD 2012.
.. [4] M. Herrmann, G. I. Webb, "Early abandoning and pruning for elastic distances including dynamic time warping",
   Data Mining and Knowledge Discovery 35, 2021.
"""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numba import njit

A = np.ndarray

_SEGMENTS = 16  # of a series, for the coarse bounds
_CHUNK = 16  # test series that a thread takes at a time
# How far a bound may be beyond a distance by rounding, where windows are float32 and their differences are squared as
# such: relative; and of each time point of a channel, in squares of the peak, and where float32 ends.
_RELATIVE, _OF_PEAK, _LEAST = 1e-6, 1e-20, 1e-44


@dataclass(frozen=True)
class Neighbours:
    """What a search found.

    Attributes
    ----------
    index : ndarray of shape (n_test, n_neighbors), int64
        Rows of the training series, the nearest first; of equally distant ones the first.
    distance : ndarray of shape (n_test, n_neighbors), float64
        Squared differences summed along the cheapest path.
    bounded, computed : int
        Pairs of which LB_Keogh, and of which DTW was begun.
    """

    index: np.ndarray
    distance: np.ndarray
    bounded: int
    computed: int


class NearestByDTW:
    """Search in training series.

    Parameters
    ----------
    X : ndarray of shape (n_train, n_channels, n_timepoints)
        Training series, finite. Kept, as float32 or float64, with their envelopes: memory is three times theirs.
    window : float
        Largest warping, 0 to 1, as a share of the length.
    """

    def __init__(self, X: np.ndarray, window: float) -> None:
        self.X = np.ascontiguousarray(X)
        self.band = band(X.shape[2], window)
        self.low, self.high = envelopes(self.X, *self.band)
        self.bounds = _segments(X.shape[2])
        self.widths = np.tile(np.diff(self.bounds).astype(float), X.shape[1])
        self.peak = float(np.abs(self.X).max(initial=0))
        # Series last: bounds to all of them are computed side by side.
        self.coarse = tuple(
            np.ascontiguousarray(_means(part, self.bounds).reshape(len(X), -1).T)
            for part in (self.X, self.low, self.high)
        )

    def nearest(self, X: np.ndarray, n_neighbors: int = 1, n_jobs: int = 1) -> Neighbours:
        """Return the nearest training series of each test series (n_test, n_channels, n_timepoints)."""
        X = np.ascontiguousarray(X, dtype=self.X.dtype)
        index = np.empty((len(X), n_neighbors), np.int64)
        distance = np.empty((len(X), n_neighbors))
        chunks = [slice(at, at + _CHUNK) for at in range(0, len(X), _CHUNK)]

        def search(chunk: slice) -> np.ndarray:
            low, high = envelopes(X[chunk], *_transposed(*self.band))
            coarse = tuple(_means(part, self.bounds).reshape(len(part), -1) for part in (X[chunk], low, high))
            counts: np.ndarray = _search(
                (X[chunk], low, high), (self.X, self.low, self.high), coarse, self.coarse, self.widths,
                *self.band, self.peak, index[chunk], distance[chunk],
            )  # fmt: skip
            return counts

        with ThreadPoolExecutor(max(1, n_jobs)) as threads:
            counts = sum(threads.map(search, chunks), start=np.zeros(2, np.int64))
        return Neighbours(index, distance, int(counts[0]), int(counts[1]))


def band(n_timepoints: int, window: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and the last training time point that each test time point may be warped to: int64, (n,).

    To the cell, `sktime`'s band, which rounding makes one narrower here and there.
    """
    from sktime.dists_kernels._numba_distances.lower_bounding import resolve_bounding_matrix

    series = np.zeros((1, n_timepoints))
    within = np.isfinite(resolve_bounding_matrix(series, series, window=window))
    first = within.argmax(axis=1)
    return first, n_timepoints - 1 - within[:, ::-1].argmax(axis=1)


def _transposed(first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and the last test time point of each training time point; bounds never go back."""
    at = np.arange(len(first))
    return np.searchsorted(last, at), np.searchsorted(first, at, side="right") - 1


def _segments(n_timepoints: int) -> np.ndarray:
    n = min(_SEGMENTS, n_timepoints)
    return np.arange(n + 1) * n_timepoints // n


def _means(X: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    sums = np.add.reduceat(X, bounds[:-1], axis=-1, dtype=float)
    means: np.ndarray = sums / np.diff(bounds)
    return means


@njit(nogil=True, cache=True)
def envelopes(X: A, first: A, last: A) -> tuple[A, A]:
    """Return the least and the largest of each channel between `first` and `last` of each time point, as X."""
    low, high = np.empty_like(X), np.empty_like(X)
    n_series, n_channels, n = X.shape
    least, most = np.empty(n, np.int64), np.empty(n, np.int64)  # time points that may still be an extreme
    for series in range(n_series):
        for channel in range(n_channels):
            x = X[series, channel]
            a = b = c = d = at = 0
            for k in range(n):
                while at <= last[k]:
                    while b > a and x[least[b - 1]] >= x[at]:
                        b -= 1
                    least[b] = at
                    b += 1
                    while d > c and x[most[d - 1]] <= x[at]:
                        d -= 1
                    most[d] = at
                    d += 1
                    at += 1
                while least[a] < first[k]:
                    a += 1
                while most[c] < first[k]:
                    c += 1
                low[series, channel, k] = x[least[a]]
                high[series, channel, k] = x[most[c]]
    return low, high


@njit(nogil=True, cache=True)
def _search(
    test: tuple[A, A, A],
    train: tuple[A, A, A],
    coarse_test: tuple[A, A, A],
    coarse_train: tuple[A, A, A],
    widths: A,
    first: A,
    last: A,
    peak: float,
    index: A,
    distance: A,
) -> A:
    """Fill `index` and `distance`; return of how many pairs LB_Keogh, and DTW, was begun."""
    X, low, high = test
    Y, Y_low, Y_high = train
    n_train, n_channels, n = Y.shape
    n_neighbors = index.shape[1]
    bound, other = np.empty(n_train), np.empty(n_train)
    to_come = np.empty(n + 1)
    row, before, now = np.empty(n), np.empty(n + 2), np.empty(n + 2)
    counts = np.zeros(2, np.int64)
    for test_row in range(len(X)):
        x, found, at = X[test_row], index[test_row], distance[test_row]
        found[:], at[:] = n_train, np.inf
        rounding = n * n_channels * (_OF_PEAK * max(peak, np.abs(x).max()) ** 2 + _LEAST)
        _coarse_bounds(
            (coarse_test[0][test_row], coarse_test[1][test_row], coarse_test[2][test_row]),
            coarse_train, widths, bound, other,
        )  # fmt: skip
        for k in range(n_train):
            bound[k] = max(bound[k], other[k], _kim(x, Y[k]))
        for k in np.argsort(bound, kind="mergesort"):
            limit = at[n_neighbors - 1]
            limit += _RELATIVE * limit + rounding
            if bound[k] > limit:
                break
            counts[0] += 1
            if _exceeds(Y[k], low[test_row], high[test_row], limit):
                continue
            _costs_to_come(x, Y_low[k], Y_high[k], to_come)
            if to_come[0] > limit:
                continue
            counts[1] += 1
            value = _dtw(x, Y[k], first, last, limit, to_come, row, before, now)
            place = n_neighbors
            while place > 0 and (
                value < at[place - 1] or (value == at[place - 1] and k < found[place - 1] and value < np.inf)
            ):
                place -= 1
            if place < n_neighbors:
                for later in range(n_neighbors - 1, place, -1):
                    found[later], at[later] = found[later - 1], at[later - 1]
                found[place], at[place] = k, value
    return counts


@njit(nogil=True, cache=True, fastmath={"nnan", "nsz"})
def _coarse_bounds(test: tuple[A, A, A], train: tuple[A, A, A], widths: A, bound: A, other: A) -> None:
    """Fill in LB_Keogh of the means of segments, (n_segments,) and (n_segments, n_train): each in the other's envelope."""
    bound[:], other[:] = 0.0, 0.0
    for part in range(len(widths)):
        mean, low, high = test[0][part], test[1][part], test[2][part]
        for k in range(len(bound)):
            value = train[0][part, k]
            away = max(max(value - high, low - value), 0.0)
            bound[k] += widths[part] * away * away
            away = max(max(mean - train[2][part, k], train[1][part, k] - mean), 0.0)
            other[k] += widths[part] * away * away


@njit(nogil=True, cache=True)
def _kim(x: A, y: A) -> float:
    """Return LB_Kim: what the first and the last time points cost, which are on every path."""
    total = 0.0
    for channel in range(x.shape[0]):
        for at in range(0, x.shape[1], max(1, x.shape[1] - 1)):
            away = np.float64(x[channel, at]) - y[channel, at]
            total += away * away
    return total


@njit(nogil=True, cache=True, fastmath={"nnan", "nsz"})
def _exceeds(y: A, low: A, high: A, limit: float) -> bool:
    """Return whether LB_Keogh between a series and an envelope is beyond the limit."""
    total = 0.0
    for channel in range(y.shape[0]):
        for at in range(y.shape[1]):
            value = np.float64(y[channel, at])
            away = max(max(value - high[channel, at], low[channel, at] - value), 0.0)
            total += away * away
        if total > limit:
            return True
    return False


@njit(nogil=True, cache=True, fastmath={"nnan", "nsz"})
def _costs_to_come(x: A, low: A, high: A, to_come: A) -> None:
    """Fill in what LB_Keogh says that the rows from each one on will cost at least, (n + 1,)."""
    n_channels, n = x.shape
    to_come[:] = 0.0
    for channel in range(n_channels):
        for at in range(n):
            value = np.float64(x[channel, at])
            away = max(max(value - high[channel, at], low[channel, at] - value), 0.0)
            to_come[at] += away * away
    for at in range(n - 1, -1, -1):
        to_come[at] += to_come[at + 1]


@njit(nogil=True, cache=True)
def _dtw(x: A, y: A, first: A, last: A, limit: float, to_come: A, row: A, before: A, now: A) -> float:
    """Return the distance, or infinity if it is beyond the limit.

    `before` and `now` are rows of the matrix of costs, shifted by one: cells that no path below the limit can be on
    are infinite.
    """
    n_channels, n = x.shape
    before[:], now[:] = np.inf, np.inf
    before[0] = 0.0
    begin, end = 0, 0  # the first cell below the limit in the row before, and the one behind the last
    for i in range(n):
        a, b = max(begin, first[i]), last[i]
        row[a : b + 1] = 0.0
        for channel in range(n_channels):
            value = x[channel, i]
            for j in range(a, b + 1):
                away = value - y[channel, j]
                row[j] += away * away
        left, most = np.inf, limit - to_come[i + 1]
        now[a] = np.inf
        begin, until = n, a
        for j in range(a, b + 1):
            if j > end and left > most:
                now[j + 1 : b + 2] = np.inf
                break
            left = row[j] + min(before[j + 1], left, before[j])
            now[j + 1] = left
            if left <= most:
                begin, until = min(begin, j), j + 1
        if begin == n:
            return np.inf
        end = until
        before, now = now, before
    return float(before[n])
