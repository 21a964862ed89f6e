"""Streams and calls that were dropped unfinished: one thread ends their operations.

A destructor runs anywhere, also while its thread holds a lock that ending a span would wait for,
such as one of the SDK or of a span processor. So a destructor records nothing itself. It puts what
was dropped, and when, into a queue that may be written from anywhere; the thread does the rest. A
`GeneratorExit` counts as a destructor, since the garbage collector throws it into unfinished
generators. So does closing, which a ``with`` or a ``yield from`` then does.

The thread starts with the first stream, since a destructor cannot start one. Without streams there
is no thread: a coroutine that was dropped unfinished, which is rare, waits for the next call or
for the end of the process.

A stream that is open at the end of the process was not dropped, but nobody will read it. All open
streams are known here by weak references.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import time
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from queue import Empty
from typing import Final
from weakref import WeakValueDictionary

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.forking import Lock, renew_after_fork
from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames
from otel_agents.instrumentors._core.system import Flag, SimpleQueue, is_green
from otel_agents.instrumentors._core.threads import start_daemon
from otel_agents.instrumentors._core.workers import inherits_telemetry

from .reporting import StreamObserver, report, report_failure

__all__ = [
    "DROPPED_AT",
    "OPEN_STREAMS",
    "QUEUE",
    "Finalizer",
    "abandon",
    "at",
    "current",
    "drain",
    "is_generator_exit",
    "next_stream_id",
    "open_streams",
    "started",
]

DROPPED_AT: Final[ContextVar[int | None]] = ContextVar("otel_agents_dropped_at", default=None)
"""When the operation being finalized was dropped or over, by `time.perf_counter_ns`: that is its end."""


def at(moment: int, work: Callable[[], object]) -> None:
    """Call ``work``, which ends what was over at ``moment``, by `time.perf_counter_ns`."""
    token = DROPPED_AT.set(moment)
    try:
        work()
    finally:
        DROPPED_AT.reset(token)


_BRIEF_SECONDS: Final = 0.1
"""Seconds that closing a stream waits for its span."""
_EXIT_SECONDS: Final = 1.0
_MAX_PENDING: Final = 10_000
"""Items that may wait; more wait only if a span processor hangs."""
_FINALIZING: Final = "finalizing dropped streams"


class Finalizer:
    """Finalizes what was created in this process.

    What was created before a fork, and is dropped in the child too, belongs to the parent.
    """

    __slots__ = ("_queue",)

    def __init__(self, queue: _Queue) -> None:
        self._queue = queue

    def dropped(self, observer: StreamObserver) -> None:
        """End the stream of ``observer``: nobody can read it any more."""
        self.put(lambda: report(observer, observer.abandoned))

    def closed(self, observer: StreamObserver) -> None:
        """End the stream of ``observer``: it was closed before its end, mostly by its reader.

        Wait briefly, since the reader may want to see its span. Not for long, since a destructor
        may have closed it, as of a generator that reads it by ``yield from``.
        """
        self.dropped(observer)
        self.wait_briefly()

    def failed(self, observer: StreamObserver, error: BaseException) -> None:
        """Report that a call or a stream raised ``error``, which may mean that it was dropped."""
        if is_generator_exit(error):
            self.put(lambda: report_failure(observer, error))
        else:
            report_failure(observer, error)

    def put(self, work: Callable[[], object]) -> None:
        """Have the thread run ``work``, dated now; safe in destructors."""
        if self is self._queue.finalizer:
            self._queue.put(work)

    def wait_briefly(self) -> None:
        """Wait until what was dropped is finalized, a moment at most."""
        self._queue.wait_briefly()


class _Queue:
    """What was dropped in this process, and the thread that finalizes it."""

    # Attributes, since a destructor at the very end of the interpreter finds no globals.
    max_pending = _MAX_PENDING
    _now = staticmethod(time.perf_counter_ns)

    def __init__(self) -> None:
        self._start_lock = Lock()  # a destructor that runs meanwhile may start a stream
        # One for each item that is not finalized yet.
        self.unfinished: Final[deque[None]] = deque(maxlen=_MAX_PENDING)
        self._reset()
        renew_after_fork(self.unfinished.clear)
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """Renew what a forked child inherits.

        The thread stays in the parent, and so does its queue if it runs there.
        """
        if inherits_telemetry():
            self._is_running, self.ready = False, None
            self.unfinished.extend([None] * self._queue.qsize())
        else:
            self._reset()

    def _reset(self) -> None:
        # The standard library declares only SimpleQueue.put reentrant.
        self._queue: SimpleQueue[tuple[int, Callable[[], object]]] = SimpleQueue()
        self._overflowed = 0
        self._is_running = False
        self.finalizer = Finalizer(self)
        self.ready: Finalizer | None = None
        """The same object while the thread runs."""

    def put(self, work: Callable[[], object]) -> None:
        if len(self.unfinished) < self.max_pending:
            self.unfinished.append(None)
            self._queue.put((self._now(), work))
        else:
            self._overflowed += 1

    def start(self) -> bool:
        """Start the thread if needed; return whether it runs. None starts at interpreter exit."""
        if not self._is_running:
            with self._start_lock:
                if not self._is_running:
                    self._start()
        return self._is_running

    def wait_briefly(self) -> None:
        # A greenlet must not wait: its destructor may run under a lock that another one needs.
        if self._is_running and not is_green():
            self._wait(_BRIEF_SECONDS)

    def drain(self, timeout: float) -> bool:
        """Wait until everything dropped is finalized; return whether it is.

        If the thread cannot be started, finalize here.
        """
        if not self.unfinished or self.start():
            return self._wait(timeout)
        deadline = time.monotonic() + timeout
        with contextlib.suppress(Empty):
            while self.unfinished:
                remaining = max(deadline - time.monotonic(), 0)
                self._finalize(*self._queue.get(timeout=remaining))
        return not self.unfinished

    def _wait(self, timeout: float) -> bool:
        if not self.unfinished or DROPPED_AT.get() is not None:  # else it waits for itself
            return True
        done = Flag()
        self.put(done.set)
        return done.wait(timeout)

    def _start(self) -> None:
        self._is_running, self.ready = True, self.finalizer
        if not start_daemon(self._run):
            self._is_running, self.ready = False, None

    def _run(self) -> None:
        try:
            while True:
                self._finalize_next()
        finally:
            self._is_running, self.ready = False, None  # the next stream starts another one

    @errors.guarded(_FINALIZING, everything=True)
    def _finalize_next(self) -> None:
        self._finalize(*self._queue.get())

    def _finalize(self, dropped_at: int, work: Callable[[], object]) -> None:
        try:
            at(dropped_at, work)
        finally:
            self.unfinished.pop()
            self._log_overflow()

    def _log_overflow(self) -> None:
        overflowed, self._overflowed = self._overflowed, 0
        if overflowed and errors.counts.add(_FINALIZING, overflowed):
            errors.warn(
                "otel-agents: dropped streams without a span: %d, since a span processor took "
                "too long for %d before them; further ones are only counted",
                *(overflowed, self.max_pending),
            )


QUEUE: Final = _Queue()
OPEN_STREAMS: Final[WeakValueDictionary[int, StreamObserver]] = WeakValueDictionary()
"""The observers of open streams, by number."""
next_stream_id: Final[Callable[[], int]] = itertools.count().__next__


def is_generator_exit(error: BaseException | None) -> bool:
    """Return whether ``error`` is a `GeneratorExit`, or was raised because of one."""
    while error is not None and not isinstance(error, GeneratorExit):
        if isinstance(error, RuntimeError) and str(error).endswith("ignored GeneratorExit"):
            return True
        error = error.__context__
    return error is not None


def started() -> Finalizer:
    """Start the thread if needed; return the finalizer for a new stream."""
    QUEUE.start()
    return QUEUE.finalizer


def open_streams() -> list[StreamObserver]:
    """Return the observers of streams that can still be read, in the order of their start."""
    found = (reference() for reference in OPEN_STREAMS.valuerefs())
    return list({id(observer): observer for observer in found if observer is not None}.values())


def abandon(observer: StreamObserver) -> None:
    """Report that the stream of ``observer`` stays unread, as the process ends; raise nothing."""
    report(observer, observer.abandoned)


def current() -> Finalizer:
    """Return the finalizer for an awaited call; start the thread if something waits."""
    if QUEUE.unfinished:
        QUEUE.start()
    return QUEUE.finalizer


def drain(timeout: float) -> bool:
    """Wait, ``timeout`` seconds at most; return whether everything dropped is finalized."""
    return QUEUE.drain(timeout)


atexit.register(drain, _EXIT_SECONDS)
renew_after_fork(OPEN_STREAMS.clear)  # the parent ends them


hide_frames(globals())
