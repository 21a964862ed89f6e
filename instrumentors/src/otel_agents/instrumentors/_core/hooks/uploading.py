"""A bounded queue and a few threads that work it off, beside the application and across forks."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from opentelemetry.instrumentation.utils import suppress_instrumentation

from otel_agents.instrumentors._core.forking import renew_after_fork
from otel_agents.instrumentors._core.threads import start_apart

__all__ = ["Queue"]

_Job = TypeVar("_Job")


class Queue(Generic[_Job]):
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
        self._waiting: deque[_Job] = deque()
        self._running = 0
        self._started = 0
        # Its lock may be taken again by its own thread: a destructor may end an operation anywhere.
        self._changed = threading.Condition(threading.RLock())

    def put(self, job: _Job) -> bool:
        """Queue ``job``; False if the queue is full or, at exit, no thread can be had."""
        with self._changed:
            if len(self._waiting) >= self._limit:
                return False
            if (
                self._started < self._threads
                and self._running + len(self._waiting) >= self._started
            ):
                self._start()
            if not self._started:
                return False
            self._waiting.append(job)
            self._changed.notify_all()
            return True

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="otel-agents-upload", daemon=True)
        if start_apart(thread.start):
            self._started += 1

    def _run(self) -> None:
        with suppress_instrumentation():
            while True:
                self._next()

    def _next(self) -> None:
        with self._changed:
            while not self._waiting:
                self._changed.wait()
            job = self._waiting.popleft()
            self._running += 1
        try:
            self._work(job)
        finally:
            del job
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def flush(self, timeout: float) -> int:
        """Wait until all is done, ``timeout`` seconds at most; how many jobs are not."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while self._waiting or self._running:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            return len(self._waiting) + self._running
