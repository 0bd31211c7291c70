"""What `list`, `run --plan`, `stream` and the end of a run print on the terminal."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.errors import BenchError, SuiteError, nearest
from bench.registry import broken, plugins
from bench.suites import suite_titles

if TYPE_CHECKING:
    from bench.audit import Audit
    from bench.canary import Canary
    from bench.cost import Costs
    from bench.plan import Plan, Task
    from bench.report.leaderboard import Leaderboard
    from bench.saved import About

FORMATS = ("text", "csv", "jsonl")


def print_listing(kind: str, console: Console) -> None:
    """Print the suites or the plugins of one kind, or all."""
    kinds: dict[str, Callable[[], list[tuple[str, ...]]]] = {
        "suites": _suites,
        "estimators": lambda: [
            (p.name, p.about["family"], _state(p, p.summary)) for p in _plugins("estimator")
        ],
        "datasets": lambda: [
            (p.name, p.about["licence"], _state(p, p.about["description"])) for p in _plugins("dataset")
        ],
        "protocols": lambda: [
            (p.name, f"promises {p.about['promises']}", p.summary) for p in _plugins("protocol")
        ],
        "resamplers": lambda: [(f"+{p.name}", "", p.summary) for p in _plugins("resampler")],
    }
    if kind != "all" and kind not in kinds:
        raise SuiteError(f"list {kind}: unknown{nearest(kind, [*kinds, 'all'])}")
    for name in kinds if kind == "all" else [kind]:
        table = Table(
            title=name,
            title_justify="left",
            show_header=False,
            box=None,
            pad_edge=False,
            padding=(0, 2, 0, 0),
        )
        table.add_column(no_wrap=True)
        table.add_column()
        table.add_column()
        for row in kinds[name]():
            table.add_row(*map(escape, row))
        console.print(table, "")
    for where, why in broken().items():
        console.print(f"[red]not importable:[/] {escape(where)}: {escape(why)}", soft_wrap=True)


def _plugins(kind: str):
    return plugins(kind).values()


def _state(plugin, text: str) -> str:
    if not plugin.missing:
        return text
    return f"UNAVAILABLE, {plugin.install or 'pip install ' + ' '.join(plugin.missing)}. {text}"


def _suites() -> list[tuple[str, ...]]:
    return [(name, "", title) for name, title in suite_titles().items()]


def print_plan(plan: Plan, costs: Costs, console: Console) -> None:
    """Print the cells of a plan, what its profile changes, and what the waiting cells are expected to take."""
    console.print(f"[bold]{escape(plan.suite.title)}[/], profile {plan.profile}")
    for change in plan.changes:
        console.print(f"  {escape(change)}", soft_wrap=True)
    about = []
    for panel in dict.fromkeys(task.panel for task in plan.tasks):
        n_windows, n_channels, n_timepoints = panel.shape
        about.append(
            f"  {panel.recordings.name}: {n_windows:,} windows of {n_channels} x {n_timepoints}, "
            f"{panel.windows['subject'].nunique()} subjects, classes {', '.join(panel.classes)}"
            + _resampled(panel.recordings.recorded_rate, panel.recordings.sampling_rate)
        )
    for line in dict.fromkeys(about):
        console.print(line, soft_wrap=True)
    verdicts = {task.cell.protocol: task.split.audit.verdict for task in plan.tasks}
    for protocol, verdict in verdicts.items():
        console.print(f"  {protocol}: {verdict}", soft_wrap=True)
    # What says most stays where the terminal is narrow.
    narrow = {
        heading for heading, width in (("train", 90), ("test", 90), ("MB", 70)) if console.width < width
    }
    table = Table(box=None, pad_edge=False)
    for heading in ("estimator", "protocol", "seed", "train", "test", "seconds", "MB", "state"):
        if heading not in narrow:
            table.add_column(
                heading,
                justify="left" if heading in ("estimator", "protocol", "state") else "right",
                no_wrap=heading != "state",
            )
    for task in plan.tasks:
        cell = task.cell
        state = "stored" if not task.why else f"to run: {task.why}" if task.stored else "to run"
        values = {
            "estimator": cell.estimator,
            "protocol": " ".join(
                filter(None, [cell.variant, cell.protocol, cell.ablation and f"({cell.ablation})"])
            ),
            "seed": str(cell.seed) if cell.fold is None else f"{cell.seed}/{cell.fold}",
            "train": f"{len(task.split.train):,}",
            "test": f"{len(task.split.test):,}",
            "seconds": _expected(task, costs.seconds(task), ",.1f"),
            "MB": _expected(task, costs.megabytes(task), ",.0f"),
            "state": state,
        }
        table.add_row(*(escape(value) for heading, value in values.items() if heading not in narrow))
    console.print(table)
    console.print(
        f"{len(plan.tasks)} cells, {len(plan.waiting)} to run; results in {plan.store.folder}", soft_wrap=True
    )
    seconds, unknown = costs.total(plan.waiting)
    if seconds:
        console.print(
            f"expected, one at a time: {timedelta(seconds=round(seconds))}, by stored cells of the same estimators "
            "or else by trials on few windows; MB: what the fit holds at most",
            soft_wrap=True,
        )
    if unknown:
        console.print(escape(f"not timed yet: {', '.join(unknown)}"), soft_wrap=True)


def _resampled(recorded_rate: float | None, rate: float) -> str:
    return "" if recorded_rate is None else f", resampled from {recorded_rate:g} to {rate:g} Hz"


def _expected(task: Task, value: float | None, form: str) -> str:
    return "" if not task.why else "?" if value is None else format(value, form)


def print_leaderboard(board: Leaderboard, console: Console) -> None:
    """Print the leaderboard in as many columns as the terminal is wide."""
    from bench.report.leaderboard import notes, sections

    wide = console.width >= 96
    for heading, part in sections(board):
        table = Table(title=heading, title_justify="left", box=None, pad_edge=False)
        table.add_column("estimator", overflow="fold")
        if wide:
            table.add_column("protocol")
        table.add_column("balanced\naccuracy", justify="right")
        table.add_column("accuracy", justify="right")
        if wide:
            for column in ("F1 macro", "fit s", "predict s"):
                table.add_column(column, justify="right")
        table.add_column("audit" if wide else "protocol", overflow="fold")
        for _, row in part.iterrows():
            good = row.n_cells > 0
            values = [f"{row.balanced_accuracy:.3f}", f"{row.accuracy:.3f}"] if good else ["–", "–"]
            if wide:
                values += (
                    [f"{row.f1_macro:.3f}", f"{row.fit_seconds:.1f}", f"{row.predict_seconds:.1f}"]
                    if good
                    else ["–"] * 3
                )
            last = row.audit if wide else row.protocol
            last = last if row.status == "ok" else f"{row.status}"
            table.add_row(escape(row.estimator), *([escape(row.protocol)] if wide else []), *values, last)
        console.print(table, "")
    for note in notes(board)[:1] if board.about["simulated"] else []:
        console.print(f"[bold red]{note}[/]")


def print_audits(rows: list[tuple[str, str, list[Audit]]], console: Console) -> None:
    """Print one line a protocol: what its splits leak, as the largest share of any split."""
    shares, saw = console.width >= 125, console.width >= 160
    table = Table(box=None, pad_edge=False)
    table.add_column("protocol", no_wrap=True)
    if shares:
        for heading in ("splits", "samples", "trials", "subjects", "stimuli", "copies"):
            table.add_column(heading, justify="right")
    if saw:
        table.add_column("saw the test side")
    table.add_column("verdict", overflow="fold")
    for variant, protocol, audits in rows:
        cells = [f"{variant} {protocol}".strip()]
        if shares:
            cells.append(str(len(audits)))
            for share in ("shared_samples", "shared_trials", "shared_subjects", "shared_stimuli", "copies"):
                cells.append(f"{100 * max(getattr(audit, share) for audit in audits):.0f} %")
        if saw:
            named = {"scaler": "scaler", "resampler": "resampler", "selection": "model selection"}
            found = [
                name for key, name in named.items() if any(getattr(a, f"{key}_saw_test") for a in audits)
            ]
            cells.append(", ".join(found) or "nothing")
        worst = max(
            (audit.verdict for audit in audits), key=lambda text: (text.startswith("LEAKS"), len(text))
        )
        table.add_row(*map(escape, cells), f"[bold red]{worst}[/]" if worst.startswith("LEAKS") else worst)
    console.print(table)
    if shares:
        console.print("[dim]share of the test windows whose ... is in training: the largest of all splits[/]")


def print_canaries(found: list[Canary], console: Console) -> None:
    """Print one line a canary, classifier and protocol."""
    from bench.canary import ALARM, DEMONSTRATION

    wide = console.width >= 110
    table = Table(box=None, pad_edge=False)
    for heading in ("canary", "classifier", "protocol"):
        table.add_column(heading, no_wrap=wide, overflow="fold")
    if wide:
        for heading in ("trials", "correct", "chance", "p"):
            table.add_column(heading, justify="right")
    table.add_column("finding", overflow="fold")
    several = len({one.dataset for one in found}) > 1
    for one in found:
        protocol = f"{one.dataset} {one.protocol}" if several else one.protocol
        cells = [one.canary, one.classifier, protocol]
        if wide:
            tested = one.n_trials > 0
            cells += [
                f"{one.n_trials:,}",
                f"{one.correct / one.n_trials:.3f}" if tested else "–",
                f"{one.chance:.3f}" if tested else "–",
                "–" if one.p != one.p else "<.0001" if one.p < 1e-4 else f"{one.p:.4f}",
            ]
        colour = {ALARM: "bold red", DEMONSTRATION: "yellow"}.get(one.finding)
        last = f"[{colour}]{one.finding}[/]" if colour else escape(one.finding)
        table.add_row(*map(escape, cells), last)
    console.print(table)
    if wide:
        console.print(
            "[dim]correct: share of the tested trials, by the majority of their windows; chance: share of the "
            "commonest class; p: exact binomial, corrected for all tests of this run[/]"
        )


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
