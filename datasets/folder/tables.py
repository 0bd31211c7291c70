"""One file of signals: a CSV or Parquet table, or NumPy arrays, as tracks of samples with their times."""

from __future__ import annotations

import csv
import difflib
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.datasets.folder.trials import check_header
from bench.errors import DataError, nearest

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

TIME, RATE = "time", "rate"


@dataclass(frozen=True, eq=False)
class Track:
    """The samples of one channel in one trial.

    Attributes
    ----------
    channel : str
        As the file calls it.
    times : ndarray of shape (n,), float64
        Seconds, strictly ascending.
    values : ndarray of shape (n,), float32
        Finite.
    clocked : bool
        Whether the times stand in the file; otherwise they follow from a rate, from 0 on.
    where : str
        The file, for messages.
    """

    channel: str
    times: NDArray[np.float64]
    values: NDArray[np.float32]
    clocked: bool
    where: str


def read_tracks(path: Path, where: str, rates: Mapping[str, float]) -> list[Track]:
    """Return the channels of a file.

    Parameters
    ----------
    path : Path
    where : str
        The file's name in messages.
    rates : mapping of str to float
        Samples a second (Hz) by channel, for those without times.

    Raises
    ------
    DataError
        If the file cannot be read, a value is no number, times do not ascend or are not known.
    """
    try:
        if path.suffix == ".npz":
            return _tracks_of_arrays(_read_arrays(path, where), where, rates)
        columns = _read_csv(path, where) if path.suffix == ".csv" else _read_parquet(path, where)
    except OSError as error:
        raise DataError(f"{where}: {error.strerror or error}") from None
    line = 2 if path.suffix == ".csv" else 1
    time = columns.pop(TIME, None)
    if not columns:
        raise DataError(f"{where}: no column beside {TIME}")
    own = {channel: time for channel in columns}
    return _tracks(columns, own, rates, where, ("line", line))


def _read_csv(path: Path, where: str) -> dict[str, NDArray[np.float64]]:
    import pandas as pd

    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            header = [column.strip() for column in next(csv.reader(lines), [])]
        check_header(header, where)
        if all(_is_number(column) for column in header):
            raise DataError(f"{where}, line 1: has to name the columns; it holds numbers")
        try:
            table = _read_table(path, header, np.float64)
        except pd.errors.ParserWarning:
            raise DataError(f"{where}: its lines hold more values than line 1 names columns") from None
        except pd.errors.ParserError as error:
            raise DataError(f"{where}: {str(error).rpartition('error: ')[2].strip()}") from None
        except ValueError:
            raise _no_number(_read_table(path, header, str), where) from None
    except UnicodeDecodeError:
        raise DataError(f"{where}: not a text in UTF-8") from None
    except csv.Error as error:
        raise DataError(f"{where}: not a CSV table: {error}") from None
    return {column: table[column].to_numpy() for column in header}


def _read_table(path: Path, header: list[str], dtype: type) -> pd.DataFrame:
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("error" if dtype is np.float64 else "ignore", pd.errors.ParserWarning)
        return pd.read_csv(
            path,
            encoding="utf-8-sig",
            names=header,
            header=0,
            dtype=dtype,
            skip_blank_lines=False,
            index_col=False,
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _no_number(table: pd.DataFrame, where: str) -> DataError:
    import pandas as pd

    for column in table:
        numbers = pd.to_numeric(table[column], errors="coerce")
        strange = np.flatnonzero(numbers.isna() & table[column].notna())
        if len(strange):
            text = str(table[column].iloc[strange[0]])[:40]
            unit = " of seconds" if column == TIME else ""
            return DataError(
                f"{where}, line {strange[0] + 2}: {column} is '{text}', which is no number{unit}"
            )
    return DataError(f"{where}: not a table of numbers")


def _read_parquet(path: Path, where: str) -> dict[str, NDArray[np.float64]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path).read()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{where}: not a Parquet file: {str(error).splitlines()[0]}") from None
    check_header(list(table.column_names), where)
    columns = {}
    for column in table.column_names:
        kind = table.schema.field(column).type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise DataError(f"{where}: {column} holds {kind}, not numbers")
        columns[column] = table.column(column).cast(pa.float64()).to_numpy()
    return columns


def _read_arrays(path: Path, where: str) -> dict[str, NDArray[np.float64]]:
    arrays = {}
    try:
        with path.open("rb") as stream:
            file = np.load(stream, allow_pickle=False)  # nothing in it is executed
            if isinstance(file, np.ndarray):
                raise DataError(
                    f"{where}: one array without a name; write it with numpy.savez(..., BVP=array)"
                )
            for name in file.files:
                array = file[name]
                if array.ndim > 1 or array.dtype.kind not in "iuf":
                    raise DataError(
                        f"{where}: array '{name}' has shape {array.shape} of {array.dtype}; a channel is one row of numbers"
                    )
                arrays[name] = array.astype(np.float64)
    except (ValueError, EOFError, KeyError, RuntimeError, zlib.error, zipfile.BadZipFile):
        raise DataError(
            f"{where}: not a file of NumPy arrays of numbers (objects in it are not read)"
        ) from None
    return arrays


def _tracks_of_arrays(
    arrays: dict[str, NDArray[np.float64]], where: str, rates: Mapping[str, float]
) -> list[Track]:
    about = {
        name
        for name in arrays
        if name in (TIME, RATE) or name.endswith((f"_{TIME}", f"_{RATE}")) or not arrays[name].ndim
    }
    channels = {name: array for name, array in arrays.items() if name not in about}
    if not channels:
        raise DataError(f"{where}: no array of a channel in it")
    own_times: dict[str, NDArray[np.float64] | None] = {}
    own_rates = dict(rates)
    used = {TIME, RATE}
    for channel in channels:
        names = (channel, channel.partition(" (")[0])
        times = [f"{name}_{TIME}" for name in names]
        found = next((one for one in (*times, TIME) if one in arrays), None)
        given = next((one for one in (*(f"{name}_{RATE}" for name in names), RATE) if one in arrays), None)
        if given is not None:
            own_rates[channel] = _rate(arrays[given], given, where)
            # A rate of its own goes before the times of all.
            found = None if found == TIME and given != RATE else found
        own_times[channel] = None if found is None else arrays[found]
        used |= {found or "", given or ""}
        if found is not None and arrays[found].shape != channels[channel].shape:
            raise DataError(
                f"{where}: '{channel}' has {len(channels[channel])} samples, '{found}' {arrays[found].size}"
            )
    for name in sorted(about - used):
        known = [f"{channel}_{end}" for channel in channels for end in (TIME, RATE)]
        raise DataError(f"{where}: array '{name}' belongs to no channel{nearest(name, known)}")
    return _tracks(channels, own_times, own_rates, where, ("sample", 0))


def _rate(value: NDArray[np.float64], name: str, where: str) -> float:
    if value.size != 1 or not (np.isfinite(value).all() and (value > 0).all()):
        raise DataError(f"{where}: '{name}' has to be one number above 0")
    return float(value.reshape(-1)[0])


def _tracks(
    columns: Mapping[str, NDArray[np.float64]],
    times: Mapping[str, NDArray[np.float64] | None],
    rates: Mapping[str, float],
    where: str,
    counted: tuple[str, int],
) -> list[Track]:
    """Return a track a column, less what is missing in it; `counted` says how rows are called, and the first."""
    word, first = counted
    checked: dict[int, NDArray[np.float64]] = {}
    tracks = []
    for channel, values in columns.items():
        time = times[channel]
        large = np.flatnonzero(np.abs(values) > np.finfo(np.float32).max)
        if len(large):
            raise DataError(
                f"{where}, {word} {large[0] + first}: {channel} is {values[large[0]]:g}, too large a number"
            )
        there = np.isfinite(values)
        if not there.any():
            raise DataError(f"{where}: {channel} has no value at all")
        if time is None:
            rate = rates.get(channel)
            if rate is None:
                raise DataError(f"{where}: {_no_times(channel, list(columns))}")
            of_samples: NDArray[np.float64] = np.arange(len(values)) / rate
        else:
            if id(time) not in checked:
                checked[id(time)] = _ascending(time, list(columns.values()), where, counted)
            of_samples = checked[id(time)]
        if not there.all():
            of_samples, values = of_samples[there], values[there]
        tracks.append(Track(channel, of_samples, values.astype(np.float32), time is not None, where))
    return tracks


def _no_times(channel: str, columns: list[str]) -> str:
    close = difflib.get_close_matches(TIME, [column.lower() for column in columns], n=1, cutoff=0.55)
    meant = next((f"; is '{column}' meant?" for column in columns if column.lower() in close), "")
    return f"no column '{TIME}' (seconds), and no rate of '{channel}' in channels.csv{meant}"


def _ascending(
    time: NDArray[np.float64], columns: list[NDArray[np.float64]], where: str, counted: tuple[str, int]
) -> NDArray[np.float64]:
    """Return the times; DataError at the first that is missing, or not after the one before."""
    word, first = counted
    absent = ~np.isfinite(time)
    if absent.any():
        held = absent & np.logical_or.reduce([np.isfinite(values) for values in columns])
        if held.any():
            raise DataError(f"{where}, {word} {np.flatnonzero(held)[0] + first}: no time")
        # Lines without anything, as at the end of a file: as late as the one before, with no value to use them.
        rows = np.flatnonzero(~absent)
        time = time.copy()
        time[absent] = np.interp(np.flatnonzero(absent), rows, time[rows])
    steps = np.diff(time)
    wrong = np.flatnonzero((steps <= 0) & ~(absent[1:] | absent[:-1]))
    if len(wrong):
        row = int(wrong[0])
        how = "goes back" if steps[row] < 0 else "stands still"
        raise DataError(
            f"{where}, {word} {row + 1 + first}: time {how}, from {_plain(time[row])} to {_plain(time[row + 1])} s"
        )
    return time


def _plain(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".") if abs(seconds) < 1e12 else f"{seconds:.6g}"
