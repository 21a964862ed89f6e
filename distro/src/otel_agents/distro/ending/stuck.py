"""Signals that come while the main thread is in C code, where no handler of Python's can run.

The interpreter writes each signal to a descriptor at once. A thread reads it there, and after a while
does what the main thread has not done. Event loops that take the descriptor for themselves get it;
then signals wait for the main thread, as everywhere.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from wrapt import register_post_import_hook

from otel_agents.distro.export.worker import start_without_context
from otel_agents.instrumentors.hosting import renew_after_fork

__all__ = ["SignalWatch", "kill"]

_NONE: Final = -1
_HIGH: Final = 900
_WARNING: Final = ("trio",)
"""What takes the descriptor too, and warns its user if somebody else had it."""


class SignalWatch:
    """Calls ``received`` with the number of each signal, on a thread of its own.

    Args:
        received: Told of every signal that Python handles.
    """

    def __init__(self, received: Callable[[int], object]) -> None:
        self._received = received
        self._writing = _NONE

    def install(self) -> None:
        """Take the descriptor if nobody has it; in the main thread only."""
        self._take()
        renew_after_fork(self.renew)
        for name in _WARNING:
            register_post_import_hook(self._give_way, name)

    def start(self) -> None:
        """Have the thread: once, at the first span, since without one there is nothing to lose."""
        if self._writing != _NONE:
            arguments = (self._reading,)
            start_without_context(
                threading.Thread(
                    target=self._run, args=arguments, name="otel-agents-signals", daemon=True
                )
            )

    def renew(self) -> None:
        """In a forked child: a signal to the one must not be read by the other."""
        if self._writing == _NONE:
            return
        ours = signal.set_wakeup_fd(_NONE) == self._writing
        for descriptor in (self._writing, self._reading):
            with suppress(OSError):  # closed by a program that makes itself a daemon
                os.close(descriptor)
        self._writing = _NONE
        if ours:
            self._take()

    def _take(self) -> None:
        try:
            self._reading, writing = (_out_of_the_way(descriptor) for descriptor in os.pipe())
        except OSError:  # the process has no descriptor left: signals wait for the main thread
            return
        os.set_blocking(writing, False)
        previous = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        if previous == _NONE:
            self._writing = writing
            return
        signal.set_wakeup_fd(previous)
        os.close(writing)
        os.close(self._reading)

    def _give_way(self, module: Any) -> None:
        if threading.current_thread() is not threading.main_thread():
            return  # it may not be touched there
        current = signal.set_wakeup_fd(_NONE)
        if current not in (self._writing, _NONE):
            signal.set_wakeup_fd(current)

    def _run(self, reading: int) -> None:
        while True:
            try:
                numbers = os.read(reading, 64)
            except OSError:  # closed likewise
                return
            for number in numbers:
                self._received(number)


def _out_of_the_way(descriptor: int) -> int:
    """The same under a high number: should the program close it, no file of its own gets that soon."""
    import fcntl  # not on Windows

    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _HIGH)
    except OSError:  # the process may have few
        return os.dup(descriptor)
    finally:
        os.close(descriptor)


def kill(signum: int) -> None:
    """End the process by ``signum`` though the main thread cannot take its handler away."""
    import ctypes  # costs at start, and is needed once

    set_handler = ctypes.pythonapi.PyOS_setsig
    set_handler.argtypes = (ctypes.c_int, ctypes.c_void_p)
    set_handler.restype = ctypes.c_void_p
    set_handler(signum, None)  # SIG_DFL
    os.kill(os.getpid(), signum)
