"""From a data set's name to its `Recordings`, through a cache of what was read or made before."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.data.signals import MappedSignals, write_signals
from bench.errors import DataError
from bench.recordings import Recordings
from bench.registry import Plugin, get
from bench.spec import Spec, check_parameters

RESERVED = ("root", "subjects", "notes")


@dataclass(frozen=True)
class Source:
    """One data set to load: a plugin, its parameters and the folder."""

    plugin: Plugin
    parameters: dict[str, Any]
    root: Path | None
    variant: str = ""


def find_sources(spec: Spec, root: Path | None) -> tuple[list[Source], str]:
    """Resolve a suite's data set.

    Parameters
    ----------
    spec : Spec
    root : Path or None
        From ``--data-root``; where None, the plugin's environment variable is asked.

    Returns
    -------
    list of Source
        One, or one for each variant of a data set that has some.
    str
        What the user should know of the choice, or ``""``.

    Raises
    ------
    DataError
        If a folder is needed and none is given, or the given one does not exist.
    """
    plugin = get("dataset", spec.name)
    check_parameters(plugin, spec.parameters, RESERVED, f"data set '{spec}'")
    about = plugin.about
    origin = "--data-root"
    if root is None and about["env"] and os.environ.get(about["env"]):
        origin = about["env"]
        root = Path(os.environ[origin])
    notice = ""
    if root is not None:
        root = root.expanduser()
        if not root.is_dir():
            raise DataError(f"{origin} {root}: no such folder")
    elif about["needs_root"]:
        if not about["fallback"]:
            raise DataError(
                f"data set '{plugin.name}' needs its folder: --data-root DIR"
                + (f" or {about['env']}=DIR" if about["env"] else "")
                + f". Where to get it: {about['where']}"
            )
        notice = (
            f"No copy of '{plugin.name}' is given (--data-root DIR or {about['env']}=DIR): "
            f"running on '{about['fallback']}', recordings that a program made up."
        )
        plugin = get("dataset", about["fallback"])
        check_parameters(plugin, spec.parameters, RESERVED, f"data set '{plugin.name}'")
    parameters = dict(spec.parameters)
    if plugin.about["variants"] is None:
        return [Source(plugin, parameters, root)], notice
    (name, values), *_ = plugin.about["variants"](root).items()
    values = [parameters[name]] if name in parameters else list(values)
    return [Source(plugin, {**parameters, name: v}, root, variant=str(v)) for v in values], notice


def load_recordings(
    source: Source, subjects: Sequence[int] | None, say: Callable[[str], None] = lambda text: None
) -> Recordings:
    """Load the recordings, from the cache where it holds them and the files have not changed.

    Parameters
    ----------
    source : Source
    subjects : sequence of int, optional
        Only these; None stands for all that the data set should have.
    say : callable
        Told in a line what takes time, and what the data set notes of its files.
    """
    recordings, notes = load_noted(source, subjects, say)
    for line in notes.get("lines", ()):
        say(line)
    return recordings


def load_noted(
    source: Source, subjects: Sequence[int] | None, say: Callable[[str], None] = lambda text: None
) -> tuple[Recordings, dict[str, Any]]:
    """Load the recordings as `load_recordings`, with what the data set notes of its files.

    A data set that has a parameter ``notes`` is given a dict to fill, of what JSON can hold: ``lines``, sentences
    for the user, and ``channels``, for each name its ``rate`` (Hz) and the share ``missing`` as recorded.
    """
    make: Callable[..., Recordings] = source.plugin.factory
    arguments = {**source.parameters, "subjects": None if subjects is None else sorted(subjects)}
    notes: dict[str, Any] = {}
    asked = {"notes": notes} if "notes" in source.plugin.parameters() else {}
    if not source.plugin.about["cache"]:
        return make(source.root, **arguments, **asked), notes
    folder = cache_folder() / f"{source.plugin.name}-{_key(source, arguments)[:20]}"
    cached = _read_cache(folder)
    if cached is not None:
        return cached
    say(f"reading {source.plugin.name} (kept in {folder.parent} for the next run)")
    recordings = make(source.root, **arguments, **asked)
    try:
        _write_cache(folder, recordings, notes)
    except OSError as error:  # a full or read-only disk costs the next run time, not this one its result
        say(f"not kept for the next run: {error}")
        return recordings, notes
    return _read_cache(folder) or (recordings, notes)


def cache_folder() -> Path:
    """``BENCH_CACHE``, else the user's cache folder."""
    import platformdirs

    return Path(os.environ.get("BENCH_CACHE") or platformdirs.user_cache_dir("mlstm-bench", appauthor=False))


def _key(source: Source, arguments: dict[str, Any]) -> str:
    files = source.plugin.about["files"]
    seen = []
    if files is not None and source.root is not None:
        for path in sorted(files(source.root)):
            status = os.stat(path)
            seen.append((str(path.resolve()), status.st_size, status.st_mtime_ns))
    about = (
        source.plugin.name,
        source.plugin.source_digest,
        str(source.root),
        sorted(arguments.items()),
        seen,
    )
    return hashlib.sha256(repr(about).encode()).hexdigest()


def _write_cache(folder: Path, recordings: Recordings, notes: dict[str, Any]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=folder.name, suffix=".tmp", dir=folder.parent))
    try:
        signals = write_signals(aside / "signals.npy", recordings.signals)
        recordings.trials.to_parquet(aside / "trials.parquet", index=False)
        about = {
            "name": recordings.name,
            "channels": list(recordings.channels),
            "sampling_rate": recordings.sampling_rate,
            "baseline_seconds": recordings.baseline_seconds,
            "simulated": recordings.simulated,
            "credit": recordings.credit,
            "lengths": signals.lengths,
            "fingerprint": recordings.fingerprint,
            "notes": notes,
        }
        (aside / "about.json").write_text(json.dumps(about))
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _read_cache(folder: Path) -> tuple[Recordings, dict[str, Any]] | None:
    """Return the cached recordings, memory-mapped, and notes; None if there are none or their bytes have changed."""
    import pandas as pd

    if not folder.is_dir():
        return None
    try:
        about = json.loads((folder / "about.json").read_text())
        lengths, fingerprint = about.pop("lengths"), about.pop("fingerprint")
        notes = about.pop("notes", {})
        signals = MappedSignals(folder / "signals.npy", len(about["channels"]), lengths)
        recordings = Recordings(signals=signals, trials=pd.read_parquet(folder / "trials.parquet"), **about)
    except (OSError, ValueError, KeyError, TypeError, DataError):
        return None
    return (recordings, notes) if recordings.fingerprint == fingerprint else None
