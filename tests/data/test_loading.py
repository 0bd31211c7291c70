"""Data sets are found, cached, and read again when anything has changed."""

import mmap
import os

import numpy as np
import pytest

from bench.data.loading import cache_folder, find_sources, load_recordings
from bench.errors import DataError, SuiteError
from bench.spec import parse_spec


@pytest.fixture(autouse=True)
def _fresh_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    for name in ("DEAP_ROOT", "HKU956_ROOT", "UEA_ROOT"):
        monkeypatch.delenv(name, raising=False)


def load(spec, root=None, subjects=None):
    ((source,), _) = find_sources(parse_spec(spec), root)
    said = []
    return load_recordings(source, subjects, said.append), said


def test_without_a_deap_copy_the_simulated_one_is_used_and_said_so():
    sources, notice = find_sources(parse_spec("deap"), None)
    assert [source.plugin.name for source in sources] == ["deap-simulated"]
    assert "recordings that a program made up" in notice
    assert "DEAP_ROOT" in notice


def test_a_given_folder_is_never_replaced_by_simulated_data(tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"--data-root .*absent: no such folder"):
        find_sources(parse_spec("deap"), tmp_path / "absent")
    monkeypatch.setenv("DEAP_ROOT", str(tmp_path / "gone"))
    with pytest.raises(DataError, match=r"DEAP_ROOT .*gone: no such folder"):
        find_sources(parse_spec("deap"), None)
    ((source,), notice) = find_sources(parse_spec("deap"), tmp_path)
    assert (source.plugin.name, notice) == ("deap", "")


def test_a_data_set_without_fallback_says_how_to_give_it_and_where_to_get_it():
    with pytest.raises(DataError, match=r"--data-root DIR or HKU956_ROOT=DIR\. Where to get it: .*10\.3390"):
        find_sources(parse_spec("hku956"), None)


def test_the_problems_of_the_uea_archive_are_one_data_set_each():
    sources, _ = find_sources(parse_spec("uea"), None)
    assert [source.variant for source in sources] == ["BasicMotions", "JapaneseVowels"]
    ((source,), _) = find_sources(parse_spec("uea[problem=BasicMotions]"), None)
    assert source.variant == "BasicMotions"


def test_an_unknown_parameter_of_a_data_set_is_refused(toy_plugins):
    with pytest.raises(SuiteError, match="dataset 'toy' has no parameter 'efect'; did you mean 'effect'"):
        find_sources(parse_spec("toy[efect=1]"), None)


def test_the_second_reading_comes_from_the_cache_and_is_the_same(toy_plugins):
    first, said = load("toy[effect=0.5]")
    assert "reading toy" in said[0]
    second, said = load("toy[effect=0.5]")
    assert said == []
    assert second.fingerprint == first.fingerprint
    assert second.simulated
    assert all((a == b).all() for a, b in zip(first.signals, second.signals, strict=True))
    assert is_mapped(second.signals[0])
    assert not is_mapped(second.signals[0].copy())
    assert second.trials.equals(first.trials)


def is_mapped(array):
    """Whether an array's samples are those of a file, mapped into memory."""
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array, mmap.mmap)


def test_other_parameters_and_subjects_are_other_recordings(toy_plugins):
    prints = {
        load(spec, subjects=s)[0].fingerprint for spec in ("toy", "toy[effect=1]") for s in (None, [1, 2])
    }
    assert len(prints) == 4
    assert load("toy", subjects=[2, 1])[0].fingerprint in prints


@pytest.mark.parametrize("how", ["flip", "truncate", "delete", "nonsense"])
def test_a_damaged_cache_is_made_again(toy_plugins, how):
    fingerprint = load("toy")[0].fingerprint
    (folder,) = cache_folder().iterdir()
    signals = folder / "signals.npy"
    if how == "flip":
        content = bytearray(signals.read_bytes())
        content[-100] ^= 1
        signals.write_bytes(content)
    elif how == "truncate":
        os.truncate(signals, 1000)
    elif how == "delete":
        (folder / "trials.parquet").unlink()
    else:
        (folder / "about.json").write_text("{")
    recordings, said = load("toy")
    assert "reading toy" in said[0]
    assert recordings.fingerprint == fingerprint


def test_a_changed_file_is_read_again(toy_plugins, tmp_path):
    root = tmp_path / "data"
    root.mkdir()
    (root / "level.txt").write_text("1")
    assert load("toy-file", root)[0].signals[0][0, 0] == 1
    assert load("toy-file", root)[1] == []
    (root / "level.txt").write_text("22")
    assert load("toy-file", root)[0].signals[0][0, 0] == 22


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(toy_plugins, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "file"))
    recordings, said = load("toy")
    assert len(recordings.signals) == 40
    assert "not kept for the next run" in said[-1]
