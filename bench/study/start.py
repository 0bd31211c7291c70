"""``python -m bench new``: a commented start for a plugin or a suite, which works as it is."""

from __future__ import annotations

import importlib
import importlib.util
import keyword
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from bench.discovery import add_plugin_folder
from bench.errors import BenchError, PluginError, SuiteError, nearest
from bench.registry import plugins
from bench.suites import suite_titles

KINDS = ("estimator", "dataset", "suite")
LIKES = ("sklearn", "sktime", "keras", "torch")
FOLDERS = {"estimator": Path("my_plugins"), "dataset": Path("my_plugins"), "suite": Path()}

_TEMPLATES = Path(__file__).parent / "templates"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_WORDS = {*keyword.kwlist, "np", "pd"}  # that mean something else in the files
_PACKAGES = ("bench.estimators", "bench.datasets")


@dataclass(frozen=True)
class Start:
    """A file that was written, and the commands to type next."""

    file: Path
    next: tuple[str, ...]


def write_start(kind: str, name: str, folder: Path | None = None, like: str | None = None) -> Start:
    """Write a file to start from: ``folder/name.py`` or ``folder/name.toml``.

    Parameters
    ----------
    kind : {"estimator", "dataset", "suite"}
    name : str
        Lower-case words, with '-' between them.
    folder : Path, optional
        Made if it is not there; by default as `FOLDERS` says.
    like : {"sklearn", "sktime", "keras", "torch"}, optional
        The library of an estimator; by default the first.

    Raises
    ------
    PluginError, SuiteError
        If kind, library or name cannot be, if the name is taken, or if the file is there: nothing is ever overwritten.
    """
    if kind not in KINDS:
        raise PluginError(f"new {kind}: unknown{nearest(kind, KINDS)}")
    if like is not None and kind != "estimator":
        raise PluginError(f"--like {like} is of an estimator, not of a {kind}")
    if like is not None and like not in LIKES:
        raise PluginError(f"--like {like}: unknown{nearest(like, LIKES)}")
    error: type[BenchError] = SuiteError if kind == "suite" else PluginError
    folder = FOLDERS[kind] if folder is None else folder.expanduser()
    if folder.exists() and not folder.is_dir():
        raise error(f"--in {folder}: that is no folder")
    _check_name(kind, name, error)
    identifier = name.replace("-", "_")
    file = folder / (f"{name}.toml" if kind == "suite" else f"{identifier}.py")
    if file.exists():
        raise error(f"{file} is there already: nothing was written; take another name or another --in DIR")
    searched = _is_searched(folder)
    if kind == "suite":
        if name in suite_titles():
            raise error(f"a suite is called '{name}' already; take another name")
    else:
        _check_not_taken(kind, name, identifier, folder, searched)
    template = f"estimator_{like or LIKES[0]}.py" if kind == "estimator" else f"{kind}.{file.suffix[1:]}"
    text = (_TEMPLATES / template).read_text(encoding="utf-8")
    as_class = "".join(part.capitalize() for part in name.split("-"))
    for written, means in (
        (f"my-{kind}", name),
        (f"my_{kind}", identifier),
        (f"MY_{kind.upper()}", identifier.upper()),
        (f"My{kind.capitalize()}", as_class),
    ):
        text = text.replace(written, means)
    folder.mkdir(parents=True, exist_ok=True)
    with file.open("x", encoding="utf-8") as content:
        content.write(text)
    return Start(file, _next(kind, name, file, searched, trains=like in ("keras", "torch")))


def _check_name(kind: str, name: str, error: type[BenchError]) -> None:
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", name).lower()
    other = re.sub(r"[^a-z0-9]+", "-", words).strip("-")
    other = other if _NAME.fullmatch(other) and other not in _WORDS else f"my-{kind}"
    if not _NAME.fullmatch(name):
        raise error(f"{kind} name {name!r}: use lower-case words with '-' between them, such as '{other}'")
    if kind != "suite" and name in _WORDS:
        raise error(f"{kind} name '{name}': that word means something else in Python, take another")


def _check_not_taken(kind: str, name: str, identifier: str, folder: Path, searched: bool) -> None:
    if folder.is_dir() and not searched:
        add_plugin_folder(folder)
    for other in ("estimator", "dataset"):  # `check NAME` takes either
        known = plugins(other)
        if name in known:
            raise PluginError(
                f"{'an' if other == 'estimator' else 'a'} {other} is called '{name}' already, in {known[name].source}; "
                "take another name"
            )
    for package in _PACKAGES:
        spec = importlib.util.find_spec(f"{package}.{identifier}")
        if spec is not None:
            raise PluginError(
                f"{kind} name '{name}': the file name {identifier}.py is taken by {spec.origin}; take another name"
            )


def _is_searched(folder: Path) -> bool:
    """Whether plugins in a folder are found without ``--plugins``: a clone's own."""
    paths = [path for package in _PACKAGES for path in importlib.import_module(package).__path__]
    return folder.resolve() in [Path(path).resolve() for path in paths]


def _next(kind: str, name: str, file: Path, searched: bool, trains: bool) -> tuple[str, ...]:
    bench, where = "python -m bench", "" if searched else f" --plugins {shlex.quote(str(file.parent))}"
    if kind == "suite":
        run = f"{bench} run --suite {shlex.quote(str(file))} --profile smoke"
        return f"{run} --plan", run
    spec = f"'{name}[epochs=2]'" if trains else name
    check = f"{bench} check {spec}{where}"
    if kind == "estimator":
        return check, f"{bench} run --suite deap-arousal --profile smoke --estimators {spec}{where}"
    return check, f'{bench} new suite {name}-study     # and say in it: dataset = "{name}"'
