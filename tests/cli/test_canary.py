"""`canary`, and what it finds that `audit` does not."""

import importlib

import pytest

from bench import discovery, registry


def flat(text):
    return " ".join(text.split())


def test_canaries_are_quiet_under_clean_protocols_and_demonstrate_the_leaks(bench, toy_suite, tmp_path):
    done = bench("canary", "--suite", toy_suite, cwd=tmp_path, columns=130)
    assert done.returncode == 0, done.stdout + done.stderr
    found = [line.split() for line in done.stdout.splitlines() if "1-nearest-neighbour" in line]
    assert [(line[3], line[-1]) for line in found] == [
        ("subject-stratified", "quiet"),
        ("random-windows", "demonstration"),
    ]
    assert "exact binomial, corrected for all tests" in flat(done.stdout)


@pytest.fixture
def forgotten_plugins(monkeypatch, toy_plugins):
    """Forget after the test what it registers, which otherwise is there for good."""
    discovery.discover()  # what is found now is kept
    known = {kind: dict(found) for kind, found in registry._registered.items()}
    monkeypatch.setattr(registry, "_registered", known)
    monkeypatch.setattr(discovery, "_folders", discovery.plugin_folders())
    monkeypatch.setattr(discovery, "_searched", discovery._searched)
    for name in ("bench.datasets", "bench.estimators"):
        package = importlib.import_module(name)
        monkeypatch.setattr(package, "__path__", [*package.__path__])


def test_an_alarm_is_exit_status_1(bench, forgotten_plugins, toy_suite, tmp_path):
    (tmp_path / "sly").mkdir()
    (tmp_path / "sly" / "sly.py").write_text(
        """
from bench.splits.protocols.hold_out_trials import SubjectStratified
from bench.registry import register_protocol

@register_protocol("sly", promises="clean")
class Sly(SubjectStratified):
    "Keeps late windows of one class and early ones of the other: the audit sees nothing."
    def split(self, X, y, groups=None):
        for train, test in super().split(X, y, groups):
            keep = (X["start"].to_numpy() > 120) == (y == "high")
            yield train[keep[train]], test[keep[test]]
"""
    )
    done = bench(
        "canary", "--suite", toy_suite, "--protocols", "sly", "--plugins", "sly", cwd=tmp_path, columns=80
    )
    assert done.returncode == 1
    assert "ALARM" in done.stdout
    audit = bench("audit", "--suite", toy_suite, "--protocols", "sly", "--plugins", "sly", cwd=tmp_path)
    assert audit.returncode == 0
