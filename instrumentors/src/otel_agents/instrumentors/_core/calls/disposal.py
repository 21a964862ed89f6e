"""What was dropped by its owner is finalised here: at once where that is safe, else on a thread.

A destructor can run anywhere, also while its thread holds a lock of the SDK: ending a span or
recording a metric there would wait for that lock for ever. So the frames that the destructor
interrupted are looked at; if telemetry code is among them, a daemon thread does the work.
"""

from __future__ import annotations

import atexit
import queue
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

from otel_agents.instrumentors._core.forking import renew_after_fork

from .reporting import Followed, report

__all__ = ["abandon", "dispose", "drain"]

_TELEMETRY = ("opentelemetry.sdk", "opentelemetry.exporter", "otel_agents.distro")
_EXIT_SECONDS = 1.0


def abandon(running: Followed) -> None:
    """Report that the stream of ``running`` was dropped."""
    dispose(lambda: report(running, running.abandoned))


def dispose(work: Callable[[], None]) -> None:
    """Run ``work`` now, or on the disposal thread if telemetry code was interrupted."""
    if _interrupts_telemetry(sys._getframe(1)):  # pyright: ignore[reportPrivateUsage]  documented, and the point
        _disposal.put(work)
    else:
        work()


def drain(timeout: float) -> bool:
    """Wait until nothing is left to finalise, ``timeout`` seconds at most; whether it is so."""
    return _disposal.drain(timeout)


def _interrupts_telemetry(frame: FrameType | None) -> bool:
    while frame is not None:
        if str(frame.f_globals.get("__name__", "")).startswith(_TELEMETRY):
            return True
        frame = frame.f_back
    return False


class _Disposal:
    """A queue that a destructor may write to, and its thread, started when first needed."""

    def __init__(self) -> None:
        self._begin()
        renew_after_fork(self._begin)

    def _begin(self) -> None:
        """The thread and what it held stay in the parent."""
        # SimpleQueue.put is the one put that the standard library declares reentrant.
        self._queue: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def put(self, work: Callable[[], None]) -> None:
        self._queue.put(work)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="otel-agents-disposal")
            self._thread.daemon = True
            self._thread.start()

    def drain(self, timeout: float) -> bool:
        if self._thread is None:
            return True
        done = threading.Event()
        self._queue.put(done.set)
        return done.wait(timeout)

    def _run(self) -> None:
        while True:
            self._queue.get()()


_disposal: Final = _Disposal()
atexit.register(drain, _EXIT_SECONDS)
