"""Suites as files: read, with what they take from others, and written."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import SuiteError
from bench.study.suite import Suite
from bench.study.suite_files import read_suite, suite_as_toml
from bench.suites import suite_titles

VALID = """
title = "A study"
dataset = "toy"
protocols = ["subject-stratified"]
estimators = ["majority"]
[target]
name = "arousal"
"""

FIGURE = """
[[published]]
estimator = "majority"
protocols = ["subject-stratified"]
accuracy = 0.5
source = "somewhere"
"""

BASE = (
    'name = "the-base"\n'
    + "seeds = 4"
    + VALID
    + """rule = "high-low"
threshold = 4.5
[windows]
seconds = 3.0
overlap = 1.0
[parameters.mlstm-fcn]
cells = 64
epochs = 9
[profiles.quick]
seeds = 1
[ablations]
estimator = "mlstm-fcn"
[ablations.rows]
"no LSTM" = { estimator = "mlstm-fcn[lstm=false]" }
"short" = { windows = { seconds = 1.5 } }
"""
    + FIGURE
)


@pytest.fixture
def files(tmp_path):
    """Write files, given by stem, and return the first one's path; there is a `base.toml` to extend."""

    def write(**texts):
        for name, text in {"base": BASE, **texts}.items():
            (tmp_path / f"{name}.toml").write_text(text)
        return str(tmp_path / f"{next(iter(texts))}.toml")

    return write


def refusal(path):
    with pytest.raises(SuiteError) as caught:
        read_suite(path)
    return str(caught.value)


def test_a_suite_file_is_named_after_its_file(files):
    assert read_suite(files(mine=VALID)).name == "mine"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (VALID.replace("protocols", "protocls", 1), "key 'protocls' is unknown; did you mean 'protocols'?"),
        (VALID.replace('title = "A study"', ""), "key 'title' is missing"),
        (VALID + "rule = 'hi-low'", "key 'target.rule'"),
        (VALID + "rule = 'hi-low'", "did you mean 'high-low'"),
        (VALID + "treshold = 4", "key 'target.treshold' is unknown; did you mean 'threshold'?"),
        ("seeds = 0" + VALID, "key 'seeds'"),
        (VALID + "[windows]\noverlap = 6", "overlap (6.0 s) must be shorter than the window (5.0 s)"),
        (VALID + "[profiles.quik]\nseeds = 1", "key 'profiles.quik"),
        (VALID + "[profiles.quick]\nsubjects = '4-1'", "'4-1' is neither a number nor a range"),
        (VALID + FIGURE + "varient = 'A'", "key 'published.0.varient' is unknown; did you mean 'variant'?"),
        (VALID + FIGURE + "variant = 'A/B'", "key 'published.0.variant': the name of a problem"),
        (VALID + FIGURE + "variant = 'A'\nrecall = [0.5]", "key 'published.0.recall': recall by class"),
        (VALID + FIGURE.replace("0.5", "50"), "key 'published.0.accuracy'"),
        (VALID + "[[", "not valid TOML"),
        ("name = '../x'\n" + VALID, "has to be letters, digits"),
        ("extend = 'deap-arousal'\n" + VALID, "key 'extend' is unknown; did you mean 'extends'?"),
        (
            VALID + "[ablations]\nestimator = 'x'\n[ablations.rows.target.target]\ntreshold = 4",
            "key 'ablations.rows.target.target.treshold' is unknown; did you mean 'threshold'?",
        ),
        (
            VALID + "[ablations]\nestimator = 'x'\n[ablations.rows.target]\nscalin = 'none'",
            "key 'ablations.rows.target.scalin' is unknown; did you mean 'scaling'?",
        ),
    ],
)
def test_a_fault_in_a_suite_file_names_the_file_and_the_key(files, text, message):
    said = refusal(files(mine=text))
    assert message in said
    assert said.startswith(str(Path(files(mine=text))))


def test_an_unknown_suite_and_a_missing_file_are_refused(tmp_path):
    assert "did you mean 'deap-arousal'" in refusal("deap-arousl")
    assert "No such file" in refusal(str(tmp_path / "absent.toml"))


def test_what_a_suite_extends_is_changed_key_by_key_and_lists_as_a_whole(files):
    text = """
extends = "base.toml"
estimators = ["rocket", "minirocket"]
published = []
[target]
name = "valence"
[parameters]
mlstm-fcn.cells = 8
rocket.num_kernels = 500
[profiles.smoke]
seeds = 2
[ablations.rows]
"raw" = { scaling = "none" }
"short" = { windows = { overlap = 0.5 } }
"""
    path = files(mine=text)
    base, mine = read_suite(str(Path(path).with_name("base.toml"))), read_suite(path)
    assert (base.name, mine.name, mine.title) == ("the-base", "mine", "A study")  # no folder for two suites
    assert mine.estimators == ["rocket", "minirocket"]
    assert (base.published != [], mine.published) == (True, [])
    assert mine.target == base.target.model_copy(update={"name": "valence"})
    assert mine.parameters == {"mlstm-fcn": {"cells": 8, "epochs": 9}, "rocket": {"num_kernels": 500}}
    assert {name: profile.seeds for name, profile in mine.profiles.items()} == {"quick": 1, "smoke": 2}
    assert list(mine.ablations.rows) == ["no LSTM", "short", "raw"]
    assert mine.ablations.rows["short"].windows == {"seconds": 1.5, "overlap": 0.5}
    for same in ("dataset", "protocols", "seeds", "windows", "scaling"):
        assert getattr(mine, same) == getattr(base, same)


def test_a_suite_that_comes_with_the_program_is_extended_by_its_name(files):
    path = files(mine='extends = "deap-valence"\ntitle = "Mine"\nseeds = 2')
    expected = {**read_suite("deap-valence").model_dump(), "name": "mine", "title": "Mine", "seeds": 2}
    assert read_suite(path).model_dump() == expected


def test_a_chain_of_files_in_several_folders_is_followed_from_each_ones_own_folder(files, tmp_path):
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "mid.toml").write_text('extends = "../base.toml"\nseeds = 3\nscaling = "none"')
    suite = read_suite(files(mine='extends = "deeper/mid.toml"\nseeds = 2'))
    assert (suite.seeds, suite.scaling, suite.windows.seconds) == (2, "none", 3.0)


@pytest.mark.parametrize(
    ("extends", "message"),
    [
        ('"deap-arousl"', "no suite is called 'deap-arousl'; did you mean 'deap-arousal'?"),
        ('"base"', "no suite is called 'base'; did you mean 'base.toml'?"),
        ('"bse.toml"', "there is no file {folder}/bse.toml; did you mean 'base.toml'?"),
        ('"nowhere/base.toml"', "there is no file {folder}/nowhere/base.toml"),
        (f'"{"x" * 300}/base.toml"', "there is no file {folder}/xxx"),
        ("3", "has to be the name of a suite or the path of a .toml file, found 3"),
        (r'"a\u0000.toml"', "has to be the name of a suite or the path of a .toml file"),
    ],
)
def test_what_cannot_be_extended_is_refused_in_one_line(files, tmp_path, extends, message):
    said = refusal(files(mine=f"extends = {extends}\n"))
    assert said.startswith(f"{tmp_path}/mine.toml: key 'extends'")
    assert message.format(folder=tmp_path) in said
    assert "\n" not in said


def test_a_circle_is_shown(files, tmp_path):
    mine, a, b = (str(tmp_path / f"{name}.toml") for name in ("mine", "a", "b"))
    texts = {"mine": 'extends = "a.toml"', "a": 'extends = "b.toml"', "b": f'extends = "{a}"'}
    assert refusal(files(**texts)) == (
        f"{b}: key 'extends': suites extend each other in a circle: {a} -> {b} -> {a}"
    )
    assert f"{mine} -> {mine}" in refusal(files(mine='extends = "mine.toml"'))


def test_a_circle_through_a_link_is_found(files, tmp_path):
    path = files(mine='extends = "link.toml"')
    os.symlink(path, tmp_path / "link.toml")
    assert "in a circle" in refusal(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("protocls = ['loso']", "key 'protocls' is unknown; did you mean 'protocols'?"),
        ("[target]\ntreshold = 4", "key 'target.treshold' is unknown; did you mean 'threshold'?"),
        ("[target.more]\nx = 4", "key 'target.more' is unknown"),
        ("[thoughts]\nx = 4", "key 'thoughts' is unknown"),
        ("[profiles.quick]\nseed = 4", "key 'profiles.quick.seed' is unknown; did you mean 'seeds'?"),
        ("[ablations.rows.x]\nscalin = 'none'", "key 'ablations.rows.x.scalin' is unknown"),
        (
            "[ablations.rows.x.windows]\nseconds = -1",
            "key 'ablations.rows.x.windows.seconds': Input should be",
        ),
        ("seeds = 0", "key 'seeds': Input should be greater"),
        ("target = 'arousal'", "key 'target': Input should be"),
        (
            "[windows]\noverlap = 3.5",
            "key 'windows': overlap (3.5 s) must be shorter than the window (3.0 s)",
        ),
        ("[target]\nrule = 'hi-low'", "did you mean 'high-low'?"),
        (
            "[[published]]\nestimator = 'x'\nprotocols = ['y']\naccuracy = 1",
            "key 'published.0.source' is missing",
        ),
        ("name = 'a/b'", "key 'name': 'a/b' has to be letters"),
        ("[[", "not valid TOML"),
    ],
)
def test_a_fault_of_the_extending_file_names_that_file_alone(files, tmp_path, text, message):
    said = refusal(files(mine=f'extends = "base.toml"\n{text}'))
    assert said.startswith(f"{tmp_path}/mine.toml: ")
    assert message in said
    assert "base.toml" not in said


@pytest.mark.parametrize(
    ("base", "message"),
    [
        (BASE.replace("protocols", "protocls", 1), "key 'protocls' is unknown; did you mean 'protocols'?"),
        (BASE.replace("threshold", "treshold"), "key 'target.treshold' is unknown"),
        (BASE.replace("seeds = 4", "seeds = 0"), "key 'seeds': Input should be greater"),
        (BASE.replace("0.5", "50"), "key 'published.0.accuracy'"),
        (BASE.replace("1.5", "-1"), "key 'ablations.rows.short.windows.seconds'"),
    ],
)
def test_a_fault_of_the_extended_file_names_that_file_and_who_extends_it(files, tmp_path, base, message):
    said = refusal(files(mine='extends = "base.toml"\n[target]\nname = "valence"', base=base))
    assert f"{tmp_path}/base.toml, which {tmp_path}/mine.toml extends: {message}" in said


def test_a_row_that_no_longer_goes_with_changed_windows_is_named_where_it_stands(files, tmp_path):
    said = refusal(files(mine='extends = "base.toml"\n[windows]\noverlap = 2.0'))
    assert said.startswith(
        f"{tmp_path}/base.toml, which {tmp_path}/mine.toml extends: key 'ablations.rows.short.windows': "
        "overlap (2.0 s) must be shorter than the window (1.5 s)"
    )


def test_an_extended_file_that_is_no_toml_is_named(files, tmp_path):
    assert refusal(files(mine='extends = "base.toml"', base="[[")).startswith(
        f"{tmp_path}/base.toml: not valid"
    )


@pytest.mark.parametrize("study", ["deap-{}", "hku956-{}", "deap-{}-published"])
def test_the_suites_on_valence_are_those_on_arousal_but_for_the_target(study):
    arousal, valence = (read_suite(study.format(name)).model_dump() for name in ("arousal", "valence"))
    assert valence["target"] == {**arousal["target"], "name": "valence"}
    other = {key for key in arousal if arousal[key] != valence[key]}
    assert other - {"published", "unknown", "profiles"} == {"name", "title", "target"}
    assert ("published" in other) == ("profiles" in other) == study.endswith("published")
    if "profiles" in other:  # the configuration with published recall is another
        for suite in (arousal, valence):
            del suite["profiles"]["smoke"]["estimators"]
        assert arousal["profiles"] == valence["profiles"]


@pytest.mark.parametrize("name", suite_titles())
def test_a_suite_of_the_program_has_a_title_of_its_own_and_is_read_back_as_it_is_written(name, tmp_path):
    suite = read_suite(name)
    assert suite.title == suite_titles()[name]
    text = suite_as_toml(suite)
    assert "extends" not in text
    path = tmp_path / "other-name.toml"
    path.write_text(text)
    assert read_suite(str(path)) == suite
    assert suite_as_toml(read_suite(str(path))) == text


def test_a_written_suite_shows_defaults_in_force_and_nothing_that_is_empty_or_idle(files):
    assert suite_as_toml(read_suite(files(mine=VALID))).split() == [
        "name",
        "=",
        '"mine"',
        "title",
        "=",
        '"A',
        'study"',
        "dataset",
        "=",
        '"toy"',
        "scaling",
        "=",
        '"min-max"',
        "protocols",
        "=",
        "[",
        '"subject-stratified",',
        "]",
        "estimators",
        "=",
        "[",
        '"majority",',
        "]",
        "seeds",
        "=",
        "1",
        "[target]",
        "name",
        "=",
        '"arousal"',
        "rule",
        "=",
        '"high-low"',
        "threshold",
        "=",
        "5.0",
        "[windows]",
        "seconds",
        "=",
        "5.0",
        "overlap",
        "=",
        "2.0",
    ]
    idle = suite_as_toml(read_suite(files(mine=VALID + "rule = 'levels'\n[windows]\nwhole = true")))
    assert "threshold" not in idle
    assert "seconds" not in idle


def test_a_written_suite_keeps_what_is_empty_on_purpose(files, tmp_path):
    text = 'derived = ["hrv"]' + VALID + "[profiles.quick]\n[ablations]\nestimator = 'x'\n[ablations.rows]\n"
    suite = read_suite(files(mine=text + "plain = {}\nbare = { derived = [] }\n"))
    assert read_suite(files(mine=suite_as_toml(suite))) == suite
    assert suite.ablations.rows["bare"].derived == []


# What TOML can hold: no surrogates, and no NaN here, which equals nothing.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT | st.dates()
VALUES = st.recursive(SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(TEXT, v, max_size=3))


@settings(max_examples=50, deadline=None)
@given(
    title=TEXT,
    parameters=st.dictionaries(TEXT, st.dictionaries(TEXT, VALUES, max_size=3), max_size=3),
    target=st.builds(
        lambda rule, threshold, drop: {"rule": rule, "threshold": threshold, "drop_at_threshold": drop},
        st.sampled_from(["high-low", "levels", "quadrants", "label"]),
        st.sampled_from([5, 4.5, 0.0, "subject-median"]),
        st.booleans(),
    ),
    windows=st.fixed_dictionaries(
        {},
        optional={
            "seconds": st.floats(3, 9),
            "whole": st.booleans(),
            "per_trial": st.integers(1, 9),
            "sampling_rate": st.floats(1, 999),
        },
    ),
    quick=st.fixed_dictionaries(
        {}, optional={"seeds": st.integers(1, 5), "subjects": st.sampled_from(["1", "2-4"])}
    ),
)
def test_any_suite_is_read_back_as_it_is_written(title, parameters, target, windows, quick):
    suite = Suite.model_validate(
        {
            "name": "any",
            "title": title,
            "dataset": "toy",
            "target": {"name": "arousal", **target},
            "windows": windows,
            "protocols": ["loso"],
            "estimators": ["majority"],
            "parameters": parameters,
            "profiles": {"quick": quick},
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.toml"
        path.write_text(suite_as_toml(suite), encoding="utf-8")
        assert read_suite(str(path)) == suite


def test_a_suite_cannot_take_the_folder_of_the_reference_results(tmp_path):
    file = tmp_path / "reference.toml"
    file.write_text('extends = "uea"\n')
    with pytest.raises(SuiteError, match="'reference' is the folder of the reference results"):
        read_suite(str(file))
