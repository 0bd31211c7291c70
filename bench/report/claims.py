"""A claim about two estimators, checked against stored results: whether it holds, and on what evidence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.cells.store import Store
from bench.cells.stored_cell import StoredCell
from bench.errors import DataError, SuiteError, nearest
from bench.report.floor import floor_of
from bench.report.intervals import Counts
from bench.report.rows import read_rows, verdict_of
from bench.report.scores import counts_by_seed
from bench.report.statistics import SIGNIFICANT, Comparison, compare_people, holm, person_scores

FLOOR = "floor"
SUPPORTED, CONTRADICTED, CANNOT_TELL = "supported", "contradicted", "cannot tell"
Verdict = Literal["supported", "contradicted", "cannot tell"]
_FORM = re.compile(r"\s*(\S+)\s+([<>=])\s+(\S+)\s+on\s+(\S+?)(?:\s+under\s+(\S+))?\s*")


@dataclass(frozen=True)
class Claim:
    """That one estimator is better (``>``) or worse (``<``) than another, or as good in practice (``=``).

    Attributes
    ----------
    first, second : str
        Specs, or ``floor``: the best estimator without a signal.
    relation : {">", "<", "="}
    suite : str
    protocol : str
        ``""``: under every clean protocol that there are results of.
    """

    first: str
    relation: str
    second: str
    suite: str
    protocol: str = ""


@dataclass(frozen=True)
class Evidence:
    """What stored results say of a claim under one protocol.

    Attributes
    ----------
    protocol, audit : str
    comparison : Comparison
        Of the first with the second, over people.
    p : float
        Of sign flips, adjusted by Holm's method for the protocols that the claim is about; NaN for too few people.
    n_seeds : int
    verdict : {"supported", "contradicted", "cannot tell"}
    """

    protocol: str
    audit: str
    comparison: Comparison
    p: float
    n_seeds: int
    verdict: Verdict


def read_claim(text: str) -> Claim:
    """Read ``"mlstm-fcn+ros > mlstm-fcn on hku956-arousal under loso"``.

    Raises
    ------
    SuiteError
        If it is no such sentence.
    """
    match = _FORM.fullmatch(text)
    if not match:
        raise SuiteError(
            f"claim {text!r}: write ESTIMATOR > ESTIMATOR on SUITE [under PROTOCOL], with >, < or = between blanks, and "
            f"'{FLOOR}' for the best that sees no signal"
        )
    first, relation, second, suite, protocol = match.groups()
    return Claim(first, relation, second, suite, protocol or "")


def check_claim(claim: Claim, store: Store) -> tuple[Verdict, list[Evidence]]:
    """Check a claim against the results of its suite.

    It is supported, or contradicted, if it is under every protocol that it is about; else nobody can tell.

    Raises
    ------
    DataError
        If there is no result of an estimator or protocol that it names, or none on the same splits.
    """
    rows, _ = read_rows(store)
    datasets = list(dict.fromkeys(dataset for dataset, _, _ in rows))
    if len(datasets) > 1:
        raise DataError(f"{store.folder}: a claim is about one data set, there are {', '.join(datasets)}")
    found = []
    for protocol in _protocols(claim, {(p, e): own for (_, p, e), own in rows.items()}, store):
        own = {e: cells for (_, p, e), cells in rows.items() if p == protocol}
        first, second, audit = _sides(claim, own, protocol, store)
        comparison = compare_people(person_scores(first), person_scores(second))
        found.append((protocol, audit, comparison, len(first)))
    adjusted = holm([comparison.sign_flip for _, _, comparison, _ in found])
    evidence = [
        Evidence(protocol, audit, comparison, p, n_seeds, _verdict(claim.relation, comparison, p))
        for (protocol, audit, comparison, n_seeds), p in zip(found, adjusted, strict=True)
    ]
    verdicts = {one.verdict for one in evidence}
    return (verdicts.pop() if len(verdicts) == 1 else "cannot tell"), evidence


def _protocols(claim: Claim, rows: dict[tuple[str, str], list[StoredCell]], store: Store) -> list[str]:
    there = list(dict.fromkeys(protocol for protocol, _ in rows))
    if claim.protocol:
        if claim.protocol not in there:
            raise DataError(
                f"{store.folder}: no results under '{claim.protocol}'{nearest(claim.protocol, there)}"
            )
        return [claim.protocol]
    leaks = {p for (p, _), own in rows.items() if verdict_of(own).startswith("LEAKS")}
    clean = [protocol for protocol in there if protocol not in leaks]
    if not clean:
        raise DataError(f"{store.folder}: no clean protocol; name one: ... under {there[0]}")
    return clean


def _sides(
    claim: Claim, rows: dict[str, list[StoredCell]], protocol: str, store: Store
) -> tuple[Counts, Counts, str]:
    """Return the counts of both estimators on the splits that both have, and what their audits say."""
    cells: dict[str, list[StoredCell]] = {}
    for name in {claim.first, claim.second} - {FLOOR}:
        if name not in rows:
            raise DataError(f"{store.folder}: no result of '{name}' under {protocol}{nearest(name, rows)}")
        cells[name] = [cell for cell in rows[name] if cell.ok]
    if not cells:
        raise SuiteError("a claim is about an estimator: 'floor' can stand on one side only")
    places = set.intersection(*({cell.place for cell in own} for own in cells.values()))
    shared = {name: [cell for cell in own if cell.place in places] for name, own in cells.items()}
    if not places:
        raise DataError(f"{store.folder}: {claim.first} and {claim.second} share no split under {protocol}")
    counts = {name: counts_by_seed(own) for name, own in shared.items()}
    audit = verdict_of([cell for own in shared.values() for cell in own])
    if FLOOR in (claim.first, claim.second):
        signal_free = {e: own for e, own in rows.items() if own[0].signal_free}
        floor = floor_of(next(iter(shared.values())), signal_free)
        if floor is None:
            raise DataError(f"{store.folder}: no estimator without a signal was run on these splits")
        counts[FLOOR] = floor.counts
    return counts[claim.first], counts[claim.second], audit


def _verdict(relation: str, found: Comparison, p: float) -> Verdict:
    if np.isnan(p):
        return "cannot tell"
    if relation == "=":
        if found.equal >= 1 - SIGNIFICANT:
            return "supported"
        return "contradicted" if p < SIGNIFICANT and found.equal < SIGNIFICANT else "cannot tell"
    if p >= SIGNIFICANT:
        return "cannot tell"
    return "supported" if (found.difference > 0) == (relation == ">") else "contradicted"


def in_words(evidence: Sequence[Evidence]) -> list[str]:
    """Return what speaks for or against a claim, a few lines a protocol."""
    from bench.report.comparisons_files import probability
    from bench.report.leaderboard_files import with_limits
    from bench.report.statistics import FEWEST_PEOPLE, TOO_FEW

    lines = []
    for one in evidence:
        found = one.comparison
        points = with_limits(100 * found.difference, 100 * found.low, 100 * found.high, "{:+.1f}")
        seeds = f"{one.n_seeds} seed{'s' if one.n_seeds > 1 else ''}"
        lines.append(f"under {one.protocol}, {one.audit}: {one.verdict}")
        lines.append(
            f"  {points} points of balanced accuracy within people; {found.n_people} people, {seeds}"
        )
        if not found.enough_people:
            lines.append(f"  {TOO_FEW}: a test needs {FEWEST_PEOPLE}")
            continue
        lines.append(
            f"  p {probability(one.p)} by sign flips, {probability(found.wilcoxon)} by Wilcoxon's signed ranks; "
            f"better {found.better:.2f}, equal {found.equal:.2f}, worse {found.worse:.2f}"
        )
    return lines
