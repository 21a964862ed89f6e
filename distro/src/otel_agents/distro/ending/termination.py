"""The default action of SIGTERM and SIGINT, which is to end the process, with a delivery before it.

A flush inside a signal handler waits for locks that the interrupted thread holds. So the handler
returns at once, a thread delivers, and the signal is sent again: the process ends by the signal,
as it would have. A handler of the application's own is left alone.

The application does not see it: `signal.signal` and `signal.getsignal` tell ``SIG_DFL`` where this is
in place, and whoever sets ``SIG_DFL`` (as servers do before they raise the signal once more) gets it.
"""

from __future__ import annotations

import _thread
import functools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from otel_agents.distro.ending.stuck import SignalWatch, kill
from otel_agents.instrumentors.hosting import renew_after_fork

__all__ = ["DefaultAction"]

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_PATIENCE: Final = 1.0
"""Seconds for the main thread to run a handler, which is a matter of milliseconds."""
_HURRY: Final = 1e-5
"""Seconds that another thread may go on when this one could; Python's own are 0.005."""
_LOOK: Final = 0.02


class DefaultAction:
    """Ends the process by a signal, after ``deliver`` has run on a thread of its own.

    Args:
        deliver: Sends what is to be sent, within a time-out of its own; raises nothing.
        outlive: Does that where the process goes on, since the system lets no signal end it.
    """

    def __init__(self, deliver: Callable[[], object], outlive: Callable[[], object]) -> None:
        self._deliver = deliver
        self._outlive = outlive
        self._set, self._get = signal.signal, signal.getsignal
        self._handler = self._handle  # one object, so that it can be recognised
        self.watch = SignalWatch(self._seen)
        self.renew()
        renew_after_fork(self.renew)

    def install(self) -> None:
        """Take the place of ``SIG_DFL``; nothing outside the main thread, which Python forbids."""
        if os.name != "posix" or threading.current_thread() is not threading.main_thread():
            return
        try:
            for signum in _SIGNALS:
                if self._get(signum) is signal.SIG_DFL:
                    self._set(signum, self._handler)
            self.watch.install()
        except ValueError:  # an interpreter inside another program
            return
        self._hide()

    def obey(self, timeout: float) -> None:
        """At the end of the main thread: end by the signal, if one has asked for it.

        Args:
            timeout: Seconds to wait for the delivery that is under way.
        """
        if self._asked is None or self.unkillable:
            return
        if self._helped:
            self._over.wait(timeout)
        else:
            self._deliver()
        self._end(self._asked)

    def renew(self) -> None:
        """In a forked child: the parent was asked."""
        # The first process of a container, which is then killed when it has taken too long.
        self.unkillable = os.getpid() == 1
        self._asked: int | None = None
        self._helped = False
        self._main = threading.main_thread().ident or _thread.get_ident()
        self._over = threading.Event()

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        if self._over.is_set() or (self._asked is not None and not self._helped):
            self._end(signum)
        elif self._asked is None:
            self._asked = signum
            try:
                # No threading.Thread: starting one takes a lock that this may have interrupted.
                _thread.start_new_thread(self._help, (signum,))
                self._helped = True
            except RuntimeError:
                # The interpreter is ending: `obey` comes; a second signal does not wait for it.
                self._helped = False

    def _seen(self, number: int) -> None:
        """A signal has come; the main thread may be where it cannot handle it."""
        if number not in _SIGNALS or self._get(number) is not self._handler or self.unkillable:
            return
        deadline = time.monotonic() + _PATIENCE
        while self._asked is None and time.monotonic() < deadline:
            time.sleep(_LOOK)
        if self._asked is None:
            self._asked, self._helped = number, True
            self._help(number)

    def _help(self, signum: int) -> None:
        interval = sys.getswitchinterval()
        # Where the main thread computes, this one waits so long after each file and each packet,
        # of which there are hundreds where an exporter is still to be imported.
        sys.setswitchinterval(_HURRY)
        if self.unkillable:
            self._outlive()
            self._asked = None
            sys.setswitchinterval(interval)
            return
        try:
            self._deliver()
        finally:
            self._over.set()
            # To the main thread, whose waiting it interrupts. This one ends with the process.
            signal.pthread_kill(self._main, signum)
            time.sleep(_PATIENCE)
            kill(signum)

    def _end(self, signum: int) -> None:
        self._set(signum, signal.SIG_DFL)
        os.kill(os.getpid(), signum)

    def _hide(self) -> None:
        set_handler, get_handler = self._set, self._get

        @functools.wraps(set_handler)
        def set_shown(signalnum: Any, handler: Any) -> Any:
            ours = signalnum in _SIGNALS and isinstance(handler, int) and not handler
            return self._shown(set_handler(signalnum, self._handler if ours else handler))

        @functools.wraps(get_handler)
        def get_shown(signalnum: Any) -> Any:
            return self._shown(get_handler(signalnum))

        signal.signal, signal.getsignal = set_shown, get_shown

    def _shown(self, handler: Any) -> Any:
        return signal.SIG_DFL if handler is self._handler else handler
