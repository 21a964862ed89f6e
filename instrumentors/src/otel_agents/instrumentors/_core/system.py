"""Native threads and locks, whatever has replaced those in `threading`.

gevent and eventlet put greenlets where the standard library has threads. The whole program is
then one native thread, in which a greenlet runs until it waits in a way that they patched. They
may patch before this is imported or after, and existing objects stay as they are. A queue that
waits in C, or a lock that another greenlet holds, deadlocks such a program.

So our threads are native, and so is all that they wait with: they export while the loop is busy,
gRPC may block them, and signals are handled. A second instance of `_thread`, as the interpreter
makes it, has none of the patches that the shared module has.

Under a lock of this kind call only our own code. Foreign code might wait: another greenlet of the
thread would run, and the lock, which belongs to threads, would let it in.
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
"""Seconds of one lock timeout; the system has a limit of its own."""
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
"""Per thread; in our threads there are no greenlets."""


def start(work: Callable[..., object], *args: object) -> None:
    """Start a thread that ends with the process; take no lock, and do not register in `threading`.

    Raises:
        RuntimeError: The interpreter is ending, or the system has no thread left.
    """
    _thread.start_new_thread(_run, (work, args))


def _run(work: Callable[..., object], args: tuple[object, ...]) -> None:
    _own.started = True
    work(*args)


def sleep(seconds: float) -> None:
    """Block this thread with all its greenlets."""
    lock = Lock()
    lock.acquire()
    lock.acquire(timeout=max(seconds, 0))


def pause(seconds: float) -> None:
    """Wait; other greenlets of the thread keep running."""
    _wait(time.sleep if is_green() else sleep, seconds)


def wait_until(
    done: Callable[[], bool], timeout: float, wait: Callable[[float], object] | None = None
) -> bool:
    """Wait until ``done`` is true, ``timeout`` seconds at most; return its last value.

    Args:
        done: Called repeatedly, and not again once it was true.
        timeout: In seconds.
        wait: Waits for some seconds, as a library of greenlets does; default is `pause`.
    """
    deadline = time.monotonic() + timeout
    delay = _FIRST_DELAY
    while not done():
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            return False
        _wait(wait or pause, min(delay, remaining))
        delay = min(2 * delay, _MAX_DELAY)
    return True


def _wait(wait: Callable[[float], object], seconds: float) -> None:
    try:
        wait(seconds)
    except (AssertionError, RuntimeError):  # in the event loop itself, which cannot switch
        sleep(seconds)


def is_green() -> bool:
    """Return whether waiting in this thread is patched to switch greenlets."""
    replaced = "greenlet" in sys.modules and not isinstance(time.sleep, BuiltinFunctionType)
    return replaced and not is_ours()


def is_ours() -> bool:
    """Return whether this thread is one that we started."""
    return getattr(_own, "started", False)


class Flag:
    """An event. Setting it takes no lock: safe in a destructor and in a signal handler."""

    __slots__ = ("_is_set", "_waiting")

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: deque[Any] = deque()

    def is_set(self) -> bool:
        """Return whether it was set."""
        return self._is_set

    def set(self) -> None:
        """Wake all that wait; from now on nobody waits."""
        self._is_set = True
        with suppress(IndexError):  # none left
            while True:
                self._waiting.popleft().release()

    def wait(self, timeout: float) -> bool:
        """Wait until it is set, ``timeout`` seconds at most; return whether it is."""
        if self._is_set or timeout <= 0:
            return self._is_set
        if is_green():
            return wait_until(self.is_set, timeout)
        lock = Lock()
        lock.acquire()
        self._waiting.append(lock)
        if not self._is_set:  # else `set` may have run before the append
            lock.acquire(timeout=min(timeout, _MAX_TIMEOUT))
        with suppress(ValueError):  # `set` has taken it meanwhile
            self._waiting.remove(lock)
        return self._is_set
