"""From a plan to stored results: run the cells that have none yet, here or in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace

from bench.cells.job import Job, Study, run_job
from bench.cells.saved import DataSet, keeps_models
from bench.cells.stored_cell import StoredCell
from bench.registry import get
from bench.study.plan import Plan
from bench.study.tasks import Task

Engine = Callable[[list[Job]], Iterable[tuple[int, StoredCell]]]


def in_this_process(jobs: list[Job]) -> Iterator[tuple[int, StoredCell]]:
    """Run jobs one after the other. What one of them does to the process, the next one meets."""
    for number, job in enumerate(jobs):
        with job.store.lock(job.cell):
            yield number, job.reusable() or run_job(job)


def audit_anew(plan: Plan) -> None:
    """Give results that are reused the audit of today's code, where they were stored with that of another.

    What only the run itself could see, made windows, the scaler and the test block, stays as it was found.
    """
    for task in (one for one in (*plan.tasks, *plan.signal_free) if one.judged_otherwise):
        assert task.stored is not None
        before = task.stored.result["audit"]
        audit = replace(
            task.split.audit,
            copies=max(task.split.audit.copies, before["copies"]),
            parents=before["parents"],
            scaler_saw=before.get("scaler_saw", ""),
            chosen=before.get("chosen", ""),
            test_block=before.get("test_block"),
        )
        with plan.store.lock(task.cell):
            plan.store.amend(task.stored, {"audit": asdict(audit), "division": task.division.source})


def run_signal_free(plan: Plan) -> None:
    """Run the waiting cells of estimators without signals, in this process: a process each would take longer."""
    waiting = [task for task in plan.signal_free if task.why]
    if waiting:
        plan.store.prepare()
    for task in waiting:
        job = job_of(task, plan)
        with job.store.lock(job.cell):
            if not job.reusable():
                run_job(job)


def execute(plan: Plan, engine: Engine = in_this_process) -> Iterator[tuple[Task, StoredCell]]:
    """Run the waiting cells, each stored before it is yielded, in the order in which they end."""
    plan.store.prepare()
    if plan.ablations:
        plan.store.write_ablations(plan.ablations)
    run_signal_free(plan)
    tasks = plan.waiting
    jobs = [job_of(task, plan) for task in tasks]
    for number, stored in engine(jobs):
        if jobs[number].save_model and stored.ok and not stored.has_model:
            plan.notices.append(f"{stored.folder}: {stored.result['warnings'][-1]}")
        yield tasks[number], stored


def job_of(task: Task, plan: Plan) -> Job:
    """Return all that a process needs to run a task of a plan."""
    recordings, source = task.panel.recordings, plan.sources[task.cell.variant]
    data = DataSet(
        name=recordings.name,
        plugin=source.plugin.name,
        parameters=source.parameters,
        simulated=recordings.simulated,
        credit=recordings.credit,
    )
    before = task.stored.result if task.stored is not None and not task.stored.ok else {}
    return Job(
        cell=task.cell,
        panel=task.panel,
        split=task.split,
        identity=task.identity,
        division=task.division.source,
        study=Study(
            plan.suite.name, plan.suite.title, plan.suite.target.name, plan.profile, tuple(plan.changes)
        ),
        data=data,
        store=plan.store,
        save_model=plan.save_models and keeps_models(get("estimator", task.cell.plugin)),
        tries=before.get("tries", 1) if before.get("identity") == task.identity else 0,
    )
