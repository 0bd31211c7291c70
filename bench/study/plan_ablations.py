"""From the ablations of a suite to tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bench.cells.cell import Cell
from bench.cells.store import Store
from bench.data.windows import Panel
from bench.errors import BenchError, SuiteError
from bench.recordings import Recordings
from bench.spec import Spec
from bench.splits.divide import Division, divisions
from bench.study.ablations import Row, ablation_rows, divided_alike
from bench.study.panels import suite_panel
from bench.study.suite import Suite
from bench.study.suite_checks import check_estimators, check_protocols
from bench.study.tasks import Row as TaskRow
from bench.study.tasks import Task, row_of, setting_of, signal_free_rows, task_of, told_under


@dataclass(eq=False)
class PlannedAblations:
    """Cells of the rows of a suite's ablations.

    Attributes
    ----------
    tasks : list of Task
        Cells that several rows share are there once.
    signal_free : list of Task
        Of the estimators without signals, on the same windows and splits.
    entries : list of dict
        A mapping a row of the table: which stored cells it is made of, or why it is left out.
    notices : list of str
        What the user should know.
    """

    tasks: list[Task] = field(default_factory=list)
    signal_free: list[Task] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class _Cut:
    """The windows of rows that have the same, where their cells are stored, and how each seed divides them."""

    panel: Panel
    setting: dict[str, Any]
    folder: str
    divided: list[tuple[int, Division]]


class _Cuts:
    """Cuts the recordings as rows want it, once for rows that want the same, and divides as the reference is divided."""

    def __init__(
        self, suite: Suite, protocol: Spec, recordings: Recordings, say: Callable[[str], None]
    ) -> None:
        self._suite, self._recordings, self._say = suite, recordings, say
        self._made: dict[tuple[bool, float | None], Recordings] = {}
        self._known: list[tuple[Suite, _Cut]] = []
        self.reference = suite_panel(suite, recordings, say, self._made)
        self._divided = [
            (seed, division)
            for seed in range(suite.seeds)
            for division in divisions(protocol, self.reference, seed)
        ]

    def of(self, row: Row) -> _Cut:
        """Return what a row runs on; BenchError if the recordings cannot be cut so."""
        for suite, cut in self._known:
            if suite == row.suite:  # every estimator at one sampling rate
                return cut
        panel = self.reference
        if row.suite != self._suite:
            panel = suite_panel(row.suite, self._recordings, self._say, self._made)
        setting = setting_of(row.suite, panel)
        folders = [cut.folder for _, cut in self._known if cut.setting == setting]
        folder = folders[0] if folders else row.folder if self._known else ""
        divided = self._divided
        if folder:
            divided = [(seed, divided_alike(one, self.reference, panel)) for seed, one in divided]
        self._known.append((row.suite, _Cut(panel, setting, folder, divided)))
        return self._known[-1][1]


def plan_ablations(
    suite: Suite,
    variant: str,
    recordings: Recordings,
    store: Store,
    *,
    save_models: bool,
    say: Callable[[str], None],
) -> PlannedAblations:
    """Plan the rows of a suite's ablations; SuiteError if it has none, or a row changes what cannot be changed so."""
    planned = PlannedAblations()
    if suite.ablations is None:
        raise SuiteError(f"suite '{suite.name}' has no [ablations]")
    (protocol,) = check_protocols(suite.model_copy(update={"protocols": [suite.ablations.protocol]}))
    cuts, name = _Cuts(suite, protocol, recordings, say), str(protocol)
    cells: set[Cell] = set()

    def tasks_of(own: TaskRow, cut: _Cut, *, save: bool) -> Iterator[Task]:
        for seed, division in cut.divided:
            task = task_of(own, name, seed, division, store, save_models=save)
            if task.cell not in cells:
                cells.add(task.cell)
                yield task

    for row in ablation_rows(suite, cuts.reference.channels, recordings.sampling_rate):
        (spec,) = check_estimators(row.suite.model_copy(update={"estimators": [str(row.spec)]}))
        entry = _entry(row, str(spec), variant, name)
        planned.entries.append(entry)
        try:
            cut = cuts.of(row)
            own = row_of(row.suite, spec, cut.panel, variant, cut.folder)
            planned.tasks += tasks_of(own, cut, save=save_models)
            for floor in told_under(name, signal_free_rows(row.suite, cut.panel, variant, cut.folder)):
                planned.signal_free += tasks_of(floor, cut, save=False)
        except BenchError as error:  # a row that this data set cannot give; the others can
            entry["left_out"] = str(error)
            at = row.sampling_rate
            what = f"ablation '{row.name}'" if at is None else f"sampling rate {at:g} Hz"
            planned.notices.append(f"{what} is left out: {error}")
            continue
        entry |= {"ablation": cut.folder, "setting": cut.setting}
    planned.notices = list(dict.fromkeys(planned.notices))  # a rate is left out for every estimator
    planned.entries += _of_earlier_runs(store.read_ablations(), planned.entries)
    return planned


def _entry(row: Row, estimator: str, variant: str, protocol: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": row.name, "variant": variant, "protocol": protocol}
    entry |= {"estimator": estimator, "compared_with": row.compared_with}
    return entry if row.sampling_rate is None else entry | {"sampling_rate": row.sampling_rate}


def _of_earlier_runs(earlier: list[dict[str, Any]], planned: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of the table of sampling rates, planned before, of other estimators on windows of this plan.

    A run of some estimators leaves the rows of the others in the table, as it does in the leaderboard.
    """

    def place(row: dict[str, Any]) -> tuple[Any, ...]:
        return row.get("variant", ""), row.get("protocol"), row["sampling_rate"]

    def estimator(row: dict[str, Any]) -> tuple[Any, ...]:
        return row.get("variant", ""), row.get("estimator")

    of_rates = [row for row in planned if "sampling_rate" in row]
    settings = {place(row): row.get("setting") for row in of_rates}
    here = {estimator(row) for row in of_rates}
    return [
        row
        for row in earlier
        if "setting" in row
        and "sampling_rate" in row
        and estimator(row) not in here
        and settings.get(place(row)) == row["setting"]
    ]
