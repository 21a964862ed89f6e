"""A daemon thread that runs a task at intervals or when woken, and that no exception ends."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from queue import Empty

from otel_agents.instrumentors.hosting import (
    call_foreign,
    guarded,
    renew_after_fork,
    start_daemon,
    start_in_worker,
    system,
)

__all__ = ["Job", "Worker"]


class Job:
    """Work that was submitted to a worker, and whether it is done.

    Args:
        work: May raise anything: our own code in it is guarded, the rest is third-party code.
        action: What a message says failed, as a participle.
    """

    def __init__(self, work: Callable[[], object], action: str) -> None:
        self._work = work
        self._action = action
        self._done = system.Flag()

    def __call__(self, *, everything: bool = False) -> None:
        """Run it; with ``everything`` (see `guarded`) also keep exits in, for our own threads."""
        try:
            call_foreign(self._action, self._work, None, everything=everything)
        finally:
            self._done.set()

    def wait(self, deadline: float) -> bool:
        """Wait until it is done or ``deadline`` (`time.monotonic`). Return whether it is done."""
        return self._done.wait(max(deadline - time.monotonic(), 0))


class Worker:
    """Run ``task`` every ``interval`` seconds, and submitted work in between.

    ``task`` returns the seconds until its next run. The thread starts with `start`, in a forked
    child with `restart`, and survives every exception. `start` and `submit` take no lock, so they
    are safe in destructors and signal handlers.
    """

    def __init__(self, name: str, interval: float, task: Callable[[], float]) -> None:
        self._name = name
        self._interval = interval
        self._task = task
        self.reset()

    @property
    def running(self) -> bool:
        """Whether the thread was started in this process."""
        return bool(self._started)

    @property
    def is_current(self) -> bool:
        """Whether the caller runs on the worker's own thread."""
        return self._ident == system.get_ident()

    def start(self) -> None:
        """Start the thread once; do nothing where no thread may start."""
        token = object()
        # Atomic, so that one of several concurrent or interrupting callers starts it.
        if self._started or self._started.setdefault("by", token) is not token:
            return
        if not start_daemon(self._run, self._queue):
            self._started.clear()
            self._run_queued()

    def keep_running(self) -> None:
        """Start the thread in this process and in each forked child."""
        renew_after_fork(self.restart)
        start_in_worker(self.start)

    def submit(self, work: Callable[[], object]) -> Job:
        """Run ``work`` on the thread, or right here if there is no thread."""
        job = Job(work, f"work on the thread {self._name}")
        if not self._started or self.is_current:
            job()
        else:
            self._queue.put(job)
        return job

    def wake(self) -> None:
        """Run the task now."""
        self._queue.put(None)

    def reset(self) -> None:
        """Forget thread and submitted work in a forked child: they stayed in the parent."""
        self._queue: system.SimpleQueue[Job | None] = system.SimpleQueue()
        self._started: dict[str, object] = {}
        self._ident = 0

    def restart(self) -> None:
        """Reset and start again in a forked child."""
        self.reset()
        self.start()

    def _run_queued(self) -> None:
        """Run what other threads submitted meanwhile."""
        while not self._queue.empty():
            job = self._queue.get()
            if job is not None:
                job()

    def _run(self, jobs: system.SimpleQueue[Job | None]) -> None:
        pid, wait = os.getpid(), self._interval
        self._ident = system.get_ident()
        while pid == os.getpid():
            try:
                job = jobs.get(timeout=wait)
            except Empty:
                job = None
            delay = self._run_one(job)
            wait = self._interval if delay is None else delay

    @guarded("working on a thread of its own", everything=True)
    def _run_one(self, job: Job | None) -> float | None:
        if job is None:
            return self._task()
        return job(everything=True)
