"""Options that several commands share, and what they make of a suite."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.errors import SuiteError, nearest

if TYPE_CHECKING:
    from bench.suite import Profile, Suite

SuiteOption = Annotated[
    str, typer.Option("--suite", "-s", help="A suite's name (see `list suites`) or a path to a TOML file.")
]
ResultsOption = Annotated[Path, typer.Option("--results", help="Where results are kept.", metavar="DIR")]
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
    typer.Option("--subject", help="Whose scaling, where each has its own (subject-z-score).", metavar="N"),
]
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format", help="text, csv or jsonl; by default text on a terminal, else csv.", metavar="FORMAT"
    ),
]


def read_study(suite: str, profile: str) -> tuple[Suite, Profile]:
    """Return the suite, and the profile if there is one of that name."""
    from bench.suite import PROFILES, read_suite

    chosen = next((name for name in PROFILES if name == profile), None)
    if chosen is None:
        raise SuiteError(f"--profile {profile}: unknown{nearest(profile, PROFILES)}")
    return read_suite(suite), chosen


def overrides_from(**asked: str | int | None) -> dict[str, Any]:
    """Return the keys of the suite that options set; lists are split, empty ones refused."""
    from bench.spec import split_specs
    from bench.suite import parse_subjects

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
