"""``check`` tells the author of a plugin what is wrong with it, and what to do."""

from pathlib import Path

import pytest

from bench.errors import PluginError
from bench.spec import parse_spec
from bench.study import check_cost
from bench.study.check import check_dataset, check_estimator


@pytest.fixture(scope="module", autouse=True)
def _plugins(toy_plugins):
    from bench.discovery import add_plugin_folder

    add_plugin_folder(Path(__file__).parent / "plugins")


def checks(name, **options):
    return list(check_estimator(parse_spec(name), **options))


def faults(name):
    return [f"{found.sentence}: {found.fault}" for found in checks(name) if found.fault]


@pytest.mark.parametrize(
    "name",
    [
        "majority",
        "stratified-chance",
        "nearest-mean",
        "nearest-window",
        "kit-sound",
        "dtw-knn[n_neighbors=2]",
        "moments-forest[n_estimators=20]",
        "moments-forest[n_estimators=5|20]",
        "minirocket[num_kernels=168]",
        "rocket[num_kernels=50]",
    ],
)
def test_estimators_that_keep_the_interface_pass(name):
    assert faults(name) == []


@pytest.mark.parametrize("library", ["sklearn", "sktime", "aeon"])
def test_an_estimator_of_a_library_passes_as_it_is(library):
    pytest.importorskip(library)
    assert faults(f"of-{library}") == []


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("breaks[how=fit]", "RuntimeError: the loss is nan"),
        ("breaks[how=shape]", "predict gave shape (3,) for 24 windows"),
        ("breaks[how=class]", "predict gave 'medium', which is no class"),
        ("kit-returnsnone", "fit returns a NoneType; let it return self"),
        ("kit-nopredict", "AttributeError: 'NoPredict' object has no attribute 'predict'"),
        ("kit-codes", "predict gave '0' of type int64, which is no class"),
        ("kit-column", "predict gave shape (24, 1) for 24 windows"),
    ],
)
def test_what_makes_all_else_pointless_is_the_last_line(name, fault):
    (one,) = faults(name)
    assert fault in one
    assert checks(name)[-1].fault


@pytest.mark.parametrize(
    ("name", "fault", "advice"),
    [
        ("kit-nothing", "the registered function returns a NoneType, which has no fit", "fit(X, y) takes X"),
        (
            "kit-unset",
            "missing 1 required",
            "level has no default: give it one, or check 'kit-unset[level=...]'",
        ),
        (
            "kit-table",
            "ValueError: Found array with dim 3",
            "flattened(classifier) or with_features(classifier)",
        ),
    ],
)
def test_who_cannot_be_fitted_is_told_what_is_most_likely_missing(name, fault, advice):
    (one,) = checks(name)
    assert fault in one.fault
    assert advice in one.advice


def test_a_warning_is_told_once_as_a_cell_tells_it():
    (note,) = [one.note for one in checks("kit-warns") if one.note]
    assert note == "UserWarning: few windows"


@pytest.mark.parametrize(
    ("name", "sentence", "fault"),
    [
        ("kit-changesinput", "leaves its windows as they are", "predict changes the windows"),
        ("kit-ownseedeachtime", "repeats with the same random_state", "two fits with random_state=0"),
        (
            "kit-columnsreversed",
            "gives probabilities",
            "column 0 is highest for windows of the class 'middle'",
        ),
        ("kit-classesreversed", "gives probabilities", "but classes_[0] is 'middle'"),
        ("kit-unsorted", "gives probabilities", "classes_ is ['middle', 'low', 'high'], not sorted"),
        ("of-neighbours", "predicts a window alone", "it looks at the windows that come with it"),
        ("liar", "predicts the most probable class", "predict gives another class than predict_proba"),
        ("kit-notclonable", "is cloned by scikit-learn", "RuntimeError: Cannot clone object"),
        ("kit-forgetsinclones", "is cloned by scikit-learn", "a clone that is fitted to the same windows"),
        ("kit-pickleshalf", "predicts the same after it was pickled", "what is loaded predicts differently"),
        (
            "kit-forgetsinfiles",
            "predicts the same after save and load",
            "what is loaded predicts differently",
        ),
        ("kit-squeezes", "predicts a single window", "predict gave shape () for 1 windows"),
        (
            "kit-classesoftest",
            "predicts windows among which a class is missing",
            "ValueError: one class only",
        ),
        ("kit-threeclasses", "works with two classes", "IndexError"),
        ("kit-claimsweights", "takes sample_weight", "NotImplementedError: weights"),
        ("kit-sound+class-weight", "takes sample_weight, for +class-weight", "no such parameter"),
        (
            "kit-unequal",
            "takes windows of unequal length",
            "predict_proba gave rows that are no probabilities",
        ),
    ],
)
def test_a_fault_is_told_in_its_line_with_advice(name, sentence, fault):
    found = [one for one in checks(name) if one.fault]
    told = [one for one in found if one.sentence.startswith(sentence)]
    assert len(told) == 1, found
    assert fault in told[0].fault
    assert told[0].advice
    # A single window that is squeezed cannot be asked for alone either; all others have one fault.
    assert len(found) == (2 if name == "kit-squeezes" else 1)


def test_who_draws_from_the_global_generators_is_told_why_nothing_repeats():
    repeats, draws = faults("kit-drawsglobally")
    assert "two fits with random_state=0 predict differently" in repeats
    assert "what it draws of NumPy follows what others have drawn before" in draws


def test_who_seeds_the_global_generators_repeats_and_is_told_that_they_are_everybodys():
    assert faults("kit-seedsall") == []
    (note,) = [one.note for one in checks("kit-seedsall") if one.note]
    assert note.startswith("it seeds those of NumPy and Python")


def test_what_cannot_be_pickled_is_no_fault_for_no_cell_needs_it():
    assert faults("kit-holdsalambda") == []
    (note,) = [one for one in checks("kit-holdsalambda") if one.note]
    assert "it cannot be (" in note.note
    assert note.advice


def test_time_and_memory_are_told_on_three_sizes():
    cost = checks("kit-sound", cost=True)[-1]
    assert cost.sentence.startswith("fit and predict of 50, 100 and 200 windows of (3, 64): ")
    assert cost.sentence.endswith(" MB")
    assert not cost.fault


def test_only_a_growth_that_nobody_can_pay_for_is_a_fault(monkeypatch):
    monkeypatch.setattr(check_cost, "_LONG", 0.2)
    cost = checks("kit-explodes", cost=True)[-1]
    assert "ten times the windows take" in cost.fault
    monkeypatch.setattr(check_cost, "_LONG", 5.0)
    assert not checks("kit-explodes", cost=True)[-1].fault


def test_an_unknown_resampler_is_refused():
    with pytest.raises(PluginError, match="no resampler is called 'rso'; did you mean 'ros'"):
        checks("kit-sound+rso")


def test_data_sets_are_read_and_described():
    sentences = [found.sentence for found in check_dataset(parse_spec("toy"), None)]
    assert "40 trials of 4 subjects, 2 channels at 16 Hz; to predict: arousal, valence" in sentences


@pytest.mark.parametrize(
    "name", ["majority", "stratified-chance", "subject-prior", "order-prior", "trial-prior"]
)
def test_what_sees_ids_only_is_checked_on_ids(name):
    found = checks(name, cost=True)
    assert [check.fault for check in found if check.fault] == []
    assert "ids of 24 windows" in found[0].sentence
