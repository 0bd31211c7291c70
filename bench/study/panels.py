"""From a suite to recordings and windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench.data.hrv import add_hrv
from bench.data.loading import Source, find_sources, load_recordings
from bench.data.sampling_rate import at_rate
from bench.data.scaling import check_scaling
from bench.data.windows import Panel, Target, make_panel
from bench.errors import SuiteError
from bench.recordings import Recordings
from bench.spec import Spec, parse_spec
from bench.splits.copies_in_recordings import near_copies_of
from bench.study.suite import Folder, Suite, parse_subjects

FOLDER = "folder"  # the data set that reads a `Folder`


def load_all(
    suite: Suite, data_root: Path | None, say: Callable[[str], None]
) -> tuple[list[tuple[Source, Recordings]], list[str]]:
    """Return the recordings of each source of the suite's data set, and what the user should know.

    Where the data set is a folder, `data_root` names another one in its place.
    """
    subjects = parse_subjects(suite.subjects) if suite.subjects else None
    if isinstance(suite.dataset, Folder):
        spec = Spec(FOLDER)
        if data_root is None:
            data_root = Path(suite.dataset.folder)
            if not data_root.is_dir():
                raise SuiteError(
                    f"suite '{suite.name}': key 'dataset.folder': there is no folder {data_root}"
                )
    else:
        spec = parse_spec(suite.dataset)
    sources, notice = find_sources(spec, data_root)
    loaded = [(source, load_recordings(source, subjects, say)) for source in sources]
    notices = [notice] if notice else []
    if isinstance(suite.dataset, Folder):
        notices += [line for _, own in loaded for line in lacking_classes(own, suite.target)]
    return loaded, notices


def lacking_classes(recordings: Recordings, target: Target) -> list[str]:
    """Say, a line a class, of which people no trial has it."""
    labels, classes = target.classify(recordings.trials)
    subjects = recordings.trials["subject"].to_numpy()
    lines = []
    for name in classes:
        without = sorted(set(subjects.tolist()) - set(subjects[labels == name].tolist()))
        if without:
            who = f"subject{'s' if len(without) > 1 else ''} {', '.join(map(str, without))}"
            verb = "have" if len(without) > 1 else "has"
            lines.append(f"{recordings.name}: {who} {verb} no trial with {target.name} '{name}'")
    return lines


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
