"""A bounded queue and a few threads that work it off, beside the application and across forks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from opentelemetry.instrumentation.utils import suppress_instrumentation

from otel_agents.instrumentors._core import system
from otel_agents.instrumentors._core.forking import renew_after_fork
from otel_agents.instrumentors._core.threads import start_apart

__all__ = ["JobQueue"]

_Job = TypeVar("_Job")


class JobQueue(Generic[_Job]):
    """Jobs that daemon threads do; none of them is traced, whatever it calls.

    A forked child begins with an empty queue: what waits is the parent's.

    Args:
        work: Does one job; must not raise.
        limit: Jobs that may wait.
        threads: Jobs that may be done at the same time.
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
        # May be taken again by its own thread: a destructor may end an operation anywhere.
        self._counting = system.RLock()

    @property
    def _left(self) -> int:
        with self._counting:
            return self._waiting + self._running

    def put(self, job: _Job) -> bool:
        """Queue ``job``; False if the queue is full or, at exit, no thread can be had."""
        with self._counting:
            if self._waiting >= self._limit:
                return False
            if self._started < self._threads and self._left >= self._started:
                self._started += start_apart(self._run, self._jobs)
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
        """Wait until all is done, ``timeout`` seconds at most; how many jobs are not."""
        system.until(lambda: not self._left, timeout)
        return self._left
