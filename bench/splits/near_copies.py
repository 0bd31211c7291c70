"""Which trials hold the same recorded signal, but for gain, level, noise or a shift in time: judged from the signals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bench.splits.identical_signals import identical, with_common_runs

_RATE, _SLOWER = 16.0, 4  # Hz at which trials are compared, and how many times slower they are searched
_MEDIAN, _LONGEST = 1024, 8192  # samples of the median trial when compared: without a clock, and at most
_SNIPPET, _LEAST_SNIPPET = 80, 8  # samples when searched, at most and at least
_NEAREST = 4  # trials that each end of a trial is compared with
_OVERLAP = 0.24  # of the shorter trial: a quarter, less what filters take from the ends
_FEWEST = 16  # samples of an overlap
_SCALES = (1, 2, 4, 8, 16)  # samples from mean to mean, 1/16 s to 1 s
_CLIP = 4.0  # median deviations
_BINS = 1.5  # of a spectrum, that are averaged
_LEAST_CORRELATION, _MOST_CORRELATION = 0.8, 0.99  # that counts, and that is counted
_EVIDENCE = 36.0  # nats


def near_copies(signals: Sequence[np.ndarray] | np.ndarray, sampling_rate: float) -> np.ndarray:
    """Group the trials of a data set that hold, in whole or in part, the same recorded signal.

    Found are trials that are bit for bit the same; trials of which a channel has, bit for bit, a run in common that
    covers 15 % of the shorter one and 64 samples (16 different values and 16 turns in it, and not periodic: neither
    steps nor what was interpolated between them); and trials that agree over a quarter of the shorter one or
    more, at any shift in time, whatever gain, sign and level each channel has, with noise of some 10 % of its
    standard deviation.

    The start and the end of each trial are searched for in all others; the most similar trials are then compared over
    the whole overlap. There, the correlation r of a channel's differences over 1/16 s to 1 s counts for
    -n/2 log(1 - r²) nats, the log likelihood ratio against independent signals, where n is how many independent
    samples the overlap holds: Bartlett's, from the spectra of both signals [1]_, so that two pulses of one
    rate, which keep step for a while, count for little; and fewer, where both move in the same few moments. It takes
    36 nats in one channel, or in all together. Of the 100,000 most similar pairs among independent recordings
    (HKU956, WESAD's wristbands cut into pieces of 10 to 60 s, four problems of the UEA archive, simulated DEAP with four
    seeds), none had more than 27, but for one that holds the start of an Empatica E4's session, which is the
    same for everybody (29). Whole copies with noise have 60 to 500.

    Left alone are copies too short or too regular to tell: less than some 10 s of pulse wave in common, and trials of
    a few dozen samples or of steps alone, unless bits are the same; copies at another sampling rate; and trials
    without any change. A channel that holds the stimulus itself, such as its sound, makes the trials with one
    stimulus near-copies.

    Parameters
    ----------
    signals : ndarray of shape (n_trials, n_channels, n_samples), or sequence of n_trials
        ndarrays of shape (n_channels, n_samples_of_the_trial); float32, finite.
    sampling_rate : float
        Samples a second (Hz); 1.0 where the data set has no clock.

    Returns
    -------
    ndarray of shape (n_trials,), int64
        A number for each trial, the same for trials of a group: 0 to n_groups - 1, in the order of their first
        trials. Trials are of a group also by way of a third.

    Notes
    -----
    Time grows with n_trials² x n_channels x samples of a trial at 4 Hz; memory is about that of the signals at
    80 float32 samples a second, and 100 MB.

    References
    ----------
    .. [1] M. S. Bartlett, "Some Aspects of the Time-Correlation Problem in Regard to Tests of Significance",
       Journal of the Royal Statistical Society 98(3), 1935: the variance of r for independent series.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):  # the products are small: more threads wait for each other
        pairs = [*identical(signals), *with_common_runs(signals), *_correlated(signals, sampling_rate)]
    one, other = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(one)), (one, other)), shape=(len(signals),) * 2)
    labels = connected_components(graph, directed=False)[1]
    first, number = np.unique(labels, return_index=True, return_inverse=True)[1:]
    groups: np.ndarray = np.argsort(np.argsort(first))[number].astype(np.int64)
    return groups


def _correlated(
    signals: Sequence[np.ndarray] | np.ndarray, sampling_rate: float
) -> Iterator[tuple[int, int]]:
    """Yield pairs of trials that agree where they overlap, at the shift at which they agree best."""
    step, slower = _steps([signal.shape[1] for signal in signals], sampling_rate)
    faster = [_thinned(np.asarray(signal), step) for signal in signals]
    searched = [_scaled(np.diff(_thinned(signal, slower), axis=1)) for signal in faster]
    moves = [_moves(signal) for signal in faster]
    candidates = {
        (one, other, lag) if one < other else (other, one, -lag)
        for back in (False, True)
        for one, other, lag in _candidates(searched, back)
    }
    for one, other, lag in sorted(candidates):
        a, b = _aligned(moves[one], moves[other], lag * slower, slower + 1)
        least = _OVERLAP * min(moves[one].shape[2], moves[other].shape[2])
        if a.shape[2] >= max(least, _FEWEST) and _evidence(a, b) >= _EVIDENCE:
            yield one, other


def _steps(lengths: Sequence[int], sampling_rate: float) -> tuple[int, int]:
    """Return how many samples become one where trials are compared, and how many of these where searched."""
    median = float(np.median(lengths))
    ideal = median / _MEDIAN if sampling_rate == 1 else max(sampling_rate / _RATE, median / _LONGEST)
    whole = max(1, round(ideal * _SLOWER))
    step = max(1, whole // _SLOWER)
    return step, max(1, round(whole / step))


def _thinned(signal: np.ndarray, step: int) -> np.ndarray:
    """Return means of `step` samples each, from the level of the first sample, smoothed by [1 2 1] / 4."""
    n = signal.shape[1] // step
    blocks = (signal[:, : n * step] - signal[:, :1]).reshape(len(signal), n, step)
    means: np.ndarray = blocks.mean(axis=2, dtype=np.float32)
    smooth: np.ndarray = (means[:, :-2] + 2 * means[:, 1:-1] + means[:, 2:]) / 4
    return smooth


def _scaled(signal: np.ndarray) -> np.ndarray:
    largest = np.abs(signal).max(axis=1, keepdims=True, initial=0)
    scaled: np.ndarray = np.divide(signal, largest, out=np.zeros_like(signal), where=largest > 0)
    return scaled


def _moves(signal: np.ndarray) -> np.ndarray:
    """Return differences between neighbouring means over each scale, within -1 and 1, (n_scales, n_channels, n).

    Clipped at some median deviations, so that no artefact and no step decides; where less than half of them differ
    from their median by more than rounding makes, there is nothing but steps, and all are 0.
    """
    n_channels, n = signal.shape
    moves = np.zeros((len(_SCALES), n_channels, n), dtype=np.float32)
    total = np.pad(signal.cumsum(axis=1, dtype=float), ((0, 0), (1, 0)))
    rounding = 1e-5 * np.abs(signal).max(axis=1, initial=0)
    for of_scale, scale in zip(moves, _SCALES, strict=True):
        if n < 4 * scale:
            break
        means = (total[:, scale:] - total[:, :-scale]) / scale
        steps = means[:, scale:] - means[:, :-scale]
        steps -= np.median(steps, axis=1, keepdims=True)
        limit = _CLIP * np.median(np.abs(steps), axis=1)
        for channel in np.flatnonzero(limit > rounding):
            part = of_scale[channel, scale - 1 :][: steps.shape[1]]
            np.clip(steps[channel] / limit[channel], -1, 1, out=part)
    return moves


def _candidates(searched: Sequence[np.ndarray], back: bool) -> Iterator[tuple[int, int, int]]:
    """Yield, for each trial, those that its first (last) samples are most similar to a part of, and at which lag.

    Sample k + lag of the first trial named is sample k of the second. Similar is what has the largest sum over channels
    of the squared correlation.
    """
    lengths = np.array([signal.shape[1] for signal in searched])
    width = int(np.clip(np.percentile(lengths, 5) / 8, _LEAST_SNIPPET, _SNIPPET))
    trials = np.flatnonzero(lengths >= width)
    if len(trials) < 2:
        return
    snippets = np.stack([searched[k][:, -width:] if back else searched[k][:, :width] for k in trials], axis=1)
    snippets = _standardised(snippets)
    score = np.full((len(trials), min(_NEAREST, len(trials) - 1)), -1, dtype=np.float32)
    nearest, place = np.zeros(score.shape, dtype=int), np.zeros(score.shape, dtype=int)
    rows = np.arange(len(trials))
    for row, trial in enumerate(trials):
        parts = _standardised(np.lib.stride_tricks.sliding_window_view(searched[trial], width, axis=1))
        similar = np.zeros((len(trials), parts.shape[1]), dtype=np.float32)
        for snippet, part in zip(snippets, parts, strict=True):
            r = snippet @ part.T
            similar += np.square(r, out=r)
        at = similar.argmax(axis=1)
        best = similar[rows, at]
        best[row] = -1
        worst = score.argmin(axis=1)
        better = best > score[rows, worst]
        for kept, new in ((score, best), (nearest, np.full(len(rows), trial)), (place, at)):
            kept[rows[better], worst[better]] = new[better]
    for row, column in zip(*np.nonzero(score > 0), strict=True):
        trial, other = int(trials[row]), int(nearest[row, column])
        yield other, trial, int(place[row, column] - back * (lengths[trial] - width))


def _standardised(parts: np.ndarray) -> np.ndarray:
    """Return parts, along the last axis, with mean 0 and norm 1; or 0, where they hardly move."""
    parts = parts - parts.mean(axis=-1, keepdims=True)
    norm = np.sqrt(np.square(parts).sum(axis=-1, keepdims=True))
    standardised: np.ndarray = np.divide(parts, norm, out=np.zeros_like(parts), where=norm > 1e-5)
    return standardised


def _aligned(one: np.ndarray, other: np.ndarray, lag: int, around: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the overlap of two trials at the lag, of those around one, at which they agree best."""

    def overlap(near: int) -> tuple[np.ndarray, np.ndarray]:
        a, b = one[..., max(near, 0) :], other[..., max(-near, 0) :]
        n = min(a.shape[-1], b.shape[-1])
        return a[..., :n], b[..., :n]

    def agreement(near: int) -> float:
        a, b = (part[1] for part in overlap(near))
        return float(np.square(_correlation(a, b)).sum())

    return overlap(max(range(lag - around, lag + around + 1), key=agreement))


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the correlation along the last axis of what has mean 0; 0 where one does not move."""
    power = np.sqrt(np.einsum("...n,...n->...", a, a) * np.einsum("...n,...n->...", b, b))
    product = np.einsum("...n,...n->...", a, b)
    correlation: np.ndarray = np.divide(product, power, out=np.zeros_like(product), where=power > 0)
    return correlation


def _evidence(a: np.ndarray, b: np.ndarray) -> float:
    """Return the evidence that two parts are one, in nats: of the best channel, or of all if that is more.

    Channels that depend on each other count as fewer: as many as their correlations have independent dimensions.
    """
    r = np.abs(_correlation(a, b))
    counts = r >= _LEAST_CORRELATION
    if not counts.any():
        return 0.0
    nats = np.zeros(r.shape)
    likelihood = -np.log1p(-np.square(np.minimum(r[counts], _MOST_CORRELATION))) / 2
    nats[counts] = likelihood * _independent_samples(a[counts], b[counts])
    of_channels = nats.max(axis=0)
    return float(max(of_channels.max(), of_channels.mean() * min(_dimensions(a), _dimensions(b))))


def _independent_samples(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return how many independent samples the correlation of two series (..., n) rests on.

    n (sum A)(sum B) / (size sum AB) of their power spectra A and B, each averaged over neighbouring bins; times the share of
    the time in which both move: 1 for what is as steady as noise.
    """
    n = a.shape[-1]
    size = 2 ** int(2 * n - 1).bit_length()
    half = round(_BINS * size / n / 2)
    spectra = []
    for part in (a, b):
        power = np.square(np.abs(np.fft.rfft(part, size)))
        total = np.cumsum(np.pad(power, ((0, 0), (half + 1, half))), axis=1, dtype=float)
        spectra.append(total[:, 2 * half + 1 :] - total[:, : -2 * half - 1])
    one, other = spectra
    samples = 2 * n / size * one.sum(axis=1) * other.sum(axis=1) / (one * other).sum(axis=1)
    aa, bb = np.square(a), np.square(b)
    share = 3 * aa.sum(axis=1) * bb.sum(axis=1) / (aa * bb).sum(axis=1) / n
    independent: np.ndarray = samples * np.minimum(share, 1)
    return independent


def _dimensions(part: np.ndarray) -> float:
    """Return how many independent dimensions the channels have at the scale at which they have fewest.

    (trace C)² / trace C² of the correlations C between the channels that move.
    """
    norm = np.sqrt(np.square(part).sum(axis=-1, keepdims=True))
    unit = np.divide(part, norm, out=np.zeros_like(part), where=norm > 0)
    moving = (norm > 0).sum(axis=(1, 2))
    together = np.square(unit @ unit.swapaxes(1, 2)).sum(axis=(1, 2))
    return float((moving[moving > 0] ** 2 / together[moving > 0]).min(initial=part.shape[1]))
