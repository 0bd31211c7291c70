"""From a panel and a split to what an estimator gets: windows scaled, shared between processes, balanced."""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from pathlib import Path

import filelock
import numpy as np
from pydantic import TypeAdapter

from bench.cells.balance import Balanced, balance
from bench.data.origins import PanelOrigins
from bench.data.scaling import FittedScaling, Scaler, Scaling, make_scaler, what_it_saw
from bench.data.windows import Panel
from bench.splits.audit import Audit, audit_made, with_scaling
from bench.splits.split import LeakError, Split

SEVERAL = -1


@dataclass(frozen=True, eq=False)
class Windows:
    """Both sides of a split: float32 (n, n_channels, n_timepoints), scaled, with 0 where they are padded."""

    X_train: np.ndarray
    X_test: np.ndarray
    scaler: Scaler


def scaled_windows(panel: Panel, split: Split, scaling: Scaling) -> Windows:
    """Copy the windows of both sides, fit the scaler on those that it may see, and scale.

    Raises
    ------
    ValueError
        If the scaler knows nothing of a subject.
    SuiteError
        As `bench.data.scaling.check_scaling`.
    """
    X_train = panel.take(split.train)
    seen = X_train if split.scaler_rows is split.train else panel.take(split.scaler_rows)
    scaler = make_scaler(scaling).fit(seen, PanelOrigins(panel, split.scaler_rows))
    del seen
    return Windows(_scaled(panel, split.train, scaler, X_train), _scaled(panel, split.test, scaler), scaler)


def _scaled(panel: Panel, rows: np.ndarray, scaler: Scaler, X: np.ndarray | None = None) -> np.ndarray:
    X = panel.take(rows) if X is None else X
    scaler.transform(X, PanelOrigins(panel, rows))
    np.copyto(X, 0, where=np.isnan(X))
    return X


def shared_windows(file: Path, panel: Panel, split: Split, scaling: Scaling) -> Windows:
    """Return `scaled_windows` out of a file, which the first process that asks makes.

    All processes have the same memory. A page that one of them writes to, as an estimator may, becomes
    its own. If the disk refuses, the windows are this process's own from the start.

    Parameters
    ----------
    file : Path
        Of these windows only; it need not exist.
    panel, split, scaling
        As for `scaled_windows`, and the same errors.
    """
    n_train = len(split.train)
    about = file.with_suffix(".json")
    try:
        with filelock.FileLock(file.with_suffix(".lock")):
            if not file.exists():
                made = scaled_windows(panel, split, scaling)
                about.write_bytes(_scaling.dump_json(made.scaler.fitted()))
                aside = file.with_suffix(f".{os.getpid()}")
                try:
                    with aside.open("wb") as content:
                        for X in (made.X_train, made.X_test):
                            content.write(X.data)
                    os.replace(aside, file)
                finally:
                    aside.unlink(missing_ok=True)
                del made
        shape = (n_train + len(split.test), *panel.shape[1:])
        X = np.memmap(file, np.float32, "c", shape=shape).view(np.ndarray)
        scaler = _scaling.validate_json(about.read_bytes()).scaler()
    except OSError:
        return scaled_windows(panel, split, scaling)
    # Mapped pages are there once they are touched: not first in the fit, whose time and memory are measured.
    X.reshape(-1)[:: mmap.PAGESIZE // X.itemsize].sum()
    return Windows(X[:n_train], X[n_train:], scaler)


_scaling: TypeAdapter[FittedScaling] = TypeAdapter(FittedScaling)


@dataclass(frozen=True, eq=False)
class Sides:
    """Windows as an estimator gets them: scaled, balanced, without NaN but in what pads them.

    `groups` is a number for what each training window is held out with, should an estimator hold out some: its
    person where the split holds people out, else its trial; `SEVERAL` for one that a resampler mixed from two.
    """

    X_train: np.ndarray
    y_train: np.ndarray
    groups: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    sample_weight: np.ndarray | None
    audit: Audit
    scaler: Scaler


def prepare(
    panel: Panel,
    split: Split,
    scaling: Scaling,
    resampler: str = "",
    seed: int = 0,
    *,
    keep_padding: bool = False,
    windows_file: Path | None = None,
) -> Sides:
    """Copy, scale and balance the windows of a split, and audit what was made.

    A resampler sees 0 in the place of padding; with `keep_padding`, NaN is put back after it. With
    `windows_file`, the scaled windows are those of `shared_windows`.

    Raises
    ------
    LeakError
        As `run_cell`.
    ValueError
        If the resampler cannot work on these windows.
    SuiteError
        As `bench.data.scaling.check_scaling`.
    """
    windows = (
        scaled_windows(panel, split, scaling)
        if windows_file is None
        else shared_windows(windows_file, panel, split, scaling)
    )
    X_train, X_test = windows.X_train, windows.X_test
    y_train, y_test = panel.y[split.train], panel.y[split.test]
    audit, made = with_scaling(split.audit, what_it_saw(scaling)), None
    group = _held_out_together(panel, audit)
    groups = group[split.train]
    lengths = panel.lengths(split.train)
    if resampler:
        rows = split.resampler_rows
        given = X_train if rows is split.train else _scaled(panel, rows, windows.scaler)
        made = balance(resampler, given, panel.y[rows], seed)
        audit = _audited(audit, split, X_test, rows, made, resampler)
        if len(made.X):
            X_train, y_train = np.concatenate([X_train, made.X]), np.concatenate([y_train, made.y])
            parents = group[rows[made.parents]]
            of_one = parents[:, 0] == parents[:, 1]
            groups = np.concatenate([groups, np.where(of_one, parents[:, 0], SEVERAL)])
            lengths = np.concatenate([lengths, panel.lengths(rows)[made.parents].max(axis=1)])
    if keep_padding:
        for X, ends in ((X_train, lengths), (X_test, panel.lengths(split.test))):
            np.copyto(X, np.nan, where=np.arange(X.shape[2]) >= ends[:, None, None])
    weight = made.sample_weight if made else None
    return Sides(X_train, y_train, groups, X_test, y_test, weight, audit, windows.scaler)


def _held_out_together(panel: Panel, audit: Audit) -> np.ndarray:
    """Return a number for each window: the same for those that go to one side as under this split."""
    strangers = audit.subjects_known and not audit.shared_subjects
    if strangers:
        return np.asarray(panel.windows["subject"].factorize()[0])
    return panel.windows["row"].to_numpy()


def _audited(
    audit: Audit, split: Split, X_test: np.ndarray, rows: np.ndarray, made: Balanced, resampler: str
) -> Audit:
    audit = audit_made(audit, split.test, X_test, rows[np.unique(made.parents)], made.X)
    if split.must_be_clean and not audit.clean:
        raise LeakError(f"with +{resampler} it {audit.verdict}")
    return audit
