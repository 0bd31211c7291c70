"""DEAP: what is read from the official files, and what is said of faulty and hostile ones."""

from __future__ import annotations

import io
import itertools
import os
import pickle
import re
import struct
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from bench.datasets._py2_pickle_reader import open_pickle
from bench.datasets.deap import deap, deap_files, write_deap_file
from bench.recordings import DataError

N_BYTES = 40 * 40 * 8064 * 8
LABELS = np.linspace(1, 9, 160).reshape(40, 4)
# What Python 2's cPickle writes at protocol 2 for a subject, around the bytes of the two arrays.
BEFORE_LABELS = (
    b"\x80\x02}q\x01(U\x06labelsq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04"
    b"K\x00\x85U\x01b\x87Rq\x05(K\x01K(K\x04\x86cnumpy\ndtype\nq\x06U\x02f8K\x00K\x01\x87Rq\x07"
    b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T\x00\x05\x00\x00"
)
BEFORE_DATA = (
    b"tbU\x04dataq\x08h\x03h\x04K\x00\x85U\x01b\x87Rq\t(K\x01K(K(M\x80\x1f\x87h\x07\x89T\x00\x00'\x06"
)
END = b"tbu."
END_SIMULATED = b"tbU\tsimulatedq\n\x88u."


def sparse_subject(
    path: Path,
    labels: np.ndarray = LABELS,
    samples: Mapping[tuple[int, int, int], float] | None = None,
    end: bytes = END,
) -> Path:
    """Write a subject of zeros, but for some samples: as large as a real one, and no work for the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.write(BEFORE_LABELS + labels.astype("<f8").tobytes() + BEFORE_DATA)
        start = file.tell()
        for (trial, channel, sample), value in (samples or {}).items():
            file.seek(start + 8 * ((trial * 40 + channel) * 8064 + sample))
            file.write(struct.pack("<d", value))
        file.seek(start + N_BYTES)
        file.write(end)
    return path


def says(*texts: str) -> str:
    """Return a pattern for a message with these texts, in this order."""
    return "(?s)" + ".*".join(map(re.escape, texts))


@pytest.fixture(scope="module")
def data() -> np.ndarray:
    """Samples that are all different, and whole, so that float32 holds them exactly."""
    return np.arange(40 * 40 * 8064, dtype=np.float64).reshape(40, 40, 8064)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, data: np.ndarray) -> Path:
    path = tmp_path_factory.mktemp("deap") / "s07.dat"
    write_deap_file(path, data, LABELS, simulated=True)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Subjects 3 and 4, measured."""
    sparse_subject(tmp_path / "s03.dat")
    sparse_subject(tmp_path / "s04.dat", labels=LABELS[::-1])
    return tmp_path


# What is read


def test_the_four_peripheral_channels_are_read_sample_by_sample(written: Path, data: np.ndarray) -> None:
    recordings = deap(written.parent, subjects=[7])
    np.testing.assert_array_equal(recordings.signals, data[:, 36:40])
    assert isinstance(recordings.signals, np.ndarray)
    assert recordings.signals.dtype == np.float32
    assert [name.split()[0] for name in recordings.channels] == ["GSR", "respiration", "PPG", "temperature"]
    assert (recordings.sampling_rate, recordings.baseline_seconds) == (128, 3)


def test_rows_are_subjects_then_trials_with_their_ratings(folder: Path) -> None:
    recordings = deap(folder, subjects=[4, 3])
    trials = recordings.trials
    assert trials.subject.tolist() == [3] * 40 + [4] * 40
    assert trials.trial.tolist() == trials.stimulus.tolist() == [*range(1, 41)] * 2
    ratings = trials[["valence", "arousal", "dominance", "liking"]].to_numpy()
    np.testing.assert_array_equal(ratings, np.concatenate([LABELS, LABELS[::-1]]))
    assert (recordings.name, recordings.simulated) == ("deap", False)
    assert "10.1109/T-AFFC.2011.15" in recordings.credit


def test_only_what_is_needed_is_held_in_memory(folder: Path) -> None:
    deap(folder, subjects=[3])  # imports
    tracemalloc.start()
    try:
        deap(folder, subjects=[3, 4])
        assert tracemalloc.get_traced_memory()[1] < 20e6  # two files of 103 MB, 10.3 MB of result
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("inside", ["", "data_preprocessed_python"])
def test_the_folder_or_its_parent_will_do(tmp_path: Path, inside: str) -> None:
    path = sparse_subject(tmp_path / inside / "s09.dat")
    (path.parent / "._s10.dat").touch()
    assert deap_files(tmp_path) == [path]
    assert set(deap(tmp_path, subjects=[9]).trials.subject) == {9}


def test_python_files_go_before_matlab_files(tmp_path: Path) -> None:
    path = sparse_subject(tmp_path / "data_preprocessed_python" / "s01.dat")
    (tmp_path / "data_preprocessed_matlab").mkdir()
    (tmp_path / "data_preprocessed_matlab" / "s01.mat").touch()
    assert deap_files(tmp_path) == [path]


# What is written


def test_the_standard_unpickler_reads_what_was_written(written: Path, data: np.ndarray) -> None:
    with open(written, "rb") as file:
        contents = pickle.load(file, encoding="latin1")
    assert set(contents) == {"data", "labels", "simulated"}
    np.testing.assert_array_equal(contents["data"], data)
    np.testing.assert_array_equal(contents["labels"], LABELS)
    assert contents["simulated"] is True


def test_a_written_file_has_the_bytes_of_python_2(written: Path) -> None:
    with open(written, "rb") as file:
        assert file.read(len(BEFORE_LABELS)) == BEFORE_LABELS
        file.seek(LABELS.nbytes, os.SEEK_CUR)
        assert file.read(len(BEFORE_DATA)) == BEFORE_DATA
        file.seek(N_BYTES, os.SEEK_CUR)
        assert file.read() == END_SIMULATED


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="could not convert"):
        write_deap_file(
            tmp_path / "s01.dat", np.broadcast_to(np.array("x"), (40, 40, 8064)), LABELS, simulated=False
        )
    with pytest.raises(ValueError, match=says("labels of shape (4, 40), expected (40, 4)")):
        write_deap_file(tmp_path / "s01.dat", np.broadcast_to(0.0, (40, 40, 8064)), LABELS.T, simulated=False)
    assert list(tmp_path.iterdir()) == []


def test_simulated_files_say_so_wherever_they_are(written: Path, tmp_path: Path) -> None:
    os.link(written, tmp_path / "s01.dat")
    recordings = deap(tmp_path, subjects=[1])
    assert (recordings.name, recordings.simulated) == ("deap-simulated", True)
    assert "no measurement of any person" in recordings.credit


def test_simulated_and_real_files_do_not_mix(folder: Path) -> None:
    sparse_subject(folder / "s05.dat", end=END_SIMULATED)
    message = says(str(folder), "mixes simulated and real files: s05.dat is simulated, s03.dat is not")
    with pytest.raises(DataError, match=message):
        deap(folder, subjects=[3, 4, 5])
    assert deap(folder, subjects=[5]).simulated


# Forms of pickles

SMALL = {"labels": np.array([[1, 2.5], [3, 9]]), "data": np.arange(12.0).reshape(2, 3, 2)}
# As Python 2.7's cPickle prints them, from classes that stand in for numpy's; one number of the protocol 0
# form is written as a Python 2 long.
PROTOCOL_0 = (
    b"(dp1\nS'labels'\np2\ncnumpy.core.multiarray\n_reconstruct\np3\n(cnumpy\nndarray\np4\n(I0\ntS'b'\ntRp5\n"
    b"(I1\n(I2\nI2\ntcnumpy\ndtype\np6\n(S'f8'\np7\nI0\nI1\ntRp8\n(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\n"
    rb"S'\x00\x00\x00\x00\x00\x00\xf0?\x00\x00\x00\x00\x00\x00\x04@\x00\x00\x00\x00\x00\x00\x08@"
    rb"""\x00\x00\x00\x00\x00\x00"@'"""
    b"\ntbsS'data'\np9\ng3\n(g4\n(I0\ntS'b'\ntRp10\n(I1\n(I2\nL3L\nI2\ntg8\nI00\nS'"
    rb"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xf0?\x00\x00\x00\x00\x00\x00\x00@"
    rb"\x00\x00\x00\x00\x00\x00\x08@\x00\x00\x00\x00\x00\x00\x10@\x00\x00\x00\x00\x00\x00\x14@"
    rb"\x00\x00\x00\x00\x00\x00\x18@\x00\x00\x00\x00\x00\x00\x1c@\x00\x00\x00\x00\x00\x00 @"
    rb"""\x00\x00\x00\x00\x00\x00"@\x00\x00\x00\x00\x00\x00$@\x00\x00\x00\x00\x00\x00&@'"""
    b"\ntbs."
)
PROTOCOL_1 = (
    b"}q\x01(U\x06labelsq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03(cnumpy\nndarray\nq\x04(K\x00tU\x01bt"
    b"Rq\x05(K\x01(K\x02K\x02tcnumpy\ndtype\nq\x06(U\x02f8q\x07K\x00K\x01tRq\x08(K\x03U\x01<NNN"
    b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tbI00\nU "
    + SMALL["labels"].tobytes()
    + b"tbU\x04dataq\th\x03(h\x04(K\x00tU\x01btRq\n(K\x01(K\x02K\x03K\x02th\x08I00\nU`"
    + SMALL["data"].tobytes()
    + b"tbu."
)
FORMS: dict[str, bytes] = {
    "Python 2, protocol 0": PROTOCOL_0,
    "Python 2, protocol 1": PROTOCOL_1,
    **{f"Python 3, protocol {n}": pickle.dumps(SMALL, n) for n in range(5)},
    "Fortran order": pickle.dumps({k: np.asfortranarray(v) for k, v in SMALL.items()}, 2),
    "big-endian": pickle.dumps({k: v.astype(">f8") for k, v in SMALL.items()}, 2),
}


@pytest.mark.parametrize("form", FORMS)
def test_arrays_are_read_from_any_form_of_pickle(tmp_path: Path, form: str) -> None:
    (tmp_path / "small").write_bytes(FORMS[form])
    with open_pickle(tmp_path / "small") as contents:
        assert list(contents) == ["labels", "data"]
        for name, array in SMALL.items():
            np.testing.assert_array_equal(contents[name].read(), array)
        rows = list(contents["data"].rows(slice(1, 3)))
    np.testing.assert_array_equal(rows, SMALL["data"][:, 1:3])


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_long_arrays_are_read_from_any_form_of_pickle(tmp_path: Path, protocol: int) -> None:
    array = np.random.default_rng(0).normal(size=(5, 7, 4001))
    (tmp_path / "long").write_bytes(pickle.dumps({"data": array}, protocol))
    with open_pickle(tmp_path / "long") as contents:
        np.testing.assert_array_equal(list(contents["data"].rows(slice(2, 5))), array[:, 2:5])


# Hostile files


def an_array(shape: bytes, payload: bytes, code: bytes = b"f8") -> bytes:
    """Return the instructions of protocol 0 for an array."""
    made = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    return made + b"(I1\n(%btcnumpy\ndtype\n(S'%b'\nI0\nI1\ntR(I3\nS'<'\ntbI00\n%btb" % (shape, code, payload)


class Calls:
    """Pickled, a call."""

    def __init__(self, function: Callable, *args: object) -> None:
        self.call = function, args

    def __reduce__(self) -> tuple:
        return self.call


TOUCH = "touch run"
SHELL = f"S'{TOUCH}'\n".encode()
HOSTILE: dict[str, tuple[bytes, str]] = {
    "call, protocol 0": (b"cos\nsystem\n(" + SHELL + b"tR.", "asks for 'os.system'"),
    "call, protocol 2": (pickle.dumps(Calls(os.system, TOUCH), 2), f"asks for '{os.name}.system'"),
    "call, protocol 4": (pickle.dumps(Calls(os.system, TOUCH), 4), f"asks for '{os.name}.system'"),
    "eval": (pickle.dumps(Calls(eval, "open('run', 'w')"), 4), "asks for 'builtins.eval'"),
    "eval, Python 2": (pickle.dumps(Calls(eval, "open('run', 'w')"), 2), "asks for '__builtin__.eval'"),
    "in the dict": (pickle.dumps({"data": Calls(os.system, TOUCH)}, 2), f"asks for '{os.name}.system'"),
    "in an array's state": (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\ncos\nsystem\n("
        + SHELL
        + b"tRtb.",
        "asks for 'os.system'",
    ),
    "list of objects": (pickle.dumps({"data": [Calls(eval, "1")]}, 2), "instruction EMPTY_LIST at byte"),
    "bytes as pointers": (
        b"}S'data'\n" + an_array(b"I1\n", b"S'\\x41AAAAAAA'\n", b"O8") + b"s.",
        "holds an array of type '<O8'",
    ),
    "INST": (b"(" + SHELL + b"ios\nsystem\n.", "asks for 'os.system'"),
    "OBJ": (b"(cos\nsystem\n" + SHELL + b"o.", "asks for 'os.system'"),
    "OBJ of an admitted name": (b"(cnumpy\nndarray\nI9\no.", "instruction OBJ at byte 19"),
    "NEWOBJ of an admitted name": (b"\x80\x02cnumpy\nndarray\n)\x81.", "instruction NEWOBJ"),
    "EXT1": (b"\x80\x02\x82\x01.", "instruction EXT1"),
    "PERSID": (b"P1\n.", "instruction PERSID"),
    "numpy.load": (b"cnumpy\nload\n(S'x'\ntR.", "asks for 'numpy.load'"),
    "dots in the name": (b"\x80\x04\x8c\x05numpy\x8c\x0cndarray.dump\x93.", "asks for 'numpy.ndarray.dump'"),
    "numpy.ndarray called": (b"cnumpy\nndarray\n(I99999999999\ntR.", "calls 'ndarray'"),
    "other codec": (b"c_codecs\nencode\n(Vx\nVzlib\ntR.", "calls 'encode'"),
    "text called": (b"S'x'\n(tR.", "calls 'bytes'"),
    "state of a dict": (b"}}b.", "sets the state of a dict"),
    "state of a name": (b"cnumpy\ndtype\n}b.", "sets the state of a name"),
    "items of a name": (b"cnumpy\ndtype\nS'a'\nI1\ns.", "sets items of a name"),
    "nested key": (b"K\x01q\x00" + b"h\x00h\x00\x86q\x00" * 90 + b"}h\x00K\x01s.", "a tuple as a key"),
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_a_hostile_file_is_refused_by_name_and_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attack: str
) -> None:
    monkeypatch.chdir(tmp_path)
    contents, message = HOSTILE[attack]
    (tmp_path / "s03.dat").write_bytes(contents)
    with pytest.raises(DataError, match=says("s03.dat: refused: ", message)):
        deap(tmp_path, subjects=[3])
    assert os.listdir(tmp_path) == ["s03.dat"]


BOMBS: dict[str, tuple[bytes, str]] = {
    "string of 2 GB": (
        b"\x80\x02}T\xff\xff\xff\x7fabc",
        "it ends at byte 11, 2147483647 bytes were to follow",
    ),
    "string of 4 EB": (b"\x80\x04}\x8e\x00\x00\x00\x00\x00\x00\x00\x40abc", "it ends at byte 15"),
    "array of 2 PB": (
        b"}S'data'\n" + an_array(b"I65536\nI65536\nI65536\n", b"S'abc'\n") + b"s.",
        "an array of shape (65536, 65536, 65536) and type <f8 in 3 bytes",
    ),
    "negative shape": (b"}S'data'\n" + an_array(b"I-1\nI-1\n", b"S'abcdefgh'\n") + b"s.", "makes no sense"),
    "long name": (b"c" + b"a" * 10_000_000 + b"\nb\n.", "no end of line"),
    "long number": (b"I" + b"9" * 10_000_000 + b"\n.", "no end of line"),
    "nested names": (b"\x80\x04K\x01\x94" + b"h\x00h\x00\x86\x94" * 90 + b"K\x01\x93.", "makes no sense"),
    "marks without end": (b"(" * 1_000_000, "more than 10000 instructions"),
    "tuples in tuples": (b")" + b"\x85" * 9000 + b".", "it holds a tuple, not a dict"),
    "items that hold each other": (b"}q\x01U\x04datah\x01sU\x06labelsh\x01s.", "'data' is no array"),
    "memory that was never set": (b"h\x07.", "its instruction at byte 0 makes no sense"),
    "nothing on the stack": (b".", "its instruction at byte 0 makes no sense"),
    "no pickle": (b"\x89PNG\r\n", "not a pickle of arrays: instruction PERSID at byte 1"),
    "text": (b"<html>", "byte 0 is 0x3c, no pickle instruction"),
    "empty": (b"", "it ends at byte 0"),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_file_of_nonsense_costs_neither_memory_nor_a_traceback(tmp_path: Path, bomb: str) -> None:
    contents, message = BOMBS[bomb]
    (tmp_path / "s05.dat").write_bytes(contents)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=says("s05.dat: ", message)):
            deap(tmp_path, subjects=[5])
        assert tracemalloc.get_traced_memory()[1] < 8e6
    finally:
        tracemalloc.stop()


def test_whichever_byte_is_wrong_it_is_read_or_a_data_error(tmp_path: Path) -> None:
    path = tmp_path / "s05.dat"
    for whole in (PROTOCOL_0, PROTOCOL_1, FORMS["Python 3, protocol 2"]):
        path.write_bytes(whole)
        with open(path, "r+b", buffering=0) as file:
            for at, mask in itertools.product(range(len(whole)), (0x01, 0x20, 0xFF)):
                os.pwrite(file.fileno(), bytes([whole[at] ^ mask]), at)
                try:
                    with open_pickle(path) as contents:
                        assert isinstance(contents, dict)
                except DataError as error:
                    assert str(error).startswith(str(path))  # noqa: PT017
                os.pwrite(file.fileno(), whole[at : at + 1], at)


@pytest.mark.parametrize("form", ["Python 2, protocol 0", "Python 2, protocol 1", "Python 3, protocol 4"])
def test_a_pickle_that_ends_anywhere_too_early_is_truncated(tmp_path: Path, form: str) -> None:
    path = tmp_path / "s05.dat"
    path.write_bytes(FORMS[form])
    for n_bytes in reversed(range(len(FORMS[form]))):
        os.truncate(path, n_bytes)
        with (
            pytest.raises(DataError, match=says("s05.dat: truncated or not a pickle of arrays: ")),
            open_pickle(path),
        ):
            pass


# Faulty files


def test_a_file_cut_within_the_signals_is_truncated(folder: Path) -> None:
    os.truncate(folder / "s04.dat", 50_000_000)
    message = says(
        "s04.dat: truncated or not a pickle of arrays: it ends at byte 50000000, 103219200 bytes were to"
    )
    with pytest.raises(DataError, match=message):
        deap(folder, subjects=[3, 4])


@pytest.mark.parametrize("value", [0.99, 9.5, -1, np.nan, np.inf])
def test_a_rating_outside_the_scale_is_named(folder: Path, value: float) -> None:
    labels = LABELS.copy()
    labels[11, 1] = value
    sparse_subject(folder / "s04.dat", labels=labels)
    with pytest.raises(DataError, match=says(f"s04.dat: trial 12: arousal is {value:g}, outside 1 to 9")):
        deap(folder, subjects=[3, 4])


@pytest.mark.parametrize("value", [np.nan, -np.inf, 1e300])
def test_a_sample_that_is_not_finite_is_named(folder: Path, value: float) -> None:
    sparse_subject(folder / "s04.dat", samples={(2, 37, 512): value})
    message = says(
        f"s04.dat: trial 3, channel 37 (respiration (a.u.)), sample 512 (from 0) is {value:g}, not a finite"
    )
    with pytest.raises(DataError, match=message):
        deap(folder, subjects=[3, 4])


def test_huge_finite_samples_are_none_of_our_business(folder: Path) -> None:
    sparse_subject(folder / "s04.dat", samples={(2, 37, k): 3e38 for k in range(3)})
    assert deap(folder, subjects=[4]).signals[2][1, 2] == np.float32(3e38)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (
            {"data": np.zeros((40, 32, 80)), "labels": LABELS},
            "'data' is 40 x 32 x 80 of float64, expected 40 x 40",
        ),
        (
            {"data": LABELS, "labels": LABELS},
            "'data' is 40 x 4 of float64, expected 40 x 40 x 8064 of float64",
        ),
        ({"data": LABELS}, "no 'labels' in it (found: data)"),
        ({"x": 1, "y": None}, "no 'data' in it (found: x, y)"),
        ({}, "no 'data' in it (found: nothing)"),
        ({"data": 1, "labels": 2}, "'data' is no array"),
    ],
)
def test_other_contents_are_named(tmp_path: Path, contents: dict, message: str) -> None:
    (tmp_path / "s02.dat").write_bytes(pickle.dumps(contents, 2))
    with pytest.raises(DataError, match=says(f"s02.dat: {message}")):
        deap(tmp_path, subjects=[2])


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        (b"K(K\x04\x86", b"K\x04K(\x86", "'labels' is 4 x 40 of float64, expected 40 x 4 of float64"),
        (b"U\x02f8", b"U\x02i8", "'data' is 40 x 40 x 8064 of int64, expected 40 x 40 x 8064 of float64"),
    ],
)
def test_another_shape_or_type_is_named(tmp_path: Path, right: bytes, wrong: bytes, message: str) -> None:
    with open(sparse_subject(tmp_path / "s02.dat"), "r+b") as file:
        file.write(BEFORE_LABELS.replace(right, wrong))
    with pytest.raises(DataError, match=says(f"s02.dat: {message}")):
        deap(tmp_path, subjects=[2])


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "s02.dat").mkdir()
    with pytest.raises(DataError, match=says("s02.dat: Is a directory")):
        deap(tmp_path, subjects=[2])


# Faulty folders


def test_missing_subjects_are_named_with_the_way_out(tmp_path: Path) -> None:
    for subject in {*range(1, 33)} - {5, 7}:
        (tmp_path / f"s{subject:02}.dat").touch()
    message = (
        f"subjects 5, 7 are missing from {tmp_path} (found 1-4, 6, 8-32); "
        "to go on without them: --subjects 1-4,6,8-32"
    )
    with pytest.raises(DataError) as raised:
        deap(tmp_path)
    assert str(raised.value) == message
    with pytest.raises(DataError) as raised:
        deap(tmp_path, subjects=[5, 6])
    assert str(raised.value) == (
        f"subject 5 is missing from {tmp_path} (found 1-4, 6, 8-32); to go on without it: --subjects 6"
    )


def test_subjects_that_nobody_has_are_an_error(folder: Path) -> None:
    with pytest.raises(DataError, match=says("there is no subject 0, 33-34; the subjects are 1-32")):
        deap(folder, subjects=[3, 0, 33, 34])
    with pytest.raises(DataError, match="no subject is asked for"):
        deap(folder, subjects=[])
    with pytest.raises(DataError) as raised:
        deap(folder, subjects=[9])
    assert str(raised.value) == f"subject 9 is missing from {folder} (found 3-4)"


@pytest.mark.parametrize("call", [deap, deap_files])
def test_a_folder_that_is_not_there_or_holds_something_else_is_named(tmp_path: Path, call: Callable) -> None:
    with pytest.raises(DataError, match=says(f"{tmp_path / 'gone'}: no such folder")):
        call(tmp_path / "gone")
    with pytest.raises(DataError, match=says(f"{tmp_path}: no s01.dat to s32.dat", "it is empty")):
        call(tmp_path)
    (tmp_path / "data_preprocessed_python.zip").touch()
    (tmp_path / "s33.dat").touch()
    with pytest.raises(DataError, match=says("found: data_preprocessed_python.zip, s33.dat")):
        call(tmp_path)


def test_python_and_matlab_files_in_one_folder_are_an_error(folder: Path) -> None:
    (folder / "s04.mat").touch()
    with pytest.raises(DataError, match=says("holds both Python and Matlab files (s03.dat, s04.mat)")):
        deap(folder, subjects=[3])


# Matlab


def test_matlab_files_are_read_whole_number_ratings_too(tmp_path: Path, data: np.ndarray) -> None:
    labels = (np.arange(160).reshape(40, 4) % 9 + 1).astype(np.uint8)
    path = tmp_path / "data_preprocessed_matlab" / "s08.mat"
    path.parent.mkdir()
    scipy.io.savemat(path, {"labels": labels, "data": data})
    with open(path, "r+b") as file:
        # Matlab stores whole doubles as bytes: the class of the first variable is double, its values stay.
        file.seek(128 + 8 + 8)
        assert file.read(1) == b"\x09"
        file.seek(-1, os.SEEK_CUR)
        file.write(b"\x06")
    recordings = deap(tmp_path, subjects=[8])
    np.testing.assert_array_equal(recordings.signals, data[:, 36:40])
    np.testing.assert_array_equal(recordings.trials[["valence", "arousal", "dominance", "liking"]], labels)
    assert (recordings.name, recordings.simulated) == ("deap", False)


def test_compressed_and_simulated_matlab_files_are_read(tmp_path: Path) -> None:
    contents = {"labels": LABELS, "data": np.zeros((40, 40, 8064)), "simulated": True}
    scipy.io.savemat(tmp_path / "s01.mat", contents, do_compression=True)
    recordings = deap(tmp_path, subjects=[1])
    assert (recordings.name, recordings.simulated) == ("deap-simulated", True)
    np.testing.assert_array_equal(recordings.trials.liking, LABELS[:, 3])


def test_faulty_matlab_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "s01.mat"

    def message() -> str:
        with pytest.raises(DataError) as raised:
            deap(tmp_path, subjects=[1])
        assert str(raised.value).startswith(f"{path}: ")
        return str(raised.value)

    scipy.io.savemat(path, {"data": np.zeros((40, 40, 80)), "labels": LABELS})
    assert "'data' is 40 x 40 x 80 of float64, expected 40 x 40 x 8064" in message()
    scipy.io.savemat(path, {"labels": LABELS, "other": LABELS})
    assert "no 'data' in it (found: labels)" in message()
    stream = io.BytesIO()
    scipy.io.savemat(stream, {"data": np.arange(1000.0), "labels": LABELS}, do_compression=True)
    whole = stream.getvalue()
    for n_bytes in (0, 100, 128, 132, 140, 1000, len(whole) - 1):
        path.write_bytes(whole[:n_bytes])
        assert "truncated or not a Matlab file" in message() or "no 'data' in it" in message()
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(100))
    assert "v7.3" in message()
