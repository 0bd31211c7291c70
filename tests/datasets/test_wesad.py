"""WESAD: what is read from the release's pickles and from the wristband's tables, and what is said of faulty ones."""

from __future__ import annotations

import io
import pickle
import re
import shutil
import tracemalloc
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from bench.data.loading import find_sources
from bench.datasets.wesad import wesad, wesad_files
from bench.recordings import DataError, Recordings
from bench.spec import parse_spec

# Minutes and seconds of the protocol, as the questionnaires write them, of two people: "0.3" is 30 s.
PROTOCOL = {
    2: ("Base;TSST;Medi 1;Fun;Medi 2;sRead", "0.1;1.1;2;2.3;3.3;1.4", "0.5;1.4;2.2;3;3.4;1.5"),
    3: ("Base;Fun;Medi 2;TSST;Medi 1;bRead", "0.1;1.1;2;2.3;3.3;1.4", "0.5;1.4;2.2;3;3.4;1.5"),
}
OFFSET = {2: 20.5, 3: 0.0}
SECONDS = 300
RATES = {"BVP": 64, "EDA": 4, "TEMP": 4}


def samples(subject: int) -> dict[str, np.ndarray]:
    """A ramp in each channel, so that each sample tells its time: value = seconds x a factor + the subject."""
    return {
        name: np.arange(SECONDS * rate) / rate * factor + subject
        for (name, rate), factor in zip(RATES.items(), (1.0, 0.01, 0.1), strict=True)
    }


def write_tables(root: Path, subject: int) -> Path:
    folder = root / f"S{subject}"
    (folder / f"S{subject}_E4_Data").mkdir(parents=True)
    for name, values in samples(subject).items():
        lines = ["1495437325.00", f"{RATES[name]}.000000", *map(repr, values.tolist())]
        (folder / f"S{subject}_E4_Data" / f"{name}.csv").write_text("\n".join(lines) + "\n")
    order, start, end = PROTOCOL[subject]
    (folder / f"S{subject}_quest.csv").write_text(
        f"# Subj;S{subject};;;\n# ORDER;{order};;;\n# START;{start};;;\n# END;{end};;;\n;;;\n# PANAS;1;2;;\n"
    )
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The wristband's tables of two people beside a table of offsets."""
    for subject in PROTOCOL:
        write_tables(tmp_path, subject)
    lines = ["subject,seconds", *(f"{subject},{seconds}" for subject, seconds in OFFSET.items())]
    (tmp_path / "offsets.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def read(root: Path) -> Recordings:
    return wesad(root, subjects=[2, 3])


class Python2Pickler(pickle._Pickler):
    """Writes text and bytes as Python 2's `str`, and arrays under the names of numpy 1, as the release has them."""

    dispatch: ClassVar[dict[type, Any]] = dict(pickle._Pickler.dispatch)

    def __init__(self, file: io.BytesIO, protocol: int) -> None:
        super().__init__(file, protocol, fix_imports=True)

    def save_text(self, value: str | bytes) -> None:
        raw = value.encode("latin-1") if isinstance(value, str) else value
        if self.proto == 0:
            self.write(pickle.STRING + repr(raw)[1:].encode("ascii") + b"\n")
        elif len(raw) < 256:
            self.write(pickle.SHORT_BINSTRING + bytes([len(raw)]) + raw)
        else:
            self.write(pickle.BINSTRING + len(raw).to_bytes(4, "little") + raw)
        self.memoize(value)

    dispatch[str] = dispatch[bytes] = save_text


def write_pickle(root: Path, person: int, protocol: int, *, chest: int = 1000, **changes: Any) -> Path:
    """Write ``SN.pkl`` with labels at 700 Hz and, beside the wrist, `chest` rows of a belt's signals."""
    labels = np.zeros(SECONDS * 700, np.int32)
    order, start, end = (row.split(";") for row in PROTOCOL[person])
    codes = {"Base": 1, "TSST": 2, "Fun": 3, "Medi 1": 4, "Medi 2": 4, "sRead": 6, "bRead": 5}
    for name, begin, stop in zip(order, start, end, strict=True):
        first, last = (700 * round(OFFSET[person] + seconds(text)) for text in (begin, stop))
        labels[first:last] = codes[name]
    rng = np.random.default_rng(0)
    contents = {
        "signal": {
            "chest": {
                "ACC": rng.standard_normal((chest, 3)),
                "Temp": np.float32(rng.standard_normal((chest, 1))),
            },
            "wrist": {
                "ACC": rng.integers(-99, 99, (50, 3)).astype(np.float64),
                **{name: values[:, None] for name, values in samples(person).items()},
            },
        },
        "label": labels,
        "subject": f"S{person}",
    }
    contents |= changes
    file = io.BytesIO()
    Python2Pickler(file, protocol).dump(contents)
    folder = root / f"S{person}"
    folder.mkdir(exist_ok=True)
    path = folder / f"S{person}.pkl"
    path.write_bytes(file.getvalue().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n"))
    return path


def seconds(text: str) -> int:
    minutes, _, rest = text.partition(".")
    return 60 * int(minutes) + int((rest or "0").ljust(2, "0"))


# What is read


def test_a_trial_is_a_condition_with_its_place_in_the_session(root: Path) -> None:
    trials = read(root).trials
    assert trials.subject.tolist() == [2, 2, 2, 3, 3, 3]
    assert trials.condition.tolist() == ["baseline", "stress", "amusement", "baseline", "amusement", "stress"]
    assert trials.stress.tolist() == ["no stress", "stress", "no stress", "no stress", "no stress", "stress"]
    assert trials["order"].tolist() == trials.trial.tolist() == [1, 2, 4, 1, 2, 4]
    assert trials.stimulus.is_unique  # the condition is the class: nothing else is shared between people


def test_times_of_the_protocol_are_minutes_and_seconds_after_the_offset(root: Path) -> None:
    recordings = read(root)
    assert recordings.trials.onset.tolist() == [30.5, 90.5, 170.5, 10.0, 70.0, 150.0]
    assert recordings.trials.recording.tolist() == [2, 2, 2, 3, 3, 3]
    lengths = [signal.shape[1] / recordings.sampling_rate for signal in recordings.signals]
    assert lengths == [40.0, 30.0, 30.0] * 2


def test_every_channel_is_of_the_seconds_of_its_condition(root: Path) -> None:
    recordings = read(root)
    assert recordings.channels == ("BVP", "EDA (uS)", "temperature (deg C)")
    for signal, onset, subject in zip(
        recordings.signals, recordings.trials.onset, recordings.trials.subject, strict=True
    ):
        time = onset + np.arange(signal.shape[1]) / 64
        assert signal.dtype == np.float32
        np.testing.assert_allclose(
            signal, [time + subject, time * 0.01 + subject, time * 0.1 + subject], rtol=1e-5
        )


@pytest.mark.parametrize("protocol", [0, 2])
def test_the_pickle_of_the_release_says_the_same_as_the_tables(
    root: Path, tmp_path: Path, protocol: int
) -> None:
    # In whole seconds, as labels at 700 Hz and samples at 64 Hz meet.
    (root / "offsets.csv").write_text("subject,seconds\n2,20\n3,0\n")
    tables = read(root)
    folder = tmp_path / "release"
    folder.mkdir()
    for subject in PROTOCOL:
        write_pickle(folder, subject, protocol)
    assert read(folder).fingerprint == tables.fingerprint


def test_the_pickle_goes_before_the_tables_and_needs_no_offset(root: Path) -> None:
    (root / "offsets.csv").unlink()
    for subject in PROTOCOL:
        write_pickle(root, subject, 0)
    assert len(read(root).trials) == 6
    assert [path.name for path in wesad_files(root)] == ["S2.pkl", "S3.pkl"]


@pytest.mark.parametrize("protocol", [0, 2])
def test_the_chest_belt_is_never_in_memory(tmp_path: Path, protocol: int) -> None:
    path = write_pickle(tmp_path, 2, protocol, chest=400_000)
    assert path.stat().st_size > 10_000_000
    tracemalloc.start()
    try:
        wesad(tmp_path, subjects=[2])
        # The labels take 0.84 MB, the text of them that is looked at together 1 MB.
        assert tracemalloc.get_traced_memory()[1] < 6e6
    finally:
        tracemalloc.stop()


def test_the_plugin_is_found_with_its_licence(root: Path) -> None:
    (source,), notice = find_sources(parse_spec("wesad"), root)
    assert (source.plugin.name, notice) == ("wesad", "")
    assert "non-commercial" in source.plugin.about["licence"]
    assert "10.1145/3242969.3242985" in read(root).credit


def test_real_recordings(shared_data: Path) -> None:
    if not (shared_data / "WESAD").is_dir():
        pytest.skip("needs WESAD's wristband recordings")
    recordings = wesad(shared_data / "WESAD")
    trials = recordings.trials
    assert (len(trials), trials.subject.nunique()) == (45, 15)
    # Each condition once a person; half had the stress test second, half fourth.
    assert trials.condition.value_counts().to_dict() == {"baseline": 15, "stress": 15, "amusement": 15}
    assert trials[trials.condition == "stress"]["order"].value_counts().to_dict() == {4: 8, 2: 7}
    temperature = [signal[2].mean() for signal in recordings.signals]
    assert 28 < min(temperature) < max(temperature) < 37


# Faulty folders


def says(*texts: str) -> str:
    return ".*".join(map(re.escape, texts))


def test_missing_people_are_named_with_a_way_to_go_on(root: Path) -> None:
    with pytest.raises(
        DataError, match=says("subjects 4-11, 13-17 are missing", "(found 2-3)", "--subjects 2-3")
    ):
        wesad(root)
    with pytest.raises(DataError, match=says("wesad: there is no subject 12; the subjects are 2-11, 13-17")):
        wesad(root, subjects=[12])


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").touch()
    with pytest.raises(DataError, match=says("no folder S2 to S17", "there is: readme.txt")):
        wesad(tmp_path)


def test_tables_without_an_offset_or_pickle(root: Path) -> None:
    (root / "offsets.csv").write_text("subject,seconds\n2,20\n")
    with pytest.raises(DataError, match=says("S3_E4_Data", "put the release's S3.pkl beside", "subject 3")):
        read(root)
    (root / "offsets.csv").write_text("person,seconds\n2,20\n")
    with pytest.raises(
        DataError, match=says("offsets.csv: not a table with the columns subject and seconds")
    ):
        read(root)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("S2_E4_Data/EDA.csv", "4.000000", "8.000000", "EDA.csv, line 2: 8 Hz, expected 4"),
        ("S2_E4_Data/EDA.csv", "2.01\n", "nan\n", "EDA.csv, line 7: not a finite number"),
        ("S2_E4_Data/EDA.csv", "2.01\n", "2,01\n", "EDA.csv: not a table of the wristband"),
        ("S2_E4_Data/TEMP.csv", "1495437325.00", "1495437326.00", "the channels begin at different times"),
        ("S2_quest.csv", "# START", "# BEGIN", "S2_quest.csv: no row START"),
        ("S2_quest.csv", "2.3;3.3", "2.75;3.3", "S2_quest.csv: '2.75' is no time in minutes.seconds"),
        ("S2_quest.csv", "1.1;2;", "1.4;2;", "S2_quest.csv: stress ends before it begins"),
        ("S2_quest.csv", "TSST", "TTST", "the condition stress is there 0 times, expected once"),
        (
            "S2_quest.csv",
            "0.5;1.4;2.2;3;",
            "0.5;1.4;2.2;9;",
            "amusement lasts from 170 s to 560 s, the recording",
        ),
    ],
)
def test_a_faulty_table_is_named(root: Path, file: str, old: str, new: str, message: str) -> None:
    path = root / "S2" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(DataError, match=says(message)):
        read(root)


def test_a_missing_table_is_named(root: Path) -> None:
    (root / "S3" / "S3_E4_Data" / "TEMP.csv").unlink()
    with pytest.raises(DataError, match=says("TEMP.csv: no such file, and no S3.pkl")):
        read(root)


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("executed",)


def test_a_pickle_that_asks_for_more_than_arrays_is_refused(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pickle(root, 2, 2, subject=Evil())
    with pytest.raises(DataError, match=says("S2.pkl: refused: the pickle asks for '__builtin__.print'")):
        read(root)
    assert "executed" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"signal": {"chest": {}}}, "no 'wrist' as in WESAD's pickles; there is: chest"),
        ({"signal": {"wrist": {"BVP": np.zeros((9, 1))}}}, "no array 'EDA'"),
        ({"label": np.zeros((9, 2), np.int32)}, "'label' has shape (9, 2), expected one column"),
        ({"label": np.ones(9, np.int32)}, "the condition stress is there 0 times, expected once"),
        ({"signal": {"wrist": {"BVP": np.full((9, 1), np.nan)}}}, "a sample of 'BVP' is not finite"),
    ],
)
def test_a_pickle_of_something_else_is_named(root: Path, changes: dict[str, Any], message: str) -> None:
    write_pickle(root, 2, 2, **changes)
    with pytest.raises(DataError, match=says("S2.pkl", message)):
        read(root)


@pytest.mark.parametrize("protocol", [0, 2])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.999])
def test_a_truncated_pickle_is_said_to_be_so(root: Path, protocol: int, share: float) -> None:
    path = write_pickle(root, 2, protocol)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match=says("S2.pkl: truncated or not a pickle of arrays")):
        read(root)


def test_an_array_whose_literal_is_too_short_is_no_array(root: Path) -> None:
    path = write_pickle(root, 2, 0)
    # One byte of the labels' text less than the shape says: a bare NUL is written in four characters.
    raw = path.read_bytes()
    at = raw.rindex(b"\\x00" * 1000)
    path.write_bytes(raw[:at] + raw[at + 4 :])
    with pytest.raises(
        DataError, match=says("S2.pkl: truncated or not a pickle of arrays: an array of shape")
    ):
        read(root)


def test_what_is_read_once_is_kept_while_its_files_are_the_same(root: Path, tmp_path: Path) -> None:
    before = {path.name for path in wesad_files(root)}
    assert before == {"offsets.csv", "BVP.csv", "EDA.csv", "TEMP.csv", "S2_quest.csv", "S3_quest.csv"}
    shutil.rmtree(root / "S3" / "S3_E4_Data")
    assert "S3_quest.csv" in {path.name for path in wesad_files(root)}
