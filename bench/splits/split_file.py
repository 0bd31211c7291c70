"""Somebody else's split, out of a CSV file: registered as a protocol of that name, so that it is audited and run."""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import ProtocolError, nearest
from bench.registry import plugins, register_protocol
from bench.splits.protocols._base import Protocol, Rows, check_classes

if TYPE_CHECKING:
    import pandas as pd

_IDS = ("subject", "trial", "start")
_SIDES = ("train", "test")
_LONGEST = 100 * 2**20  # bytes; a split of a million windows has a fifth of it


def register_split(file: Path) -> str:
    """Read a split and register it as the protocol ``split-<name of the file>``.

    Parameters
    ----------
    file : Path
        CSV with a header. Columns ``subject`` and ``trial``, whole numbers; ``start``, the window's first sample in the
        trial at the suite's sampling rate, where windows of one trial are on different sides; and either ``side``,
        ``train`` or ``test``, or ``fold``, a whole number: each fold is tested once on training with all others.
        What is not in the file is on neither side; a line given twice is a window and its copy.

    Returns
    -------
    str
        The protocol's name.

    Raises
    ------
    ProtocolError
        If the file cannot be read as that, with the line at fault.
    """
    table, digest = _read(file)
    name = "split-" + (re.sub(r"[^a-z0-9.-]+", "-", file.stem.lower()).strip("-.") or "file")
    known = plugins("protocol").get(name)
    if known is not None and known.source != Path(__file__):
        raise ProtocolError(f"{file}: a protocol is called '{name}' already: name the file otherwise")

    def given(seed: int = 0) -> GivenSplit:
        return GivenSplit(file, table, digest, seed)

    given.__doc__ = f"The split of {file.name}."
    register_protocol(name, promises="nothing")(given)
    return name


class GivenSplit(Protocol):
    """The split of a file; a seed changes the estimator only.

    Attributes
    ----------
    digest : str
        SHA-256 of the file: its splits follow from its content.
    """

    def __init__(self, file: Path, table: pd.DataFrame, digest: str, seed: int = 0) -> None:
        super().__init__(seed)
        self.file, self.table, self.digest = file, table, digest

    def get_n_splits(self, X: pd.DataFrame | None = None, y: object = None, groups: object = None) -> int:
        """Return the number of folds, 1 where the file has sides."""
        return int(self.table["fold"].nunique()) if "fold" in self.table else 1

    def split(self, X: pd.DataFrame, y: np.ndarray, groups: object = None) -> Rows:
        """Yield the training and the test rows of each fold, in the order of their numbers.

        Raises
        ------
        ProtocolError
            If a side has none of the windows, or a class no training window.
        """
        ids = [name for name in _IDS if name in self.table]
        numbered = X[ids].assign(row=np.arange(len(X)))
        there = numbered.merge(self.table, on=ids).sort_values("row", kind="stable")
        rows = there["row"].to_numpy()
        if "fold" in self.table:
            fold = there["fold"].to_numpy()
            tested = [fold == one for one in np.unique(self.table["fold"])]
        else:
            tested = [(there["side"] == "test").to_numpy()]
        y = np.asarray(y)
        for held in tested:
            train, test = rows[~held], rows[held]
            for side, own in zip(_SIDES, (train, test), strict=True):
                if not len(own):
                    raise ProtocolError(
                        f"{self.file}: none of its {side} windows is among the {len(X):,} windows of the data set"
                    )
            check_classes(X, y, ~np.isin(np.arange(len(X)), train))
            yield train, test


def _read(file: Path) -> tuple[pd.DataFrame, str]:
    """Return the table of a file, its numbers and sides checked, and the file's digest."""
    import pandas as pd

    text, digest = _text_of(file)
    if "side" not in text:
        table = pd.DataFrame({name: _numbers(file, text, name) for name in (*_IDS, "fold") if name in text})
        if table["fold"].nunique() < 2:
            raise ProtocolError(f"{file}: one fold only: there is nothing to train on")
        return table, digest
    table = pd.DataFrame({name: _numbers(file, text, name) for name in _IDS if name in text})
    table["side"] = text["side"].str.strip().str.lower()
    strange = ~table["side"].isin(_SIDES).to_numpy()
    if strange.any():
        at = int(strange.argmax())
        raise ProtocolError(
            f"{file}, line {at + 2}: side {text['side'].iloc[at]!r} is neither train nor test"
        )
    return table, digest


def _text_of(file: Path) -> tuple[pd.DataFrame, str]:
    """Return the cells of a file as text, under the columns that it needs, and the file's digest."""
    import pandas as pd

    try:
        if file.stat().st_size > _LONGEST:
            raise ProtocolError(f"{file}: larger than {_LONGEST // 2**20} MB: no split")
        content = file.read_bytes()
        text = pd.read_csv(
            io.BytesIO(content), dtype=str, keep_default_na=False, encoding="utf-8-sig", skipinitialspace=True
        )
    except OSError as error:
        raise ProtocolError(f"{file}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # pandas' own errors, and those of an encoding, are of these
        raise ProtocolError(f"{file}: no CSV file: {error}") from None
    text.columns = [str(name).strip().lower() for name in text.columns]
    for name in ("subject", "trial"):
        if name not in text:
            raise ProtocolError(f"{file}: no column '{name}'{nearest(name, text.columns)}")
    if ("side" in text) == ("fold" in text):
        raise ProtocolError(f"{file}: needs one of the columns 'side' and 'fold'")
    if text.empty:
        raise ProtocolError(f"{file}: no line after the header")
    return text, hashlib.sha256(content).hexdigest()


def _numbers(file: Path, text: pd.DataFrame, name: str) -> np.ndarray:
    strange = ~text[name].str.fullmatch(r"\s*-?\d{1,18}\s*").to_numpy()
    if strange.any():
        at = int(strange.argmax())
        raise ProtocolError(f"{file}, line {at + 2}: {name} {text[name].iloc[at]!r} is no whole number")
    return np.asarray(text[name].astype(np.int64))
