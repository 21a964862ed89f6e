"""The system's own threads and locks, whatever has become of those in `threading`.

gevent and eventlet put greenlets where the standard library has threads: all of a program is one
thread of the system then, in which a greenlet runs until it waits in a way that they know of.
They may do so at any time, before this is imported or after, and what was made before is as it was.
A queue that waits in C, or a lock that another greenlet has, is the end of such a program.

So threads of ours are the system's, and so is all that they wait with: they export beside a loop
that is busy, gRPC may block them, and signals are heard. `_thread` is asked for once more, as the
interpreter makes it: what anybody has set in the module that all have is not in this one.

Under a lock of this kind nothing is called that is not ours, as that might wait: another greenlet
of the thread would run, and the lock, which belongs to threads, would let it in.
"""

from __future__ import annotations

import sys
import time
from _queue import SimpleQueue
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from importlib.machinery import BuiltinImporter
from importlib.util import module_from_spec
from types import BuiltinFunctionType
from typing import Any, Final

__all__ = [
    "Flag",
    "Lock",
    "RLock",
    "SimpleQueue",
    "get_ident",
    "is_green",
    "is_ours",
    "pause",
    "sleep",
    "start",
    "wait_until",
]

_MAX_TIMEOUT: Final = 1e6
"""Seconds that a lock is asked for at once; the system has a limit of its own."""
_FIRST_DELAY: Final = 0.0005
_MAX_DELAY: Final = 0.01


def _unpatched() -> Any:
    spec: Any = BuiltinImporter.find_spec("_thread")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_thread: Final = _unpatched()
Lock: Final[Callable[[], Any]] = _thread.allocate_lock
RLock: Final[Callable[[], Any]] = _thread.RLock
get_ident: Final[Callable[[], int]] = _thread.get_ident
"""The same for all greenlets of a thread."""


_own: Final[Any] = _thread._local()
"""Of each thread; in one of ours no greenlet waits for its turn."""


def start(work: Callable[..., object], *args: object) -> None:
    """Start a thread, which ends with the process; no lock is taken, and `threading` not told.

    Raises:
        RuntimeError: The interpreter is ending, or the system has no thread left.
    """
    _thread.start_new_thread(_run, (work, args))


def _run(work: Callable[..., object], args: tuple[object, ...]) -> None:
    _own.started = True
    work(*args)


def sleep(seconds: float) -> None:
    """Wait, and all that is in this thread with the caller."""
    lock = Lock()
    lock.acquire()
    lock.acquire(timeout=max(seconds, 0))


def pause(seconds: float) -> None:
    """Wait, while other greenlets go on where the caller is one."""
    if not is_green():
        sleep(seconds)
        return
    try:
        time.sleep(seconds)
    except AssertionError:  # in the loop itself, which has nobody to give way to
        sleep(seconds)


def wait_until(done: Callable[[], bool], timeout: float) -> bool:
    """Pause until ``done`` is true, ``timeout`` seconds at most; what it is then."""
    deadline = time.monotonic() + timeout
    delay = _FIRST_DELAY
    while not done() and (remaining := deadline - time.monotonic()) > 0:
        pause(min(delay, remaining))
        delay = min(2 * delay, _MAX_DELAY)
    return done()


def is_green() -> bool:
    """Whether greenlets wait for this thread, and waiting was replaced by what lets them go on."""
    replaced = "greenlet" in sys.modules and not isinstance(time.sleep, BuiltinFunctionType)
    return replaced and not is_ours()


def is_ours() -> bool:
    """Whether this thread is one of ours."""
    return getattr(_own, "started", False)


class Flag:
    """An event. Setting it takes no lock: safe in a destructor and in a signal handler."""

    __slots__ = ("_is_set", "_waiting")

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: deque[Any] = deque()

    def is_set(self) -> bool:
        """Whether it was set."""
        return self._is_set

    def set(self) -> None:
        """Let all that wait go on, from now on without waiting."""
        self._is_set = True
        with suppress(IndexError):  # there is none any more
            while True:
                self._waiting.popleft().release()

    def wait(self, timeout: float) -> bool:
        """Wait until it is set, ``timeout`` seconds at most; whether it is."""
        if self._is_set or timeout <= 0:
            return self._is_set
        if is_green():
            return wait_until(self.is_set, timeout)
        lock = Lock()
        lock.acquire()
        self._waiting.append(lock)
        if not self._is_set:  # else nobody may look for the lock any more
            lock.acquire(timeout=min(timeout, _MAX_TIMEOUT))
        with suppress(ValueError):  # it was found meanwhile
            self._waiting.remove(lock)
        return self._is_set
