"""Children that end by `os._exit`, which runs no exit handler: they deliver before it.

That is how every library ends what it has forked: multiprocessing and its kin (billiard, of which
Celery's workers are, and multiprocess), RQ's work-horses, and programs that fork by themselves. In
the process that the program began as, `os._exit` is what it was.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from contextlib import suppress
from typing import Any, Final, NoReturn, Protocol

from otel_agents.distro.ending.watch import started
from otel_agents.instrumentors.hosting import guarded, renew_after_fork

__all__ = ["Children", "Ending", "was_forked"]

_MARGIN: Final = 0.15
"""Seconds beyond its time-out for a delivery to say what was lost."""
_FORKED: Final = 0x40
"""``PF_FORKNOEXEC`` of Linux's ``sched.h``: forked, and no other program since."""
_FLAGS: Final = 6
"""Their place in ``/proc/self/stat`` behind the name (proc(5))."""


class Ending(Protocol):
    """What ends with its process."""

    @property
    def pending(self) -> bool:
        """Whether anything was recorded that the end would take along."""
        ...

    def shutdown(self) -> None:
        """Deliver what is left."""
        ...


class Children:
    """Has ``ending`` shut down where a child calls `os._exit`, if it has recorded anything.

    Args:
        ending: Of this process, and of each child.
        timeout: Seconds that its shutdown takes at most.
    """

    def __init__(self, ending: Ending, timeout: float) -> None:
        self._ending = ending
        self._timeout = timeout + _MARGIN
        self._ours: object = None

    def follow(self) -> None:
        """From now on, in each child that is forked."""
        renew_after_fork(self.begin)

    def begin(self) -> None:
        """This process is a child."""
        exit_at_once = os._exit
        if exit_at_once is self._ours:  # of a child
            return

        @functools.wraps(exit_at_once)
        def _exit(status: Any) -> NoReturn:
            if isinstance(status, int):  # else it goes on, by a TypeError
                # What the handler of a signal raises meanwhile has nowhere to go.
                with suppress(BaseException):
                    self._deliver()
            exit_at_once(status)

        _exit.__module__ = os.__name__  # where it is, by which it pickles
        self._ours = os._exit = _exit

    @guarded("delivering at the end of a child", everything=True)
    def _deliver(self) -> None:
        """On a thread of its own: this one may hold any lock, and has to end in time."""
        if not self._ending.pending:
            return
        deadline = time.monotonic() + self._timeout
        over = threading.Event()

        def deliver() -> None:
            self._ending.shutdown()
            over.set()

        if not started(deliver):
            deliver()
        while not over.is_set() and time.monotonic() < deadline:
            with suppress(BaseException):
                over.wait(deadline - time.monotonic())


def was_forked() -> bool:
    """Whether this process was forked by another that runs the same program; Linux knows it."""
    try:
        with open("/proc/self/stat", encoding="ascii", errors="replace") as told:
            flags = told.read().rpartition(")")[2].split()[_FLAGS]
        return bool(int(flags) & _FORKED)
    except (OSError, ValueError, IndexError):
        return False
