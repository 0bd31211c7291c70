"""Benchmarks are slow tests unless they are asked to measure: then they are what was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("benchmark_enable"):
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker("slow")


@pytest.fixture(scope="session")
def measured(request: pytest.FixtureRequest) -> bool:
    """Whether anybody wants to know how fast it is; otherwise, sizes only have to show that it runs."""
    return bool(request.config.getoption("benchmark_enable"))
