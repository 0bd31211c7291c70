"""HKU956: what is read from a folder of the release, and what is said of a faulty one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.datasets.hku956 import hku956, hku956_files
from bench.recordings import DataError, Recordings

RATES = {"BVP": 64, "EDA": 4, "TEMP": 4, "HR": 1}
RATINGS = "3. AV_ratings.csv"
HEADER = "participant_id,song_no,song_id,valence_rating,valence,arousal_rating,arousal,play_duration"
# Not in order: the release's table is not either.
ROWS = (
    "hku1904,0,555,-10,negative,10,positive,3",
    "hku1903,10,777,1.5,positive,-2.5,negative,3",
    "hku1903,2,555,0,neutral,0.1,positive,2",
)
SECONDS = {"hku1904/0_555": 3, "hku1903/10_777": 3, "hku1903/2_555": 2}


def write(file: Path, values) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{value}\n" for value in values))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A release of two subjects and three records; channel value = sample number x 10^channel."""
    (tmp_path / RATINGS).write_text("\n".join((HEADER, *ROWS)) + "\n")
    for record, seconds in SECONDS.items():
        subject, name = record.split("/")
        for power, (channel, rate) in enumerate(RATES.items()):
            file = signals(tmp_path) / subject / channel / f"{name}.csv"
            write(file, (10.0**power * k for k in range(seconds * rate)))
    return tmp_path


def signals(root: Path) -> Path:
    return root / "1. physiological_signals"


def test_rows_are_in_order_of_subject_and_trial_with_their_ratings(root: Path) -> None:
    trials = hku956(root).trials
    assert trials.subject.tolist() == [1903, 1903, 1904]
    assert trials.trial.tolist() == trials["order"].tolist() == [2, 10, 0]
    assert trials.stimulus.tolist() == [555, 777, 555]
    assert trials.valence.tolist() == [0.0, 1.5, -10.0]
    assert trials.arousal.tolist() == [0.1, -2.5, 10.0]


def test_each_signal_belongs_to_its_row(root: Path) -> None:
    write(signals(root) / "hku1904" / "BVP" / "0_555.csv", [-7.25] * 192)
    recordings = hku956(root)
    assert [signal.shape for signal in recordings.signals] == [(3, 128), (3, 192), (3, 192)]
    assert all(signal.dtype == np.float32 for signal in recordings.signals)
    assert (recordings.signals[2][0] == -7.25).all()


def test_slow_channels_are_interpolated_on_the_bvp_grid_and_held_at_the_end(root: Path) -> None:
    recordings = hku956(root, heart_rate=True)
    bvp, eda, temperature, heart = recordings.signals[0]
    time = np.arange(128) / 64
    np.testing.assert_array_equal(bvp, np.arange(128))
    np.testing.assert_allclose(eda, 10 * np.minimum(time * 4, 7), rtol=1e-6)
    np.testing.assert_allclose(temperature, 100 * np.minimum(time * 4, 7), rtol=1e-6)
    np.testing.assert_allclose(heart, 1000 * np.minimum(time, 1), rtol=1e-6)


def test_channels_carry_units_and_heart_rate_is_on_request(root: Path) -> None:
    plain = hku956(root)
    assert plain.sampling_rate == 64.0
    assert list(plain.channels) == ["BVP", "EDA (uS)", "temperature (deg C)"]
    assert list(hku956(root, heart_rate=True).channels) == [*plain.channels, "heart rate (bpm)"]
    assert "CC BY-NC 4.0" in plain.credit
    assert "12(18):9354" in plain.credit
    assert not plain.simulated


def test_a_trial_ends_with_its_shortest_channel(root: Path) -> None:
    write(signals(root) / "hku1903" / "EDA" / "2_555.csv", [0.5] * 6)  # 1.5 s
    assert hku956(root).signals[0].shape == (3, 96)
    write(signals(root) / "hku1903" / "HR" / "2_555.csv", [70.0])  # 1 s
    assert hku956(root).signals[0].shape == (3, 96)
    assert hku956(root, heart_rate=True).signals[0].shape == (4, 64)


def test_the_readmes_spelling_of_the_folder_is_accepted(root: Path) -> None:
    before = hku956(root).fingerprint
    signals(root).rename(root / "1. physiological signals")
    assert hku956(root).fingerprint == before


def test_windows_line_ends_and_byte_order_mark_change_nothing(root: Path) -> None:
    before = hku956(root).fingerprint
    for file in (root / RATINGS, signals(root) / "hku1903" / "BVP" / "2_555.csv"):
        mark = b"\xef\xbb\xbf" if file.name == RATINGS else b""
        file.write_bytes(mark + file.read_bytes().replace(b"\n", b"\r\n"))
    assert hku956(root).fingerprint == before


def test_chosen_subjects_only_need_their_own_files(root: Path) -> None:
    shutil.rmtree(signals(root) / "hku1903")
    assert hku956(root, subjects=[1904]).trials.subject.tolist() == [1904]


def test_order_and_repetition_of_subjects_do_not_matter(root: Path) -> None:
    assert hku956(root, subjects=[1904, 1903, 1904]).fingerprint == hku956(root).fingerprint


def test_heart_rate_files_are_needed_only_for_heart_rate(root: Path) -> None:
    shutil.rmtree(signals(root) / "hku1903" / "HR")
    assert len(hku956(root).trials) == 3
    with pytest.raises(DataError, match=r"HR.10_777\.csv: no such file"):
        hku956(root, heart_rate=True)


def test_other_parts_of_the_release_and_hidden_files_are_left_alone(root: Path) -> None:
    before = hku956(root).fingerprint
    write(signals(root) / "hku1903" / "IBI" / "2_555.csv", ["0.5,IBI"])
    write(signals(root) / "hku1903" / "BVP" / "._2_555.csv", ["from an archive made on macOS"])
    write(root / "2. original_song_audio.csv", ["song_id,link"])
    assert hku956(root).fingerprint == before


def test_files_lists_what_is_read(root: Path) -> None:
    files = hku956_files(root)
    assert len(files) == len(set(files)) == 1 + 3 * 4
    assert all(file.is_file() for file in files)
    assert root / RATINGS in files
    assert not any("IBI" in file.parts for file in files)


def edit(name: str, change: Callable[[str], str]) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        file = root / name
        file.write_text(change(file.read_text()))

    return apply


BVP = "1. physiological_signals/hku1903/BVP/2_555.csv"
# What is done to the folder, and what the message must contain.
FAULTS = {
    "no ratings": (lambda r: (r / RATINGS).unlink(), [RATINGS, "there is: 1. physiological_signals"]),
    "no signals": (lambda r: shutil.rmtree(signals(r)), ["1. physiological_signals", f"there is: {RATINGS}"]),
    "no folder of a rated subject": (
        lambda r: shutil.rmtree(signals(r) / "hku1903"),
        ["no folder hku1903", "there are: 1904"],
    ),
    "folder of a subject without ratings": (
        lambda r: write(signals(r) / "hku1999" / "BVP" / "0_1.csv", [1]),
        ["hku1999", "no row"],
    ),
    "rated record without its file": (lambda r: (r / BVP).unlink(), [BVP, "no such file", "line 4"]),
    "song of the file is another": (
        lambda r: (r / BVP).rename((r / BVP).with_name("2_556.csv")),
        [BVP, "no such file"],
    ),
    "record without a rating": (
        lambda r: write(signals(r) / "hku1903" / "TEMP" / "5_5.csv", [1]),
        ["hku1903/TEMP/5_5.csv", "no row"],
    ),
    "text in the samples": (edit(BVP, lambda t: t.replace("\n3.0\n", "\noff\n")), [BVP, "line 4", "'off'"]),
    "two numbers in a line": (edit(BVP, lambda t: t.replace("\n3.0\n", "\n3 0\n")), [BVP, "line 4", "'3 0'"]),
    "empty line": (edit(BVP, lambda t: t.replace("\n3.0\n", "\n\n")), [BVP, "line 4", "''"]),
    "NaN": (edit(BVP, lambda t: t.replace("\n3.0\n", "\nnan\n")), [BVP, "line 4", "'nan'"]),
    "infinity": (edit(BVP, lambda t: t.replace("\n3.0\n", "\n-inf\n")), [BVP, "line 4", "'-inf'"]),
    "empty file": (edit(BVP, lambda t: ""), [BVP, "empty"]),
    "rating too high": (
        edit(RATINGS, lambda t: t.replace(",1.5,", ",10.5,")),
        [f"{RATINGS}, line 3", "valence_rating", "'10.5'", "-10 to 10"],
    ),
    "rating missing": (
        edit(RATINGS, lambda t: t.replace(",-2.5,", ",,")),
        [f"{RATINGS}, line 3", "arousal_rating", "''"],
    ),
    "rating is NaN": (edit(RATINGS, lambda t: t.replace(",-2.5,", ",nan,")), ["line 3", "'nan'"]),
    "row cut short": (edit(RATINGS, lambda t: t + "hku1904,1,556,2\n"), ["line 5", "arousal_rating", "None"]),
    "participant is a bare number": (
        edit(RATINGS, lambda t: t.replace("hku1904,", "1904,")),
        ["line 2", "participant_id", "'1904'"],
    ),
    "song number is text": (
        edit(RATINGS, lambda t: t.replace(",10,777", ",x,777")),
        ["line 3", "song_no", "'x'"],
    ),
    "record rated twice": (edit(RATINGS, lambda t: t + ROWS[1] + "\n"), ["line 5", "1903", "10", "line 3"]),
    "column missing": (edit(RATINGS, lambda t: t.replace("song_id", "song")), [RATINGS, "no column song_id"]),
    "no rows": (edit(RATINGS, lambda t: HEADER + "\n"), [RATINGS, "no rating"]),
    "empty table": (edit(RATINGS, lambda t: ""), [RATINGS, "no column"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_folder_is_an_error_that_names_the_place(root: Path, fault: str) -> None:
    spoil, parts = FAULTS[fault]
    spoil(root)
    with pytest.raises(DataError) as raised:
        hku956(root)
    message = str(raised.value).replace("\\", "/")
    assert [part for part in parts if part not in message] == [], message


def test_no_subject_at_all_is_an_error(root: Path) -> None:
    with pytest.raises(DataError, match="no trial at all"):
        hku956(root, subjects=[])


def test_an_unknown_subject_is_named_with_those_there_are(root: Path) -> None:
    with pytest.raises(DataError, match=r"no subject 7 .*there are: 1903-1904"):
        hku956(root, subjects=[1903, 7])


def test_a_root_that_is_not_there_is_named(tmp_path: Path) -> None:
    for read in (hku956, hku956_files):
        with pytest.raises(DataError, match="nowhere: no such folder"):
            read(tmp_path / "nowhere")


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Recordings:
    if not (shared_data / "HKU956").is_dir():
        pytest.skip("needs the HKU956 recordings")
    return hku956(shared_data / "HKU956")


def test_the_release_has_its_documented_people_records_and_ratings(real: Recordings) -> None:
    trials = real.trials
    assert sorted(set(trials.subject)) == list(range(1903, 1933))
    assert len(trials) == 956
    assert trials[["subject", "trial"]].apply(tuple, axis=1).is_monotonic_increasing

    def signs(rating: str) -> list[int]:
        return [int((np.sign(trials[rating]) == sign).sum()) for sign in (1, 0, -1)]

    assert signs("valence") == [647, 26, 283]
    assert signs("arousal") == [571, 20, 365]


def test_the_release_has_its_documented_durations(real: Recordings) -> None:
    seconds = np.array([signal.shape[1] for signal in real.signals]) / real.sampling_rate
    assert seconds.sum() == 49_733
    assert np.median(seconds) == 44
    assert (seconds.min(), seconds.max()) == (27, 329)


def test_real_channels_are_in_their_units(real: Recordings) -> None:
    eda, temperature = (np.concatenate([signal[row] for signal in real.signals]) for row in (1, 2))
    assert eda.min() >= 0
    assert 0.05 < np.median(eda) < 20
    assert temperature.min() > 20
    assert temperature.max() < 42


def test_one_real_subject_equals_its_part_of_the_whole(real: Recordings, shared_data: Path) -> None:
    one = hku956(shared_data / "HKU956", subjects=[1910])
    rows = np.flatnonzero(real.trials.subject == 1910)
    assert len(one.signals) == len(rows)
    for row, signal in zip(rows, one.signals, strict=True):
        np.testing.assert_array_equal(real.signals[row], signal)
