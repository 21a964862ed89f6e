"""The default action of SIGTERM and SIGINT, which is to end the process, with a delivery before it.

A flush inside a signal handler waits for locks that the interrupted thread holds. So a thread
delivers, and the handler waits for it a moment only. Then the process ends by the signal, as it
would have; where the main thread cannot run a handler, by its number, as shells write it (143).

This is a handler as any other: `signal.getsignal` shows it, what the program sets in its place
stays, and ``SIG_DFL`` set in its place ends the process at once, with what waits.
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

from otel_agents.distro.ending.deference import defer
from otel_agents.distro.ending.watch import SignalWatch
from otel_agents.instrumentors.hosting import guarded, renew_after_fork, start_daemon, system

__all__ = ["DefaultAction"]

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_PATIENCE: Final = 0.15
"""Seconds for the main thread to run a handler, which is a matter of milliseconds."""
_HOLD: Final = 0.5
"""Seconds that the main thread is held in a handler, with whatever lock it may have.

Long enough for most deliveries: where it is in C code that looks for signals and never lets another
thread run (``re``, large integers), they can be made at no other time.
"""
_MARGIN: Final = 0.15
"""Seconds beyond its time-out for a delivery to say what was lost."""
_LOOK: Final = 0.005
_exit: Final = os._exit
"""In a child another will be in its place, which delivers."""
_HURRY: Final = 1e-5
"""Seconds that another thread may go on when this one could; Python's own are 0.005."""


class DefaultAction:
    """Ends the process by a signal, after ``deliver`` has run on a thread of its own.

    Args:
        deliver: Sends what is to be sent, in ``timeout`` seconds.
        outlive: Does that where the process goes on, since the system lets no signal end it.
        timeout: The process ends then whether ``deliver`` is done or not.
    """

    def __init__(
        self, deliver: Callable[[], object], outlive: Callable[[], object], timeout: float
    ) -> None:
        self._deliver = guarded("delivering at a signal", everything=True)(deliver)
        self._outlive = guarded("delivering at a signal", everything=True)(outlive)
        self._timeout = timeout + _MARGIN
        self._handler = self._handle  # one object, so that it can be recognised
        self._watch = SignalWatch(self._seen)
        self.renew()
        renew_after_fork(self.renew)

    def install(self) -> None:
        """Take the place of ``SIG_DFL``; nothing outside the main thread, which Python forbids."""
        if os.name != "posix":
            return
        try:
            for signum in _SIGNALS:
                if signal.getsignal(signum) is signal.SIG_DFL:
                    signal.signal(signum, self._handler)
            self._watch.install()
        except ValueError:  # another thread, or an interpreter inside another program
            return
        defer(self._unseen)

    @contextmanager
    def _unseen(self) -> Generator[None, None, None]:
        """``SIG_DFL`` is where ours was meanwhile; what is set in its place stays."""
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
    def obey(self) -> None:
        """At the end of the main thread: end by the signal, if one has come; it delivers first."""
        self._leaving = True
        if self._asked is None or self.unkillable:
            return
        if self._helped:
            self._over.wait(self._timeout)
        else:
            self._deliver()
        self._end(self._asked)

    @guarded("ending by a signal")
    def withdraw(self) -> None:
        """Nothing is left to deliver: signals do again what they did without us.

        One that came meanwhile ends the process.
        """
        for signum in _SIGNALS:
            if signal.getsignal(signum) is self._handler:
                signal.signal(signum, signal.SIG_DFL)
        if self._asked is not None and not self.unkillable:
            self._end(self._asked)

    def renew(self) -> None:
        """In a forked child: the parent was asked."""
        # The first process of a container, which is then killed when it has taken too long.
        self.unkillable = os.getpid() == 1
        self._asked: int | None = None
        self._helped = self._handled = self._begun = self._leaving = False
        self._main = system.get_ident()
        self._over = system.Flag()

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        if not self._taken(signum):
            self._end(signum)

    @guarded("handling a signal", False)
    def _taken(self, signum: int) -> bool:
        """Whether a delivery is under way, and the process goes on until it is over."""
        if self._over.is_set():
            return False
        if self._handled:
            return self._helped
        self._handled = True
        self._asked = signum
        # This may have been called by a handler that was set later, which is not to come again.
        if system.get_ident() == self._main:
            signal.signal(signum, self._handler)
        self._helped = self._watch.tell(signum) or start_daemon(self._seen, signum)
        # Where the interpreter is ending and starts no thread, `obey` comes.
        if not self._helped or self.unkillable or self._leaving:
            return True
        return not self._hold(signum)

    def _hold(self, signum: int) -> bool:
        """Wait for the delivery, though not for long; whether it is over."""
        began = time.monotonic()
        # No waiting for an event: its lock may be what the signal has interrupted.
        while not self._over.is_set() and time.monotonic() < began + _HOLD:
            system.sleep(_LOOK)
        if not self._over.is_set():
            self._insist(signum, began + self._timeout + _PATIENCE - time.monotonic())
        return self._over.is_set()

    def _insist(self, signum: int, seconds: float) -> None:
        """End in ``seconds`` also where no other thread can run until then."""

        @guarded("handling a signal")
        def end(alarm: int, frame: FrameType | None) -> None:
            self._end(signum)

        used = any(signal.getitimer(signal.ITIMER_REAL))
        if not used and signal.getsignal(signal.SIGALRM) is signal.SIG_DFL:
            signal.signal(signal.SIGALRM, end)
            signal.setitimer(signal.ITIMER_REAL, max(seconds, _LOOK))

    @guarded("handling a signal", everything=True)
    def _seen(self, number: int) -> None:
        """A signal has come; the main thread may be where it cannot handle it."""
        if number not in _SIGNALS:
            return
        if self.unkillable:
            if self._asked == number:
                self._hurried(self._outlive)
                self._asked, self._handled = None, False
        elif not self._begun and (
            self._asked == number or signal.getsignal(number) is self._handler
        ):
            self._begun = True
            self._asked, self._helped = number, True
            self._hurried(lambda: self._bring_out(number))

    def _hurried(self, work: Callable[[], object]) -> None:
        # Where the main thread computes, this one waits as long after each file and each packet,
        # of which there are hundreds where an exporter is still to be imported.
        interval = sys.getswitchinterval()
        sys.setswitchinterval(_HURRY)
        work()
        sys.setswitchinterval(interval)

    def _bring_out(self, signum: int) -> None:
        """Deliver, and end the process; foreign code in a delivery may never come back."""
        if not start_daemon(self._delivered):
            self._delivered()
        self._over.wait(self._timeout)
        self._over.set()
        with suppress(OSError):  # there is no such thread any more
            signal.pthread_kill(self._main, signum)  # whose waiting it interrupts
        system.sleep(_PATIENCE)
        _exit(128 + signum)

    @guarded("delivering at a signal", everything=True)
    def _delivered(self) -> None:
        self._deliver()
        self._over.set()

    def _end(self, signum: int) -> None:
        signal.signal(signum, signal.SIG_DFL)
        os.kill(os.getpid(), signum)
