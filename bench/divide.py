"""From a protocol to audited splits of a panel."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import numpy as np

from bench.audit import audit_split
from bench.cell import LeakError, Split
from bench.protocols import ProtocolError
from bench.registry import get
from bench.spec import Spec
from bench.windows import Panel


def divide(
    protocol: Spec, panel: Panel, seed: int, *, strict: bool = True
) -> Iterator[tuple[int | None, Split]]:
    """Yield the fold (None where there is one only) and the audited split of each division.

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
        If the windows cannot be divided so.
    LeakError
        If a promise is broken.
    """
    plugin = get("protocol", protocol.name)
    try:
        splitter = plugin.factory(seed=seed, **protocol.parameters)
        # Copies: a plugin's protocol that writes into them must not blind the audit.
        ids, labels = panel.windows.copy(), panel.y.copy()
        folds = splitter.get_n_splits(ids, labels)
        parts = list(splitter.split(ids, labels))
    except ProtocolError as error:
        raise ProtocolError(f"{panel.recordings.name}, protocol '{protocol}': {error}") from None
    sees = {name: getattr(splitter, name, "train") for name in ("scaler", "resampler")}
    must_be_clean = plugin.about["promises"] == "clean"
    for fold, (train, test) in enumerate(parts):
        split = make_split(panel, train, test, sees, must_be_clean=must_be_clean)
        if strict and must_be_clean and not split.audit.clean:
            raise LeakError(
                f"protocol '{protocol}' promises a clean split, and seed {seed} {split.audit.verdict}"
            )
        yield (None if folds == 1 else fold), split


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
        content=panel.content,
        scaler_rows=scaler_rows,
        resampler_rows=resampler_rows,
    )
    digest = hashlib.sha256(repr({name: sees[name] for name in ("scaler", "resampler")}).encode())
    for rows in (train, test):
        digest.update(panel.keys[rows].tobytes() + b"|")
    return Split(train, test, scaler_rows, resampler_rows, audit, must_be_clean, digest.hexdigest())
