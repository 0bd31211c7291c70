"""From a protocol to audited splits of a panel."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import pandas as pd

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
        folds = splitter.get_n_splits(panel.windows, panel.y)
        parts = list(splitter.split(panel.windows, panel.y))
    except ProtocolError as error:
        raise ProtocolError(f"{panel.recordings.name}, protocol '{protocol}': {error}") from None
    sees = {name: getattr(splitter, name, "train") for name in ("scaler", "resampler")}
    must_be_clean = plugin.about["promises"] == "clean"
    ids = panel.windows[["subject", "trial", "start"]].assign(y=panel.y)
    keys = pd.util.hash_pandas_object(ids, index=False).to_numpy()
    for fold, (train, test) in enumerate(parts):
        both = np.concatenate([train, test])
        scaler_rows, resampler_rows = (both if side == "all" else train for side in sees.values())
        audit = audit_split(
            panel.windows,
            train,
            test,
            panel.n_timepoints,
            content=panel.content,
            scaler_rows=scaler_rows,
            resampler_rows=resampler_rows,
        )
        if strict and must_be_clean and not audit.clean:
            raise LeakError(f"protocol '{protocol}' promises a clean split, and seed {seed} {audit.verdict}")
        digest = hashlib.sha256(repr(sees).encode())
        for rows in (train, test):
            digest.update(keys[rows].tobytes() + b"|")
        yield (
            None if folds == 1 else fold,
            Split(train, test, scaler_rows, resampler_rows, audit, must_be_clean, digest.hexdigest()),
        )
