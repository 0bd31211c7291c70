"""From a suite to recordings and windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench.data.hrv import add_hrv
from bench.data.loading import Source, find_sources, load_recordings
from bench.data.sampling_rate import at_rate
from bench.data.scaling import check_scaling
from bench.data.windows import Panel, make_panel
from bench.recordings import Recordings
from bench.spec import parse_spec
from bench.splits.copies_in_recordings import near_copies_of
from bench.study.suite import Suite, parse_subjects


def load_all(
    suite: Suite, data_root: Path | None, say: Callable[[str], None]
) -> tuple[list[tuple[Source, Recordings]], list[str]]:
    """Return the recordings of each source of the suite's data set, and what the user should know."""
    subjects = parse_subjects(suite.subjects) if suite.subjects else None
    sources, notice = find_sources(parse_spec(suite.dataset), data_root)
    loaded = [(source, load_recordings(source, subjects, say)) for source in sources]
    return loaded, [notice] if notice else []


def suite_panel(
    suite: Suite,
    recordings: Recordings,
    say: Callable[[str], None],
    made: dict[tuple[bool, float | None], Recordings] | None = None,
) -> Panel:
    """Return the suite's windows of the recordings, derived channels included.

    `made` keeps what is made of the recordings, for suites that want the same of them: it takes seconds, and
    processes share the signals of panels that have the same ones.
    """
    made = {} if made is None else made
    # Looked for before anything is made of the recordings: what resampling does to a constant channel is alike everywhere.
    copies = near_copies_of(recordings, say)
    hrv, rate = "hrv" in suite.derived, suite.windows.sampling_rate
    if hrv:
        if (hrv, None) not in made:
            made[hrv, None] = add_hrv(recordings, say)
        recordings = made[hrv, None]
    if (hrv, rate) not in made:
        made[hrv, rate] = at_rate(recordings, rate)
    recordings = made[hrv, rate]
    panel = make_panel(recordings, suite.target, suite.windows, suite.channels)
    check_scaling(suite.scaling, panel)
    return replace(panel, near_copies=copies)
