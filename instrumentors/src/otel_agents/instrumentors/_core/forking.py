"""What a forked child makes anew: threads, locks, and what is its parent's to tell."""

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
_tells: Callable[[], object] = lambda: None


def renew_after_fork(renew: Callable[[], object], *, unhooked: bool = False) -> None:
    """Call ``renew`` in each forked child, in the order in which it was asked for.

    One that raises does not stop the next.

    Args:
        renew: A function of a module; or a method, whose object is not kept alive by it and is left
            out once it is gone.
        unhooked: Only where `notice_fork` finds one, after all others: what is not ours has hooks of
            its own, which did not run.
    """
    place, renewers = _next(), _unhooked if unhooked else _renewers
    if isinstance(renew, MethodType):
        # No WeakMethod: where both go in one collection, as at exit, it writes a traceback.
        function = renew.__func__
        owner = weakref.ref(renew.__self__, lambda _: renewers.pop(place, None))
        renewers[place] = lambda: _bound(function, owner())
    else:
        renewers[place] = lambda: renew


def _bound(function: Callable[..., object], owner: object | None) -> Callable[[], object] | None:
    return None if owner is None else MethodType(function, owner)


def report_failures(tell: Callable[[], object]) -> None:
    """Have ``tell`` called where a renewal raises, while that is being handled."""
    global _tells
    _tells = tell


def notice_fork() -> None:
    """Renew now where the process was forked and the interpreter not told of it, as by uWSGI.

    To be called where a process begins to record, and where it ends; it costs next to nothing.
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
            _tells()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_renew)


class Lock:
    """A lock that a forked child finds free, and that its own thread may take again.

    Another thread of the parent may have it when the process forks: in the child nobody would let
    it go. A destructor may run anywhere, also where its own thread has the lock.

    What lives for the length of a call shares one of the module's.
    """

    __slots__ = ("__weakref__", "_lock")

    def __init__(self) -> None:
        self._lock = system.RLock()
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        if self._lock.acquire(blocking=False):  # free, or of the thread that has forked
            self._lock.release()
        else:
            self._lock = system.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
