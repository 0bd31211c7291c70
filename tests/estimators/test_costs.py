"""What the estimators say that they cost, against the committed predictions of the trials."""

from pathlib import Path

import pandas as pd
import pytest

from bench.registry import plugins

REFERENCE = Path(__file__).parents[2] / "results" / "reference" / "costs" / "costs.csv"
ALIKE = 2.5  # trials on few windows tell no more


@pytest.fixture(scope="module")
def predicted():
    return pd.read_csv(REFERENCE).set_index("estimator")["seconds"].to_dict()


@pytest.mark.parametrize("name", [n for n, p in plugins("estimator").items() if p.about["cost"]])
def test_a_stated_cost_is_near_what_was_predicted(name, predicted):
    # A straight line through the trials of both together went wrong: its parts run one after the other.
    parts = name.split("-") if name == "multirocket-hydra" else [name]
    ratio = plugins("estimator")[name].cost_seconds / sum(predicted[part] for part in parts)
    assert 1 / ALIKE <= ratio <= ALIKE
