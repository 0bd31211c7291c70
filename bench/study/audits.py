"""What the protocols of a suite leak, before anything is fitted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bench.data.scaling import what_it_saw
from bench.data.windows import Panel
from bench.errors import ProtocolError
from bench.splits.audit import Audit, with_scaling
from bench.splits.divide import divide
from bench.study.panels import load_all, suite_panel
from bench.study.suite import Suite
from bench.study.suite_checks import check_protocols


def audit_protocols(
    suite: Suite, data_root: Path | None = None, say: Callable[[str], None] = lambda text: None
) -> tuple[list[tuple[str, str, list[Audit]]], list[str], list[str]]:
    """Audit the splits of each protocol of a suite; fit nothing.

    Returns
    -------
    list of (variant, protocol, audits)
        The audits of all seeds and folds.
    list of str
        Protocols that break their promise, or cannot divide the data, in words.
    list of str
        What the user should know.
    """
    recordings, notices = load_all(suite, data_root, say)
    rows: list[tuple[str, str, list[Audit]]] = []
    faults = []
    for source, own in recordings:
        panel = suite_panel(suite, own, say)
        notices += [f"{panel.recordings.name}: {text}" for text in known_of(panel)]
        for protocol in check_protocols(suite):
            try:
                splits = [
                    s for seed in range(suite.seeds) for _, s in divide(protocol, panel, seed, strict=False)
                ]
            except ProtocolError as error:
                faults.append(str(error))
                continue
            saw = what_it_saw(suite.scaling)
            rows.append((source.variant, str(protocol), [with_scaling(split.audit, saw) for split in splits]))
            broken = [
                split.audit.verdict for split in splits if split.must_be_clean and not split.audit.clean
            ]
            if broken:
                faults.append(f"protocol '{protocol}' promises a clean split, and it {broken[0]}")
    return rows, faults, notices


def known_of(panel: Panel) -> list[str]:
    """Say in words what an audit of these windows can count, and what it cannot."""
    trials = panel.windows.drop_duplicates("row")
    found = []
    again = int(trials.duplicated(["subject", "stimulus"]).sum())
    if again:
        found.append(
            f"in {again} of {len(trials):,} trials a subject meets a stimulus again; protocols that hold trials out "
            "keep both on one side"
        )
    if "order" not in trials and (trials["subject"] != 0).any():
        found.append("the order of the trials is not known, so neighbours in the session are not counted")
    if panel.dropped:
        found.append(
            f"{panel.dropped:.1%} of the trials have no class: they are rated exactly at the threshold"
        )
    return found
