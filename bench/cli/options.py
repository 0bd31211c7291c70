"""Options that several commands share, and what they make of a suite."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.errors import SuiteError, nearest

if TYPE_CHECKING:
    from bench.study.suite import Profile, Suite

SuiteOption = Annotated[
    str, typer.Option("--suite", "-s", help="A suite's name (see `list suites`) or a path to a TOML file.")
]
OneSuiteOption = Annotated[
    str | None,
    typer.Option("--suite", "-s", help="A suite's name (see `list suites`) or a path to a TOML file."),
]
FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--folder",
        help="In place of a suite: your own recordings, trials.csv and a file of signals a trial.",
        metavar="DIR",
    ),
]
TargetOption = Annotated[
    str | None, typer.Option("--target", help="With --folder: the column to predict.", metavar="COLUMN")
]
ThresholdOption = Annotated[
    float | None,
    typer.Option("--threshold", help="With --folder: above it a number is high, else low.", metavar="X"),
]
WindowSecondsOption = Annotated[
    float | None,
    typer.Option("--window-seconds", help="With --folder: of a window; by default 5.", metavar="SECONDS"),
]
OverlapOption = Annotated[
    float | None,
    typer.Option("--overlap", help="With --folder: that two windows share; by default 2.", metavar="SECONDS"),
]
ResultsOption = Annotated[Path, typer.Option("--results", help="Where results are kept.", metavar="DIR")]
StoredOption = Annotated[
    Path | None,
    typer.Option(
        "--results", help="Where results are kept; by default results, then results/reference.", metavar="DIR"
    ),
]
PluginsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugins", help="A folder with plugin files; repeatable, or BENCH_PLUGINS.", metavar="DIR"
    ),
]


ProfileOption = Annotated[str, typer.Option("--profile", help="How much of the suite: smoke, quick or full.")]
ProtocolsOption = Annotated[
    str | None,
    typer.Option("--protocols", help="Instead of the suite's: 'loso,random-windows'.", metavar="NAMES"),
]
SplitOption = Annotated[
    Path | None,
    typer.Option(
        "--split",
        help="A split of your own as a protocol, in place of the suite's: CSV of subject, trial, start (optional), "
        "and side (train, test) or fold.",
        metavar="FILE",
    ),
]
SubjectsOption = Annotated[
    str | None, typer.Option("--subjects", help="Only these: '1-4,7'.", metavar="NUMBERS")
]
DataRootOption = Annotated[
    Path | None,
    typer.Option("--data-root", help="The data set's folder, as its owners distribute it.", metavar="DIR"),
]

SaveModelsOption = Annotated[
    bool,
    typer.Option("--save-models", help="Keep each trained model that can be saved, for `stream`."),
]

JobsOption = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        min=1,
        help="Cells at a time, sharing the cores; by default 1, with ray as many as there is room for.",
        metavar="N",
    ),
]
EngineOption = Annotated[
    str, typer.Option("--engine", help="Where cells run: local, or ray (a cluster).", metavar="NAME")
]
AddressOption = Annotated[
    str | None,
    typer.Option("--address", help="Of the Ray cluster: HOST:PORT or auto.", metavar="ADDRESS"),
]
TimeoutOption = Annotated[
    str | None,
    typer.Option("--timeout", help="A cell that takes longer is ended: 90s, 15m, 2h.", metavar="TIME"),
]
MemoryOption = Annotated[
    str | None,
    typer.Option("--memory", help="A cell that takes more is ended: 800MB, 4GB.", metavar="SIZE"),
]
BudgetOption = Annotated[
    str | None,
    typer.Option(
        "--budget", help="Run what fits into this time: 30m, 2h; say what does not.", metavar="TIME"
    ),
]
RetryFailedOption = Annotated[
    bool, typer.Option("--retry-failed", help="Run only the cells that failed before.")
]

ModelArgument = Annotated[
    Path, typer.Argument(help="A cell's folder with a model, or its model.keras.", metavar="MODEL")
]
ReplayOption = Annotated[
    str | None,
    typer.Option("--replay", help="This recording of the model's data set.", metavar="SUBJECT/TRIAL"),
]
RealTimeOption = Annotated[
    bool, typer.Option("--real-time", help="Replay at the recording's speed, not as fast as it goes.")
]
HopOption = Annotated[
    float | None,
    typer.Option("--hop", help="From window to window; by default as in training.", metavar="SECONDS"),
]
ScaleSubjectOption = Annotated[
    int | None,
    typer.Option(
        "--subject",
        help="Whose scaling, where each has its own (subject-z-score, first-seconds).",
        metavar="N",
    ),
]
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format", help="text, csv or jsonl; by default text on a terminal, else csv.", metavar="FORMAT"
    ),
]


ENGINES = ("local", "ray")


def read_study(suite: str, profile: str) -> tuple[Suite, Profile]:
    """Return the suite, and the profile if there is one of that name."""
    from bench.study.suite import profile_of
    from bench.study.suite_files import read_suite

    chosen = profile_of(profile)
    return read_suite(suite), chosen


def study_of(
    suite: str | None,
    profile: str,
    folder: Path | None,
    data_root: Path | None,
    of_folder: dict[str, Any],
    say: Callable[[str], None],
) -> tuple[Suite, Profile]:
    """Return the suite of ``--suite`` or that of ``--folder``, and the profile; SuiteError unless one is given.

    `of_folder` are the options that say more of a folder: ``target``, ``threshold``, ``seconds`` and ``overlap``.
    """
    if folder is None:
        for name, value in of_folder.items():
            if value is not None:
                option = "--window-seconds" if name == "seconds" else f"--{name}"
                raise SuiteError(f"{option} is of --folder DIR; a suite says it in its file")
        if suite is None:
            raise SuiteError(
                "say what to run: --suite NAME (see `list suites`) or --folder DIR --target COLUMN"
            )
        return read_study(suite, profile)
    if suite is not None:
        raise SuiteError("--suite and --folder: give one of them")
    if data_root is not None:
        raise SuiteError("--data-root is of a suite's data set; --folder is the folder itself")
    from bench.study.folder_suite import suite_of_folder
    from bench.study.suite import profile_of

    chosen = profile_of(profile)
    return suite_of_folder(folder, say=say, **of_folder), chosen


def once(say: Callable[[str], None]) -> Callable[[str], None]:
    """Return what says each line the first time only."""
    said: set[str] = set()

    def say_once(line: str) -> None:
        if line not in said:
            said.add(line)
            say(line)

    return say_once


def check_engine(name: str, address: str | None) -> None:
    """Refuse an engine that there is not, or whose package is missing, and an address without it."""
    if name not in ENGINES:
        raise SuiteError(f"--engine {name}: unknown{nearest(name, ENGINES)}")
    if name == "ray" and importlib.util.find_spec("ray") is None:
        raise SuiteError("--engine ray: Ray is not installed here: pip install 'mlstm-bench[cluster]'")
    if address is not None and name != "ray":
        raise SuiteError("--address is of a Ray cluster: say --engine ray too")


def with_split(overrides: dict[str, Any], split: Path | None) -> dict[str, Any]:
    """Return the overrides with the split of a file as a protocol, beside those that ``--protocols`` names."""
    if split is None:
        return overrides
    from bench.splits.split_file import register_split

    return {**overrides, "protocols": [*overrides.get("protocols", []), register_split(split)]}


def overrides_from(**asked: str | int | None) -> dict[str, Any]:
    """Return the keys of the suite that options set; lists are split, empty ones refused."""
    from bench.spec import split_specs
    from bench.study.suite import parse_subjects

    overrides: dict[str, Any] = {}
    for key, value in asked.items():
        if value is None:
            continue
        overrides[key] = split_specs(str(value)) if key in ("estimators", "protocols") else value
        if overrides[key] == []:
            raise SuiteError(f"--{key}: none is named")
        if key == "subjects":
            parse_subjects(str(value))
    return overrides
