"""Every estimator against every other, by people: which differences are told, and which places are sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from bench.cells.store import Store
from bench.cells.stored_cell import StoredCell
from bench.report.rows import Key, read_rows, verdict_of
from bench.report.scores import counts_by_seed
from bench.report.statistics import (
    FEWEST_PEOPLE,
    Comparison,
    Rank,
    compare_people,
    friedman,
    holm,
    person_scores,
    rank_intervals,
    sign_flip,
    signed_rank,
)

COLUMNS = (
    "dataset", "protocol", "first", "second", "n_people", "n_seeds", "difference",
    "p_sign_flip", "p_wilcoxon", "p_holm",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Standing:
    """The estimators under one clean protocol, the best first by their mean score a person.

    Attributes
    ----------
    dataset, protocol : str
    n_seeds : int
    scores : DataFrame of shape (n_people, n_estimators)
        Balanced accuracy within each person, over seeds; of people whom all were tested on.
    ranks : list of Rank
        In the order of the columns.
    behind : list of Comparison
        Of the first with each of the others.
    p_holm : list of float
        Of these comparisons, by sign flips, adjusted for all pairs of estimators.
    p_friedman : float
        That all have the same ranks; NaN for fewer than three estimators.
    """

    dataset: str
    protocol: str
    n_seeds: int
    scores: pd.DataFrame
    ranks: list[Rank]
    behind: list[Comparison]
    p_holm: list[float]
    p_friedman: float


def make_comparisons(store: Store) -> tuple[pd.DataFrame, list[Standing]]:
    """Compare all estimators with signals under each clean protocol, where they are two or more and people six or more.

    Only those count that have a result for every split of their protocol.

    Returns
    -------
    table : DataFrame with `COLUMNS`
        A row a pair; `difference` is the mean over people of the first's score less the second's, `p_holm` the p value of
        sign flips adjusted for all pairs under the protocol.
    standings : list of Standing
    """
    rows, _ = read_rows(store)
    lines: list[pd.DataFrame] = []
    standings = []
    for dataset, protocol in dict.fromkeys((d, p) for d, p, _ in rows):
        scores, n_seeds = _scores_of(
            {key: own for key, own in rows.items() if key[:2] == (dataset, protocol)}
        )
        if scores.shape[0] < FEWEST_PEOPLE or scores.shape[1] < 2:
            continue
        pairs = _pairs(scores)
        lines.append(pairs.assign(dataset=dataset, protocol=protocol, n_seeds=n_seeds))
        standings.append(_standing(dataset, protocol, n_seeds, scores, pairs))
    # Never joined with an empty one, which would take the types of the columns away.
    table = pd.concat(lines) if lines else pd.DataFrame()
    return table.reindex(columns=list(COLUMNS)), standings


def tied_with_first(standings: Sequence[Standing]) -> set[Key]:
    """Return the rows of the first under each protocol and of those tied with it."""
    return {
        (standing.dataset, standing.protocol, str(name))
        for standing in standings
        for name, rank in zip(standing.scores, standing.ranks, strict=True)
        if rank.tied
    }


def _scores_of(rows: dict[Key, list[StoredCell]]) -> tuple[pd.DataFrame, int]:
    """Return the score of each person, a column an estimator, the best first; and the number of seeds."""
    splits = {cell.place for own in rows.values() for cell in own}
    told = {
        key[2]: own
        for key, own in rows.items()
        if not own[0].signal_free and all(cell.ok for cell in own) and {cell.place for cell in own} == splits
    }
    if not told or any(verdict_of(own).startswith("LEAKS") for own in told.values()):
        return pd.DataFrame(), 0
    scores = pd.DataFrame({name: person_scores(counts_by_seed(own)) for name, own in told.items()}).dropna()
    best_first = scores.mean().sort_values(ascending=False, kind="stable").index
    return scores[best_first], len({seed for seed, _ in splits})


def _pairs(scores: pd.DataFrame) -> pd.DataFrame:
    names: Sequence[tuple[str, str]] = list(combinations(scores.columns, 2))
    differences = np.stack([(scores[a] - scores[b]).to_numpy() for a, b in names], axis=1)
    flips = sign_flip(differences)
    return pd.DataFrame(
        {
            "first": [first for first, _ in names],
            "second": [second for _, second in names],
            "n_people": len(scores),
            "difference": differences.mean(axis=0),
            "p_sign_flip": flips,
            "p_wilcoxon": [signed_rank(own) for own in differences.T],
            "p_holm": holm(flips.tolist()),
        }
    )


def _standing(
    dataset: str, protocol: str, n_seeds: int, scores: pd.DataFrame, pairs: pd.DataFrame
) -> Standing:
    best, *others = scores.columns
    adjusted = pairs[pairs["first"] == best].set_index("second").p_holm
    return Standing(
        dataset,
        protocol,
        n_seeds,
        scores,
        rank_intervals(scores.to_numpy()),
        [compare_people(dict(scores[best]), dict(scores[other])) for other in others],
        [float(adjusted[other]) for other in others],
        friedman(scores.to_numpy()) if len(others) > 1 else np.nan,
    )
