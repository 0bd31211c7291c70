"""The memory column."""

import sys

import numpy as np
import pytest

from bench.cells.memory import PeakMemory


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the mark of the process cannot be set back")
def test_the_peak_of_a_piece_of_work_is_found_though_it_is_given_back_and_more_was_used_before():
    np.ones(40_000_000)  # 320 MB, before
    with PeakMemory() as first:
        np.ones(12_500_000)
    with PeakMemory() as second:
        np.ones(25_000_000)
    with PeakMemory() as idle:
        pass
    assert first.megabytes == pytest.approx(95, abs=10)
    assert second.megabytes == pytest.approx(191, abs=10)
    assert idle.megabytes < 10
