"""Suites and profiles."""

import pytest

from bench.errors import SuiteError
from bench.study.suite import PROFILES, parse_subjects
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


def write(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", suite_titles())
@pytest.mark.parametrize("profile", PROFILES)
def test_every_suite_that_comes_with_the_program_is_valid_in_every_profile(name, profile):
    suite = read_suite(name).thinned(profile)
    assert suite.name == name
    assert suite.protocols
    assert suite.estimators


def test_a_profile_changes_what_it_names_and_says_so(tmp_path):
    text = VALID + (
        "[parameters.mlstm-fcn]\ncells = 64\nepochs = 9\n"
        "[profiles.smoke]\nseeds = 2\nwindows_per_trial = 3\nsampling_rate = 16\n"
        "subjects = '1-4'\n"
        "[profiles.smoke.parameters.mlstm-fcn]\nepochs = 2\n"
    )
    suite = read_suite(write(tmp_path, "seeds = 5\n" + text))
    thin = suite.thinned("smoke")
    assert (thin.seeds, thin.windows.per_trial, thin.subjects) == (2, 3, "1-4")
    assert thin.windows.sampling_rate == 16
    assert thin.parameters["mlstm-fcn"] == {"cells": 64, "epochs": 2}
    assert thin.changes_from(suite) == [
        "subjects: 1-4 (suite: all)",
        "seeds: 2 (suite: 5)",
        "consecutive windows per trial: 3 (suite: all)",
        "sampling rate: 16 Hz (suite: as recorded)",
        "mlstm-fcn epochs: 2 (suite: 9)",
    ]
    assert suite.thinned("full").seeds == 5
    assert suite.thinned("full").changes_from(suite) == []


def test_a_published_figure_is_of_all_data_sets_and_not_oversampled_unless_it_says_so(tmp_path):
    text = VALID + FIGURE + FIGURE + "variant = 'BasicMotions'\noversampled = true\n"
    figures = read_suite(write(tmp_path, text)).published
    assert [(figure.variant, figure.oversampled) for figure in figures] == [
        ("", False),
        ("BasicMotions", True),
    ]


def test_subjects_are_numbers_and_ranges():
    assert parse_subjects("7, 1-4,3") == [1, 2, 3, 4, 7]
    for wrong in ("", ",", "a", "1-", "-3", "4-2", "1-2-3"):
        with pytest.raises(SuiteError):
            parse_subjects(wrong)


@pytest.mark.parametrize(
    "scaling",
    [
        "min-max",
        "subject-z-score",
        "rank-normal",
        "baseline",
        "first-seconds[60]",
        "first-seconds[2.5]",
        "none",
    ],
)
def test_a_scaling_is_read_as_it_is_written_and_written_again(tmp_path, scaling):
    row = f'[ablations]\nestimator = "majority"\n[ablations.rows]\nother = {{ scaling = "{scaling}" }}\n'
    suite = read_suite(write(tmp_path, f'scaling = "{scaling}"\n' + VALID + row))
    assert suite.scaling == suite.ablations.rows["other"].scaling == scaling
    assert read_suite(write(tmp_path, suite_as_toml(suite))) == suite


@pytest.mark.parametrize(
    ("scaling", "message"),
    [
        ("minmax", "Input should be 'min-max', 'subject-z-score', "),
        ("minmax", "found 'minmax'; did you mean 'min-max'?"),
        ("base-line", "found 'base-line'; did you mean 'baseline'?"),
        ("frist-seconds[60]", "found 'frist-seconds[60]'; did you mean 'first-seconds[60]'?"),
        (
            "first-seconds",
            "first-seconds takes a positive number of seconds, such as first-seconds[60], found 'first-seconds'",
        ),
        ("first-seconds[0]", "such as first-seconds[60], found 'first-seconds[0]'"),
        ("first-seconds[x]", "such as first-seconds[60], found 'first-seconds[x]'"),
    ],
)
def test_a_mistaken_scaling_is_answered_with_the_nearest(tmp_path, scaling, message):
    with pytest.raises(SuiteError) as caught:
        read_suite(write(tmp_path, f'scaling = "{scaling}"\n' + VALID))
    assert "key 'scaling'" in str(caught.value)
    assert message in str(caught.value)
    row = f'[ablations]\nestimator = "majority"\n[ablations.rows]\nother = {{ scaling = "{scaling}" }}\n'
    with pytest.raises(SuiteError) as caught:
        read_suite(write(tmp_path, VALID + row))
    assert "key 'ablations.rows.other.scaling'" in str(caught.value)
    assert message in str(caught.value)
