"""Permuted labels: the classes dealt out anew between the trials, several times, each with a division of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bench.cells.prepare import prepare
from bench.data.scaling import Scaling
from bench.data.windows import Panel
from bench.spec import Spec
from bench.splits.audit import Audit
from bench.splits.divide import divide
from bench.splits.split import Split
from bench.study.canary_null import Null, null_of, sensitivity_of
from bench.study.canary_votes import CLASSIFIERS, NearestWindows, units_of

# The classes are dealt until so many trials have been tested: then a tenth of them with a twin is found. No more often
# than that, though, nor with more divisions in all: each has to be made and scaled.
_TESTED, _MOST_DEALS, _MOST_DIVISIONS = 2000, 20, 100


@dataclass(frozen=True, eq=False)
class Dealt:
    """What all deals together gave: of each classifier what it counted, and the audits of all divisions."""

    nulls: dict[str, Null]
    audits: list[Audit]
    deals: int


def deal_out(panel: Panel, protocol: Spec, scaling: Scaling, seed: int) -> Dealt:
    """Deal the classes several times, divide, and count what the nearest windows tell, all deals together.

    Raises
    ------
    ProtocolError
        If the windows cannot be divided.
    LeakError
        If a protocol breaks its promise.
    ValueError
        If the scaler knows nothing of a subject.
    """
    rng = np.random.default_rng(seed)
    nulls: dict[str, Null] = {}
    audits: list[Audit] = []
    deals, wanted = 0, 1
    while deals < wanted:
        own_seed = seed if deals == 0 else int(np.random.SeedSequence([seed, deals]).generate_state(1)[0])
        dealt = permute_labels(panel, own_seed)
        splits = [split for _, split in divide(protocol, dealt, own_seed)]
        for name, null in _count(dealt, splits, scaling, rng, with_twins=deals == 0):
            nulls[name] = nulls[name] + null if name in nulls else null
        audits += [split.audit for split in splits]
        if deals == 0:
            tested = next(iter(nulls.values())).n_trials
            wanted = max(1, min(math.ceil(_TESTED / tested), _MOST_DEALS, _MOST_DIVISIONS // len(splits)))
        deals += 1
    return Dealt(nulls, audits, deals)


def permute_labels(panel: Panel, seed: int) -> Panel:
    """Deal the classes of all trials out anew, evenly over the subjects; the windows stay as they are.

    A plain permutation leaves some subjects with more of one class, and a split that is stratified within
    subjects gives both sides that surplus: to know the subject would be to know something, a false alarm. So
    the classes take turns by their shares, and are dealt subject by subject, within a subject at random.

    Parameters
    ----------
    panel : Panel
    seed : int
        The same seed gives the same classes to the same trials, whatever the order of the rows.
    """
    ids = panel.windows[["subject", "trial", "row"]].assign(label=panel.y)
    trials = ids.sort_values(["subject", "trial", "row"]).drop_duplicates("row")
    rng = np.random.default_rng(seed)
    counts = trials["label"].value_counts().sort_index()
    turns = [((np.arange(n) + rng.random()) / n, np.full(n, label)) for label, n in counts.items()]
    turn, labels = (np.concatenate(part) for part in zip(*turns, strict=True))
    order = np.lexsort((rng.random(len(trials)), trials["subject"].to_numpy()))
    dealt = pd.Series(labels[np.argsort(turn, kind="stable")], index=trials["row"].to_numpy()[order])
    return replace(panel, y=dealt.loc[panel.windows["row"]].to_numpy().astype(panel.y.dtype))


def _count(
    dealt: Panel, splits: list[Split], scaling: Scaling, rng: np.random.Generator, *, with_twins: bool
) -> Iterator[tuple[str, Null]]:
    """Yield what each classifier counts in one deal."""
    units = units_of(dealt, splits)
    finders = {
        name: NearestWindows(dealt, units, features, with_twins=with_twins)
        for name, features in CLASSIFIERS.items()
    }
    for k, split in enumerate(splits):
        sides = prepare(dealt, split, scaling)
        for finder in finders.values():
            finder.add(k, split, sides)
    for name, finder in finders.items():
        null = null_of(finder.votes(), rng)
        if finder.twins is not None:
            null = replace(null, sensitivity=sensitivity_of(finder.twins, null.chance, rng))
        yield name, null
