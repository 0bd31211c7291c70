"""The order of DEAP's sessions: read where the release's table of ratings is, and what is said of a faulty one."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from hypothesis import given
from hypothesis import strategies as st

from bench.data.loading import find_sources, load_recordings
from bench.datasets._deap_sessions import read_order
from bench.datasets.deap import deap, deap_files
from bench.datasets.deap_simulated import write_deap_folder
from bench.recordings import DataError
from bench.spec import parse_spec

HEADER = "Participant_id,Trial,Experiment_id,Start_time,Valence,Arousal,Dominance,Liking,Familiarity"
FORWARDS = list(range(1, 41))
BACKWARDS = FORWARDS[::-1]


def session(subject: int, places: list[int]) -> list[str]:
    """Return the lines of one subject, who saw video k at the k-th of these places."""
    by_place = sorted((place, video) for video, place in enumerate(places, start=1))
    return [f"{subject},{place},{video},{place}00000000,5,5,5,5," for place, video in by_place]


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write one subject that nothing declares simulated."""
    path = tmp_path_factory.mktemp("measured") / "s24.mat"
    scipy.io.savemat(
        path, {"data": np.zeros((40, 40, 8064)), "labels": np.full((40, 4), 5.5)}, do_compression=True
    )
    return path


@pytest.fixture
def folder(measured: Path, tmp_path: Path) -> Path:
    """Return a folder with subject 24, in a folder of its own."""
    inside = tmp_path / "DEAP" / "data_preprocessed_matlab"
    inside.mkdir(parents=True)
    os.link(measured, inside / "s24.mat")
    return inside


@pytest.mark.parametrize(
    "place",
    [".", "..", "metadata", "../metadata", "../metadata_csv", "../metadata_xls"],
)
def test_the_order_is_read_from_beside_the_signals(folder: Path, place: str) -> None:
    path = write(folder / place / "participant_ratings.csv", *session(24, BACKWARDS))
    trials = deap(folder, subjects=[24]).trials
    assert trials.order.tolist() == BACKWARDS
    assert trials.trial.tolist() == trials.stimulus.tolist() == FORWARDS
    assert deap(folder.parent, subjects=[24]).trials.equals(trials)
    assert os.path.samefile(deap_files(folder)[-1], path)


def test_the_table_with_the_signals_goes_before_one_above(folder: Path) -> None:
    write(folder.parent / "participant_ratings.csv", *session(24, FORWARDS))
    write(folder / "participant_ratings.csv", *session(24, BACKWARDS))
    assert deap(folder, subjects=[24]).trials.order.tolist() == BACKWARDS


def test_without_the_table_there_is_no_order_but_a_site(folder: Path) -> None:
    trials = deap(folder, subjects=[24]).trials
    assert "order" not in trials
    assert set(trials.site) == {"Geneva"}


def test_of_a_spreadsheet_it_is_said_that_it_is_not_read(folder: Path) -> None:
    path = folder.parent / "metadata_xls" / "participant_ratings.xls"
    path.parent.mkdir()
    path.touch()
    with pytest.warns(
        UserWarning, match=r"participant_ratings\.xls is not read: .* participant_ratings\.csv"
    ):
        assert "order" not in deap(folder, subjects=[24]).trials


def test_another_table_is_read_again_though_the_signals_are_the_same(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    ((source,), _) = find_sources(parse_spec("deap"), folder)
    said: list[str] = []
    assert "order" not in load_recordings(source, [24], said.append).trials
    for places in (FORWARDS, BACKWARDS):
        path = write(folder.parent / "participant_ratings.csv", *session(24, places))
        os.utime(path, ns=(0, places[0]))
        assert load_recordings(source, [24], said.append).trials.order.tolist() == places
    assert len(said) == 3
    assert load_recordings(source, [24], said.append).trials.order.tolist() == BACKWARDS
    assert len(said) == 3


@given(
    places=st.permutations(FORWARDS),
    subject=st.integers(1, 32),
    delimiter=st.sampled_from([",", ";", "\t", " ; ", " , "]),
    end=st.sampled_from(["\n", "\r\n", "\n\n"]),
    mark=st.sampled_from(["", "\ufeff"]),
    shuffle=st.randoms(use_true_random=False),
)
def test_any_order_of_lines_and_form_of_table_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    places: list[int],
    subject: int,
    delimiter: str,
    end: str,
    mark: str,
    shuffle: random.Random,
) -> None:
    path = tmp_path_factory.getbasetemp() / "participant_ratings.csv"
    lines = session(subject, places) + session(subject % 32 + 1, FORWARDS)
    shuffle.shuffle(lines)
    text = mark + end.join([HEADER, *lines]).replace(",", delimiter) + end
    path.write_bytes(text.encode())
    order, simulated = read_order(path, [subject, subject % 32 + 1])
    assert order.tolist() == [*places, *FORWARDS]
    assert not simulated


COMPLETE = session(24, FORWARDS)
FAULTY = {
    "place out of range": (
        [*COMPLETE[:4], "24,41,5,0,5,5,5,5,", *COMPLETE[5:]],
        ", line 6: Trial is '41', expected a whole number from 1 to 40",
    ),
    "person out of range": (["33,1,1,0,5,5,5,5,"], ", line 2: Participant_id is '33', expected a whole"),
    "video not whole": (["24,1,1.5,0,5,5,5,5,"], ", line 2: Experiment_id is '1.5', expected a whole"),
    "no number": (["24,nan,1,0,5,5,5,5,"], ", line 2: Trial is 'nan'"),
    "code": (["24,__import__('os'),1,0"], ", line 2: Trial is \"__import__('os')\""),
    "line cut off": ([*COMPLETE[:39], "24,40"], ", line 41: Experiment_id is '', expected a whole"),
    "place twice": (
        [*COMPLETE, "", "24,7,40,0,5,5,5,5,"],
        ", line 43: participant 24 has Trial 7 already on line 8",
    ),
    "video twice": (
        [*COMPLETE[:39], "24,40,3,0,5,5,5,5,"],
        ", line 41: participant 24 has Experiment_id 3 already on line 4",
    ),
    "trial missing": (COMPLETE[:-1], ", line 40: participant 24 has 39 of 40 trials"),
    "person missing": (session(23, FORWARDS), ": participant 24 has 0 of 40 trials"),
    "nothing": ([], ": participant 24 has 0 of 40 trials"),
    "open quotes": (['"24,1,1'], ": not a table of text: "),
}


@pytest.mark.parametrize("fault", FAULTY)
def test_a_faulty_table_is_named_with_the_line(folder: Path, fault: str) -> None:
    lines, message = FAULTY[fault]
    path = write(folder / "participant_ratings.csv", *lines)
    with pytest.raises(DataError) as raised:
        deap(folder, subjects=[24])
    assert str(raised.value).startswith(f"{path}{message}")


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"", ", line 1: no column Participant_id, Trial, Experiment_id"),
        (b"Participant_id,Order,Experiment_id\n", ", line 1: no column Trial"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ": not a table of text: "),
    ],
)
def test_what_is_no_such_table_is_named(folder: Path, contents: bytes, message: str) -> None:
    path = folder / "participant_ratings.csv"
    path.write_bytes(contents)
    with pytest.raises(DataError) as raised:
        deap(folder, subjects=[24])
    assert str(raised.value).startswith(f"{path}{message}")


def test_made_up_sessions_do_not_go_with_measured_signals(folder: Path, tmp_path: Path) -> None:
    write_deap_folder(tmp_path / "made-up", subjects=[24])
    made = tmp_path / "made-up" / "participant_ratings.csv"
    assert deap(made.parent, subjects=[24]).trials.order.tolist() != FORWARDS
    (folder / "participant_ratings.csv").write_bytes(made.read_bytes())
    with pytest.raises(DataError, match=r"order of simulated sessions, but .*s24\.mat is real"):
        deap(folder, subjects=[24])
    write(made, *session(24, FORWARDS))
    with pytest.raises(DataError, match=r"order of real sessions, but .*s24\.dat is simulated"):
        deap(made.parent, subjects=[24])
