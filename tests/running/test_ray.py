"""Cells on a Ray cluster of several nodes, on one machine: outcomes come back, and a lost node loses nothing."""

import os
import tempfile
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from bench.cells.training import read_history
from bench.errors import BenchError
from bench.running.local import Limits
from bench.running.runner import execute
from bench.study.plan import make_plan
from bench.study.suite_files import read_suite

pytest.importorskip("ray", reason="ray is not installed")
PLUGINS = Path(__file__).parent / "plugins"


@pytest.fixture
def fits(tmp_path, monkeypatch):
    monkeypatch.setenv("TEST_FITS", str(tmp_path / "fits"))
    monkeypatch.setenv("TEST_PIDS", str(tmp_path / "pids"))
    return tmp_path / "fits"


@pytest.fixture
def cluster(fits, monkeypatch):
    """A head without processors and two nodes with two each."""
    import ray
    from ray.cluster_utils import Cluster

    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    )
    one = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "object_store_memory": 10**8})
    nodes = [one.add_node(num_cpus=2, object_store_memory=10**8) for _ in range(2)]
    one.wait_for_nodes()
    yield one, nodes
    ray.shutdown()
    one.shutdown()


@pytest.fixture
def plan(toy_suite, tmp_path):
    from bench.discovery import add_plugin_folder

    add_plugin_folder(PLUGINS)

    def make(*estimators, seeds=1):
        changes = {"estimators": list(estimators), "protocols": ["subject-stratified"], "seeds": seeds}
        return make_plan(read_suite(str(toy_suite)), "quick", changes, results=tmp_path / "results")

    return make


def run(plan, cluster, **limits):
    from bench.running.ray import run_ray

    return execute(plan, partial(run_ray, limits=Limits(**limits), address=cluster.address))


def test_outcomes_come_back_and_are_those_of_one_machine(plan, cluster, tmp_path):
    specs = ("in-epochs", "faulty[how=segfault]", "faulty[how=hang]", "faulty[how=raise]")
    done = {task.cell.estimator: stored for task, stored in run(plan(*specs), cluster[0], timeout=10)}
    statuses = {name: stored.result["status"] for name, stored in done.items()}
    assert statuses == dict(zip(specs, ("ok", "crashed", "timeout", "failed"), strict=True))
    there, curves = done["in-epochs"].predictions(), read_history(done["in-epochs"].folder)
    assert len(curves["loss"]) == done["in-epochs"].result["training"]["n_epochs"] == 10
    assert not any(fault for _, fault in plan().store.verify())
    assert plan("in-epochs").waiting == []
    (tmp_path / "results").rename(tmp_path / "moved")
    ((_, here),) = execute(plan("in-epochs"))
    assert here.predictions().equals(there)


@pytest.fixture
def taken(tmp_path, monkeypatch):
    """A node's temporary folder, in which a file has the name of our folder."""
    folder = tmp_path / "node"
    folder.mkdir()
    (folder / f"bench-ray-{os.getuid()}").write_text("")
    monkeypatch.setenv("RAY_TMPDIR", tempfile.gettempdir())  # its sockets need short names
    monkeypatch.setenv("TMPDIR", str(folder))


def test_a_node_on_which_nothing_can_be_run_costs_its_cells_and_not_the_run(taken, plan, cluster):
    done = [stored.result for _, stored in run(plan("majority", "nearest-mean"), cluster[0])]
    assert [result["status"] for result in done] == ["crashed"] * 2
    assert all("FileExistsError" in result["reason"] for result in done)


def test_a_node_that_is_lost_in_the_middle_costs_no_cell(plan, cluster, fits):
    one, nodes = cluster
    done = {}
    for task, stored in run(plan("counted[seconds=1]", seeds=12), one):
        done[task.cell.seed] = stored
        if len(done) == 2:
            one.remove_node(nodes[0], allow_graceful=False)
    assert sorted(done) == list(range(12))
    assert all(stored.ok for stored in done.values())
    # Only what ran on the lost node was begun a second time.
    assert 12 <= len(fits.read_text().split()) <= 12 + 2


def test_a_cell_does_not_outlive_a_run_that_is_left(plan, cluster, fits):
    begun = run(plan("counted", "counted[seconds=1000]"), cluster[0])
    next(begun)
    wait_until(lambda: len(fits.read_text().split()) == 2)
    begun.close()
    pids = [int(pid) for pid in fits.with_name("pids").read_text().split()]
    assert len(pids) == 2
    wait_until(lambda: not any(map(psutil.pid_exists, pids)))


def wait_until(true):
    until = time.monotonic() + 30
    while not true():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_what_no_node_can_give_is_said(plan, cluster, tmp_path):
    from bench.discovery import add_plugin_folder

    folder = tmp_path / "large"
    folder.mkdir()
    (folder / "large.py").write_text(
        "from bench.registry import register_estimator\n"
        "@register_estimator('large', family='toy', gpus=8)\n"
        "def large():\n    ...\n"
    )
    add_plugin_folder(folder)
    with pytest.raises(BenchError, match="'large' asks for 8 GPUs, and no node has so many"):
        list(run(plan("large"), cluster[0]))


def test_an_address_without_a_cluster_is_said(plan):
    from bench.running.ray import run_ray

    with pytest.raises(BenchError, match=r"--address 127\.0\.0\.1:1: no Ray cluster answers there"):
        list(execute(plan("majority"), partial(run_ray, limits=Limits(), address="127.0.0.1:1")))
