"""``python -m bench check NAME``: does a plugin keep the interface? Each check is a sentence that holds or not."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.cells.making import HARNESS
from bench.cells.quiet import import_quietly
from bench.data.loading import find_sources
from bench.recordings import KNOWN, Recordings
from bench.registry import Plugin, get
from bench.spec import Spec, check_parameters
from bench.study.check_conduct import GlobalNumbers, check_claims, check_copies, check_input, check_seed
from bench.study.check_cost import check_cost
from bench.study.check_lines import Check, attempt
from bench.study.check_predictions import LABELS, check_predictions
from bench.study.check_trial import OnTrial, Said

# As in a cell's result.
_NOT_FOR_USERS = (DeprecationWarning, PendingDeprecationWarning, FutureWarning, ResourceWarning)


def check_estimator(spec: Spec, *, cost: bool = False) -> Iterator[Check]:
    """Try an estimator on small made-up windows, the way a cell uses it.

    Parameters
    ----------
    spec : Spec
    cost : bool, default False
        Whether time and memory are measured too, on three sizes.

    Yields
    ------
    Check
        In the order of a cell's life; a fault that makes the rest pointless is the last.
    """
    plugin = get("estimator", spec.name)
    check_parameters(plugin, spec.parameters, HARNESS, f"estimator '{spec}'")
    weighs = bool(spec.resampler) and get("resampler", spec.resampler).about["weighs"]
    import_quietly(plugin.requires)
    trial = OnTrial(plugin, spec.parameters)
    fitted: list[Any] = []
    said: list[Said] = []
    with GlobalNumbers(seed=1) as numbers, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fault = attempt(lambda: fitted.append(trial.fit(trial.make())))
        unsaid = fault or attempt(lambda: said.append(trial.ask(*fitted)))
    yield Check(f"fits {trial.what}, with str classes", fault, _advice(plugin, spec, fault))
    if fault:
        return
    told = dict.fromkeys(
        f"{w.category.__name__}: {w.message}" for w in caught if not issubclass(w.category, _NOT_FOR_USERS)
    )
    if told:
        yield Check("fits and predicts without a warning", note="; ".join([*told][:3]))
    (estimator,) = fitted
    for found in check_predictions(trial, estimator):
        yield found
        if found.fault and found.sentence == LABELS:  # of what it says no other check can make anything
            return
    if unsaid:
        yield Check("predicts windows of all levels", unsaid)
        return
    yield check_input(trial)
    yield from check_seed(trial, said[0], numbers)
    yield from check_copies(trial, estimator, said[0])
    yield from check_claims(trial, estimator, spec.resampler if weighs else "")
    if cost and not plugin.signal_free:
        yield from check_cost(trial)


def _advice(plugin: Plugin, spec: Spec, fault: str) -> str:
    """Return what to do about a fit that failed."""
    unset = [
        name
        for name, default in plugin.parameters(HARNESS).items()
        if default is inspect.Parameter.empty and name not in spec.parameters
    ]
    if unset:
        return f"{unset[0]} has no default: give it one, or check '{spec.name}[{unset[0]}=...]'"
    if "dim 3" in fault or "3 dim" in fault:
        return "of a classifier of tables, return flattened(classifier) or with_features(classifier) of bench.adapters"
    return "fit(X, y) takes X of shape (n_windows, n_channels, n_timepoints) and y of shape (n_windows,), and returns self"


def check_dataset(spec: Spec, root: Path | None) -> Iterator[Check]:
    """Read a data set once and say what came out; whatever it raises goes to the caller."""
    sources, _ = find_sources(spec, root)
    for source in sources:
        recordings = source.plugin.factory(source.root, subjects=None, **source.parameters)
        fault = "" if isinstance(recordings, Recordings) else f"it returns a {type(recordings).__name__}"
        yield Check(
            f"{source.variant or source.plugin.name}: returns Recordings",
            fault,
            "return bench.recordings.Recordings(name, signals, channels, sampling_rate, trials)",
        )
        if not fault:
            trials = recordings.trials
            targets = [c for c in trials if c not in ("subject", "trial", "stimulus", *KNOWN)]
            yield Check(
                f"{len(trials):,} trials of {trials.subject.nunique()} subjects, {len(recordings.channels)} channels "
                f"at {recordings.sampling_rate:g} Hz; to predict: {', '.join(targets) or 'nothing'}",
                "" if targets else "the table of trials has no rating and no label",
                "give the table a column with a number or a class for each trial",
            )
