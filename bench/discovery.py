"""Finding plugins: files and folders that register something with `bench.registry` when they are imported.

They lie in the project's ``datasets/`` and ``estimators/`` folders, in the folders of the package where its
protocols and resamplers are, in the folders given by ``--plugins`` or ``BENCH_PLUGINS``, and behind the entry
points ``bench.datasets`` and ``bench.estimators`` of installed packages.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bench.errors import PluginError

_HERE = Path(__file__).resolve().parent
_FOR_USERS = ("datasets", "estimators")
_PACKAGES = (*_FOR_USERS, "splits.protocols", "cells.resamplers")

_broken: dict[str, str] = {}
_folders: list[Path] = []
_loaded: set[str] = set()
_searched = -1  # how many user folders there were at the last search


def plugin_path(package: str, own: Iterable[str]) -> list[str]:
    """Return the search path of `bench.datasets` or `bench.estimators`.

    In a clone the project's plugin folders stand beside ``bench/``; in a wheel their files are
    inside the package itself. The users' folders follow.
    """
    beside = _HERE.parent / package
    clone = [str(beside)] if beside.is_dir() and (_HERE.parent / "pyproject.toml").is_file() else []
    return [*own, *clone, *(str(folder) for folder in _folders)]


def add_plugin_folder(folder: str | os.PathLike[str]) -> None:
    """Search `folder` for plugins too (``--plugins``).

    Raises
    ------
    PluginError
        If there is no such folder.
    """
    path = Path(folder).expanduser().resolve()
    if not path.is_dir():
        raise PluginError(f"plugin folder {folder}: no such folder")
    if path in _folders:
        return
    _folders.append(path)
    for package in _FOR_USERS:
        module = sys.modules.get(f"bench.{package}")
        if module is not None:
            module.__path__.append(str(path))


def plugin_folders() -> list[Path]:
    """Return the folders that `add_plugin_folder` was given."""
    return [*_folders]


def discover() -> None:
    """Import every plugin file, folder and entry point once; what cannot be imported is kept with its reason."""
    global _searched
    for named in filter(None, os.environ.get("BENCH_PLUGINS", "").split(os.pathsep)):
        add_plugin_folder(named)
    # Looking through all installed packages for entry points takes a tenth of a second each time.
    if _searched == len(_folders):
        return
    _searched = len(_folders)
    users = set(_folders)
    for package in _PACKAGES:
        for folder in map(Path, importlib.import_module(f"bench.{package}").__path__):
            # A user's file may register estimators and data sets alike: it is imported once.
            if folder in users and package == "datasets":
                continue
            for file in sorted([*folder.glob("[!_]*.py"), *folder.glob("[!_.]*/__init__.py")]):
                _import_file(package, file)
    for package in _FOR_USERS:
        for point in importlib.metadata.entry_points(group=f"bench.{package}"):
            if point.value not in _loaded:
                _loaded.add(point.value)
                _attempt(f"entry point {point.name}", point.load)


def _import_file(package: str, file: Path) -> None:
    if str(file) in _loaded:
        return
    _loaded.add(str(file))
    kind, plugin = ("folder", file.parent) if file.name == "__init__.py" else ("file", file)

    def load() -> None:
        module = importlib.import_module(f"bench.{package}.{plugin.stem}")
        found = Path(module.__file__ or "")
        if found.resolve() != file.resolve():
            raise PluginError(f"the name {plugin.name} is taken by {found}; rename the {kind}")

    _attempt(str(file), load)


def _attempt(where: str, load: Callable[[], Any]) -> None:
    try:
        load()
    except ModuleNotFoundError as error:
        _broken[where] = f"needs the package '{error.name}': pip install {error.name}"
    except (Exception, SystemExit) as error:  # a plugin may fail in any way; the others must not suffer
        _broken[where] = f"{type(error).__name__}: {error}"
    else:
        _broken.pop(where, None)


def broken() -> dict[str, str]:
    """Return the plugins that could not be imported, with the reason."""
    discover()
    return dict(_broken)


def code_digest(source: Path) -> str:
    """Return a SHA-256 of a plugin's code.

    Parameters
    ----------
    source : Path
        A file of the plugin. Of a plugin that is a folder (a package), all its Python files count; of one
        that is a file, this one. Of what lies beside it, the ``_*.py`` files and ``_*`` folders count that it or
        another of them names.

    Returns
    -------
    str
    """
    folder = _package_of(source)
    own = [source] if folder is None else sorted(folder.rglob("*.py"))
    contents = {file: file.read_bytes() for file in own}
    beside = source.parent if folder is None else folder.parent
    # By what names them: the file itself, or all files of the folder.
    helpers = {
        *(file for file in beside.glob("_*.py") if file.name != "__init__.py"),
        *(file.parent for file in beside.glob("_*/__init__.py")),
    }
    while named := {
        helper for helper in helpers if any(helper.stem.encode() in content for content in contents.values())
    }:
        helpers -= named
        files = [
            file for helper in named for file in ([helper] if helper.is_file() else helper.rglob("*.py"))
        ]
        contents |= {file: file.read_bytes() for file in files}
    names = [] if folder is None else [file.relative_to(folder).as_posix().encode() for file in own]
    others = sorted(contents.keys() - set(own))
    return hashlib.sha256(b"".join([*names, *(contents[file] for file in (*own, *others))])).hexdigest()


def _package_of(source: Path) -> Path | None:
    """Return the outermost package that a file is in, below the folders that are searched for plugins."""
    searched = {
        os.path.realpath(folder)
        for package in _PACKAGES
        for folder in importlib.import_module(f"bench.{package}").__path__
    }
    found = None
    folder = source.parent
    while os.path.realpath(folder) not in searched and (folder / "__init__.py").is_file():
        found, folder = folder, folder.parent
    return found
