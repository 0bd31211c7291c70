"""What ``stream`` prints: a line a window, in one of three formats."""

from __future__ import annotations

import csv
import json
import sys
from typing import Any

import numpy as np

from bench.cells.saved import About
from bench.errors import BenchError, nearest

FORMATS = ("text", "csv", "jsonl")


class WindowLines:
    """A line on standard output for each window of a stream, as soon as it is classified.

    Parameters
    ----------
    form : {"text", "csv", "jsonl"} or None
        None: text on a terminal, else csv. What is no window goes to standard error for csv and jsonl.
    about : About
        Of the model.
    hop_samples : int
    replaying : bool
        Whether the true class is known, and printed.
    """

    def __init__(self, form: str | None, about: About, hop_samples: int, *, replaying: bool) -> None:
        if form is not None and form not in FORMATS:
            raise BenchError(f"--format {form}: unknown{nearest(form, FORMATS)}")
        self._form = form or ("text" if sys.stdout.isatty() else "csv")
        self._about = about
        self._hop_samples = hop_samples
        self._columns = ["seconds", "class", "probability", "latency_ms"]
        self._columns += ["true"] if replaying else []
        self._columns += [] if self._form == "text" else ["simulated"]
        self._width = max(5, *map(len, about.classes))
        self.latencies: list[float] = []

    def head(self, delay: float = 0.0) -> None:
        """Print what the model is, and by how many seconds resampling delays its windows."""
        about, data = self._about, self._about.data
        rate = about.sampling_rate
        simulated = ", SIMULATED recordings" if data.simulated else ""
        lines = [
            f"{about.estimator} trained on {data.name}{simulated}: {about.target.name} {', '.join(about.classes)}",
            f"windows of {about.window_samples / rate:g} s every {self._hop_samples / rate:g} s, at {rate:g} Hz: "
            + ", ".join(about.channels),
            f"protocol {about.protocol}, seed {about.seed}: {about.verdict}",
        ]
        if about.recorded_rate is not None:
            lines.insert(
                2,
                f"samples are taken at {about.recorded_rate:g} Hz and resampled to {rate:g} Hz; the filter looks "
                f"{delay:g} s ahead, and windows come that much later",
            )
        file = sys.stdout if self._form == "text" else sys.stderr
        print(*lines, *([data.credit] if data.credit else []), sep="\n", file=file, flush=True)

    def columns(self) -> None:
        """Print the names of the columns."""
        if self._form == "csv":
            csv.writer(sys.stdout, lineterminator="\n").writerow(self._columns)
        elif self._form == "text":
            heading = (
                "seconds",
                f"{'class':<{self._width}}",
                "probability",
                "latency ms",
                *self._columns[4:],
            )
            print(f"{heading[0]:>9}", *heading[1:], sep="  ")
        sys.stdout.flush()

    def window(
        self, seconds: float, label: str, probability: float | None, latency: float, true: str
    ) -> None:
        """Print one window: its end, class, probability, milliseconds, and true class."""
        self.latencies.append(latency)
        if self._form == "text":
            shown = "" if probability is None else f"{probability:.3f}"
            line = f"{seconds:9.2f}  {label:<{self._width}}  {shown:>11}  {latency:10.1f}  {true}"
            print(line.rstrip(), flush=True)
            return
        share = None if probability is None else round(probability, 6)
        values: list[Any] = [round(seconds, 6), label, share, round(latency, 3), true]
        row = dict(zip(["seconds", "class", "probability", "latency_ms", "true"], values, strict=True))
        row["simulated"] = self._about.data.simulated
        row = {column: row[column] for column in self._columns}
        if self._form == "jsonl":
            print(json.dumps(row), flush=True)
            return
        row["simulated"] = str(row["simulated"]).lower()
        csv.writer(sys.stdout, lineterminator="\n").writerow(row.values())
        sys.stdout.flush()

    def summary(self) -> None:
        """Print how many windows there were, and how long they took."""
        text = f"{len(self.latencies)} window{'' if len(self.latencies) == 1 else 's'}"
        if self.latencies:
            p50, p99 = np.percentile(self.latencies, [50, 99])
            text += f"; latency p50 {p50:.1f} ms, p99 {p99:.1f} ms, max {max(self.latencies):.1f} ms"
        print(text, file=sys.stdout if self._form == "text" else sys.stderr, flush=True)
