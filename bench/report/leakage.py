"""What each leak buys: the same estimators under every protocol, and the points between protocols."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bench.cells.store import Store
from bench.cells.stored_cell import StoredCell
from bench.report.floor import floor_of
from bench.report.intervals import Estimate, difference, estimate
from bench.report.rows import read_rows, verdict_of
from bench.report.scores import counts_by_seed

# Protocols from the strictest to the one that leaks most: the order of the table and the figure.
LADDER = (
    "loso", "subject-independent", "leave-one-stimulus-out", "subject-blocked", "subject-stratified",
    "random-windows", "split-then-oversample", "oversample-then-split",
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """From one protocol to another that gives something away, or lets something be known, that the first does not."""

    kind: str
    name: str
    without: str
    given: str


LEAK, KNOWN = "leak", "known"
STEPS = (
    Step(LEAK, "windows of the trial are in training", "subject-stratified", "random-windows"),
    Step(LEAK, "copies of the window are in training", "split-then-oversample", "oversample-then-split"),
    Step(
        LEAK,
        "from whole trials held out to copies in training",
        "subject-stratified",
        "oversample-then-split",
    ),
    Step(KNOWN, "the person is in training", "loso", "subject-stratified"),
    Step(KNOWN, "the person is in training", "subject-independent", "subject-stratified"),
    Step(KNOWN, "the stimulus is in training", "leave-one-stimulus-out", "subject-stratified"),
    Step(KNOWN, "trials beside it are in training", "subject-blocked", "subject-stratified"),
)
# How much more one side of a pair may train on: beyond it the step would be one of the size of training as well.
_SAME_SIZE = 1.1

Rows = dict[tuple[str, str], list[StoredCell]]


def make_leakage(store: Store) -> pd.DataFrame:
    """Compute scores under each protocol and the points between them.

    A score is that of the leaderboard: balanced accuracy over all test windows of a seed, the mean over seeds.
    The points of a step are those of the people and seeds that were tested under both protocols; where the one
    trains on more than a tenth more windows than the other, copies not counted, no pair is formed.

    Returns
    -------
    DataFrame
        Columns ``dataset``, ``kind`` (``score``; ``leak``; ``known``, a step between clean protocols), ``name``
        (protocol or step), ``without``, ``given``, ``estimator``, ``family``, ``level_blind``, ``value``, ``low``,
        ``high`` (scores 0 to 1, steps in points of 100), ``n_people``, ``n_seeds``, ``n_cells``, ``n_train``
        (distinct training windows, the mean over cells) and, for scores, ``floor``, ``floor_estimator`` and
        the audit: ``verdict`` and its shares. ``not_compared`` says why a step has no value. Empty if no two
        protocols of the store differ by a step.
    """
    groups, _ = read_rows(store)
    parts: dict[str, Rows] = {}
    for (dataset, protocol, estimator), cells in groups.items():
        good = [cell for cell in cells if cell.ok]
        if good:
            parts.setdefault(dataset, {})[estimator, protocol] = good
    found: list[dict[str, Any]] = []
    for dataset, own in parts.items():
        if _steps(sorted({protocol for _, protocol in own})):
            found += [{"dataset": dataset, **line} for line in [*_scores(own), *_points(own)]]
    return pd.DataFrame(found)


def _scores(rows: Rows) -> Iterator[dict[str, Any]]:
    sizes = _train_sizes(rows)
    for estimator, protocol in sorted(rows, key=lambda key: _rung(key[1])):
        cells = rows[estimator, protocol]
        score = estimate(counts_by_seed(cells))
        beside = {e: own for (e, p), own in rows.items() if p == protocol and own[0].signal_free}
        floor = floor_of(cells, beside)
        audits = pd.DataFrame([cell.result["audit"] for cell in cells])
        yield {
            "kind": "score", "name": protocol, "without": "", "given": "", **_about(estimator, cells),
            **_values(score), "n_cells": len(cells), "n_train": sizes[protocol],
            "floor": floor.score if floor else np.nan, "floor_estimator": floor.estimator if floor else "",
            "verdict": verdict_of(cells),
            **{str(name): share for name, share in audits.select_dtypes(float).mean().items()},
        }  # fmt: skip


def _points(rows: Rows) -> Iterator[dict[str, Any]]:
    sizes = _train_sizes(rows)
    for step, without, given in _steps(sorted({protocol for _, protocol in rows}, key=_rung)):
        few, many = sorted((sizes[without], sizes[given]))
        for estimator in dict.fromkeys(estimator for estimator, _ in rows):
            if (estimator, without) not in rows or (estimator, given) not in rows:
                continue
            line = {"kind": step.kind, "name": step.name, "without": without, "given": given}
            line |= _about(estimator, rows[estimator, given])
            if many > _SAME_SIZE * few:
                reason = f"{without} trains on {sizes[without]:,.0f} windows, {given} on {sizes[given]:,.0f}"
                yield {**line, "not_compared": reason}
                continue
            above, below = (counts_by_seed(rows[estimator, protocol]) for protocol in (given, without))
            yield {**line, **_values(difference(above, below), 100)}


def _about(estimator: str, cells: list[StoredCell]) -> dict[str, Any]:
    result = cells[0].result
    return {
        "estimator": estimator,
        "family": result.get("family", ""),
        "level_blind": bool(result.get("level_blind", False)),
    }


def _values(found: Estimate, times: float = 1.0) -> dict[str, Any]:
    numbers = {name: times * getattr(found, name) for name in ("value", "low", "high")}
    return {**numbers, "n_people": found.n_people, "n_seeds": found.n_seeds}


def _train_sizes(rows: Rows) -> dict[str, float]:
    """Return the distinct training windows of a split of each protocol, the mean over its cells."""
    sizes: dict[str, list[int]] = {}
    for (_, protocol), cells in rows.items():
        told = [cell.result["n_distinct_train"] for cell in cells if "n_distinct_train" in cell.result]
        sizes.setdefault(protocol, []).extend(told)
    return {protocol: float(np.mean(told)) if told else np.nan for protocol, told in sizes.items()}


def _rung(protocol: str) -> tuple[int, str]:
    name = protocol.partition("[")[0]
    return (LADDER.index(name) if name in LADDER else len(LADDER)), protocol


def _steps(protocols: list[str]) -> list[tuple[Step, str, str]]:
    """Return the steps that lie between two of the protocols; of several variants, the plainest counts."""
    plainest = {protocol.partition("[")[0]: protocol for protocol in sorted(protocols, key=len, reverse=True)}
    return [
        (step, plainest[step.without], plainest[step.given])
        for step in STEPS
        if step.without in plainest and step.given in plainest
    ]
