"""What a forked child renews: threads, locks, and counts that belong to its parent."""

from __future__ import annotations

import itertools
import os
import weakref
from collections.abc import Callable
from types import MethodType
from typing import Final, TypeAlias

from otel_agents.instrumentors._core import system, workers

__all__ = ["Lock", "notice_fork", "renew_after_fork", "report_failures"]

_next: Callable[[], int] = itertools.count().__next__
_Renewers: TypeAlias = "dict[int, Callable[[], Callable[[], object] | None]]"
_renewers: Final[_Renewers] = {}
_unhooked: Final[_Renewers] = {}
_process: int = os.getpid()
_report: Callable[[], object] = lambda: None


def renew_after_fork(renew: Callable[[], object], *, unhooked: bool = False) -> None:
    """Call ``renew`` in each forked child, in the order of registration.

    A renewal that raises does not stop the next.

    Args:
        renew: A function of a module, or a method, whose object is held weakly and skipped once it
            is gone.
        unhooked: Only if `notice_fork` finds the fork, after all others: for foreign code with fork
            hooks of its own, which did not run.
    """
    number, renewers = _next(), _unhooked if unhooked else _renewers
    if isinstance(renew, MethodType):
        # Not WeakMethod: if both are collected together, as at exit, it prints a traceback.
        function = renew.__func__
        owner = weakref.ref(renew.__self__, lambda _: renewers.pop(number, None))
        renewers[number] = lambda: _bound(function, owner())
    else:
        renewers[number] = lambda: renew


def _bound(function: Callable[..., object], owner: object | None) -> Callable[[], object] | None:
    return None if owner is None else MethodType(function, owner)


def report_failures(report: Callable[[], object]) -> None:
    """Call ``report`` if a renewal raises, while that exception is handled."""
    global _report
    _report = report


def notice_fork() -> None:
    """Renew now if the process was forked without the interpreter's hooks, as by uWSGI.

    Called where a process starts to record and where it ends; it costs next to nothing.
    """
    if os.getpid() != _process:
        _renew()
        _renew_all(_unhooked)


def _renew() -> None:
    global _process
    _process = os.getpid()
    workers.after_fork()
    _renew_all(_renewers)


def _renew_all(renewers: _Renewers) -> None:
    for find in list(renewers.values()):
        renew = find()
        if renew is None:
            continue
        try:
            renew()
        except Exception:
            _report()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_renew)


class Lock:
    """A reentrant lock that is free in a forked child.

    Another thread of the parent may hold it when the process forks: in the child nobody would
    release it. It is reentrant, since a destructor may run anywhere, also while its own thread
    holds the lock.

    Example:
        >>> from otel_agents.instrumentors.hosting import Lock
        >>> lock = Lock()
        >>> with lock, lock:
        ...     print("held twice")
        held twice

    Objects that live for one call share a lock of their module.
    """

    __slots__ = ("__weakref__", "_lock")

    def __init__(self) -> None:
        self._lock = system.RLock()
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        if self._lock.acquire(blocking=False):  # free, or held by the thread that forked
            self._lock.release()
        else:
            self._lock = system.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
