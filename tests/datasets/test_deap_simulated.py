"""The simulated recordings: repeatable, plausible, and with strengths that do what they say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.signal import find_peaks
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import balanced_accuracy_score

from bench.datasets.deap import deap
from bench.datasets.deap_simulated import deap_simulated, write_deap_folder
from bench.estimators.signal_free import order_prior, subject_prior
from bench.recordings import DataError, Recordings
from bench.splits.protocols.hold_out_trials import SubjectStratified

GSR, RESPIRATION, PPG, TEMPERATURE = range(4)
BASELINE = slice(0, 3 * 128)
RATED_ALIKE = {"habit_strength": 0, "persistence_strength": 0}  # ratings know neither who nor when


@pytest.fixture(scope="module")
def four() -> Recordings:
    return deap_simulated(subjects=[1, 2, 3, 4])


@pytest.fixture(scope="module")
def only_effect() -> Recordings:
    """Nothing but the ratings distinguishes people and trials: a larger effect than the default."""
    return deap_simulated(
        subjects=[1, 2, 3, 4], subject_strength=0, trial_strength=0, drift_strength=0, effect_strength=3
    )


def beats_a_minute(signal: np.ndarray, shortest: float) -> float:
    """Peaks a minute, from the median interval (s) between those at least `shortest` apart."""
    swing = np.percentile(signal, 95) - np.percentile(signal, 5)
    peaks, _ = find_peaks(signal, distance=int(shortest * 128), prominence=0.3 * swing)
    return 60 * 128 / np.median(np.diff(peaks))


def responses_a_minute(ohm: np.ndarray) -> float:
    """Skin conductance responses of at least 0.05 uS."""
    peaks, _ = find_peaks(1e6 / ohm, prominence=0.05, distance=64)
    return 60 * len(peaks) / (len(ohm) / 128)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def test_shapes_types_and_what_it_says_of_itself(four: Recordings) -> None:
    assert four.signals.shape == (160, 4, 8064)
    assert four.signals.dtype == np.float32
    assert np.isfinite(four.signals).all()
    assert four.simulated
    assert "no measurement of any person" in four.credit
    assert list(four.trials.columns) == [
        "subject", "trial", "stimulus", "order", "site", "valence", "arousal", "dominance", "liking",
    ]  # fmt: skip
    assert four.trials.subject.tolist() == np.repeat([1, 2, 3, 4], 40).tolist()
    assert (four.trials.trial == np.tile(np.arange(1, 41), 4)).all()


def test_same_seed_same_bytes_and_another_seed_other_ones() -> None:
    again = [deap_simulated(subjects=[7], seed=seed).fingerprint for seed in (3, 3, 4)]
    assert again[0] == again[1] != again[2]


def test_a_subject_does_not_depend_on_the_others(four: Recordings) -> None:
    alone = deap_simulated(subjects=[3])
    np.testing.assert_array_equal(alone.signals, four.signals[80:120])
    assert alone.trials.equals(four.trials[80:120].reset_index(drop=True))
    assert deap_simulated(subjects=(3, 1, 3)).trials.subject.unique().tolist() == [1, 3]


def test_ratings_fill_the_scale_and_the_classes(four: Recordings) -> None:
    for rating in ("valence", "arousal", "dominance", "liking"):
        assert four.trials[rating].between(1, 9).all()
    for rating in ("valence", "arousal"):
        assert set(four.trials[rating].round()) == set(range(1, 10))
        assert (four.trials[rating] > 5).groupby(four.trials.subject).mean().between(0.1, 0.9).all()
    # People agree on a stimulus in part.
    by_subject = four.trials.pivot_table(index="stimulus", columns="subject", values="arousal").corr()
    assert 0.1 < by_subject.to_numpy()[np.triu_indices(4, 1)].mean() < 0.7


def test_each_has_an_order_of_their_own_and_a_site(four: Recordings) -> None:
    orders = four.trials.order.to_numpy().reshape(4, 40)
    assert (np.sort(orders, axis=1) == np.arange(1, 41)).all()
    assert len({tuple(order) for order in orders}) == 4
    assert set(four.trials.site) == {"Twente"}
    assert deap_simulated(subjects=[22, 23]).trials.site.tolist() == ["Twente"] * 40 + ["Geneva"] * 40


def test_signals_are_plausible(four: Recordings) -> None:
    heart = [beats_a_minute(signal, 0.35) for signal in four.signals[:, PPG]]
    breath = [beats_a_minute(signal, 1.2) for signal in four.signals[:, RESPIRATION]]
    responses = [responses_a_minute(signal) for signal in four.signals[:, GSR]]
    assert min(heart) > 45
    assert max(heart) < 120
    assert min(breath) > 6
    assert max(breath) < 30
    assert four.signals[:, GSR].min() > 1e6 / 40  # conductance below 40 uS ...
    assert four.signals[:, GSR].max() < 1e6 / 0.5  # ... and above 0.5
    assert 1 < np.mean(responses) < 15
    assert four.signals[:, TEMPERATURE].min() > 25
    assert four.signals[:, TEMPERATURE].max() < 38
    assert np.ptp(four.signals[:, TEMPERATURE], axis=1).max() < 1


def test_the_beat_follows_the_breath() -> None:
    """Respiratory sinus arrhythmia: beats come closer together while breathing in."""
    signals = deap_simulated(subjects=[1]).signals
    coupling = []
    for belt, pulse in zip(signals[:, RESPIRATION], signals[:, PPG], strict=True):
        peaks, _ = find_peaks(pulse, distance=45, prominence=0.3 * np.ptp(pulse))
        middle = (peaks[1:] + peaks[:-1]) // 2
        coupling.append(correlation(1 / np.diff(peaks), belt[middle]))
    assert np.mean(coupling) > 0.3


def test_arousal_shows_in_rate_of_responses_heart_breath_and_temperature(only_effect: Recordings) -> None:
    arousal = only_effect.trials.arousal.to_numpy()
    signals = only_effect.signals
    assert correlation(arousal, np.array([responses_a_minute(s) for s in signals[:, GSR]])) > 0.5
    assert correlation(arousal, np.array([beats_a_minute(s, 0.35) for s in signals[:, PPG]])) > 0.5
    assert correlation(arousal, np.array([beats_a_minute(s, 1.2) for s in signals[:, RESPIRATION]])) > 0.5
    assert correlation(arousal, signals[:, TEMPERATURE].mean(axis=1)) < -0.5
    # Before the stimulus starts there is nothing to react to.
    assert abs(correlation(arousal, signals[:, TEMPERATURE, BASELINE].mean(axis=1))) < 0.25


def test_valence_shows_in_depth_and_pulse_and_not_in_rates(only_effect: Recordings) -> None:
    valence = only_effect.trials.valence.to_numpy()
    signals = only_effect.signals
    assert correlation(valence, signals[:, RESPIRATION].std(axis=1)) > 0.5
    assert correlation(valence, signals[:, PPG].std(axis=1)) > 0.5
    assert abs(correlation(valence, np.array([beats_a_minute(s, 0.35) for s in signals[:, PPG]]))) < 0.3


def test_strengths_scale_the_spread_of_levels(four: Recordings) -> None:
    def spread(recordings: Recordings) -> tuple[float, float, float]:
        """Deviation of the temperature between subjects and between trials; of the pulse's height between trials."""
        level = recordings.signals[:, TEMPERATURE].mean(axis=1).reshape(-1, 40)
        height = np.log(recordings.signals[:, PPG].std(axis=1)).reshape(-1, 40)
        return level.mean(axis=1).std(), level.std(axis=1).mean(), height.std(axis=1).mean()

    same = deap_simulated(subjects=[1, 2, 3, 4], subject_strength=0, effect_strength=0)
    still = deap_simulated(subjects=[1, 2, 3, 4], trial_strength=0, effect_strength=0)
    steady = deap_simulated(subjects=[1, 2, 3, 4], drift_strength=0, effect_strength=0)
    assert spread(same)[0] < 0.1 < 0.2 < spread(four)[0]
    assert spread(steady)[1] < 0.05 < 0.25 < spread(four)[1]
    assert spread(still)[2] < 0.09 < 0.14 < spread(four)[2]
    np.testing.assert_allclose(spread(still)[0], spread(four)[0], rtol=0.3)
    np.testing.assert_allclose(spread(still)[1], spread(four)[1], rtol=0.3)
    np.testing.assert_allclose(spread(steady)[0], spread(four)[0], rtol=0.3)
    assert same.trials.equals(four.trials)


def test_strengths_leave_the_other_draws_alone() -> None:
    """Without the effect, the baseline stays what it was; with any strength, the ratings do."""
    with_effect = deap_simulated(subjects=[2])
    without = deap_simulated(subjects=[2], effect_strength=0)
    np.testing.assert_array_equal(with_effect.signals[..., BASELINE], without.signals[..., BASELINE])
    assert not np.array_equal(with_effect.signals, without.signals)
    assert with_effect.trials.equals(without.trials)


# What the person and the place in the session tell, whatever the signals


@pytest.fixture(scope="module")
def some() -> Recordings:
    return deap_simulated(subjects=range(1, 17), effect_strength=0)


@pytest.fixture(scope="module")
def some_without() -> Recordings:
    """Make the same people without habit, persistence and drift."""
    return deap_simulated(subjects=range(1, 17), effect_strength=0, drift_strength=0, **RATED_ALIKE)


def score_of_ids(estimator, recordings: Recordings) -> float:
    """Balanced accuracy of what sees ids only, whole trials held out; over both ratings and ten divisions."""
    ids = recordings.trials[["subject", "trial", "stimulus", "order"]].assign(start=0)
    found = []
    for rating in ("valence", "arousal"):
        y = np.where(recordings.trials[rating] > 5, "high", "low")
        for seed in range(10):
            ((train, test),) = SubjectStratified(seed).split(ids, y)
            predicted = estimator.fit(ids.iloc[train], y[train]).predict(ids.iloc[test])
            found.append(balanced_accuracy_score(y[test], predicted))
    return float(np.mean(found))


def in_order(recordings: Recordings, values: np.ndarray) -> np.ndarray:
    """Return `values`, of shape (n_trials, ...), as (n_subjects, 40, ...), each session in its order."""
    order = recordings.trials.order.to_numpy().reshape(-1, 40)
    by_subject = values.reshape(*order.shape, *values.shape[1:])
    return np.stack([own[np.argsort(place)] for own, place in zip(by_subject, order, strict=True)])


def alike_beside(recordings: Recordings) -> tuple[float, float]:
    """Share of neighbours in a session with the same class, and the share of all pairs of a session."""
    high = (recordings.trials[["valence", "arousal"]] > 5).to_numpy()
    session, n = in_order(recordings, high), high.reshape(-1, 40, 2).sum(axis=1)
    expected = (n * (n - 1) + (40 - n) * (39 - n)) / (40 * 39)
    return float((session[:, 1:] == session[:, :-1]).mean()), float(expected.mean())


def nearest_by_level(recordings: Recordings) -> np.ndarray:
    """Place, from 0, of each trial's nearest in mean skin conductance and temperature: (n_subjects, 40)."""
    means = recordings.signals[:, [GSR, TEMPERATURE], BASELINE.stop :].mean(axis=-1).astype(float)
    level = in_order(recordings, np.stack([np.log(means[:, 0]), means[:, 1]], axis=1))
    level /= level.std(axis=1, keepdims=True)
    away = ((level[:, :, None] - level[:, None]) ** 2).sum(axis=-1)
    away[:, range(40), range(40)] = np.inf
    return away.argmin(axis=-1)


def rated_like_the_nearest(ratings: Recordings, levels: Recordings) -> float:
    """Correlation of a person's ratings with those of the trials that are nearest by level."""
    session = in_order(ratings, ratings.trials[["valence", "arousal", "dominance", "liking"]].to_numpy())
    session = session - session.mean(axis=1, keepdims=True)
    nearest = np.take_along_axis(session, nearest_by_level(levels)[:, :, None], axis=1)
    return correlation(session.ravel(), nearest.ravel())


def test_a2_knowing_the_person_tells_the_class_unless_habits_are_off(
    some: Recordings, some_without: Recordings
) -> None:
    assert 0.58 < score_of_ids(subject_prior(), some) < 0.66
    assert score_of_ids(subject_prior(), some_without) < 0.51
    for rating, high in (("valence", 22), ("arousal", 23)):
        counts = (some.trials[rating] > 5).groupby(some.trials.subject).sum()
        assert counts.std() > 4
        assert abs(counts.mean() - high) < 4
        assert set((some_without.trials[rating] > 5).groupby(some_without.trials.subject).sum()) == {high}


def test_a3_neighbours_in_the_session_are_rated_alike_unless_persistence_is_off(
    some: Recordings, some_without: Recordings
) -> None:
    beside, expected = alike_beside(some)
    assert 0.03 < beside - expected < 0.07
    assert 0.55 < score_of_ids(order_prior(), some) < 0.65
    beside, expected = alike_beside(some_without)
    assert abs(beside - expected) < 0.03
    assert 0.46 < score_of_ids(order_prior(), some_without) < 0.53


def test_a3_the_nearest_trial_by_level_is_a_neighbour_unless_drift_is_off(
    four: Recordings, some: Recordings, some_without: Recordings
) -> None:
    def share(recordings: Recordings) -> float:
        return float((abs(nearest_by_level(recordings) - np.arange(40)) == 1).mean())

    assert 0.5 < share(four) < 0.8
    assert 0.6 < share(some) < 0.9  # ratings that leave no trace do not hide it
    assert share(some_without) < 0.1


def test_a3_levels_tell_of_ratings_that_left_no_trace_if_both_drift_and_persistence_are_on(
    some: Recordings, some_without: Recordings
) -> None:
    assert rated_like_the_nearest(some, some) > 0.08
    assert rated_like_the_nearest(some, some_without) < 0.05
    assert rated_like_the_nearest(some_without, some) < 0.05


def test_strengths_of_the_session_leave_the_other_draws_alone(
    some: Recordings, some_without: Recordings
) -> None:
    """The order is the same, drift comes on top of the signals, ratings only move with habit and persistence."""
    assert some.trials[["order", "site"]].equals(some_without.trials[["order", "site"]])
    only_drift = deap_simulated(subjects=[1, 2], effect_strength=0, **RATED_ALIKE)
    np.testing.assert_array_equal(only_drift.signals, some.signals[:80])
    assert only_drift.trials.equals(some_without.trials[:80])
    # Habit moves all ratings of a person alike, but for the ends of the scale.
    before = some_without.trials.arousal[:40].to_numpy()
    after = deap_simulated(subjects=[1], persistence_strength=0).trials.arousal.to_numpy()
    within = (before > 1) & (before < 9) & (after > 1) & (after < 9)
    assert abs(np.ptp((after - before)[within])) < 1e-9 < abs((after - before)[within]).min()


@pytest.fixture(scope="module")
def forest_scores():
    """Return a function: strengths -> balanced accuracies for arousal, of whole trials and random windows held out."""

    def scores(**strengths: float) -> Iterator[float]:
        recordings = deap_simulated(subjects=range(1, 7), **strengths)
        windows = recordings.signals[..., BASELINE.stop : 63 * 128].reshape(240, 4, 12, 640)
        features = (
            np.concatenate([windows.mean(-1), windows.std(-1)], axis=1).transpose(0, 2, 1).reshape(-1, 8)
        )
        high = (recordings.trials.arousal > 5).to_numpy()
        trial = np.repeat(np.arange(240), 12)
        rng = np.random.default_rng(0)
        held_out = np.zeros(240, bool)
        for subject in range(6):
            for value in (False, True):
                own = np.flatnonzero((recordings.trials.subject == subject + 1) & (high == value))
                held_out[rng.permutation(own)[: round(0.3 * len(own))]] = True
        for test in (held_out[trial], rng.random(len(trial)) < 0.3):
            forest = RandomForestClassifier(40, random_state=0).fit(features[~test], high[trial][~test])
            yield balanced_accuracy_score(high[trial][test], forest.predict(features[test]))

    return scores


def test_without_effect_only_recognising_the_trial_scores(forest_scores) -> None:
    honest, random_windows = forest_scores(effect_strength=0, **RATED_ALIKE)
    assert 0.4 < honest < 0.6
    assert random_windows > 0.68


def test_without_effect_and_trial_offsets_nothing_scores(forest_scores) -> None:
    honest, random_windows = forest_scores(
        effect_strength=0, trial_strength=0, drift_strength=0, **RATED_ALIKE
    )
    assert 0.4 < honest < 0.6
    assert 0.4 < random_windows < 0.62


def test_a_strong_effect_is_found_in_trials_held_out(forest_scores) -> None:
    assert next(forest_scores(effect_strength=4, **RATED_ALIKE)) > 0.65


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"subjects": [1, 33]}, "there is no subject 33"),
        ({"subjects": [0]}, "there is no subject 0"),
        ({"subjects": []}, "no subject"),
        ({"subjects": [1.5]}, "there is no subject 1.5"),
        ({"seed": -1}, "seed -1"),
        ({"trial_strength": -0.1}, "trial_strength -0.1"),
        ({"effect_strength": float("nan")}, "effect_strength nan"),
        ({"habit_strength": 11}, "habit_strength 11"),
        ({"persistence_strength": -1}, "persistence_strength -1"),
        ({"drift_strength": -1}, "drift_strength -1"),
    ],
)
def test_bad_parameters(parameters: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        deap_simulated(**parameters)


def test_files_written_are_read_back_as_the_same_recordings(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "up"
    seen: list[tuple[int, int]] = []
    written = write_deap_folder(folder, subjects=[2, 1], seed=5, progress=lambda *done: seen.append(done))
    assert [path.name for path in written] == ["s01.dat", "s02.dat"]
    assert seen == [(1, 2), (2, 2)]
    assert "Nobody was measured" in (folder / "SIMULATED.txt").read_text(encoding="utf-8")
    read, made = deap(folder, subjects=[1, 2]), deap_simulated(subjects=[1, 2], seed=5)
    np.testing.assert_array_equal(read.signals, made.signals)
    assert read.trials.equals(made.trials)
    assert read.simulated
    assert read.channels == made.channels
    assert read.fingerprint == made.fingerprint


def test_files_written_tell_the_order_in_the_form_of_the_release(tmp_path: Path) -> None:
    write_deap_folder(tmp_path, subjects=[3])
    made = deap_simulated(subjects=[3]).trials.sort_values("order")
    table = pd.read_csv(tmp_path / "participant_ratings.csv")
    assert list(table.columns[:4]) == ["Participant_id", "Trial", "Experiment_id", "Start_time"]
    assert table.Participant_id.tolist() == [3] * 40
    assert table.Trial.tolist() == list(range(1, 41))
    assert table.Experiment_id.tolist() == made.stimulus.tolist()
    np.testing.assert_allclose(table.Arousal, made.arousal, atol=0.006)


@pytest.mark.parametrize("name", ["s02.dat", "participant_ratings.csv"])
def test_no_file_is_put_beside_recordings_that_are_there(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"real")
    with pytest.raises(DataError, match=f"{name} exists"):
        write_deap_folder(tmp_path, subjects=[1])
    assert [path.name for path in tmp_path.iterdir()] == [name]
