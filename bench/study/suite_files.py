"""From TOML files to a `Suite`, with what it takes from another by ``extends``; and back to TOML."""

from __future__ import annotations

import os
import tomllib
from itertools import takewhile
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import BaseModel, ValidationError

from bench.data.windows import Target, Windowing
from bench.errors import SuiteError, nearest
from bench.study.suite import Ablations, Change, Folder, Published, Suite, Thinning
from bench.suites import SUITES, suite_titles

# What one file says, beside the file. A suite's own file comes first, then the one it extends, and so on.
_Layer = tuple[Path, dict[str, Any]]


def read_suite(name_or_path: str) -> Suite:
    """Read a suite by its name or from a TOML file.

    A file with ``extends``, the name of a suite or the path of a ``.toml`` file seen from its own folder,
    takes all keys of that suite but its `name`, and changes what it says itself: tables key by key;
    lists, such as `published`, as a whole, so that ``[]`` takes one away. The folder of a data set is seen from
    the folder of the file that names it.

    Raises
    ------
    SuiteError
        If there is no such suite, if its file or one that it extends is not valid, or if files extend
        each other in a circle: the message names file and key.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = SUITES / f"{name_or_path}.toml"
        if name_or_path not in suite_titles():
            raise SuiteError(f"no suite is called '{name_or_path}'{nearest(name_or_path, suite_titles())}")
    layers = _layers(path)
    content: dict[str, Any] = {}
    for _, layer in reversed(layers):
        content = _merged(content, layer)
    content.setdefault("name", path.stem)
    try:
        suite = Suite.model_validate(content)
    except ValidationError as error:
        raise SuiteError("\n".join(_plain(layers, fault) for fault in error.errors())) from None
    if not suite.name.replace("-", "").replace("_", "").isalnum():
        raise SuiteError(f"{path}: key 'name': {suite.name!r} has to be letters, digits, '-' and '_'")
    if suite.name == "reference":
        raise SuiteError(
            f"{path}: key 'name': 'reference' is the folder of the reference results; take another"
        )
    return suite


def suite_as_toml(suite: Suite, place: Path | None = None) -> str:
    """Write a suite as one TOML file with all that is in force, which `read_suite` reads as an equal suite.

    Left out is what is empty or off unless somebody says otherwise, and defaults that nothing looks at. For a file
    in the folder `place`, the folder of the data set is written as seen from there.
    """
    table = _table(suite)
    if place is not None and isinstance(suite.dataset, Folder):
        seen = os.path.relpath(suite.dataset.folder, os.path.realpath(place))
        table["dataset"] = {"folder": Path(seen).as_posix()}
    return tomli_w.dumps(table)


def _layers(path: Path) -> list[_Layer]:
    layers: list[_Layer] = []
    places: list[str] = []
    while True:
        content = _content(path)
        extends = content.pop("extends", None)
        if layers:
            content.pop("name", None)  # results are stored under it: never one folder for two suites
        layers.append((path, content))
        places.append(os.path.realpath(path))
        if extends is None:
            return layers
        parent = _parent(path, extends)
        if (place := os.path.realpath(parent)) in places:
            circle = [str(file) for file, _ in layers[places.index(place) :]]
            raise SuiteError(
                f"{path}: key 'extends': suites extend each other in a circle: "
                f"{' -> '.join([*circle, circle[0]])}"
            )
        path = parent


def _content(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SuiteError(f"{path}: not valid TOML: {error}") from None
    except OSError as error:
        raise SuiteError(f"{path}: {error.strerror}") from None
    dataset = content.get("dataset")
    if isinstance(dataset, dict) and isinstance(dataset.get("folder"), str) and dataset["folder"]:
        dataset["folder"] = os.path.abspath(path.parent / dataset["folder"])
    return content


def _parent(path: Path, extends: object) -> Path:
    where = f"{path}: key 'extends'"
    if not isinstance(extends, str) or not extends.isprintable():
        raise SuiteError(
            f"{where} has to be the name of a suite or the path of a .toml file, found {extends!r}"
        )
    if extends.endswith(".toml"):
        parent = path.parent / extends
        # Not `Path.exists`, which raises where a name is too long or a folder is closed.
        if not os.path.exists(parent):
            folder = parent.parent
            others = {file.name for file in folder.glob("*.toml")} if os.path.isdir(folder) else set()
            raise SuiteError(
                f"{where}: there is no file {parent}{nearest(parent.name, others - {path.name})}"
            )
        return parent
    if extends in suite_titles():
        return SUITES / f"{extends}.toml"
    if os.path.isfile(path.parent / f"{extends}.toml"):
        hint = f"; did you mean '{extends}.toml'?"
    else:
        hint = nearest(extends, suite_titles())
    raise SuiteError(f"{where}: no suite is called '{extends}'{hint}")


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(below.get(key), dict)
        merged[key] = _merged(below[key], value) if both else value
    return merged


def _told_by(layers: list[_Layer], place: tuple[str | int, ...]) -> Path:
    """Return the file that says the key at `place`; of a table, or if none does, the first to say of it."""
    for key in place:
        deeper = [(path, table[key]) for path, table in layers if key in table]
        if not deeper:
            break
        tables = list(takewhile(lambda layer: isinstance(layer[1], dict), deeper))
        if not tables:  # a value hides all that stands below it
            return deeper[0][0]
        layers = tables
    return layers[0][0]


def _plain(layers: list[_Layer], fault: Any) -> str:
    fault = fault.get("ctx", {}).get("fault", fault)
    place = fault["loc"]
    *table, key = place or ("",)
    asked, path = layers[0][0], _told_by(layers, place)
    file = str(path) if path == asked else f"{path}, which {asked} extends"
    where = f"{file}: key '{'.'.join(map(str, place))}'"
    if fault["type"] == "extra_forbidden":
        return f"{where} is unknown{nearest(str(key), _known(table))}"
    if fault["type"] == "missing":
        return f"{where} is missing"
    allowed = nearest(str(fault["input"]), _choices(fault)) if fault["type"] == "literal_error" else ""
    return f"{where}: {fault['msg'].removeprefix('Value error, ')}, found {fault['input']!r}{allowed}"


def _known(table: list[str | int]) -> list[str]:
    models: dict[str | int, type[BaseModel]] = {
        "target": Target,
        "windows": Windowing,
        "profiles": Thinning,
        "ablations": Ablations,
        "rows": Change,
        "published": Published,
    }
    if not table:
        return ["extends", *Suite.model_fields]
    named = [*table[:2], *table[3:]]  # the third is the name that somebody gave to a row
    return list(next(models[part] for part in reversed(named) if part in models).model_fields)


def _choices(fault: Any) -> list[str]:
    return [word.strip("' ") for word in fault["ctx"]["expected"].replace(" or ", ", ").split(",")]


def _table(value: Any) -> Any:
    if isinstance(value, BaseModel):
        unseen = _unseen(value)
        table = {}
        for key, field in type(value).model_fields.items():
            item = getattr(value, key)
            if item != field.default or (item and key not in unseen):
                table[key] = _table(item)
        return table
    if isinstance(value, dict):
        return {key: _table(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_table(item) for item in value]
    return value


def _unseen(table: BaseModel) -> set[str]:
    """Return the keys of a table that nothing looks at, as others of its keys are set."""
    if isinstance(table, Windowing) and table.whole:
        return {"seconds", "overlap"}
    if isinstance(table, Target) and table.rule in ("levels", "label"):
        return {"threshold"}
    return set()
