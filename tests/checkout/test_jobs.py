"""Suites of several environments run in order, each once its environment and programs are there."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from jobs import Job, Queue, Run

WAIT = "import pathlib, time\nwhile not pathlib.Path({!r}).exists(): time.sleep(0.01)\n"


def python(*lines: str) -> tuple[str, ...]:
    """Return the command that runs these lines."""
    return (sys.executable, "-c", "\n".join(lines))


def job(
    name: str,
    command: tuple[str, ...] = (),
    prepare: tuple[str, ...] = (),
    waits: Callable[[], bool] = lambda: False,
) -> Job:
    return Job(name, command or python(f"print({name!r})"), prepare or python(), waits)


def taken(queue: Queue) -> list[str]:
    """Take all jobs; return their names."""
    names: list[str] = []
    while one := queue.take():
        names.append(one.name)
    return names


def test_jobs_run_in_order() -> None:
    jobs = [job("a"), job("b"), job("c")]
    queue = Queue(jobs)
    for one in reversed(jobs):
        queue.prepared(one)
    assert taken(queue) == ["a", "b", "c"]


def test_a_job_that_waits_for_its_programs_lets_others_pass_but_is_not_forgotten() -> None:
    obtained: list[bool] = []
    jobs = [job("pipeline", waits=lambda: len(obtained) < 2), job("b"), job("c")]
    queue = Queue(jobs)
    for one in jobs:
        queue.prepared(one)
    first = queue.take()
    assert first is not None
    assert first.name == "b"
    obtained += [True, True]
    assert taken(queue) == ["pipeline", "c"]
    never = Queue(waiting := [job("pipeline", waits=lambda: True), job("b")])
    for one in waiting:
        never.prepared(one)
    assert taken(never) == ["b", "pipeline"]


def test_the_next_environment_is_set_up_while_a_suite_runs(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    mark = str(tmp_path / "mark")
    jobs = [
        job("a", python(WAIT.format(mark), "print('a')")),
        job("b", prepare=python(f"open({mark!r}, 'w').close()")),
    ]
    assert Run(jobs, {}).failures(1) == []
    assert capfdbinary.readouterr().out.split() == [b"a", b"b"]


def test_a_failure_counts_once_whatever_failed_and_others_run(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    fails = python("print('why', flush=True)", "raise SystemExit(1)")
    jobs = [job("a", fails, fails), job("b", prepare=fails), job("c", fails), job("d")]
    assert sorted(Run(jobs, {}).failures(2)) == ["environment a", "environment c"]
    printed = capfdbinary.readouterr().out.split()
    assert sorted(printed) == [b"b", b"d", b"why", b"why"]
