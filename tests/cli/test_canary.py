"""`canary`, and what it finds that `audit` does not."""

import importlib

import pytest

from bench import discovery, registry


def flat(text):
    return " ".join(text.split())


def test_canaries_are_quiet_under_clean_protocols_and_demonstrate_the_leaks(bench, toy_suite, tmp_path):
    done = bench("canary", "--suite", toy_suite, cwd=tmp_path, columns=130)
    assert done.returncode == 0, done.stdout + done.stderr
    found = [line.split() for line in done.stdout.splitlines() if "1-NN  " in line]
    assert [(line[3], line[-1]) for line in found] == [
        ("subject-stratified", "quiet"),
        ("random-windows", "demonstration"),
    ]
    assert "the mean of 2,000 relabelings" in flat(done.stdout)
    assert "corrected by false discovery rate (5 %)" in flat(done.stdout)


@pytest.mark.parametrize("columns", [80, 130])
def test_c1_beside_quiet_stands_how_small_a_leak_would_have_been_found(bench, toy_suite, tmp_path, columns):
    done = bench(
        "canary", "--suite", toy_suite, "--protocols", "subject-stratified", cwd=tmp_path, columns=columns
    )
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= columns
    quiet = [line for line in lines if "1-NN" in line and line.rstrip().endswith("quiet")]
    shares = [int(line.split("%")[0].split()[-1]) for line in quiet]
    assert len(shares) == 2  # both classifiers, each on a line of its own
    assert all(5 < share < 60 for share in shares)
    assert "test trials with their twin in training" in flat(done.stdout)


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
