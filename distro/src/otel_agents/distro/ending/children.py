"""Children that end themselves where no exit handler runs: they deliver before it.

By `os._exit`, as every library ends what it has forked: multiprocessing and its kin (billiard, of
which Celery's workers are, and multiprocess), RQ's work-horses, and programs that fork by
themselves. Or by `signal.raise_signal` where the signal's action is the default, as uvicorn ends in
a worker of gunicorn. In the process that the program began as, both are what they were.
"""

from __future__ import annotations

import functools
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Any, Final, Protocol, TypeAlias

from otel_agents.instrumentors.hosting import guarded, renew_after_fork, start_daemon, system

__all__ = ["Children", "Ending", "was_forked"]

_MARGIN: Final = 0.15
"""Seconds beyond its time-out for a delivery to say what was lost."""
_ASKS: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_FORKED: Final = 0x40
"""``PF_FORKNOEXEC`` of Linux's ``sched.h``: forked, and no other program since."""
_FLAGS: Final = 6
"""Their place in ``/proc/self/stat`` behind the name (proc(5))."""

_Ends: TypeAlias = Callable[[object], bool]


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
        self._ours: set[object] = set()

    def follow(self) -> None:
        """From now on, in each child that is forked."""
        renew_after_fork(self.begin)

    def begin(self) -> None:
        """This process is a child."""
        self._replace(os, "_exit", "status", _is_status)
        self._replace(signal, "raise_signal", "signalnum", _ends)

    def _replace(self, module: ModuleType, name: str, named: str, ends: _Ends) -> None:
        """Deliver before the function of a module where it ends the process.

        Args:
            module: Of Python's own.
            name: The function's.
            named: Its argument's.
            ends: Whether it does, by its argument.
        """
        found = getattr(module, name)
        if found in self._ours:  # of a child
            return

        @functools.wraps(found)
        def ending(*arguments: Any, **others: Any) -> Any:
            if ends(next(iter(arguments), others.get(named))):
                # What the handler of a signal raises meanwhile has nowhere to go.
                with suppress(BaseException):
                    self._deliver()
            return found(*arguments, **others)

        ending.__module__ = module.__name__  # where it is, by which it pickles
        self._ours.add(ending)
        setattr(module, name, ending)

    @guarded("delivering at the end of a child", everything=True)
    def _deliver(self) -> None:
        """On a thread of its own: this one may hold any lock, and has to end in time."""
        if not self._ending.pending:
            return
        deadline = time.monotonic() + self._timeout
        over = system.Flag()

        def deliver() -> None:
            self._ending.shutdown()
            over.set()

        if not start_daemon(deliver):
            deliver()
        while not over.is_set() and time.monotonic() < deadline:
            with suppress(BaseException):
                over.wait(deadline - time.monotonic())


def _is_status(value: object) -> bool:
    return isinstance(value, int)  # else the process goes on, by a TypeError


def _ends(number: object) -> bool:
    """Only what asks a process to end: nobody raises the others but to crash."""
    if not isinstance(number, int) or number not in _ASKS:
        return False
    return signal.getsignal(number) is signal.SIG_DFL


def was_forked() -> bool:
    """Whether this process was forked by another that runs the same program; Linux knows it."""
    try:
        with open("/proc/self/stat", encoding="ascii", errors="replace") as told:
            flags = told.read().rpartition(")")[2].split()[_FLAGS]
        return bool(int(flags) & _FORKED)
    except (OSError, ValueError, IndexError):
        return False
