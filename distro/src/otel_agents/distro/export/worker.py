"""A daemon thread that works when it is woken, or when its time has come."""

from __future__ import annotations

import contextvars
import os
import queue
import threading
import time
from collections.abc import Callable
from typing import Final

from opentelemetry import context

__all__ = ["Ticket", "Worker", "start_without_context"]

_NOTHING: Final[Callable[[], object]] = lambda: None


class Ticket:
    """Something that was handed to a worker, and whether it is done."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self._done = threading.Event()

    def __call__(self) -> None:
        """Do it."""
        try:
            self._work()
        finally:
            self._done.set()

    def wait(self, deadline: float) -> bool:
        """Wait until it is done or ``time.monotonic()`` is past ``deadline``; whether it is."""
        return self._done.wait(max(deadline - time.monotonic(), 0))


class Worker:
    """Runs ``turn`` each ``delay`` seconds and what it is handed in between.

    ``turn`` returns the seconds until its next turn. The thread starts with `start`, not before,
    and again in a process that was forked. Handing over is safe in a destructor and in a signal
    handler: the queue is reentrant.
    """

    def __init__(self, name: str, delay: float, turn: Callable[[], float]) -> None:
        self._name = name
        self._delay = delay
        self._turn = turn
        self._queue: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether the thread was started in this process."""
        return self._thread is not None

    @property
    def is_current(self) -> bool:
        """Whether this is the worker's own thread."""
        return self._thread is threading.current_thread()

    def start(self) -> None:
        """Start the thread; nothing where the interpreter is ending and starts none any more."""
        if self._thread is None:
            thread = self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            if not start_without_context(thread):
                self._thread = None

    def hand(self, work: Callable[[], object]) -> Ticket:
        """Have ``work`` done on the thread; here and now where there is no thread."""
        ticket = Ticket(work)
        if self._thread is None or self.is_current:
            ticket()
        else:
            self._queue.put(ticket)
        return ticket

    def wake(self) -> None:
        """Have the turn now."""
        self._queue.put(_NOTHING)

    def forget(self) -> None:
        """In a forked child: the thread and what was handed to it stayed in the parent."""
        self._queue = queue.SimpleQueue()
        self._thread = None

    def restart(self) -> None:
        """In a forked child: forget, and start again."""
        self.forget()
        self.start()

    def _run(self) -> None:
        pid, work_queue, wait = os.getpid(), self._queue, self._delay
        while pid == os.getpid():
            try:
                work = work_queue.get(timeout=wait)
            except queue.Empty:
                work = _NOTHING
            if work is not _NOTHING:
                work()
            wait = self._turn() if work is _NOTHING else self._delay


def start_without_context(thread: threading.Thread) -> bool:
    """Start ``thread``; False where the interpreter is ending and starts none any more.

    Neither the span nor the variables of whoever is first must stay alive in it.
    """
    try:
        contextvars.Context().run(_start, thread)
    except RuntimeError:
        return False
    return True


def _start(thread: threading.Thread) -> None:
    context.attach(context.Context())
    thread.start()
