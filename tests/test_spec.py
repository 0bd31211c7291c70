"""Specs as typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import SuiteError
from bench.spec import Spec, parse_spec, split_specs


def test_a_spec_has_a_name_parameters_and_a_resampler():
    spec = parse_spec("mlstm-fcn[cells=64, dropout=0.5,shuffle=false,mode=fast]+smote")
    assert spec == Spec("mlstm-fcn", {"cells": 64, "dropout": 0.5, "shuffle": False, "mode": "fast"}, "smote")
    assert str(spec) == "mlstm-fcn[cells=64,dropout=0.5,shuffle=false,mode=fast]+smote"


names = st.from_regex(r"[a-z0-9][a-z0-9.-]{0,8}", fullmatch=True)
words = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
values = st.integers() | st.booleans() | words.filter(lambda w: w not in ("true", "false", "inf", "nan"))


@given(names, st.dictionaries(words, values, max_size=3), st.just("") | words)
def test_what_is_written_is_read_back(name, parameters, resampler):
    spec = Spec(name, parameters, resampler)
    assert parse_spec(str(spec)) == spec


@pytest.mark.parametrize(
    "text",
    ["", "Rocket", "rocket[", "rocket[a]", "rocket[a=1,a=2]", "rocket[a=]", "rocket[a=__import__('os')]",
     "rocket+", "../rocket", "rocket[a=b/c]", 'rocket[a="../x"]', "rocket[a=[1]]", "rocket]+ros", "rocket[a=1]x"],
)  # fmt: skip
def test_anything_else_is_refused_and_nothing_of_it_is_run(text):
    with pytest.raises(SuiteError, match="is not"):
        parse_spec(text)


def test_a_list_is_split_at_the_commas_outside_brackets():
    assert split_specs("a, b[x=1,y=2]+ros,c[],") == ["a", "b[x=1,y=2]+ros", "c[]"]
