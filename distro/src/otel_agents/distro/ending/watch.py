"""A thread that hears of signals though the main thread may be where it can handle none.

The interpreter writes each signal to a descriptor at once, and the thread reads it there. Event loops
that take the descriptor for themselves get it; what handles a signal then tells the thread by itself.
"""

from __future__ import annotations

import os
import signal
import threading
from _thread import start_new_thread
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from wrapt import register_post_import_hook

from otel_agents.instrumentors.hosting import guarded, renew_after_fork, start_apart

__all__ = ["SignalWatch", "started"]

_NONE: Final = -1
_HIGH: Final = 900
_WARNING: Final = ("trio",)
"""What takes the descriptor too, and warns its user if somebody else had it."""


class SignalWatch:
    """Calls ``received`` with the number of each signal, on a thread of its own.

    The thread is there from the beginning: from Python 3.12 on none can be started in exit
    handlers, and none is where the main thread is in C code.

    Args:
        received: Told of every signal that Python handles; raises nothing.
    """

    def __init__(self, received: Callable[[int], object]) -> None:
        self._received = received
        self._writing = _NONE

    def install(self) -> None:
        """Take the descriptor if nobody has it; in the main thread only."""
        self._begin()
        renew_after_fork(self.renew)
        for name in _WARNING:
            register_post_import_hook(self._give_way, name)

    def tell(self, signum: int) -> bool:
        """Tell of a signal that was handled; whether the thread hears of it."""
        try:
            return self._writing != _NONE and os.write(self._writing, bytes((signum,))) > 0
        except OSError:  # closed by a program that makes itself a daemon
            return False

    def renew(self) -> None:
        """In a forked child: a signal to the one must not be read by the other."""
        if self._writing == _NONE:
            return
        self._leave_descriptor(self._writing)
        for descriptor in (self._writing, self._reading):
            with suppress(OSError):  # closed likewise
                os.close(descriptor)
        self._writing = _NONE
        self._begin()

    def _begin(self) -> None:
        try:
            reading, writing = (_out_of_the_way(descriptor) for descriptor in os.pipe())
        except OSError:  # the process has no descriptor left: signals wait for the main thread
            return
        os.set_blocking(writing, False)
        previous = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        if previous != _NONE:
            signal.set_wakeup_fd(previous)
        if started(self._run, reading):
            self._reading, self._writing = reading, writing
            return
        self._leave_descriptor(writing)
        os.close(writing)
        os.close(reading)

    @guarded("giving the signals' descriptor away")
    def _give_way(self, module: Any) -> None:
        if threading.current_thread() is threading.main_thread():  # it may not be touched elsewhere
            self._leave_descriptor(self._writing)

    def _leave_descriptor(self, ours: int) -> None:
        current = signal.set_wakeup_fd(_NONE)
        if current not in (ours, _NONE):
            signal.set_wakeup_fd(current)

    @guarded("hearing of signals", everything=True)
    def _run(self, reading: int) -> None:
        while True:
            try:
                numbers = os.read(reading, 64)
            except OSError:  # closed likewise
                return
            for number in numbers:
                self._received(number)


def started(work: Callable[..., object], *args: Any) -> bool:
    """Start a daemon thread; False where the interpreter is ending and starts none any more.

    No `threading.Thread`: starting one takes a lock that a signal may have interrupted.
    """
    return start_apart(start_new_thread, work, args)


def _out_of_the_way(descriptor: int) -> int:
    """The same under a high number: should the program close it, no file of its own gets that soon."""
    import fcntl  # not on Windows

    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _HIGH)
    except OSError:  # the process may have few
        return os.dup(descriptor)
    finally:
        os.close(descriptor)
