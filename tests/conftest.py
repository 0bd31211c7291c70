"""Fixtures that tests of several modules share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep every test out of the user's cache folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real recordings, which are no part of the project; without it the test is skipped."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("BENCH_SHARED_DATA") or beside)
    if not folder.is_dir():
        pytest.skip("needs the folder of real recordings (BENCH_SHARED_DATA)")
    return folder


@pytest.fixture(scope="session")
def toy_plugins() -> Path:
    """Folder with the plugin file of a small data set and of small estimators, searched by the harness."""
    from bench.registry import add_plugin_folder

    folder = Path(__file__).parent / "plugins"
    add_plugin_folder(folder)
    return folder


@pytest.fixture
def toy_suite(tmp_path: Path, toy_plugins: Path) -> Path:
    """A suite on the small data set, as a file."""
    path = tmp_path / "toy.toml"
    path.write_text(
        """
title = "Toy recordings"
dataset = "toy"
protocols = ["subject-stratified", "random-windows"]
estimators = ["majority", "nearest-mean", "nearest-window"]
seeds = 2
[target]
name = "arousal"
[windows]
seconds = 2
overlap = 1
[profiles.quick]
[profiles.smoke]
seeds = 1
"""
    )
    return path
