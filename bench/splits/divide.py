"""From a protocol to audited splits of a panel."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.data import windows
from bench.data.windows import Panel
from bench.errors import ProtocolError
from bench.registry import get
from bench.spec import Spec
from bench.splits import audit, holdout, identical_signals, near_copies, together
from bench.splits.audit import audit_split
from bench.splits.split import LeakError, Split

if TYPE_CHECKING:
    import pandas as pd


class Division:
    """One division of a panel, made when its `split` is first asked for.

    Attributes
    ----------
    fold : int or None
        None where the protocol divides once a seed.
    source : str
        A digest of all that the split follows from: two divisions of one source have the same split.
    """

    def __init__(self, fold: int | None, source: str, make: Callable[[], Split]) -> None:
        self.fold, self.source = fold, source
        self._make = make

    @cached_property
    def split(self) -> Split:
        """The audited split; errors as `divisions`."""
        return self._make()


def divisions(protocol: Spec, panel: Panel, seed: int, *, strict: bool = True) -> list[Division]:
    """Return the divisions of a panel.

    Parameters
    ----------
    protocol : Spec
        A registered protocol, and parameters for it.
    panel : Panel
    seed : int
    strict : bool, default True
        Whether a protocol that promises a clean split, and does not keep it, is an error.

    Raises
    ------
    ProtocolError
        If the windows cannot be divided so; some faults show only when a split is made.
    LeakError
        When a split is made that breaks a promise.
    """
    plugin = get("protocol", protocol.name)
    must_be_clean = plugin.about["promises"] == "clean"

    def told(error: ProtocolError) -> ProtocolError:
        return ProtocolError(f"{panel.recordings.name}, protocol '{protocol}': {error}")

    def copies() -> tuple[pd.DataFrame, np.ndarray]:
        return panel.windows.copy(), panel.y.copy()  # a plugin that writes into them must not blind the audit

    try:
        splitter = plugin.factory(seed=seed, **protocol.parameters)
        n = splitter.get_n_splits(*copies())
    except ProtocolError as error:
        raise told(error) from None
    sees = {name: getattr(splitter, name, "train") for name in ("scaler", "resampler")}

    @cache
    def parts() -> list[tuple[np.ndarray, np.ndarray]]:
        try:
            return _checked(list(splitter.split(*copies())), n)
        except ProtocolError as error:
            raise told(error) from None

    def make(fold: int) -> Split:
        split = make_split(panel, *parts()[fold], sees, must_be_clean=must_be_clean)
        if strict and must_be_clean and not split.audit.clean:
            raise LeakError(
                f"protocol '{protocol}' promises a clean split, and seed {seed} {split.audit.verdict}"
            )
        return split

    # A protocol may follow from a file as well as from code: its digest says so.
    made_by = (plugin.source_digest, getattr(splitter, "digest", ""))
    source = (_code(), made_by, panel.digest, str(protocol), seed, n)
    return [
        Division(None if n == 1 else fold, digest_of(*source, fold), partial(make, fold)) for fold in range(n)
    ]


def _checked(found: list[tuple[np.ndarray, np.ndarray]], n: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the divisions; ProtocolError if there are not `n`, or a side is empty."""
    if len(found) != n:
        raise ProtocolError(f"get_n_splits says {n} divisions, and split gives {len(found)}")
    for sides in found:
        for name, rows in zip(("training", "test"), sides, strict=True):
            if not len(rows):
                raise ProtocolError(f"there is no {name} window")
    return found


def divide(
    protocol: Spec, panel: Panel, seed: int, *, strict: bool = True
) -> Iterator[tuple[int | None, Split]]:
    """Yield the fold and the audited split of each division; parameters and errors as `divisions`."""
    for division in divisions(protocol, panel, seed, strict=strict):
        yield division.fold, division.split


def digest_of(*parts: object) -> str:
    """Return a SHA-256 of what the parts look like in words."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@cache
def _code() -> str:
    """Return a digest of the code that divides and judges."""
    modules = (audit, holdout, identical_signals, near_copies, together, windows)
    return digest_of(*(Path(file).read_bytes() for file in (__file__, *(str(m.__file__) for m in modules))))


def make_split(
    panel: Panel, train: np.ndarray, test: np.ndarray, sees: Mapping[str, str], *, must_be_clean: bool
) -> Split:
    """Audit a division and give it its fingerprint.

    Parameters
    ----------
    panel : Panel
    train, test : ndarray of int
        Rows of the panel.
    sees : mapping
        ``scaler`` and ``resampler``: ``"train"`` or ``"all"``.
    must_be_clean : bool
    """
    both = np.concatenate([train, test])
    scaler_rows, resampler_rows = (both if sees[name] == "all" else train for name in ("scaler", "resampler"))
    audit = audit_split(
        panel.windows,
        train,
        test,
        panel.n_timepoints,
        sampling_rate=panel.recordings.sampling_rate,
        content=panel.content,
        near_copies=panel.near_copies,
        scaler_rows=scaler_rows,
        resampler_rows=resampler_rows,
        thresholds_of_ratings=panel.thresholds_of_ratings,
        dropped=panel.dropped,
    )
    digest = hashlib.sha256(repr({name: sees[name] for name in ("scaler", "resampler")}).encode())
    for rows in (train, test):
        digest.update(panel.keys[rows].tobytes() + b"|")
    return Split(train, test, scaler_rows, resampler_rows, audit, must_be_clean, digest.hexdigest())
