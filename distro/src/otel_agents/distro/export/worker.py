"""A daemon thread that works when it is woken, or when its time has come, and that nothing ends."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from queue import Empty

from otel_agents.instrumentors.hosting import (
    attempt,
    guarded,
    renew_after_fork,
    start_daemon,
    start_in_worker,
    system,
)

__all__ = ["Job", "Worker"]


class Job:
    """Something that was handed to a worker, and whether it is done.

    Args:
        work: May raise anything: what of ours can fail is guarded, the rest is the code of others.
        action: What is said to have failed then, as a participle.
    """

    def __init__(self, work: Callable[[], object], action: str) -> None:
        self._work = work
        self._action = action
        self._done = system.Flag()

    def __call__(self, *, everything: bool = False) -> None:
        """Do it; ``everything`` on a thread of ours, as `guarded` has it."""
        try:
            attempt(self._action, self._work, None, everything=everything)
        finally:
            self._done.set()

    def wait(self, deadline: float) -> bool:
        """Wait until it is done or ``time.monotonic()`` is past ``deadline``; whether it is."""
        return self._done.wait(max(deadline - time.monotonic(), 0))


class Worker:
    """Runs ``turn`` each ``delay`` seconds and what it is handed in between.

    ``turn`` returns the seconds until its next turn. The thread starts with `start`, not before,
    and again in a process that was forked; whatever raises on it, it goes on. Starting and handing
    over are safe in a destructor and in a signal handler: no lock is taken for either.
    """

    def __init__(self, name: str, delay: float, turn: Callable[[], float]) -> None:
        self._name = name
        self._delay = delay
        self._turn = turn
        self.forget()

    @property
    def running(self) -> bool:
        """Whether the thread was started in this process."""
        return bool(self._started)

    @property
    def is_current(self) -> bool:
        """Whether this is the worker's own thread."""
        return self._ident == system.get_ident()

    def start(self) -> None:
        """Start the thread, once; nothing where none may start."""
        me = object()
        # One step, so that of all that come at once, or interrupt each other here, one starts it.
        if self._started or self._started.setdefault("by", me) is not me:
            return
        if not start_daemon(self._run, self._queue):
            self._started.clear()
            self._do_here()

    def keep(self) -> None:
        """Have the thread run in this process, and in each that is forked from it."""
        renew_after_fork(self.restart)
        start_in_worker(self.start)

    def hand(self, work: Callable[[], object]) -> Job:
        """Have ``work`` done on the thread; here and now where there is no thread."""
        job = Job(work, f"work on the thread {self._name}")
        if not self._started or self.is_current:
            job()
        else:
            self._queue.put(job)
        return job

    def wake(self) -> None:
        """Have the turn now."""
        self._queue.put(None)

    def forget(self) -> None:
        """In a forked child: the thread and what was handed to it stayed in the parent."""
        self._queue: system.SimpleQueue[Job | None] = system.SimpleQueue()
        self._started: dict[str, object] = {}
        self._ident = 0

    def restart(self) -> None:
        """In a forked child: forget, and start again."""
        self.forget()
        self.start()

    def _do_here(self) -> None:
        """Do what others handed over meanwhile."""
        while not self._queue.empty():
            job = self._queue.get()
            if job is not None:
                job()

    def _run(self, jobs: system.SimpleQueue[Job | None]) -> None:
        pid, wait = os.getpid(), self._delay
        self._ident = system.get_ident()
        while pid == os.getpid():
            try:
                job = jobs.get(timeout=wait)
            except Empty:
                job = None
            again = self._do(job)
            wait = self._delay if again is None else again

    @guarded("working on a thread of its own", everything=True)
    def _do(self, job: Job | None) -> float | None:
        if job is None:
            return self._turn()
        return job(everything=True)
