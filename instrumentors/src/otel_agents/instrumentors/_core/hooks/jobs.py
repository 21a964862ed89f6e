"""A bounded job queue with a few threads, which survives forks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from opentelemetry.instrumentation.utils import suppress_instrumentation

from otel_agents.instrumentors._core import system
from otel_agents.instrumentors._core.forking import renew_after_fork
from otel_agents.instrumentors._core.threads import start_daemon

__all__ = ["JobQueue"]

_Job = TypeVar("_Job")


class JobQueue(Generic[_Job]):
    """Jobs for daemon threads; none of them is traced, whatever it calls.

    A forked child starts with an empty queue: the parent keeps its own jobs.

    Args:
        work: Does one job; must not raise.
        limit: The maximum number of queued jobs.
        threads: The maximum number of jobs done at the same time.
    """

    def __init__(self, work: Callable[[_Job], None], limit: int, threads: int) -> None:
        self._work = work
        self._limit = limit
        self._threads = threads
        self._begin()
        renew_after_fork(self._begin)

    def _begin(self) -> None:
        self._jobs: system.SimpleQueue[_Job] = system.SimpleQueue()
        self._waiting = self._running = self._started = 0
        # Reentrant: a destructor may end an operation while this thread holds the lock.
        self._counting = system.RLock()

    @property
    def _left(self) -> int:
        with self._counting:
            return self._waiting + self._running

    def put(self, job: _Job) -> bool:
        """Queue ``job``; return False if the queue is full or, at exit, no thread can start."""
        with self._counting:
            if self._waiting >= self._limit:
                return False
            if self._started < self._threads and self._left >= self._started:
                self._started += start_daemon(self._run, self._jobs)
            if not self._started:
                return False
            self._waiting += 1
            self._jobs.put(job)
            return True

    def _run(self, jobs: system.SimpleQueue[_Job]) -> None:
        with suppress_instrumentation():
            while True:
                self._do(jobs.get())

    def _do(self, job: _Job) -> None:
        with self._counting:
            self._waiting -= 1
            self._running += 1
        try:
            self._work(job)
        finally:
            with self._counting:
                self._running -= 1

    def flush(self, timeout: float) -> int:
        """Wait up to ``timeout`` seconds for all jobs; return how many are not done."""
        system.wait_until(lambda: not self._left, timeout)
        return self._left
