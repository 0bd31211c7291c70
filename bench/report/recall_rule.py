"""Which order of copying and dividing gives the published recall by class: measures, and a rule of known error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, comb, log2
from typing import Any

import numpy as np
import pandas as pd

from bench.report.recall import PUBLISHED

ALPHA = 0.05  # how often an order may be named where both are the same
# What a correlation has to reach, and the mean recall, in multiples of chance, that shows that something was learned.
_CORRELATION, _LEARNED = 0.5, 3.0
_EXACT = 16  # seeds up to which all flips are counted; of more, as many are drawn

COLUMNS = ("estimator", "protocol", "seed", "correlation", "rare - common", "mean")

RULE = (
    "The rule: an order is named if the correlations by seed tell it from the other order and from the control "
    f"without balancing (exact sign-flip tests, two-sided, p at most {ALPHA:g}), and their mean is the highest and at "
    f"least {_CORRELATION:g}. A seed counts once, with the mean of its estimators that have learned: mean recall at "
    f"least {_LEARNED:g} times chance under one of the orders. Where both orders are the same, one is named in at "
    f"most {100 * ALPHA:g} % of such runs; tests/benchmarks/recall_rule.py measures that."
)


@dataclass(frozen=True)
class Judgement:
    """What the rule says.

    Attributes
    ----------
    named : int or None
        Place of the order that gives the published pattern; None if that cannot be told.
    p : float
        Of the best order against the others; NaN if there are too few seeds for a test.
    p_control : float
        Of the best order against the control; NaN as above.
    reason : str
        Why none is named; ``""`` if one is.
    """

    named: int | None
    p: float
    p_control: float
    reason: str


def measure(recalls: pd.DataFrame, published: pd.Series, counts: dict[str, int]) -> pd.DataFrame:
    """Compare recall by class with the published one, seed by seed.

    Parameters
    ----------
    recalls : DataFrame
        Of `bench.report.recall.recall_by_seed`.
    published : Series
        Recall by class; the names of the classes are its index.
    counts : dict
        Windows of each class before balancing; may be empty.

    Returns
    -------
    DataFrame with `COLUMNS`
        ``correlation``: Spearman's rank correlation over the classes with the published recall (NaN with
        fewer than three classes, or where recall is the same for all); ``rare - common``, the mean recall of
        the rarest third of the classes minus that of the commonest third; and ``mean``, the mean recall.
    """
    rows: list[tuple[Any, ...]] = []
    for _, row in recalls.iterrows():
        values = row.reindex(published.index).to_numpy(dtype=float)
        near = correlation(values, published.to_numpy(dtype=float))
        rows.append(
            (row.estimator, row.protocol, row.seed, near, rare_minus_common(row, counts), row["mean"])
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def correlation(recall: np.ndarray, published: np.ndarray) -> float:
    """Return Spearman's rank correlation over the classes that both know; NaN if there is none."""
    from scipy.stats import spearmanr

    known = np.isfinite(recall) & np.isfinite(published)
    recall, published = recall[known], published[known]
    if len(recall) < 3 or not np.ptp(recall) or not np.ptp(published):
        return float("nan")
    return float(spearmanr(recall, published).statistic)


def rare_minus_common(recall: pd.Series, counts: dict[str, int]) -> float:
    """Return the mean recall of the rarest third of the classes minus that of the commonest third."""
    if len(counts) < 2:
        return float("nan")
    third, by_size = max(len(counts) // 3, 1), sorted(counts, key=lambda name: counts[name])
    return float(recall[by_size[:third]].mean() - recall[by_size[-third:]].mean())


def seeds_needed(n_orders: int = 2) -> int:
    """Return how many seeds it takes for the smallest possible p to name one of so many orders."""
    return ceil(log2(2 / _level(n_orders)))


def _level(n_orders: int) -> float:
    return ALPHA / comb(n_orders, 2)


def sign_flip(differences: np.ndarray) -> float:
    """Return the two-sided p of a mean difference, a value a seed, if each could as well have the other sign.

    Up to 16 seeds it is exact: all flips are counted.

    Parameters
    ----------
    differences : ndarray of shape (n_seeds,)
        At least two.
    """
    from scipy.stats import permutation_test

    n = len(differences)
    found = permutation_test(
        (differences, np.zeros(n)),
        lambda one, other, axis: (one - other).mean(axis=axis),
        permutation_type="samples",  # a pair a seed, whose labels are swapped
        vectorized=True,
        n_resamples=2 ** min(n, _EXACT),
        random_state=0,
    )
    return float(found.pvalue)


def judge(correlations: np.ndarray, control: np.ndarray) -> Judgement:
    """Say which order gives the published pattern, by the rule.

    Parameters
    ----------
    correlations : ndarray of shape (n_orders, n_seeds)
        With the published recall by class, the mean over the estimators that have learned.
    control : ndarray of shape (n_seeds,)
        The same without balancing.
    """
    n_orders, n_seeds = correlations.shape
    needed = seeds_needed(n_orders)
    if n_seeds < needed:
        return Judgement(None, np.nan, np.nan, f"{n_seeds} seed{'s'[: n_seeds != 1]}, {needed} are needed")
    means = correlations.mean(axis=1)
    best = int(means.argmax())
    p = max(sign_flip(correlations[best] - own) for n, own in enumerate(correlations) if n != best)
    p_control = sign_flip(correlations[best] - control)
    reason = ""
    if p > _level(n_orders):
        reason = "the orders are not told apart"
    elif means[best] < _CORRELATION:
        reason = "none comes near it"
    elif means[best] <= control.mean() or p_control > _level(n_orders):
        reason = "none is told to be nearer to it than recall without balancing"
    return Judgement(None if reason else best, p, p_control, reason)


def conclude(measures: pd.DataFrame, orders: Sequence[str], control: str, chance: float) -> str:
    """Say in a sentence under which protocol recall by class falls and rises as published.

    Parameters
    ----------
    measures : DataFrame
        Of `measure`.
    orders : sequence of str
        The protocols that the published recall may stand for.
    control : str
        The protocol without balancing; ``""`` if none has run.
    chance : float
        Mean recall without learning.

    Notes
    -----
    Whether an estimator has learned is asked in each seed, and alike of all orders: swapping the orders of a
    seed changes nothing of what counts, which is what makes the test exact.
    """
    unknown = "Which of these protocols gives the published pattern of recall by class, cannot tell:"
    absent = [order for order in orders if order not in set(measures.protocol)]
    if absent:
        return f"{unknown} {absent[0]} has no results."
    if len(orders) < 2:
        return f"{unknown} there is one only to choose from."
    if control not in set(measures.protocol):
        return f"{unknown} the control without balancing has no results."
    table = _counted(measures, [*orders, control], orders, chance)
    if table.empty:
        return (
            f"{unknown} no estimator has a correlation under each protocol, that without balancing too, and a "
            f"mean recall of {_LEARNED:g} times chance under one."
        )
    by_seed = table.groupby("seed").mean()
    found = judge(by_seed[list(orders)].to_numpy().T, by_seed[control].to_numpy())
    stated = "; ".join(
        f"{order}: correlation {value:.2f}"
        for order, value in by_seed[list(orders)].mean().sort_values(ascending=False, kind="stable").items()
    )
    stated += f"; without balancing, {control}: {by_seed[control].mean():.2f}"
    if np.isfinite(found.p):
        stated += f"; {len(by_seed)} seeds, p = {found.p:.3f} between the orders, {found.p_control:.3f} to the control"
    learned = table.index.get_level_values("estimator").unique()
    stated += f"; counted, {len(learned)} of {measures.estimator.nunique()} estimators: {', '.join(learned)}"
    if found.named is None:
        return f"{unknown} {found.reason} ({stated})."
    return f"Of these protocols, {orders[found.named]} gives the published pattern of recall by class ({stated})."


def _counted(
    measures: pd.DataFrame, protocols: Sequence[str], orders: Sequence[str], chance: float
) -> pd.DataFrame:
    """Return the correlations that count: a row a seed and estimator, a column a protocol."""
    rows = measures[measures.protocol.isin(protocols)]
    near, mean = (
        rows.pivot_table(index=["seed", "estimator"], columns="protocol", values=value).reindex(
            columns=list(protocols)
        )
        for value in ("correlation", "mean")
    )
    near = near.dropna()
    return near[mean.reindex(near.index)[list(orders)].max(axis="columns") >= _LEARNED * chance]


def summary(
    measures: pd.DataFrame, protocols: Sequence[str], control: str, published: pd.Series | None
) -> pd.DataFrame:
    """Return the means over seeds, a row an estimator and protocol, below a row of the published recall.

    Parameters
    ----------
    measures : DataFrame
        Of `measure`.
    protocols : sequence of str
        In the order of the rows of an estimator.
    control : str
        Of these the one without balancing, which the table calls so.
    published : Series or None
        ``estimator``, ``rare - common`` and ``mean`` of the published recall.
    """
    values = ["correlation", "rare - common", "mean"]
    rows: list[tuple[Any, ...]] = []
    if published is not None:
        rows.append(
            (published.estimator, PUBLISHED, "–", np.nan, published["rare - common"], published["mean"])
        )
    for estimator in measures.estimator.unique():
        for protocol in protocols:
            own = measures[(measures.estimator == estimator) & (measures.protocol == protocol)]
            if len(own):
                name = f"{protocol} (control: no balancing)" if protocol == control else protocol
                rows.append((estimator, name, str(own.seed.nunique()), *own[values].mean()))
    return pd.DataFrame(rows, columns=["estimator", "protocol", "seeds", *values])
