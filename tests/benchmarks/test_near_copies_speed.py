"""Speed of the search for near-copies among all trials of a data set the size of DEAP."""

import numpy as np
import pytest

from bench.data.loading import find_sources, load_recordings
from bench.spec import parse_spec
from bench.splits.near_copies import near_copies


@pytest.mark.benchmark(group="audit")
def test_near_copies_among_1280_trials(benchmark, measured):
    ((source,), _) = find_sources(parse_spec("deap-simulated"), None)
    recordings = load_recordings(source, None if measured else [1, 2])
    groups = benchmark.pedantic(near_copies, (recordings.signals, recordings.sampling_rate), rounds=3)
    assert len(np.unique(groups)) == len(recordings.signals)
