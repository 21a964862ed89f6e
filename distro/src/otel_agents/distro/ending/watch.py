"""A thread that notices signals while the main thread cannot run handlers.

The interpreter writes each signal to its wakeup descriptor at once, and the thread reads it there.
Event loops may take that descriptor; then our handler notifies the thread itself.

A program that daemonizes closes every descriptor, unnoticed by the interpreter. Only the main
thread may set another one; so the thread, which reads end-of-file, opens the same descriptor again.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Final

from wrapt import register_post_import_hook

from otel_agents.distro.ending.wakeup import WakeupPipe
from otel_agents.instrumentors.hosting import guarded, renew_after_fork, start_daemon

__all__ = ["SignalWatch"]

_NO_DESCRIPTOR: Final = -1
_WARNING_LIBRARIES: Final = ("trio",)
"""Libraries that take the descriptor too, and warn their user if it was in use."""


class SignalWatch:
    """Call ``received`` with the number of each signal, on a thread of its own.

    The thread is started early: since Python 3.12 none can be started in exit handlers, and none
    starts while the main thread is in C code.

    Args:
        received: Called for every signal that Python handles; raises nothing.
    """

    def __init__(self, received: Callable[[int], object]) -> None:
        self._received = received
        self._pipe: WakeupPipe | None = None

    def install(self) -> None:
        """Take the wakeup descriptor if it is free; call it in the main thread only."""
        # Since Python 3.12 exit handlers cannot start threads:
        # https://github.com/python/cpython/issues/113964
        self._start()
        renew_after_fork(self.renew)
        for name in _WARNING_LIBRARIES:
            register_post_import_hook(self._yield_descriptor, name)

    @guarded("notifying of a signal", False)
    def notify(self, signum: int) -> bool:
        """Notify the thread of a signal that was handled. Return whether that worked."""
        return self._pipe is not None and self._pipe.write(signum)

    def renew(self) -> None:
        """Open a new pipe in a forked child, or one process would read the signals of the other."""
        if self._pipe is None:
            return
        self._release_descriptor(self._pipe.writing)
        self._pipe.close()
        self._pipe = None
        self._start()

    def _start(self) -> None:
        try:
            pipe = WakeupPipe()
        except OSError:  # no descriptor left: signals wait for the main thread
            return
        try:
            previous = signal.set_wakeup_fd(pipe.writing, warn_on_full_buffer=False)
        except ValueError:  # not the main thread; patched by gevent, `threading` may not know it
            pipe.close()
            raise
        if previous != _NO_DESCRIPTOR:
            signal.set_wakeup_fd(previous)
        self._pipe = pipe
        if not start_daemon(self._run, pipe):
            self._release_descriptor(pipe.writing)
            pipe.close()
            self._pipe = None

    @guarded("giving the signals' descriptor away")
    def _yield_descriptor(self, module: ModuleType) -> None:
        if self._pipe:
            with suppress(ValueError):  # raised outside the main thread
                self._release_descriptor(self._pipe.writing)

    def _release_descriptor(self, ours: int) -> None:
        current = signal.set_wakeup_fd(_NO_DESCRIPTOR)
        if current not in (ours, _NO_DESCRIPTOR):
            signal.set_wakeup_fd(current)

    @guarded("watching for signals", everything=True)
    def _run(self, pipe: WakeupPipe) -> None:
        while True:
            numbers = pipe.read()
            for number in numbers:
                self._received(number)
            if not numbers and not pipe.reopen():
                pipe.close()
                return
