"""Cells on a Ray cluster of several nodes, on one machine: outcomes come back, and a lost node loses nothing."""

import logging
import os
import tempfile
from functools import partial
from pathlib import Path

import psutil
import pytest

from bench.cells.training import read_history
from bench.errors import BenchError
from bench.running.local import Limits
from bench.running.runner import execute

pytest.importorskip("ray", reason="ray is not installed")
pytestmark = pytest.mark.slow
NODE = {"num_cpus": 1, "object_store_memory": 10**8}


@pytest.fixture(scope="module")
def node_folder():
    """Where the nodes keep what is temporary; Ray's own sockets need a short name."""
    with tempfile.TemporaryDirectory(prefix="node-") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_TMPDIR", tempfile.gettempdir())
        patch.setenv("TMPDIR", folder)
        yield Path(folder)


@pytest.fixture(scope="module")
def cluster(node_folder):
    """Two nodes with a processor each, of which one is the head."""
    import ray
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(
            "PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
        )
        patch.setenv("RAY_worker_niceness", "0")  # a busy machine gives what is nice no time at all
        # Ray looks every third of a second whether a node is there, and not every three.
        head = {"include_dashboard": False, "_system_config": {"health_check_period_ms": 300}}
        one = Cluster(initialize_head=True, head_node_args=NODE | head)
        one.add_node(**NODE)
        one.wait_for_nodes()
        yield one
        ray.shutdown()
        one.shutdown()


@pytest.fixture
def connected(cluster):
    """A cluster that this process is connected to, so that a test finds the nodes' processes of the last one."""
    import ray

    if not ray.is_initialized():
        ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
    return cluster


@pytest.fixture
def _alone():
    """No connection to any cluster, as in a program that has just begun."""
    import ray

    ray.shutdown()
    yield
    ray.shutdown()


def run(plan, cluster, **limits):
    from bench.running.ray import run_ray

    return execute(plan, partial(run_ray, limits=Limits(**limits), address=cluster.address))


def test_outcomes_come_back_and_are_those_of_one_machine(plan, connected, tmp_path):
    *others, hang = specs = ("in-epochs", "faulty[how=segfault]", "faulty[how=raise]", "faulty[how=hang]")
    both = [*run(plan(*others), connected), *run(plan(hang), connected, timeout=1)]
    done = {task.cell.estimator: stored for task, stored in both}
    statuses = {name: stored.result["status"] for name, stored in done.items()}
    assert statuses == dict(zip(specs, ("ok", "crashed", "failed", "timeout"), strict=True))
    there, curves = done["in-epochs"].predictions(), read_history(done["in-epochs"].folder)
    assert len(curves["loss"]) == done["in-epochs"].result["training"]["n_epochs"] == 10
    assert not any(fault for _, fault in plan().store.verify())
    assert plan("in-epochs").waiting == []
    (tmp_path / "results").rename(tmp_path / "moved")
    ((_, here),) = execute(plan("in-epochs"))
    assert here.predictions().equals(there)


@pytest.fixture
def taken(node_folder):
    """On every node a file has the name of our folder."""
    ours, aside = node_folder / f"bench-ray-{os.getuid()}", node_folder / "aside"
    if ours.exists():
        ours.rename(aside)
    ours.write_text("")
    yield
    ours.unlink()
    if aside.exists():
        aside.rename(ours)


def test_a_node_on_which_nothing_can_be_run_costs_its_cells_and_not_the_run(taken, plan, connected):
    done = [stored.result for _, stored in run(plan("majority", "nearest-mean"), connected)]
    assert [result["status"] for result in done] == ["crashed"] * 2
    assert all("FileExistsError" in result["reason"] for result in done)


def test_a_node_that_is_lost_in_the_middle_costs_no_cell(plan, connected, notes):
    notes.hold_all_but(2)
    done = {}
    for task, stored in run(plan("counted", seeds=12), connected):
        done[task.cell.seed] = stored
        if len(done) == 2:
            notes.wait_for(4)  # a cell is begun on each node, and not done
            connected.remove_node(next(iter(connected.worker_nodes)), allow_graceful=False)
            notes.release()
    connected.add_node(**NODE)
    assert sorted(done) == list(range(12))
    assert all(stored.ok for stored in done.values())
    # Only what ran on the lost node was begun a second time.
    assert len(notes.begun()) == 12 + 1


@pytest.mark.usefixtures("_alone")
def test_a_cell_does_not_outlive_a_run_that_is_left(plan, cluster, notes, wait_until):
    notes.hold_all_but(1)
    begun = run(plan("counted", "counted[number=1]"), cluster)
    next(begun)
    notes.wait_for(2)
    begun.close()
    pids = notes.pids()
    assert len(pids) == 2
    wait_until(lambda: not any(map(psutil.pid_exists, pids)), seconds=30)


@pytest.mark.usefixtures("_alone")
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
        list(run(plan("large"), cluster))


@pytest.mark.usefixtures("_alone")
def test_an_address_without_a_cluster_is_said(plan):
    from bench.running.ray import run_ray

    with pytest.raises(BenchError, match=r"--address 127\.0\.0\.1:1: no Ray cluster answers there"):
        list(execute(plan("majority"), partial(run_ray, limits=Limits(), address="127.0.0.1:1")))
