"""Delivery in forked children that end themselves without running exit handlers.

They call `os._exit`, as multiprocessing does, its forks billiard (Celery's workers) and
multiprocess, RQ's work-horses, and programs that fork by themselves. Or they call
`signal.raise_signal` for a signal with the default action, as uvicorn does in a gunicorn worker. In
the program's first process neither function is replaced.
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
"""Seconds beyond its timeout for a delivery to log what was dropped."""
_TERMINATING: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_FORKED: Final = 0x40
"""``PF_FORKNOEXEC`` of Linux's ``sched.h``: forked, and no ``exec`` since."""
_FLAGS: Final = 6
"""Index of the flags in ``/proc/self/stat`` after the name (proc(5))."""

_Ends: TypeAlias = Callable[[object], bool]


class Ending(Protocol):
    """What a child shuts down before it ends."""

    @property
    def pending(self) -> bool:
        """Whether anything was recorded that the end of the process would drop."""
        ...

    def shutdown(self) -> None:
        """Deliver what is queued."""
        ...


class Children:
    """Shut ``ending`` down before a child calls `os._exit`, if it has recorded anything.

    Args:
        ending: Shut down in each child.
        timeout: Seconds that its shutdown takes at most.
    """

    def __init__(self, ending: Ending, timeout: float) -> None:
        self._ending = ending
        self._timeout = timeout + _MARGIN
        self._ours: set[object] = set()

    def install(self) -> None:
        """Replace both functions in every child that is forked from now on."""
        renew_after_fork(self.start_in_child)

    def start_in_child(self) -> None:
        """Replace both functions in this process, which is a child."""
        self._replace(os, "_exit", "status", _is_status)
        self._replace(signal, "raise_signal", "signalnum", _ends)

    def _replace(self, module: ModuleType, name: str, parameter: str, ends: _Ends) -> None:
        """Deliver before a call of a function that ends the process.

        Args:
            module: A module of the standard library.
            name: Name of its function.
            parameter: Name of the function's parameter.
            ends: Returns whether the call ends the process, given its argument.
        """
        found = getattr(module, name)
        if found in self._ours:  # already replaced, in the parent of this child
            return

        @functools.wraps(found)
        def ending(*arguments: Any, **others: Any) -> Any:
            if ends(next(iter(arguments), others.get(parameter))):
                # An exception of a signal handler must not keep the process from ending.
                with suppress(BaseException):
                    self._deliver()
            return found(*arguments, **others)

        ending.__module__ = module.__name__  # pickle finds it by this name
        self._ours.add(ending)
        setattr(module, name, ending)

    @guarded("delivering at the end of a child", everything=True)
    def _deliver(self) -> None:
        """Deliver on another thread: this one may hold any lock, and has to end in time."""
        if not self._ending.pending:
            return
        deadline = time.monotonic() + self._timeout
        done = system.Flag()

        def deliver() -> None:
            self._ending.shutdown()
            done.set()

        if not start_daemon(deliver):
            deliver()
        while not done.is_set() and time.monotonic() < deadline:
            with suppress(BaseException):
                done.wait(deadline - time.monotonic())


def _is_status(value: object) -> bool:
    return isinstance(value, int)  # else `os._exit` raises TypeError and the process goes on


def _ends(number: object) -> bool:
    """Return whether the signal terminates; others are raised only to crash the process."""
    if not isinstance(number, int) or number not in _TERMINATING:
        return False
    return signal.getsignal(number) is signal.SIG_DFL


def was_forked() -> bool:
    """Return whether this process was forked without ``exec``; known on Linux only."""
    try:
        with open("/proc/self/stat", encoding="ascii", errors="replace") as stat:
            flags = stat.read().rpartition(")")[2].split()[_FLAGS]
        return bool(int(flags) & _FORKED)
    except (OSError, ValueError, IndexError):
        return False
