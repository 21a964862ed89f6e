"""Common deployments, with and without otel-agents: equal responses, and all telemetry arrives.

Nothing is sent because time has passed: what arrives was delivered because a process ended.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from process_comparison import Driver, compared
from process_models import ROWS
from process_runs import Program
from redis_server import redis

MODELS = [f"m{number}" for number in range(4)]


def terminated(program: Program, *, loaded: int = 1) -> None:
    """Send SIGTERM while it serves its last request."""
    program.start()
    program.listening(loaded)
    program.call(*MODELS[1:])
    program.terminate_during_a_request()


def terminated_idle(program: Program, *, loaded: int = 1) -> None:
    """Send SIGTERM after all requests: these programs abort one in progress anyway."""
    program.start()
    program.listening(loaded)
    program.call(*MODELS)
    program.idle()
    program.terminate()


def worn_out(program: Program, *, loaded: int = 1) -> None:
    """Let workers end by themselves, after delivery; end the rest by SIGTERM."""
    program.start()
    program.listening(loaded)
    program.call(*MODELS)
    program.delivered(len(MODELS))
    program.terminate()


def reloaded(program: Program) -> None:
    """Change a file, then send SIGTERM."""
    program.start()
    program.listening()
    program.call(*MODELS[:2])
    changed = program.folder / "asgi.py"
    os.utime(changed, (0, time.time() + 10))
    program.listening()
    program.delivered(2)
    program.call(*MODELS[2:])
    program.terminate()


def served_out(program: Program) -> None:
    """Let it end by itself after a number of requests."""
    program.start()
    program.listening()
    program.call(*MODELS[:-1])
    program.ending()
    program.call(MODELS[-1])


def worked(program: Program, *, client: str, delivered: bool = False) -> None:
    """Let a worker take jobs from a queue, then send SIGTERM."""
    program.start()
    program.client(client, *(["wait"] if client == "jobs.py" else []), *MODELS)
    if delivered:
        program.delivered(len(MODELS))
    program.terminate()


def worked_off(program: Program) -> None:
    """Let a worker end when the queue is empty."""
    program.client("jobs.py", "leave", *MODELS)
    program.start()
    program.served(len(MODELS))
    program.ending()


def ran(program: Program) -> None:
    """Let a program end by itself."""
    program.start()
    program.responses = [program.line("^answer of") for _ in MODELS]
    program.ending()


def computed(program: Program, *, ending: str) -> None:
    """Run code in a notebook's kernel."""
    program.start_in_notebook(ending)
    for model in MODELS:
        program.write_line(model)
        program.responses.append(program.line("^answer of"))
    program.ending()
    program.write_line("")


RUNS: dict[str, Driver] = {
    "gunicorn": partial(terminated, loaded=2),
    "gunicorn-preload": terminated,
    "gunicorn-max-requests": worn_out,
    "gunicorn-gthread": terminated,
    "gunicorn-gevent": terminated,
    "gunicorn-asgi": terminated,
    "gunicorn-uvicorn": terminated,
    "uvicorn": terminated,
    "uvicorn-workers": partial(terminated, loaded=2),
    "uvicorn-reload": reloaded,
    "uvicorn-limit-max-requests": served_out,
    "hypercorn": terminated,
    "hypercorn-workers": partial(terminated, loaded=2),
    "granian": terminated,
    "granian-wsgi": partial(terminated, loaded=2),
    "uwsgi": terminated_idle,
    "uwsgi-processes": terminated_idle,
    "uwsgi-lazy-apps": partial(terminated_idle, loaded=2),
    "uwsgi-max-requests": worn_out,
    "eventlet": terminated_idle,
    "celery": partial(worked, client="tasks.py"),
    "celery-max-tasks-per-child": partial(worked, client="tasks.py", delivered=True),
    "celery-threads": partial(worked, client="tasks.py"),
    "celery-gevent": partial(worked, client="tasks.py"),
    "celery-eventlet": partial(worked, client="tasks.py"),
    "celery-solo": partial(worked, client="tasks.py"),
    "rq": partial(worked, client="jobs.py", delivered=True),
    "rq-burst": worked_off,
    "joblib": ran,
    "loky": ran,
    "kernel": partial(computed, ending="shutdown"),
    "kernel-sigterm": partial(computed, ending="SIGTERM"),
}


def test_every_row_is_driven() -> None:
    elsewhere = {"litellm"}  # in an environment of its own
    assert {*RUNS} == {*ROWS} - elsewhere


@pytest.mark.parametrize("key", RUNS)
def test_process_model(key: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        program = ROWS[key].command.split()[0]
        needs = {"celery": folders, "rq": rq_queues}.get(program, nothing)
        compared(ROWS[key], RUNS[key], tmp_path, needs(stack, tmp_path))


def folders(_: ExitStack, folder: Path) -> Sequence[Mapping[str, str]]:
    """Return the folders of Celery's broker for both runs."""
    variables = [
        {name: str(folder / f"{name}-{number}") for name in ("QUEUE", "CONTROL", "RESULTS")}
        for number in range(2)
    ]
    for each in variables:
        for path in each.values():
            Path(path).mkdir()
    return variables


def rq_queues(stack: ExitStack, _: Path) -> Sequence[Mapping[str, str]]:
    """Return two databases."""
    address = stack.enter_context(redis())
    return [{"RQ_REDIS_URL": f"{address}?db={number}"} for number in range(2)]


def nothing(*_: object) -> Sequence[Mapping[str, str]]:
    """Return no variables for either run."""
    return ({}, {})
