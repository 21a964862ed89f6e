"""Runs the suites of several environments, some at a time: one process for each.

Standard library only.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Condition

_LONGEST = 1800.0
"""Timeout in seconds for one of several environments: three times the slowest."""


@dataclass(frozen=True)
class Job:
    """The suite of one environment, on one Python.

    Attributes:
        name: What its failures are reported under.
        command: The process; it sets up the environment if it has to.
        prepare: A process that only sets up the environment.
        waits: Returns whether it would wait for something else than its environment.
    """

    name: str
    command: Sequence[str]
    prepare: Sequence[str]
    waits: Callable[[], bool]


class Queue:
    """Jobs in order. Each is taken as soon as its environment is set up and nothing else is missing."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._left = list(jobs)
        self._prepared: set[Job] = set()
        self._changed = Condition()
        self._closed = False

    def prepared(self, job: Job) -> None:
        """Let a job be taken."""
        with self._changed:
            self._prepared.add(job)
            self._changed.notify_all()

    def take(self) -> Job | None:
        """Return the next job, after waiting for one; None at the end."""
        with self._changed:
            while self._left and not self._closed:
                ready = [job for job in self._left if job in self._prepared]
                job = next((job for job in ready if not job.waits()), None)
                if job is None and len(ready) == len(self._left):
                    job = ready[0]
                if job is not None:
                    self._left.remove(job)
                    return job
                self._changed.wait()
        return None

    def close(self) -> None:
        """Let no other job be taken."""
        with self._changed:
            self._left.clear()
            self._changed.notify_all()


class Run:
    """Runs jobs, several in parallel, and prints the output of each at once."""

    def __init__(self, jobs: Sequence[Job], environ: Mapping[str, str]) -> None:
        self._jobs = jobs
        self._environ = {**os.environ, **environ}
        self._queue = Queue(jobs)
        self._running: list[subprocess.Popen[bytes]] = []
        self._interrupted = False

    def failures(self, number: int) -> list[str]:
        """Run ``number`` jobs in parallel up to the last; return the failures."""
        with ThreadPoolExecutor(number + 1) as pool:
            preparing = pool.submit(self._prepare)
            working = [pool.submit(self._work) for _ in range(number)]
            try:
                preparing.result()
                return [failure for work in working for failure in work.result()]
            except BaseException:
                self._interrupted = True
                self._queue.close()
                for process in self._running:
                    end(process, signal.SIGINT)
                raise

    def _prepare(self) -> None:
        """Set up the environments in order, ahead of the suites: that waits more than it computes.

        What fails is tried again when the job runs, which prints and counts it.
        """
        for job in self._jobs:
            if not self._interrupted:
                self._ended(job, job.prepare, subprocess.DEVNULL)
            self._queue.prepared(job)

    def _work(self) -> list[str]:
        failures: list[str] = []
        while job := self._queue.take():
            # A pipe would stay open while any child lives.
            with tempfile.TemporaryFile() as output:
                failures += self._ended(job, job.command, output.fileno())
                output.seek(0)
                sys.stdout.buffer.write(output.read())
                sys.stdout.flush()
        return failures

    def _ended(self, job: Job, command: Sequence[str], output: int) -> list[str]:
        """Run a process to its end; return the failures."""
        process = subprocess.Popen(
            command,
            env=self._environ,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._running.append(process)
        return ended(process, job.name)


def ended(process: subprocess.Popen[bytes], name: str) -> list[str]:
    """Wait for the process of one environment, up to the timeout; return the failures."""
    try:
        status = process.wait(_LONGEST)
    except subprocess.TimeoutExpired:
        end(process, signal.SIGKILL)
        return [f"environment {name}: not at its end after {_LONGEST / 60:.0f} minutes: killed"]
    return [f"environment {name}"] if status else []


def end(process: subprocess.Popen[bytes], number: int) -> None:
    """Signal a process and its children, if it runs."""
    if process.poll() is None:
        os.killpg(process.pid, number)
        process.wait()
