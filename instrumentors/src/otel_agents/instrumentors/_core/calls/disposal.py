"""What its owner has dropped is finalised here: by one thread, whatever dropped it, and where.

A destructor runs anywhere, also while its thread holds a lock that the end of a span would wait
for: one of the SDK, of a span processor of the application's. So a destructor runs no telemetry: it
notes what was dropped and when, in a queue that may be written to from anywhere, and the thread
does the rest. A `GeneratorExit` is as good as a destructor, since the collector throws it into what
was left half-way; and so is closing, which is what a ``with`` or a ``yield from`` does then.

The thread is started when the first stream is made, since a destructor cannot start one, and none
is where nothing is streamed: a coroutine that is dropped half-way, of which there are few, waits
for the next call, or for the end of the process.

A stream that is still open then has not been dropped, and is left unread all the same: each is
known, and held by nobody here.
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
from otel_agents.instrumentors._core.importlib_bootstrap import leave_out
from otel_agents.instrumentors._core.system import Flag, SimpleQueue, is_green
from otel_agents.instrumentors._core.threads import start_apart
from otel_agents.instrumentors._core.workers import inherits_telemetry

from .reporting import StreamObserver, fail, report

__all__ = [
    "DROPPED_AT",
    "OPEN",
    "QUEUE",
    "Disposal",
    "abandon",
    "closes",
    "drain",
    "expect",
    "here",
    "next_place",
    "open_streams",
]

DROPPED_AT: Final[ContextVar[int | None]] = ContextVar("otel_agents_dropped_at", default=None)
"""When that was dropped which is being finalised, by `time.perf_counter_ns`: it ended then."""

_MOMENT: Final = 0.1
_EXIT_SECONDS: Final = 1.0
_MOST: Final = 10_000
"""Of what waits: more is there only where a span processor does not come to an end."""
_FINALISING: Final = "finalising what was dropped"


class Disposal:
    """Where what is made in one process goes if it is dropped.

    What was made before a fork, and is dropped in the child as well, is its parent's to tell.
    """

    __slots__ = ("_queue",)

    def __init__(self, queue: _Queue) -> None:
        self._queue = queue

    def dropped(self, observer: StreamObserver) -> None:
        """Nobody can read the stream of ``running`` any more."""
        self.put(lambda: report(observer, observer.abandoned))

    def closed(self, observer: StreamObserver) -> None:
        """The stream of ``running`` was closed before its end, mostly by its reader.

        Who may want to see what became of it; but also by a destructor, as of a generator that
        reads it by ``yield from``, which must not wait for long.
        """
        self.dropped(observer)
        self.wait_briefly()

    def failed(self, observer: StreamObserver, error: BaseException) -> None:
        """A call or a stream raised ``error``, which may be that it was dropped."""
        if closes(error):
            self.put(lambda: fail(observer, error))
        else:
            fail(observer, error)

    def put(self, work: Callable[[], object]) -> None:
        """Have ``work`` done by the thread, as of now; for destructors."""
        if self is self._queue.disposal:
            self._queue.put(work)

    def wait_briefly(self) -> None:
        """Have what was dropped finalised first, if that takes no more than a moment."""
        self._queue.wait_briefly()


class _Queue:
    """What was dropped in this process, and the thread that finalises it."""

    # Of the object: a destructor at the very end of the interpreter finds no globals any more.
    most = _MOST
    _now = staticmethod(time.perf_counter_ns)

    def __init__(self) -> None:
        self._starting = Lock()  # where what is dropped meanwhile may make a stream
        self._unfinished: Final[deque[None]] = deque(maxlen=_MOST)  # one for each that is not done
        self._begin()
        renew_after_fork(self._unfinished.clear)
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """In a forked child: the thread stays in the parent, and what it held if it ever runs there."""
        if inherits_telemetry():
            self._observer, self.ready = False, None
            self._unfinished.extend([None] * self._queue.qsize())
        else:
            self._begin()

    def _begin(self) -> None:
        # SimpleQueue.put is the one put that the standard library declares reentrant.
        self._queue: SimpleQueue[tuple[int, Callable[[], object]]] = SimpleQueue()
        self._lost = 0
        self._observer = False
        self.disposal = Disposal(self)
        self.ready: Disposal | None = None
        """The same while the thread runs."""

    def put(self, work: Callable[[], object]) -> None:
        if len(self._unfinished) < self.most:
            self._unfinished.append(None)
            self._queue.put((self._now(), work))
        else:
            self._lost += 1

    def start(self) -> bool:
        """Have the thread run; whether it does. None can be started while the process ends."""
        if not self._observer:
            with self._starting:
                if not self._observer:
                    self._start()
        return self._observer

    def start_if_waiting(self) -> None:
        """Have the thread run if there is something for it."""
        if self._unfinished:
            self.start()

    def wait_briefly(self) -> None:
        # Among greenlets nobody waits: a destructor may run where another must not, under a lock.
        if self._observer and not is_green():
            self._wait(_MOMENT)

    def drain(self, timeout: float) -> bool:
        """Wait until all that was dropped is finalised; whether it is so.

        Where the thread cannot be started, here is where it is done.
        """
        if not self._unfinished or self.start():
            return self._wait(timeout)
        deadline = time.monotonic() + timeout
        with contextlib.suppress(Empty):
            while self._unfinished:
                left = max(deadline - time.monotonic(), 0)
                self._finalise(*self._queue.get(timeout=left))
        return not self._unfinished

    def _wait(self, timeout: float) -> bool:
        if not self._unfinished or DROPPED_AT.get() is not None:  # as of what is waited for itself
            return True
        done = Flag()
        self.put(done.set)
        return done.wait(timeout)

    def _start(self) -> None:
        self._observer, self.ready = True, self.disposal
        if not start_apart(self._run):
            self._observer, self.ready = False, None

    def _run(self) -> None:
        try:
            while True:
                self._finalise_next()
        finally:
            self._observer, self.ready = False, None  # the next stream starts another

    @errors.guarded(_FINALISING, everything=True)
    def _finalise_next(self) -> None:
        self._finalise(*self._queue.get())

    def _finalise(self, moment: int, work: Callable[[], object]) -> None:
        token = DROPPED_AT.set(moment)
        try:
            work()
        finally:
            DROPPED_AT.reset(token)
            self._unfinished.pop()
            self._tell_lost()

    def _tell_lost(self) -> None:
        lost, self._lost = self._lost, 0
        if lost and errors.counts.add(_FINALISING, lost):
            errors.warn(
                "otel-agents: %d streams that were dropped have no span, since a span processor "
                "took too long for %d before them; further ones are only counted",
                *(lost, self.most),
            )


QUEUE: Final = _Queue()
OPEN: Final[WeakValueDictionary[int, StreamObserver]] = WeakValueDictionary()
"""What open streams report to, by place."""
next_place: Final[Callable[[], int]] = itertools.count().__next__


def closes(error: BaseException | None) -> bool:
    """Whether ``error`` is a `GeneratorExit`, or was raised on account of one."""
    while error is not None and not isinstance(error, GeneratorExit):
        if isinstance(error, RuntimeError) and str(error).endswith("ignored GeneratorExit"):
            return True
        error = error.__context__
    return error is not None


def expect() -> Disposal:
    """Have the thread run; where a stream that is being made goes if it is dropped."""
    QUEUE.start()
    return QUEUE.disposal


def open_streams() -> list[StreamObserver]:
    """What the streams report to that somebody could still read, in the order of their start."""
    found = (reference() for reference in OPEN.valuerefs())
    return list({id(observer): observer for observer in found if observer is not None}.values())


def abandon(observer: StreamObserver) -> None:
    """The stream of ``running`` is left unread, since the process ends; raises nothing."""
    report(observer, observer.abandoned)


def here() -> Disposal:
    """Where an awaited call that begins will go if it is dropped."""
    QUEUE.start_if_waiting()
    return QUEUE.disposal


def drain(timeout: float) -> bool:
    """Wait until nothing is left to finalise, ``timeout`` seconds at most; whether it is so."""
    return QUEUE.drain(timeout)


atexit.register(drain, _EXIT_SECONDS)
renew_after_fork(OPEN.clear)  # they are the parent's to end


leave_out(globals())
