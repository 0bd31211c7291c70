"""The UEA archive of multivariate time series classification problems, in its ``.ts`` files.

Two problems come with sktime and need neither a folder nor a network. The archive's use here is to
compare an estimator with its published accuracy: hardly any of its problems is about emotion. ``uea``
takes all problems from one place; ``uea-paper`` takes four that have such an accuracy from where they are.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.recordings import DataError, Recordings
from bench.registry import register_dataset

if TYPE_CHECKING:
    import pandas as pd

# Shipped inside sktime: problem, and the function of sktime.datasets that reads it.
SHIPPED = {"BasicMotions": "load_basic_motions", "JapaneseVowels": "load_japanese_vowels"}
SPLITS = ("train", "test")

# Those whose published accuracy of MLSTM-FCN the suite uea-paper has.
PAPER = ("ArticularyWordRecognition", "AtrialFibrillation", "BasicMotions", "JapaneseVowels")

CREDIT = (
    "UEA multivariate time series classification archive: Bagnall et al. (2018), arXiv 1811.00075. "
    "The archive states no single licence: research use."
)


def uea_problems(root: Path | None = None) -> dict[str, Sequence[str]]:
    """Return ``{"problem": names}``, sorted: those under `root`, or those shipped inside sktime.

    Raises
    ------
    DataError
        If `root` is not a folder, holds no problem, or half of one.
    """
    if root is None:
        return {"problem": sorted(SHIPPED)}
    found = _find(Path(root))
    # A half is most likely a broken download: left out, a table would lack a row without a word.
    for files in found.values():
        _require(files)
    return {"problem": sorted(found)}


def uea_files(root: Path | None = None) -> list[Path]:
    """Return every ``.ts`` file under `root` that the reader may open; none without a folder."""
    return [] if root is None else [file for _, pair in sorted(_find(Path(root)).items()) for file in pair]


@register_dataset(
    "uea",
    description="multivariate problems of the UEA archive, with its train/test split; two ship with sktime",
    licence="no single licence stated; research use",
    where="https://www.timeseriesclassification.com",
    env="UEA_ROOT",
    files=uea_files,
    variants=uea_problems,
    needs_root=False,
)
def uea(root: Path | None = None, *, subjects: Sequence[int] | None = None, problem: str) -> Recordings:
    """UEA: one multivariate classification problem of the archive, with its default train/test split.

    Parameters
    ----------
    root : Path, optional
        Folder with ``NAME/NAME_TRAIN.ts`` and ``NAME/NAME_TEST.ts`` for each problem, or with the two
        files directly. Without it, the problems that sktime ships are read from sktime itself.
    subjects : None
        The archive does not say who was recorded: anything else is an error.
    problem : str
        Name as in the archive, e.g. ``"BasicMotions"``.

    Returns
    -------
    Recordings
        `signals`: float32, of shape (n_cases, n_channels, length), or a list of (n_channels, length)
        where lengths differ, each case at its true length; in the units of the problem.
        `sampling_rate`: 1.0, the files have no clock. `trials`: train before test, in file order;
        `subject` 0, `trial` and `stimulus` 0 to n_cases - 1, `label` (str, in lower case, as sktime
        reads it), `split`.

    Raises
    ------
    DataError
        If the problem is not there, `subjects` is given, or a file is damaged, has time stamps, has
        missing values or has no classes.

    References
    ----------
    .. [1] A. Bagnall et al., "The UEA multivariate time series classification archive, 2018",
       arXiv 1811.00075.
    """
    if subjects is not None:
        raise DataError(f"{problem}: the UEA archive names no subjects, so none can be chosen")
    cases: list[np.ndarray] = []
    labels: list[str] = []
    splits: list[str] = []
    halves = _load(None if root is None else Path(root), problem)
    for split, (source, X, y) in zip(SPLITS, halves, strict=True):
        signals = _signals(X, source)
        if cases and len(signals[0]) != len(cases[0]):
            raise DataError(f"{source}: {len(signals[0])} channels, but {len(cases[0])} in training cases")
        cases += signals
        labels += map(str, y)
        splits += [split] * len(signals)
    n_channels = len(cases[0])
    equal = len({case.shape for case in cases}) == 1
    return Recordings(
        name=problem,
        signals=np.stack(cases) if equal else cases,
        channels=[f"channel {number}" for number in range(1, n_channels + 1)],
        sampling_rate=1.0,
        trials=_table(labels, splits),
        credit=CREDIT,
    )


def uea_paper_problems(root: Path | None = None) -> dict[str, Sequence[str]]:
    """Return ``{"problem": names}``: those of `PAPER` that `root` holds or sktime ships, sorted.

    Raises
    ------
    DataError
        If `root` is not a folder, holds none of them, or half of one.
    """
    found = _find_paper(root)
    # As in `uea_problems`; and what sktime ships would stand in for a half that the user has.
    for files in found.values():
        _require(files)
    return {"problem": [name for name in PAPER if name in found or name in SHIPPED]}


def uea_paper_files(root: Path | None = None) -> list[Path]:
    """Return the ``.ts`` files of `PAPER` under `root`; none without a folder."""
    return [file for _, pair in sorted(_find_paper(root).items()) for file in pair]


@register_dataset(
    "uea-paper",
    description="the problems of uea with a published accuracy of MLSTM-FCN, from a folder and from sktime",
    licence="no single licence stated; research use",
    where="https://www.timeseriesclassification.com",
    env="UEA_ROOT",
    files=uea_paper_files,
    variants=uea_paper_problems,
    needs_root=False,
)
def uea_paper(root: Path | None = None, *, subjects: Sequence[int] | None = None, problem: str) -> Recordings:
    """UEA: one of the problems with a published accuracy of MLSTM-FCN, from `root` or else from sktime.

    Parameters
    ----------
    root : Path, optional
        Folder as of `uea`. What it does not hold is read from sktime, where that ships it.
    subjects : None
        As of `uea`.
    problem : str
        One of `PAPER`.

    Returns
    -------
    Recordings
        As of `uea`.

    Raises
    ------
    DataError
        As `uea`, and if `root` holds none of `PAPER`.
    """
    if problem not in PAPER:
        raise _unknown(problem, PAPER, "uea-paper")
    return uea(root if problem in _find_paper(root) else None, subjects=subjects, problem=problem)


def _find_paper(root: Path | None) -> dict[str, tuple[Path, Path]]:
    """Return the paths of the two files of each problem of `PAPER` of which `root` has at least one."""
    if root is None:
        return {}
    found = {name: files for name, files in _find(Path(root)).items() if name in PAPER}
    # Going on with what sktime ships would pass over the folder that the user has named.
    if not found:
        raise DataError(
            f"{root}: none of {', '.join(PAPER)} is there; {' and '.join(sorted(SHIPPED))} need no folder"
        )
    return found


def _find(root: Path) -> dict[str, tuple[Path, Path]]:
    """Return the paths of the two files of each problem of which `root` has at least one."""
    if not root.is_dir():
        raise DataError(f"{root}: no such folder")
    found: dict[str, tuple[Path, Path]] = {}
    for file in (*root.glob("*_T*.ts"), *root.glob("*/*_T*.ts")):
        name, _, split = file.stem.rpartition("_")
        if name and split in ("TRAIN", "TEST") and file.parent in (root, root / name):
            found[name] = (file.with_name(f"{name}_TRAIN.ts"), file.with_name(f"{name}_TEST.ts"))
    if not found:
        raise DataError(f"{root}: no problem of the archive, neither NAME_TRAIN.ts nor NAME/NAME_TRAIN.ts")
    return found


def _require(files: Iterable[Path]) -> None:
    for file in files:
        if not file.is_file():
            raise DataError(f"{file}: no such file, though the other half of the problem is there")


def _unknown(problem: str, known: Iterable[str], where: str) -> DataError:
    close = difflib.get_close_matches(problem, known, n=3)
    hint = f"; did you mean {' or '.join(close)}?" if close else f"; there is: {', '.join(sorted(known))}"
    return DataError(f"{where}: no problem '{problem}'{hint}")


def _load(root: Path | None, problem: str) -> list[tuple[str, pd.DataFrame, np.ndarray]]:
    """Return for train and test: the source, the series (one a cell, cases by channels), the labels."""
    if root is None:
        if problem not in SHIPPED:
            raise _unknown(problem, SHIPPED, "UEA problems inside sktime (others need a folder)")
        import sktime.datasets

        load = getattr(sktime.datasets, SHIPPED[problem])
        return [(f"sktime's {problem}, {split}", *load(split, return_type="nested_univ")) for split in SPLITS]
    found = _find(root)
    if problem not in found:
        raise _unknown(problem, found, str(root))
    _require(found[problem])
    return [(str(file), *_read_ts(file)) for file in found[problem]]


def _read_ts(file: Path) -> tuple[pd.DataFrame, np.ndarray]:
    classes = _read_classes(file)
    from sktime.datasets import load_from_tsfile

    def load(encoding: str) -> tuple[pd.DataFrame, np.ndarray]:
        read: tuple[pd.DataFrame, np.ndarray]
        read = load_from_tsfile(str(file), return_data_type="nested_univ", encoding=encoding)
        return read

    try:
        try:
            X, y = load("utf-8-sig")
        except UnicodeDecodeError:
            # Authors' names in the comments of older files; every byte is a Latin-1 character.
            X, y = load("latin-1")
    except Exception as error:  # what sktime raises at a damaged file depends on the damage
        raise DataError(f"{file}: sktime cannot read this file: {error}") from error
    # sktime itself compares the labels with the header only in files with time stamps.
    unknown = sorted(set(y) - classes)
    if unknown:
        raise DataError(f"{file}: a case has the class '{unknown[0]}', which @classLabel does not list")
    return X, y


def _read_classes(file: Path) -> set[str]:
    """Return the classes that the header lists, in lower case, and check what else it says."""
    header: dict[str, str] = {}
    with file.open(encoding="latin-1") as lines:
        for line in lines:
            tag, _, value = line.strip().partition(" ")
            if tag.lower() == "@data":
                break
            header[tag.lower()] = value
        else:
            raise DataError(f"{file}: no line '@data': not a .ts file, or cut short")
    if header.get("@timestamps", "").strip().lower() == "true":
        raise DataError(f"{file}: has time stamps; only evenly sampled problems can be read")
    given, *classes = header.get("@classlabel", "false").split() or ["false"]
    if given.lower() != "true":
        raise DataError(f"{file}: no classes (@classLabel); only classification problems can be read")
    lower = {name.lower() for name in classes}
    if len(lower) < len(set(classes)):
        raise DataError(f"{file}: classes that differ in letter case only, which sktime cannot tell apart")
    return lower


def _signals(X: pd.DataFrame, source: str) -> list[np.ndarray]:
    """Return each case as (n_channels, length), float32."""
    signals = []
    for number, series in enumerate(X.to_numpy(), start=1):
        lengths = {len(values) for values in series}
        if len(lengths) > 1 or 0 in lengths:
            raise DataError(
                f"{source}: case {number} has channels of {' and '.join(map(str, sorted(lengths)))} samples"
            )
        signal = np.array([values.to_numpy() for values in series], dtype=np.float32)
        if np.isnan(signal).any():
            channel = int(np.isnan(signal).any(axis=1).argmax()) + 1
            raise DataError(f"{source}: case {number} has missing values in channel {channel}")
        signals.append(signal)
    return signals


def _table(labels: list[str], splits: list[str]) -> pd.DataFrame:
    import pandas as pd

    trial = np.arange(len(labels))
    return pd.DataFrame({"subject": 0, "trial": trial, "stimulus": trial, "label": labels, "split": splits})
