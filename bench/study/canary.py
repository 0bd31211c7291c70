"""Canaries: cheap classifiers on what must tell nothing, through the same splits and `prepare` as every cell.

The audit judges a split by the ids of its windows; a canary finds out by trying. These are sent:

``permuted labels``
    The classes are dealt out anew between the trials and the panel is divided anew; by the mean and deviation of
    each channel of each scaled window, and by the ranks of these, the nearest training window is found. Above
    chance, a window gives away which trial it is from, and training knows the class. The classes are dealt
    several times, each with a division of its own, and what is counted is added up.
``subject identity``, ``stimulus identity``
    True classes; given is only whose window it is, or which stimulus was met.
``trial order``
    True classes; given is only the place in the session: the person's nearest training trials tell, and of a
    person who has none those of all people.
``class counts``
    True classes; given is only how often the person has each class in training: told is the class that is
    rarer there than in all training. Habits never give that away, but where everybody has exactly the same
    number of each class, what is held out is what is lacking.
``window position``
    True classes; given is only at which sample of its trial a window starts.

A trial's own windows vote; what counts as one trial is a row of the recordings, whatever the ids say: ids that make
two trials of one recording hide a leak from the audit, but not from the first canary. None of them can know of one
recording that a data set brings twice. Chance is what is scored where classes are dealt anew, and p the share of
such deals that score as much (`bench.study.canary_null`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import false_discovery_control

from bench.data.scaling import Scaling
from bench.data.windows import Panel
from bench.errors import ProtocolError
from bench.spec import Spec
from bench.splits.audit import Audit, united
from bench.splits.divide import divide
from bench.splits.split import Split
from bench.study import canary_votes
from bench.study.canary_deals import deal_out
from bench.study.canary_null import Null, Votes, null_of
from bench.study.canary_votes import CLASSIFIERS, Units, units_of

PERMUTED, IDENTITY, STIMULUS = "permuted labels", "subject identity", "stimulus identity"
ORDER, COUNTS, POSITION = "trial order", "class counts", "window position"
QUIET, DEMONSTRATION, ALARM, TOO_FEW = "quiet", "demonstration", "ALARM", "too few trials"
SUBJECTS_SHARED, STIMULI_SHARED = "subjects shared", "stimuli shared"
NEIGHBOURS_SHARED = "neighbours shared"

# Of the alarms of many runs, false ones at most; so too of the runs in which nothing leaks, those with an alarm.
LEVEL = 0.05

_BY_IDS: dict[str, Callable[[Panel, Units, Sequence[Split]], Votes]] = {
    IDENTITY: canary_votes.by_subject,
    COUNTS: lambda *given: canary_votes.by_subject(*given, lacking=True),
    STIMULUS: canary_votes.by_stimulus,
    ORDER: canary_votes.by_order,
    POSITION: canary_votes.by_start,
}


@dataclass(frozen=True)
class Canary:
    """One classifier on one canary's features under one protocol.

    Attributes
    ----------
    dataset, canary, classifier, protocol : str
    verdict : str
        The audit's, of all divisions together; ``""`` where the windows could not be divided.
    folds : int
        How many divisions there were; their test trials are put together.
    deals : int
        How often the classes were dealt out; 0 where they are the true ones.
    n_trials : int
        Trials with a test window, of all deals together.
    correct : float
        Of which the trial's class had most votes; one that tied with m - 1 others counts 1 / m.
    chance : float
        Share of correct ones (0 to 1) where classes tell nothing: the mean of the null.
    p : float
        Share of relabelings that score as much, corrected for the tests of the run (`settle`). NaN if not possible.
    detectable : float
        How large a share of test trials with their twin in training would have been found, with a power of
        80 % at the level of this run; of canaries with true classes, of trials whose class is told for certain.
        NaN: none.
    finding : str
        ``quiet``: not above chance. ``demonstration``: above chance under a protocol that is known to leak:
        what the leak is worth. ``ALARM``: above chance where the audit saw nothing. ``subjects shared``,
        ``stimuli shared``, ``neighbours shared``: told by what the verdict already admits is on both sides.
        ``too few trials``: nothing could have been found. ``not possible: <reason>``: the windows could
        not be divided or scaled so.
    """

    dataset: str
    canary: str
    classifier: str
    protocol: str
    verdict: str = ""
    folds: int = 0
    deals: int = 0
    n_trials: int = 0
    correct: float = 0.0
    chance: float = math.nan
    p: float = math.nan
    detectable: float = math.nan
    finding: str = ""


def run_canaries(
    panels: Iterable[Panel],
    protocols: Iterable[Spec],
    scaling: Scaling,
    seed: int = 0,
    say: Callable[[str], None] = lambda text: None,
) -> list[Canary]:
    """Send all canaries through all protocols.

    Parameters
    ----------
    panels : iterable of Panel
        One, or one for each variant of a data set; each is looked at once, so they may be made on the way.
    protocols : iterable of Spec
    scaling : str
    seed : int, default 0
        Of the deals, the splits and the null.
    say : callable
        Told in a line what is being tried.

    Returns
    -------
    list of Canary
        In the order tried.

    Raises
    ------
    LeakError
        If a protocol that promises a clean split breaks the promise before the audit's eyes.
    """
    protocols = list(protocols)
    return settle([found for panel in panels for found in _measure(panel, protocols, scaling, seed, say)])


def settle(measured: Sequence[tuple[Canary, Null | None]]) -> list[Canary]:
    """Correct `p` for the tests that were made, and settle what was found.

    By the false discovery rate [1]_, at `LEVEL`: among the tests that can be an alarm, and among the others. Were
    they taken together, many demonstrations would make room for false alarms. What can find nothing, whatever is
    seen, is no test.

    Parameters
    ----------
    measured : list of (Canary, Null or None)
        With the finding that holds if that is above chance; None where no test was made.

    References
    ----------
    .. [1] Y. Benjamini, Y. Hochberg, "Controlling the False Discovery Rate", Journal of the Royal Statistical
       Society B 57(1):289-300, 1995.
    """
    settled = [canary for canary, _ in measured]
    for alarms in (True, False):
        nulls = {
            k: null
            for k, (canary, null) in enumerate(measured)
            if null is not None and (canary.finding == ALARM) == alarms
        }
        tests = {k: null.p for k, null in nulls.items() if null.least_p <= LEVEL}
        corrected = (
            dict(zip(tests, false_discovery_control(list(tests.values())), strict=True)) if tests else {}
        )
        found = {k for k, p in corrected.items() if p <= LEVEL}
        for k, null in nulls.items():
            # What p would have to be for this one to be found besides the others that are.
            level = LEVEL * (len(found - {k}) + 1) / max(len(tests), 1)
            quiet = QUIET if null.silent or null.least_p <= level else TOO_FEW
            settled[k] = replace(
                settled[k],
                chance=null.chance,
                p=float(corrected.get(k, 1.0)),
                detectable=null.detectable(level),
                finding=settled[k].finding if k in found else quiet,
            )
    return settled


def _measure(
    panel: Panel, protocols: list[Spec], scaling: Scaling, seed: int, say: Callable[[str], None]
) -> Iterator[tuple[Canary, Null | None]]:
    name, by_ids = panel.recordings.name, _that_have_something_to_go_on(panel)
    for protocol in protocols:
        say(f"{name}, {protocol}: {PERMUTED}")
        yield from _send_permuted(panel, protocol, scaling, seed)
        try:
            splits = [split for _, split in divide(protocol, panel, seed)]
        except ProtocolError as error:
            for canary in by_ids:
                yield Canary(name, canary, "counting", str(protocol), finding=f"not possible: {error}"), None
            continue
        units, audits = units_of(panel, splits), [split.audit for split in splits]
        for canary in by_ids:
            say(f"{name}, {protocol}: {canary}")
            null = null_of(_BY_IDS[canary](panel, units, splits), np.random.default_rng(seed))
            blank = Canary(name, canary, "counting", str(protocol))
            yield _with(blank, null, panel, audits, folds=len(splits)), null


def _that_have_something_to_go_on(panel: Panel) -> list[str]:
    windows = panel.windows
    trials = windows.drop_duplicates("row")
    known = bool((windows["subject"] != 0).any())
    there = {
        IDENTITY: known,
        STIMULUS: "stimulus" in windows and 1 < trials["stimulus"].nunique() < len(trials),
        ORDER: known and "order" in windows,
        COUNTS: known,
        POSITION: windows["start"].nunique() > 1,
    }
    return [canary for canary, has in there.items() if has]


def _send_permuted(
    panel: Panel, protocol: Spec, scaling: Scaling, seed: int
) -> Iterator[tuple[Canary, Null | None]]:
    """Yield what each classifier finds in all deals together."""
    blank = Canary(panel.recordings.name, PERMUTED, "", str(protocol))
    try:
        dealt = deal_out(panel, protocol, scaling, seed)
    except (ProtocolError, ValueError) as error:  # ValueError: a scaler that does not know a subject
        for name in CLASSIFIERS:
            yield replace(blank, classifier=name, finding=f"not possible: {error}"), None
        return
    for name, null in dealt.nulls.items():
        one = replace(blank, classifier=name, deals=dealt.deals)
        yield _with(one, null, panel, dealt.audits, folds=len(dealt.audits) // dealt.deals), null


def _with(canary: Canary, null: Null, panel: Panel, audits: Sequence[Audit], folds: int) -> Canary:
    """Add what was counted, and the finding that holds if it is above chance."""
    return replace(
        canary,
        verdict=united([audit.verdict for audit in audits]),
        folds=folds,
        n_trials=null.n_trials,
        correct=null.seen,
        finding=_if_above_chance(canary.canary, panel, audits),
    )


def _if_above_chance(canary: str, panel: Panel, audits: Sequence[Audit]) -> str:
    # Whoever is on both sides is known by habit, under a leaky split no less than under a clean one: that
    # is never what the leak is worth, and no error either. So with stimuli, and with trials side by side.
    subjects, stimuli, neighbours = (
        any(getattr(audit, f"shared_{what}") for audit in audits)
        for what in ("subjects", "stimuli", "neighbours")
    )
    if canary == IDENTITY and subjects:
        return SUBJECTS_SHARED
    if canary == STIMULUS and stimuli:
        return STIMULI_SHARED
    if canary == ORDER and neighbours:
        return NEIGHBOURS_SHARED
    if canary == ORDER and stimuli and _order_names_stimulus(panel):
        return STIMULI_SHARED
    return ALARM if all(audit.clean for audit in audits) else DEMONSTRATION


def _order_names_stimulus(panel: Panel) -> bool:
    """Say whether everybody met the stimuli in the same order: a place in the session is then a stimulus."""
    return bool((panel.windows.groupby("order")["stimulus"].nunique() == 1).all())
