"""Who votes for whom: what each canary's classifier makes of the divisions of a panel, whatever the classes are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, hstack, vstack
from sklearn.neighbors import NearestNeighbors

from bench.cells.prepare import Sides
from bench.data.windows import Panel
from bench.splits.split import Split
from bench.study.canary_null import Votes

# A stimulus that fewer trials have is no stratum of its own: little could be dealt anew there.
_FEWEST = 5
_NEVER, _BESIDE_ITSELF = -1, -2

# Moments of training and test windows, and the trial of each training window, to comparable features.
Features = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Units:
    """What bears one class when classes are dealt anew: a row of the recordings, whatever the ids say.

    A row that is in training and tested at once, which is what leaks, is two units, so that the null knows
    nothing of the leak. Under folds, where a tested trial trains the other folds, it stays one: its scores
    hang together in the null as they do in what is seen.

    Attributes
    ----------
    ids : DataFrame of n_units rows
        ``row``, ``place`` (the division that tests it, -1 for none, -2 for what trains where its own row is
        tested) and the ids and class ``code`` of the row.
    train, test : list of ndarray of int
        Of each division, the unit of each training and of each test window.
    """

    ids: pd.DataFrame
    train: list[np.ndarray]
    test: list[np.ndarray]

    @cached_property
    def of_people(self) -> np.ndarray:
        """Strata: the number of each unit's side (tested, never, beside itself) and subject."""
        return self._numbered("subject")

    @cached_property
    def of_stimuli(self) -> np.ndarray:
        """Strata: the number of each unit's side and stimulus, rare stimuli of a side together."""
        number = self._numbered("stimulus")
        rare = np.bincount(number)[number] < _FEWEST
        side = self.ids["place"].to_numpy().clip(max=0) - _BESIDE_ITSELF
        return np.where(rare, number.max() + 1 + side, number)

    def _numbered(self, column: str) -> np.ndarray:
        side = self.ids["place"].clip(upper=0)
        return self.ids.groupby([side, column], sort=False).ngroup().to_numpy()

    def sides(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the trained and the tested units, a row a unit and ``division``, with their ids and ``unit``."""
        found = []
        for parts in (self.train, self.test):
            units = [np.unique(part) for part in parts]
            division = np.repeat(np.arange(len(units)), [len(part) for part in units])
            unit = np.concatenate(units)
            found.append(self.ids.iloc[unit].assign(unit=unit, division=division).reset_index(drop=True))
        return found[0], found[1]


def units_of(panel: Panel, splits: Sequence[Split]) -> Units:
    """Return what bears one class in these divisions of a panel."""
    row = panel.windows["row"].to_numpy()
    of_window = np.full(len(panel), _NEVER)
    of_row = np.full(row.max() + 1, _NEVER)
    for k, split in reversed(list(enumerate(splits))):
        of_window[split.test] = k
        of_row[row[split.test]] = k
    of_window = np.where(of_window == _NEVER, of_row[row], of_window)
    windows, places = [], []
    for k, split in enumerate(splits):
        place = of_window[split.train]
        windows.append(split.train)
        places.append(np.where(place == k, _BESIDE_ITSELF, place))
    windows += [split.test for split in splits]
    places += [np.full(len(split.test), k) for k, split in enumerate(splits)]
    window, place = np.concatenate(windows), np.concatenate(places)
    # By the first of its windows, which has the ids under which the unit is on its side.
    _, first, number = np.unique(
        row[window] * (len(splits) + 2) + place + 2, return_index=True, return_inverse=True
    )
    parts = np.split(number, np.cumsum([len(own) for own in windows])[:-1])
    ids = panel.windows.assign(code=np.unique(panel.y, return_inverse=True)[1]).iloc[window[first]]
    ids = ids.reset_index(drop=True).assign(place=place[first])
    return Units(ids, parts[: len(splits)], parts[len(splits) :])


def moments(X: np.ndarray) -> np.ndarray:
    """Mean and deviation of each channel: (n, n_channels, n_timepoints) to (n, 2 * n_channels)."""
    return np.concatenate([X.mean(axis=2), X.std(axis=2)], axis=1)


def as_they_are(train: np.ndarray, test: np.ndarray, trial: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave the moments as the scaler left them: where it brought channels to one range, levels tell most."""
    return train, test


def steady_ranks(train: np.ndarray, test: np.ndarray, trial: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Replace each moment by its rank among the training windows, in units of how much ranks differ within a trial.

    So neither the scaling nor an outlier decides what is near, and a moment that changes from window to window,
    as the mean of a pulse wave, counts less than one that stays, as a temperature.
    """
    ordered = np.sort(train, axis=0)

    def ranks(values: np.ndarray) -> np.ndarray:
        columns = [
            np.searchsorted(own, column, "left") + np.searchsorted(own, column, "right")
            for own, column in zip(ordered.T, values.T, strict=True)
        ]
        return np.stack(columns, axis=1) / (2 * len(train))

    ranked = ranks(train)
    within = ranked - pd.DataFrame(ranked).groupby(trial).transform("mean").to_numpy()
    spread = within.std(axis=0)
    spread[spread == 0] = 1.0
    return ranked / spread, ranks(test) / spread


CLASSIFIERS: dict[str, Features] = {"1-NN": as_they_are, "1-NN of ranks": steady_ranks}


class NearestWindows:
    """Votes of the nearest training window of each test window, collected division by division.

    Parameters
    ----------
    panel : Panel
    units : Units
    features : callable
    with_twins : bool
        Whether to look in the first division how halves of trials find each other, too: `twins`.
    """

    def __init__(self, panel: Panel, units: Units, features: Features, *, with_twins: bool) -> None:
        self.units, self.features = units, features
        self.twins: Votes | None = None
        self._with_twins = with_twins
        self._trial = panel.windows.groupby(["subject", "trial"], sort=False).ngroup().to_numpy()
        self._pairs: list[tuple[np.ndarray, np.ndarray]] = []

    def add(self, k: int, split: Split, sides: Sides) -> None:
        """Find the neighbours of the test windows of division `k`."""
        trial = self._trial[split.train]
        train, test = self.features(moments(sides.X_train), moments(sides.X_test), trial)
        nearest = NearestNeighbors(n_neighbors=1).fit(train).kneighbors(test, return_distance=False)[:, 0]
        self._pairs.append((self.units.test[k], self.units.train[k][nearest]))
        if k == 0 and self._with_twins:
            self.twins = self._of_halves(train, self.units.train[k])

    def votes(self) -> Votes:
        """Return what was found in all divisions."""
        tested, told = (np.concatenate(part) for part in zip(*self._pairs, strict=True))
        return self._votes(tested, told)

    def _votes(self, tested: np.ndarray, told: np.ndarray) -> Votes:
        units, at = np.unique(tested, return_inverse=True)
        n = len(self.units.ids)
        known_by = csr_array((np.ones(len(at)), (at, told)), shape=(len(units), n))
        label = self.units.ids["code"].to_numpy()
        return Votes(label, self.units.of_people, units, known_by, _identity(n))

    def _of_halves(self, train: np.ndarray, unit: np.ndarray) -> Votes | None:
        """Let the later half of each trial's training windows find its earlier half among all other windows.

        The windows come in the order of the panel. None where no trial has two.
        """
        place = pd.Series(unit).groupby(unit).cumcount().to_numpy()
        size = np.bincount(unit)[unit]
        later = np.flatnonzero((place >= size - size // 2) & (size > 1))
        if not len(later):
            return None
        n = min(len(train), int(size.max()) // 2 + 1)
        near = NearestNeighbors(n_neighbors=n).fit(train).kneighbors(train[later], return_distance=False)
        half = np.full(len(train), -1)
        half[later] = unit[later]
        allowed = half[near] != unit[later][:, None]
        found = near[np.arange(len(later)), allowed.argmax(axis=1)]
        return self._votes(unit[later][allowed.any(axis=1)], unit[found][allowed.any(axis=1)])


def by_subject(panel: Panel, units: Units, splits: Sequence[Split], *, lacking: bool = False) -> Votes:
    """Let the other training trials of the same person vote; with `lacking` for what they have least of.

    Classes are dealt anew over people, among trials of the same stimulus: what a stimulus tells is no news of
    a person.
    """
    return _of_same("subject", units, units.of_stimuli, lacking=lacking)


def by_stimulus(panel: Panel, units: Units, splits: Sequence[Split]) -> Votes:
    """Let the training trials of the same stimulus vote; classes are dealt anew within people."""
    return _of_same("stimulus", units, units.of_people)


def by_order(panel: Panel, units: Units, splits: Sequence[Split]) -> Votes:
    """Let the person's training trials that are nearest in the session vote, else those of all people.

    Classes are dealt anew within people.
    """
    trained, tested = units.sides()
    by_person: dict[object, pd.DataFrame] = dict(iter(trained.groupby(["division", "subject"])))
    by_division: dict[object, pd.DataFrame] = dict(iter(trained.groupby("division")))
    pairs = []
    for key, own in tested.groupby(["division", "subject"]):
        there = by_person[key] if key in by_person else by_division[own["division"].iloc[0]]
        away = np.abs(own["order"].to_numpy(float)[:, None] - there["order"].to_numpy(float))
        away[own["row"].to_numpy()[:, None] == there["row"].to_numpy()] = np.inf
        first, second = np.nonzero((away == away.min(axis=1, keepdims=True)) & np.isfinite(away))
        pairs.append((own.index.to_numpy()[first], there["unit"].to_numpy()[second]))
    at, told = (np.concatenate(part) for part in zip(*pairs, strict=True))
    n = len(units.ids)
    known_by = csr_array((np.ones(len(at)), (at, told)), shape=(len(tested), n))
    return _against_training(units, trained, tested, units.of_people, known_by, _identity(n))


def by_start(panel: Panel, units: Units, splits: Sequence[Split]) -> Votes:
    """Let each test window be told by the training windows that start at the same sample of their trials.

    A trial is given the sum of what its windows are told; classes are dealt anew within people.
    """
    start = panel.windows["start"].to_numpy()
    values = np.unique(start)
    n = len(units.ids)

    def windows(parts: list[np.ndarray], rows: Iterable[np.ndarray]) -> tuple[np.ndarray, ...]:
        division = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        place = np.searchsorted(values, start[np.concatenate(list(rows))])
        return np.concatenate(parts), division, division * len(values) + place

    unit, division, value = windows(units.train, (split.train for split in splits))
    shape = (len(splits) * len(values), n)
    tells = csr_array((np.ones(len(unit)), (value, unit)), shape=shape)
    trained = csr_array((np.ones(len(unit)), (division, unit)), shape=(len(splits), n))
    unit, division, value = windows(units.test, (split.test for split in splits))
    tested, first, at = np.unique(unit, return_index=True, return_inverse=True)
    there = tells.sum(axis=1)
    weight = np.divide(1.0, there, out=np.zeros_like(there), where=there > 0)
    known_by = csr_array((weight[value], (at, value)), shape=(len(tested), shape[0]))
    label = units.ids["code"].to_numpy()
    return Votes(label, units.of_people, tested, known_by, tells, division[first], trained)


def _of_same(column: str, units: Units, stratum: np.ndarray, *, lacking: bool = False) -> Votes:
    """Let the training trials with the same value of a column vote, but for those of the same row."""
    trained, tested = units.sides()
    n = len(units.ids)
    keys = pd.concat([trained, tested]).groupby(["division", column], sort=False).ngroup().to_numpy()
    value, known = keys[: len(trained)], keys[len(trained) :]
    tells = csr_array((np.ones(len(value)), (value, trained["unit"])), shape=(keys.max() + 1, n))
    known_by = csr_array(
        (np.ones(len(known)), (np.arange(len(known)), known)), shape=(len(known), tells.shape[0])
    )
    both = tested.assign(at=np.arange(len(tested))).merge(trained, on=["division", "row", column])
    itself = csr_array((-np.ones(len(both)), (both["at"], both["unit_y"])), shape=(len(tested), n))
    return _against_training(
        units,
        trained,
        tested,
        stratum,
        csr_array(hstack([known_by, itself])),
        csr_array(vstack([tells, _identity(n)])),
        lacking=lacking,
    )


def _against_training(
    units: Units,
    trained: pd.DataFrame,
    tested: pd.DataFrame,
    stratum: np.ndarray,
    known_by: csr_array,
    tells: csr_array,
    *,
    lacking: bool = False,
) -> Votes:
    shape = (len(units.train), len(units.ids))
    size = csr_array((np.ones(len(trained)), (trained["division"], trained["unit"])), shape=shape)
    label, division = units.ids["code"].to_numpy(), tested["division"].to_numpy()
    return Votes(label, stratum, tested["unit"].to_numpy(), known_by, tells, division, size, lacking)


def _identity(n: int) -> csr_array:
    return csr_array((np.ones(n), (np.arange(n), np.arange(n))), shape=(n, n))
