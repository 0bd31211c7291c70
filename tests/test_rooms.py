"""The floor plan holds: imports run one way, in no circle, and what is heavy is imported where it is used."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
BELOW_STUDY = {"cells", "splits", "data"}
MAY_IMPORT = {
    "cli": {"report", "running", "live", "study", *BELOW_STUDY},
    "report": {"study", *BELOW_STUDY},
    "running": {"study", *BELOW_STUDY},
    "live": {"cells", "data"},
    "study": BELOW_STUDY,
    "cells": {"splits", "data"},
    "splits": {"data"},
    "data": set(),
    "ground": set(),
}
GROUND = {"adapters", "registry", "discovery", "recordings", "spec", "errors", "quantities", "suites"}
HEAVY = {"tensorflow", "keras", "ray", "matplotlib", "sktime", "aeon", "tensorboard"}


def module_of(file: Path) -> str:
    parts = file.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_of(file): file for file in sorted((REPOSITORY / "bench").rglob("*.py"))}
PLUGINS = [
    file
    for folder in ("estimators", "datasets")
    for file in sorted((REPOSITORY / folder).rglob("*.py"))
]  # fmt: skip


def room_of(module: str) -> str:
    first = module.split(".")[1] if "." in module else ""
    # What begins the program stands above all rooms; the packages of plugins are part of the ground.
    return "cli" if first == "__main__" else first if first in MAY_IMPORT else "ground"


@cache
def imported(file: Path, *, late: bool = True) -> list[tuple[str, int]]:
    """Return the modules that a file imports, with the line; `late`: also those within functions and for types."""

    def walk(node: ast.AST) -> Iterator[tuple[str, int]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from ((alias.name, child.lineno) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert not child.level, f"{file}:{child.lineno}: a relative import"
                for alias in child.names:
                    inner = f"{child.module}.{alias.name}"
                    yield (inner if inner in FILES else str(child.module)), child.lineno
            elif late or not (
                isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
                or (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test))
            ):
                yield from walk(child)

    return list(walk(ast.parse(file.read_text(encoding="utf-8"))))


def ties() -> list[tuple[str, str, int]]:
    return [
        (module, name, line)
        for module, file in FILES.items()
        for name, line in imported(file)
        if name == "bench" or name.startswith("bench.")
    ]


def test_every_file_is_in_a_room():
    loose = {module.split(".")[1] for module in FILES if "." in module} - MAY_IMPORT.keys()
    assert loose == GROUND | {"datasets", "estimators", "__main__"}
    assert all((REPOSITORY / "bench" / room).is_dir() for room in MAY_IMPORT if room != "ground")


def test_no_room_imports_one_above_it():
    upwards = [
        f"bench/{module} line {line} imports {name}"
        for module, name, line in ties()
        if room_of(name) not in {room_of(module), "ground"} | MAY_IMPORT[room_of(module)]
        # The command that writes simulated recordings is part of that data set; templates become plugins.
        or (
            name.startswith(("bench.datasets.", "bench.estimators."))
            and module != "bench.cli.data"
            and not module.startswith("bench.study.templates.")
        )
    ]
    assert not upwards


def test_no_files_import_each_other_in_a_circle():
    graph: dict[str, set[str]] = {module: set() for module in FILES}
    for module, name, _ in ties():
        if name != module and name in FILES and name != "bench":
            graph[module].add(name)
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, f"a circle: {' -> '.join((*path[path.index(module) :], module))}"
        if module in done:
            return
        for name in sorted(graph[module]):
            visit(name, (*path, module))
        done.add(module)

    for module in graph:
        visit(module, ())


def test_no_heavy_package_is_imported_before_it_is_used():
    early = [
        f"{file.relative_to(REPOSITORY)} line {line} imports {name}"
        for file in [*FILES.values(), *(f for f in PLUGINS if f.parts[-2] in ("estimators", "datasets"))]
        for name, line in imported(file, late=False)
        if name.split(".")[0] in HEAVY
    ]
    assert not early


@pytest.mark.parametrize("file", PLUGINS, ids=lambda file: "/".join(file.parts[-2:]))
def test_a_plugin_imports_the_ground_and_its_own_files_only(file):
    folder = "estimators" if "estimators" in file.relative_to(REPOSITORY).parts else "datasets"
    own = f"bench.{folder}."
    allowed = {"bench.registry", "bench.recordings", "bench.errors", "bench.adapters"}
    strange = [
        name
        for name, _ in imported(file)
        if name.split(".")[0] == "bench" and name not in allowed and not name.startswith(own)
    ]
    assert not strange


def test_a_plugin_does_not_import_another_family():
    families = {file.stem for file in PLUGINS if file.parent.name == "estimators"}
    families |= {file.parent.name for file in PLUGINS if file.parent.parent.name == "estimators"}
    for file in PLUGINS:
        family = file.stem if file.parent.name in ("estimators", "datasets") else file.parent.name
        for name, _ in imported(file):
            other = name.removeprefix("bench.estimators.").split(".")[0]
            assert not name.startswith("bench.estimators.") or other == family or other.startswith("_"), file
        assert family in families or "datasets" in file.relative_to(REPOSITORY).parts
