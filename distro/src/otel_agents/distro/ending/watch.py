"""A thread that hears of signals though the main thread may be where it can handle none.

The interpreter writes each signal to a descriptor at once, and the thread reads it there. Event loops
that take the descriptor for themselves get it; what handles a signal then tells the thread by itself.

A program that makes itself a daemon closes every descriptor, and the interpreter knows nothing of
that. Only the main thread may name it another; so the thread, which reads the end of what was closed,
opens the same number again.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from wrapt import register_post_import_hook

from otel_agents.distro.ending.wakeup import WakeupPipe
from otel_agents.instrumentors.hosting import guarded, renew_after_fork, start_daemon

__all__ = ["SignalWatch"]

_NONE: Final = -1
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
        self._pipe: WakeupPipe | None = None

    def install(self) -> None:
        """Take the descriptor if nobody has it; in the main thread only."""
        self._begin()
        renew_after_fork(self.renew)
        for name in _WARNING:
            register_post_import_hook(self._give_way, name)

    @guarded("telling of a signal", False)
    def tell(self, signum: int) -> bool:
        """Tell of a signal that was handled; whether the thread hears of it."""
        return self._pipe is not None and self._pipe.write(signum)

    def renew(self) -> None:
        """In a forked child: a signal to the one must not be read by the other."""
        if self._pipe is None:
            return
        self._leave_descriptor(self._pipe.writing)
        self._pipe.close()
        self._pipe = None
        self._begin()

    def _begin(self) -> None:
        try:
            pipe = WakeupPipe()
        except OSError:  # the process has no descriptor left: signals wait for the main thread
            return
        try:
            previous = signal.set_wakeup_fd(pipe.writing, warn_on_full_buffer=False)
        except ValueError:  # not the main thread, which `threading` may not know: it has greenlets
            pipe.close()
            raise
        if previous != _NONE:
            signal.set_wakeup_fd(previous)
        self._pipe = pipe
        if not start_daemon(self._run, pipe):
            self._leave_descriptor(pipe.writing)
            pipe.close()
            self._pipe = None

    @guarded("giving the signals' descriptor away")
    def _give_way(self, module: Any) -> None:
        if self._pipe:
            with suppress(ValueError):  # it may not be touched outside the main thread
                self._leave_descriptor(self._pipe.writing)

    def _leave_descriptor(self, ours: int) -> None:
        current = signal.set_wakeup_fd(_NONE)
        if current not in (ours, _NONE):
            signal.set_wakeup_fd(current)

    @guarded("hearing of signals", everything=True)
    def _run(self, pipe: WakeupPipe) -> None:
        while True:
            numbers = pipe.read()
            for number in numbers:
                self._received(number)
            if not numbers and not pipe.reopen():
                pipe.close()
                return
