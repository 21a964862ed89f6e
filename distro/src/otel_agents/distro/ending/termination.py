"""The default action of SIGTERM and SIGINT, ending the process, preceded by a delivery.

A flush inside a signal handler would wait for locks that the interrupted thread holds. So another
thread delivers, and the handler waits only briefly. Then the process ends by the signal, as it
would have; if the main thread cannot run a handler, with the exit code of that signal (143).

It is an ordinary handler: `signal.getsignal` returns it, a handler that the program sets replaces
it, and after ``SIG_DFL`` the signal ends the process at once, without delivering what is queued.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

from otel_agents.distro.ending.library_handlers import hide_handlers_from_libraries
from otel_agents.distro.ending.watch import SignalWatch
from otel_agents.instrumentors.hosting import guarded, renew_after_fork, start_daemon, system

__all__ = ["DefaultAction"]

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_HANDLER_TIMEOUT: Final = 0.15
"""Seconds for the main thread to run a handler, which normally takes milliseconds."""
_HOLD: Final = 0.5
"""Seconds that the handler holds the main thread, with whatever lock that has.

Long enough for most deliveries. C code that checks for signals but never releases the GIL (``re``,
large integers) leaves no other time for them.
"""
_MARGIN: Final = 0.15
"""Seconds beyond its timeout for a delivery to log what was dropped."""
_POLL_INTERVAL: Final = 0.005
_exit: Final = os._exit
"""The original; in a child `os._exit` is replaced by a function that delivers."""
_FAST_SWITCH_INTERVAL: Final = 1e-5
"""Seconds after which a running thread hands the GIL over; Python's default is 0.005."""


class DefaultAction:
    """End the process by a signal, after ``deliver`` has run on another thread.

    Args:
        deliver: Delivers within ``timeout`` seconds and shuts down.
        deliver_and_continue: Delivers in a process that no signal ends (PID 1), and that goes on.
        timeout: The process ends then, whether ``deliver`` is done or not.
    """

    def __init__(
        self,
        deliver: Callable[[], object],
        deliver_and_continue: Callable[[], object],
        timeout: float,
    ) -> None:
        self._deliver = guarded("delivering at a signal", everything=True)(deliver)
        self._deliver_and_continue = guarded("delivering at a signal", everything=True)(
            deliver_and_continue
        )
        self._timeout = timeout + _MARGIN
        self._handler = self._handle  # one object, so that `getsignal` can be compared with it
        self._watch = SignalWatch(self._on_signal)
        self.renew()
        renew_after_fork(self.renew)

    def install(self) -> None:
        """Replace ``SIG_DFL``; do nothing outside the main thread, where Python forbids it."""
        if os.name != "posix":
            return
        try:
            for signum in _SIGNALS:
                if signal.getsignal(signum) is signal.SIG_DFL:
                    signal.signal(signum, self._handler)
            self._watch.install()
        except ValueError:  # not the main thread, or an embedded interpreter
            return
        hide_handlers_from_libraries(self._hidden)

    @contextmanager
    def _hidden(self) -> Generator[None, None, None]:
        """Show ``SIG_DFL`` instead of our handler; a handler that is set meanwhile stays."""
        ours = [it for it in _SIGNALS if signal.getsignal(it) is self._handler]
        if system.get_ident() != self._main:
            ours.clear()
        for signum in ours:
            signal.signal(signum, signal.SIG_DFL)
        try:
            yield
        finally:
            for signum in ours:
                if signal.getsignal(signum) is signal.SIG_DFL:
                    signal.signal(signum, self._handler)

    @guarded("ending by a signal")
    def terminate(self) -> None:
        """End by the signal at the end of the main thread, after the delivery, if one has come."""
        self._exiting = True
        if self._requested is None or self.unkillable:
            return
        if self._delegated:
            self._done.wait(self._timeout)
        else:
            self._deliver()
        self._end(self._requested)

    @guarded("ending by a signal")
    def withdraw(self) -> None:
        """Restore ``SIG_DFL``: nothing is left to deliver.

        A signal that came meanwhile ends the process.
        """
        for signum in _SIGNALS:
            if signal.getsignal(signum) is self._handler:
                signal.signal(signum, signal.SIG_DFL)
        if self._requested is not None and not self.unkillable:
            self._end(self._requested)

    def renew(self) -> None:
        """Reset in a forked child: signals before it were the parent's."""
        # PID 1 of a container: the kernel ignores default actions there, until SIGKILL.
        self.unkillable = os.getpid() == 1
        self._requested: int | None = None
        self._delegated = self._handled = self._started = self._exiting = False
        self._main = system.get_ident()
        self._done = system.Flag()

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        if not self._accept(signum):
            self._end(signum)

    @guarded("handling a signal", False)
    def _accept(self, signum: int) -> bool:
        """Return whether a delivery is under way, until which the process goes on."""
        if self._done.is_set():
            return False
        if self._handled:
            return self._delegated
        self._handled = True
        self._requested = signum
        # A handler that was set later may have called this one; it must not run again.
        if system.get_ident() == self._main:
            signal.signal(signum, self._handler)
        self._delegated = self._watch.notify(signum) or start_daemon(self._on_signal, signum)
        # While the interpreter exits and starts no thread, `terminate` delivers.
        if not self._delegated or self.unkillable or self._exiting:
            return True
        return not self._hold(signum)

    def _hold(self, signum: int) -> bool:
        """Wait briefly for the delivery. Return whether it is done."""
        began = time.monotonic()
        # Poll instead of waiting for an event: the signal may have interrupted its lock.
        while not self._done.is_set() and time.monotonic() < began + _HOLD:
            system.sleep(_POLL_INTERVAL)
        if not self._done.is_set():
            self._set_alarm(signum, began + self._timeout + _HANDLER_TIMEOUT - time.monotonic())
        return self._done.is_set()

    def _set_alarm(self, signum: int, seconds: float) -> None:
        """End in ``seconds`` by an alarm, even if no other thread can run until then."""

        @guarded("handling a signal")
        def end(alarm: int, frame: FrameType | None) -> None:
            self._end(signum)

        timer_in_use = any(signal.getitimer(signal.ITIMER_REAL))
        if not timer_in_use and signal.getsignal(signal.SIGALRM) is signal.SIG_DFL:
            signal.signal(signal.SIGALRM, end)
            signal.setitimer(signal.ITIMER_REAL, max(seconds, _POLL_INTERVAL))

    @guarded("handling a signal", everything=True)
    def _on_signal(self, number: int) -> None:
        """Deliver after a signal that the main thread may be unable to handle."""
        if number not in _SIGNALS:
            return
        if self.unkillable:
            if self._requested == number:
                self._with_fast_switching(self._deliver_and_continue)
                self._requested, self._handled = None, False
        elif not self._started and (
            self._requested == number or signal.getsignal(number) is self._handler
        ):
            self._started = True
            self._requested, self._delegated = number, True
            self._with_fast_switching(lambda: self._deliver_and_exit(number))

    def _with_fast_switching(self, work: Callable[[], object]) -> None:
        # If the main thread computes, this one waits that long after each file and packet that it
        # reads, hundreds of times if an exporter is still to be imported.
        interval = sys.getswitchinterval()
        sys.setswitchinterval(_FAST_SWITCH_INTERVAL)
        work()
        sys.setswitchinterval(interval)

    def _deliver_and_exit(self, signum: int) -> None:
        """Deliver and end the process; third-party code in a delivery may never return."""
        if not start_daemon(self._run_delivery):
            self._run_delivery()
        self._done.wait(self._timeout)
        self._done.set()
        with suppress(OSError):  # the main thread is gone
            signal.pthread_kill(self._main, signum)  # interrupts its blocking call
        system.sleep(_HANDLER_TIMEOUT)
        _exit(128 + signum)

    @guarded("delivering at a signal", everything=True)
    def _run_delivery(self) -> None:
        self._deliver()
        self._done.set()

    def _end(self, signum: int) -> None:
        signal.signal(signum, signal.SIG_DFL)
        os.kill(os.getpid(), signum)
