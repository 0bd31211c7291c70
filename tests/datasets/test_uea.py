"""The UEA archive: problems from a folder and from sktime, and what is said of faulty files."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.data.loading import find_sources, load_recordings
from bench.datasets.uea import (
    PAPER,
    uea,
    uea_files,
    uea_paper,
    uea_paper_files,
    uea_paper_problems,
    uea_problems,
)
from bench.recordings import DataError
from bench.spec import parse_spec

HEADER = """@problemName Tiny
@timeStamps false
@missing false
@univariate false
@dimensions 2
@equalLength false
@classLabel true Up Down
@data
"""
TRAIN = "1,2,3:10,20,30:Up\n4,5:40,50:Down\n"
TEST = "7,8,9,10:70,80,90,100:Up\n"


def write(folder: Path, name: str = "Tiny", train: str = HEADER + TRAIN, test: str = HEADER + TEST) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}_TRAIN.ts").write_text(train)
    (folder / f"{name}_TEST.ts").write_text(test)
    return folder


def test_cases_keep_their_length_order_label_and_split(tmp_path: Path) -> None:
    recordings = uea(write(tmp_path), problem="Tiny")
    assert recordings.name == "Tiny"
    assert [signal.tolist() for signal in recordings.signals] == [
        [[1, 2, 3], [10, 20, 30]],
        [[4, 5], [40, 50]],
        [[7, 8, 9, 10], [70, 80, 90, 100]],
    ]
    trials = recordings.trials
    assert trials.label.tolist() == ["up", "down", "up"]
    assert trials.split.tolist() == ["train", "train", "test"]
    assert trials.subject.tolist() == [0, 0, 0]
    assert trials.trial.tolist() == trials.stimulus.tolist() == [0, 1, 2]
    assert list(recordings.channels) == ["channel 1", "channel 2"]
    assert "1811.00075" in recordings.credit


def test_equal_lengths_make_one_array(tmp_path: Path) -> None:
    write(tmp_path, train=HEADER + "1,2:3,4:Up\n", test=HEADER + "5,6:7,8:Down\n")
    signals = uea(tmp_path, problem="Tiny").signals
    assert isinstance(signals, np.ndarray)
    assert signals.dtype == np.float32
    np.testing.assert_array_equal(signals, [[[1, 2], [3, 4]], [[5, 6], [7, 8]]])


def test_problems_are_found_in_folders_of_their_name_and_directly(tmp_path: Path) -> None:
    write(tmp_path / "Zebra", "Zebra")
    write(tmp_path / "Apple", "Apple")
    write(tmp_path, "Middle")
    write(tmp_path / "old copies", "Other")
    assert uea_problems(tmp_path) == {"problem": ["Apple", "Middle", "Zebra"]}
    assert len(uea_files(tmp_path)) == 6
    assert all(file.is_file() for file in uea_files(tmp_path))
    fingerprints = {uea(tmp_path, problem=name).trials.to_csv() for name in ("Apple", "Middle", "Zebra")}
    assert len(fingerprints) == 1


def test_without_a_folder_there_are_the_two_problems_of_sktime() -> None:
    assert uea_problems(None) == {"problem": ["BasicMotions", "JapaneseVowels"]}
    assert uea_files(None) == []


@pytest.mark.parametrize("bad", [b"#M\xfcller, pp 119\x96127\n", b"\xef\xbb\xbf", "#Müller\n".encode()])
def test_comments_in_any_encoding_are_read(tmp_path: Path, bad: bytes) -> None:
    expected = uea(write(tmp_path), problem="Tiny").fingerprint
    file = tmp_path / "Tiny_TRAIN.ts"
    file.write_bytes(bad + file.read_bytes())
    assert uea(tmp_path, problem="Tiny").fingerprint == expected


def test_an_unknown_problem_is_named_with_the_nearest(tmp_path: Path) -> None:
    write(tmp_path / "Epilepsy", "Epilepsy")
    with pytest.raises(DataError, match="no problem 'Epilpesy'; did you mean Epilepsy"):
        uea(tmp_path, problem="Epilpesy")
    with pytest.raises(DataError, match="did you mean BasicMotions"):
        uea(None, problem="basicmotions")
    # A folder was named: what sktime ships does not stand in for what the folder lacks.
    with pytest.raises(DataError, match="no problem 'BasicMotions'; there is: Epilepsy"):
        uea(tmp_path, problem="BasicMotions")


def test_half_a_problem_is_an_error_naming_the_missing_file(tmp_path: Path) -> None:
    write(tmp_path / "Whole", "Whole")
    (write(tmp_path / "Tiny") / "Tiny_TRAIN.ts").unlink()
    with pytest.raises(DataError, match=r"Tiny_TRAIN\.ts: no such file"):
        uea(tmp_path, problem="Tiny")
    with pytest.raises(DataError, match=r"Tiny_TRAIN\.ts: no such file"):
        uea_problems(tmp_path)
    assert len(uea(tmp_path, problem="Whole").trials) == 3


def test_a_folder_without_problems_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no problem of the archive"):
        uea_problems(tmp_path)
    with pytest.raises(DataError, match="nowhere: no such folder"):
        uea(tmp_path / "nowhere", problem="Tiny")


def test_subjects_cannot_be_chosen() -> None:
    with pytest.raises(DataError, match="names no subjects"):
        uea(None, subjects=[0], problem="BasicMotions")


# Text of the training file, and what the message says besides the file.
FAULTS = {
    "missing value": (HEADER + "1,2,3:10,?,30:Up\n", "case 1 has missing values in channel 2"),
    "NaN": (HEADER + TRAIN + "1,2:NaN,3:Up\n", "case 3 has missing values in channel 2"),
    "infinity": (HEADER + "1,inf:1,2:Up\n", "not finite"),
    "text": (HEADER + "1,x:1,2:Up\n", "'x'"),
    "channels of unequal length": (HEADER + "1,2,3:10,20:Up\n", "channels of 2 and 3 samples"),
    "empty channel": (HEADER + ":1,2:Up\n", "channels of 0 and 2 samples"),
    "channel left out": (HEADER + TRAIN + "1,2,3:Up\n", "number of dimensions"),
    "another number of channels in the test file": (HEADER + "1,2:Up\n", "2 channels, but 1 in training"),
    "unlisted class": (HEADER + "1,2:1,2:Sideways\n", "'sideways'"),
    "last line cut": (HEADER + TRAIN[:-3], "'do'"),
    "time stamps": (HEADER.replace("Stamps false", "Stamps true") + "(0,1),(1,2):(0,1):Up\n", "time stamps"),
    "no classes": (HEADER.replace("true Up Down", "false") + "1,2:1,2\n", "no classes"),
    "classes alike": (HEADER.replace("Down", "UP") + TRAIN, "letter case"),
    "no cases": (HEADER, "cannot read"),
    "no header": (TRAIN, "@data"),
    "half a header": (HEADER.replace("@univariate false\n", "") + TRAIN, "metadata"),
    "empty": ("", "@data"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_file_is_an_error(tmp_path: Path, fault: str) -> None:
    text, says = FAULTS[fault]
    write(tmp_path, train=text)
    with pytest.raises(DataError) as raised:
        uea(tmp_path, problem="Tiny")
    assert "Tiny" in str(raised.value)
    assert says in str(raised.value)


def test_the_problems_of_sktime_need_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        raise AssertionError("a connection was attempted")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    motions, vowels = (uea(None, problem=name) for name in uea_problems(None)["problem"])
    assert isinstance(motions.signals, np.ndarray)
    assert motions.signals.shape == (80, 6, 100)
    assert motions.trials.groupby(["split", "label"]).size().tolist() == [10] * 8
    assert set(motions.trials.label) == {"badminton", "running", "standing", "walking"}

    assert vowels.trials.split.value_counts().to_dict() == {"train": 270, "test": 370}
    assert vowels.trials.label.nunique() == 9
    lengths = [signal.shape[1] for signal in vowels.signals]
    assert (min(lengths), max(lengths)) == (7, 29)
    assert {len(signal) for signal in vowels.signals} == {12}


@pytest.mark.parametrize(
    ("problem", "sizes", "shape", "n_classes"),
    [
        ("ArticularyWordRecognition", (275, 300), (9, 144), 25),
        ("AtrialFibrillation", (15, 15), (2, 640), 3),
    ],
)
def test_problems_of_the_archive(shared_data: Path, problem, sizes, shape, n_classes) -> None:
    root = shared_data / "uea"
    if not root.is_dir():
        pytest.skip("needs a folder of the UEA archive")
    assert problem in uea_problems(root)["problem"]
    recordings = uea(root, problem=problem)
    assert isinstance(recordings.signals, np.ndarray)
    assert recordings.signals.shape == (sum(sizes), *shape)
    assert recordings.trials.split.tolist() == ["train"] * sizes[0] + ["test"] * sizes[1]
    for _, half in recordings.trials.groupby("split"):
        assert half.label.nunique() == n_classes


def test_the_problems_with_a_published_figure_come_from_the_folder_and_else_from_sktime(
    tmp_path: Path,
) -> None:
    root = write(tmp_path / "AtrialFibrillation", "AtrialFibrillation").parent
    write(root / "Epilepsy", "Epilepsy")
    assert uea_paper_problems(root) == {"problem": ["AtrialFibrillation", "BasicMotions", "JapaneseVowels"]}
    assert uea_problems(root) == {"problem": ["AtrialFibrillation", "Epilepsy"]}
    sources, notice = find_sources(parse_spec("uea-paper"), root)
    assert (notice, [source.variant for source in sources]) == ("", uea_paper_problems(root)["problem"])
    loaded = {source.variant: load_recordings(source, None) for source in sources}
    assert {name: len(recordings.trials) for name, recordings in loaded.items()} == {
        "AtrialFibrillation": 3,
        "BasicMotions": 80,
        "JapaneseVowels": 640,
    }
    shipped = uea(None, problem="BasicMotions")
    assert loaded["BasicMotions"].fingerprint == shipped.fingerprint
    assert loaded["BasicMotions"].credit == shipped.credit


def test_without_a_folder_the_problems_that_sktime_lacks_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("UEA_ROOT", raising=False)
    sources, _ = find_sources(parse_spec("uea-paper"), None)
    assert [source.variant for source in sources] == ["BasicMotions", "JapaneseVowels"]
    assert uea_paper_files(None) == []
    with pytest.raises(DataError, match="no problem 'ArticularyWordRecognition'"):
        uea_paper(None, problem="ArticularyWordRecognition")


def test_the_folder_may_be_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UEA_ROOT", str(write(tmp_path, "ArticularyWordRecognition")))
    sources, _ = find_sources(parse_spec("uea-paper"), None)
    assert [source.variant for source in sources] == [
        "ArticularyWordRecognition",
        "BasicMotions",
        "JapaneseVowels",
    ]


def test_the_folder_goes_before_what_sktime_ships(tmp_path: Path) -> None:
    write(tmp_path, "BasicMotions")
    assert len(uea_paper(tmp_path, problem="BasicMotions").trials) == 3
    assert len(uea_paper(tmp_path, problem="JapaneseVowels").trials) == 640


def test_the_cache_watches_the_files_of_these_problems_only(tmp_path: Path) -> None:
    write(tmp_path, "AtrialFibrillation")
    write(tmp_path, "Epilepsy")
    assert [file.name for file in uea_paper_files(tmp_path)] == [
        "AtrialFibrillation_TRAIN.ts",
        "AtrialFibrillation_TEST.ts",
    ]


@pytest.mark.parametrize("name", ["ArticularyWordRecognition", "BasicMotions"])
def test_half_a_problem_is_not_replaced_by_what_sktime_ships(tmp_path: Path, name: str) -> None:
    write(tmp_path / "AtrialFibrillation", "AtrialFibrillation")
    (write(tmp_path / name, name) / f"{name}_TEST.ts").unlink()
    with pytest.raises(DataError, match=rf"{name}_TEST\.ts: no such file"):
        uea_paper_problems(tmp_path)
    with pytest.raises(DataError, match=rf"{name}_TEST\.ts: no such file"):
        uea_paper(tmp_path, problem=name)


def test_half_of_another_problem_is_no_matter(tmp_path: Path) -> None:
    write(tmp_path, "AtrialFibrillation")
    (write(tmp_path, "Epilepsy") / "Epilepsy_TRAIN.ts").unlink()
    assert "AtrialFibrillation" in uea_paper_problems(tmp_path)["problem"]


def test_a_folder_with_none_of_these_problems_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no problem of the archive"):
        uea_paper_problems(tmp_path)
    write(tmp_path, "Epilepsy")
    with pytest.raises(
        DataError, match=r"none of ArticularyWordRecognition, AtrialFibrillation, Basic.* is there"
    ):
        uea_paper_problems(tmp_path)
    with pytest.raises(DataError, match="nowhere: no such folder"):
        uea_paper_problems(tmp_path / "nowhere")


def test_a_problem_without_a_published_figure_is_refused_though_it_is_there(tmp_path: Path) -> None:
    write(tmp_path, "AtrialFibrillation")
    write(tmp_path, "Epilepsy")
    with pytest.raises(DataError, match="uea-paper: no problem 'Epilepsy'; there is: Articulary"):
        uea_paper(tmp_path, problem="Epilepsy")
    with pytest.raises(DataError, match="did you mean BasicMotions"):
        uea_paper(tmp_path, problem="BasicMotion")
    with pytest.raises(DataError, match="names no subjects"):
        uea_paper(tmp_path, subjects=[0], problem="AtrialFibrillation")


def test_all_problems_with_a_published_figure_are_found(shared_data: Path) -> None:
    root = shared_data / "uea"
    if not root.is_dir():
        pytest.skip("needs a folder of the UEA archive")
    assert uea_paper_problems(root) == {"problem": list(PAPER)}
    sizes = {name: len(uea_paper(root, problem=name).trials) for name in PAPER}
    assert sizes == dict(zip(PAPER, (575, 30, 80, 640), strict=True))


def test_listing_the_plugins_imports_nothing_heavy() -> None:
    code = (
        "import sys, bench.datasets.uea as u, bench.datasets.hku956; u.uea_problems(None); "
        "print([m for m in ('pandas', 'scipy', 'sktime') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
