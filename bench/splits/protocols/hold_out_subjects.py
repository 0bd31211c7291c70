"""Protocols that hold out a share of the subjects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.errors import ProtocolError
from bench.registry import register_protocol
from bench.splits.holdout import hash_of
from bench.splits.protocols._base import HoldOut, Rows, at_least_two

if TYPE_CHECKING:
    import pandas as pd

# So many draws of subjects are compared for the one that divides the classes most evenly.
_DRAWS = 64


@register_protocol("subject-independent", promises="clean")
class SubjectIndependent(HoldOut):
    """70/30 of the subjects: nobody is on both sides; of many draws the one with the evenest classes."""

    def split(self, X: pd.DataFrame, y: np.ndarray, groups: object = None) -> Rows:
        """Yield the training and the test rows; see `SubjectStratified.split`."""
        import pandas as pd

        subject = X["subject"].to_numpy()
        y = np.asarray(y)
        subjects = at_least_two("subject", subject)
        counts = pd.crosstab(subject, y).loc[subjects]
        held = min(max(int(self.test_size * len(subjects) + 0.5), 1), len(subjects) - 1)
        best: tuple[float, list[int]] | None = None
        for draw in range(_DRAWS):
            ranked = sorted(subjects, key=lambda s: hash_of(self.seed, f"draw {draw} subject {s}"))
            test = counts.loc[ranked[:held]].sum()
            if (test == counts.sum()).any():
                continue
            uneven = float((test / counts.sum() - self.test_size).abs().max())
            if best is None or uneven < best[0]:
                best = uneven, ranked[:held]
        if best is None:
            # No draw trains on every class: say which one only the held-out have.
            rare = str((counts > 0).sum().idxmin())
            only = counts.index[counts[rare] > 0].tolist()
            raise ProtocolError(
                f"class '{rare}' occurs in subject {', '.join(map(str, only))} only: "
                "whole subjects cannot be held out"
            )
        out = np.isin(subject, best[1])
        yield np.flatnonzero(~out), np.flatnonzero(out)
