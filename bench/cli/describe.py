"""``data describe``: what a folder, or a data set, holds, and a picture of one trial."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from bench.cli.options import DataRootOption, PluginsOption, SubjectsOption
from bench.cli.terminal import add_plugins, make_console, warn
from bench.errors import DataError, SuiteError, nearest
from bench.recordings import KNOWN

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from bench.data.description import Channel, Description
    from bench.data.loading import Source
    from bench.recordings import Recordings

EXAMPLES = """
Examples:

python -m bench data describe recordings --picture trial.png

python -m bench data describe hku956 --data-root HKU956
"""
_IDS = ("subject", "trial", "stimulus", *KNOWN)
PICTURES = (".png", ".pdf", ".svg")
_MOST_CLASSES, _MOST_GROUPS = 8, 5  # that are shown one by one
_FLAT_SECONDS, _FLAT_SAMPLES = 1.0, 8  # that are worth a word


def describe(
    name: Annotated[
        str, typer.Argument(help="A folder of your own, or a data set (a spec).", metavar="DIR|NAME")
    ],
    data_root: DataRootOption = None,
    subjects: SubjectsOption = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw one trial, all its channels, into this file.", metavar="FILE")
    ] = None,
    trial: Annotated[
        str | None, typer.Option(help="The trial to draw; by default the first.", metavar="SUBJECT/TRIAL")
    ] = None,
    plugins: PluginsOption = None,
) -> None:
    """Say what recordings hold: people, seconds, channels, classes by person, near-copies, and what looks odd.

    Exit status: 0, or 2 if they cannot be read; then a line says what is wrong with each file.
    """
    add_plugins(plugins)
    from bench.data.loading import load_noted
    from bench.data.picture import draw_trial
    from bench.study.suite import parse_subjects

    sources = _sources(name, data_root)
    if trial is not None and picture is None:
        raise SuiteError("--trial says what to draw: give --picture FILE too")
    if picture is not None:
        _check_picture(picture, len(sources), name)
    chosen = parse_subjects(subjects) if subjects else None
    console = make_console()
    for source in sources:
        recordings, notes = load_noted(source, chosen, warn)
        row = _row_of(recordings, trial)
        _print(recordings, notes, console)
        if picture is not None:
            about = recordings.trials.iloc[row]
            rated = ", ".join(f"{column} {value}" for column, value in about.items() if column not in _IDS)
            draw_trial(recordings, row, picture, rated)
            _line(console, f"picture of trial {about['subject']}/{about['trial']}: {picture}")


def _check_picture(path: Path, n_sources: int, name: str) -> None:
    """Refuse a picture that could not be written, before anything is read."""
    if n_sources > 1:
        raise SuiteError(f"--picture: '{name}' is {n_sources} data sets; name one, as in uea[problem=...]")
    if path.suffix.lower() not in PICTURES:
        raise SuiteError(f"--picture {path}: the name has to end in {', '.join(PICTURES)}")
    if not path.parent.is_dir():
        raise SuiteError(f"--picture {path}: there is no folder {path.parent}")


def _row_of(recordings: Recordings, trial: str | None) -> int:
    if trial is None:
        return 0
    wanted = re.fullmatch(r"(\d{1,9})/(\d{1,9})", trial, re.ASCII)
    if wanted is None:
        raise SuiteError(f"--trial {trial}: give SUBJECT/TRIAL, such as 3/2")
    subjects, trials = recordings.trials["subject"], recordings.trials["trial"]
    found = np.flatnonzero((subjects == int(wanted[1])) & (trials == int(wanted[2])))
    if not len(found):
        theirs = [str(number) for number in trials[subjects == int(wanted[1])]]
        more = " ..." if len(theirs) > 20 else ""
        known = f"its trials are {', '.join(theirs[:20])}{more}" if theirs else "there is no such subject"
        raise DataError(f"--trial {trial}: {recordings.name} has none; {known}")
    return int(found[0])


def _sources(name: str, data_root: Path | None) -> list[Source]:
    """Return what the folder or data set of that name is read from; what has a table of trials is a folder."""
    from bench.data.loading import find_sources
    from bench.registry import plugins
    from bench.spec import Spec, parse_spec
    from bench.study.panels import FOLDER

    folder = Path(name).expanduser()
    known = plugins("dataset")
    if (folder / "trials.csv").is_file() or (folder.is_dir() and name.partition("[")[0] not in known):
        if data_root is not None:
            raise SuiteError(f"--data-root is of a data set; {name} is a folder itself")
        return find_sources(Spec(FOLDER), folder)[0]
    if name.partition("[")[0] not in known:
        raise DataError(f"{name}: neither a folder nor a data set{nearest(name, known)}")
    sources, notice = find_sources(parse_spec(name), data_root)
    if notice:
        warn(notice)
    return sources


def _print(recordings: Recordings, notes: dict[str, Any], console: Console) -> None:
    from bench.data.description import describe as look
    from bench.splits.copies_in_recordings import near_copies_of

    with console.status("looking at the samples"):
        about = look(recordings, notes.get("channels"))
        copies = near_copies_of(recordings, warn)
    clocked = recordings.sampling_rate != 1 or recordings.recorded_rate is not None
    _line(console, _headline(recordings, about, clocked))
    if recordings.simulated:
        console.print("[bold red]SIMULATED recordings: a program made them up[/]")
    console.print()
    _print_channels(about.channels, clocked, console)
    for column, counts in about.labels.items():
        console.print()
        _print_classes(column, counts, console)
    if len(about.ratings):
        console.print()
        _print_ratings(about.ratings, console)
    console.print()
    noted = notes.get("lines") or (["no gap in time, no other rate or unit"] if notes else [])
    for line in [*noted, *_lacking(recordings, about), *_copies(recordings, copies)]:
        _line(console, line)
    if recordings.credit:
        console.print(recordings.credit, style="dim", markup=False, highlight=False)


def _line(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _headline(recordings: Recordings, about: Description, clocked: bool) -> str:
    seconds = about.seconds
    low, middle, high = (f"{value:.4g}" for value in (seconds.min(), np.median(seconds), seconds.max()))
    unit = "s" if clocked else "samples"
    lasting = f"{low} {unit}" if low == high else f"{low} to {high} {unit}, median {middle}"
    who = (
        "people not known"
        if not recordings.trials["subject"].any()
        else _count(about.n_people, "person", "people")
    )
    total = f"; {seconds.sum() / 60:.4g} min in all" if clocked else ""
    return f"{recordings.name}: {who}, {_count(about.n_trials, 'trial', 'trials')} of {lasting}{total}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _print_channels(channels: list[Channel], clocked: bool, console: Console) -> None:
    says_missing = any(channel.missing is not None for channel in channels)
    heads = (
        ["Hz"] * clocked + ["lowest", "typical", "highest"] + ["missing"] * says_missing + ["longest flat"]
    )
    table = _table("channel", *heads)
    for channel in channels:
        flat = channel.flat
        unit, least = (" s", _FLAT_SECONDS) if clocked else ("", _FLAT_SAMPLES)
        still = f"{flat.seconds:.3g}{unit}, {flat.subject}/{flat.trial}" if flat.seconds >= least else "–"
        cells = [f"{channel.rate:.4g}"] * clocked
        cells += [_short(value) for value in (channel.low, channel.typical, channel.high)]
        cells += [f"{100 * (channel.missing or 0):.2g} %"] * says_missing
        table.add_row(_plain(channel.name), *cells, still)
    console.print(table, highlight=False)
    notes = "typical: median of the trials; flat: no change at all, in SUBJECT/TRIAL"
    console.print(notes, style="dim", highlight=False)


def _print_classes(column: str, counts: pd.DataFrame, console: Console) -> None:
    sizes = counts.sum()
    if len(sizes) > _MOST_CLASSES:
        least, most = int(sizes.min()), int(sizes.max())
        _line(console, f"{column}: {len(sizes)} classes of {least} to {most} trials each")
        return
    table = _table(f"{column}: trials of", *map(str, sizes.index))
    if len(counts) > 1:
        for subject, row in counts.iterrows():
            table.add_row(f"subject {subject}", *(str(n) if n else "[bold red]0[/]" for n in row))
    table.add_row("all", *map(str, sizes))
    console.print(table, highlight=False)


def _print_ratings(ratings: pd.DataFrame, console: Console) -> None:
    table = _table("rating", *ratings.columns)
    for column, row in ratings.iterrows():
        table.add_row(_plain(str(column)), *(f"{value:.4g}" for value in row))
    console.print(table, highlight=False)


def _table(first: str, *others: str) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column(_plain(first), overflow="fold")
    for name in others:
        table.add_column(_plain(name), justify="right", overflow="fold")
    return table


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _short(value: float) -> str:
    return f"{value:.4g}" if 1e-3 <= abs(value) < 1e5 or value == 0 else f"{value:.2e}"


def _lacking(recordings: Recordings, about: Description) -> list[str]:
    from bench.data.windows import Target
    from bench.study.panels import lacking_classes

    if not recordings.trials["subject"].any() or not about.labels:
        return []
    return [
        line
        for column, counts in about.labels.items()
        if counts.shape[1] <= _MOST_CLASSES
        for line in lacking_classes(recordings, Target(name=column, rule="label"))
    ] or ["everybody has every class"]


def _copies(recordings: Recordings, copies: np.ndarray) -> list[str]:
    ids = [f"{subject}/{trial}" for subject, trial in zip(recordings.trials["subject"], recordings.trials["trial"], strict=True)]  # fmt: skip
    groups = [np.flatnonzero(copies == number) for number in np.unique(copies)]
    groups = [group for group in groups if len(group) > 1]
    if not groups:
        return ["no near-copies among the trials"]
    lines = [
        f"near-copies: trials {', '.join(ids[row] for row in group[:8])}{' ...' if len(group) > 8 else ''} hold nearly the "
        "same signal"
        for group in groups[:_MOST_GROUPS]
    ]
    more = len(groups) - len(lines)
    return [*lines, *([f"and {_count(more, 'more group', 'more groups')} of near-copies"] if more else [])]
