"""What a forked child makes anew: threads, locks, and what is its parent's to tell."""

from __future__ import annotations

import itertools
import os
import weakref
from collections.abc import Callable
from types import MethodType

from . import errors

__all__ = ["renew_after_fork"]

_next: Callable[[], int] = itertools.count().__next__
_renewers: dict[int, Callable[[], Callable[[], object] | None]] = {}


def renew_after_fork(renew: Callable[[], object]) -> None:
    """Call ``renew`` in each forked child, in the order in which it was asked for.

    One that raises does not stop the next.

    Args:
        renew: A function; or a method, whose object is not kept alive by it and is left out once
            it is gone.
    """
    place, renewers = _next(), _renewers
    if isinstance(renew, MethodType):
        renewers[place] = weakref.WeakMethod(renew, lambda _: renewers.pop(place, None))
    else:
        renewers[place] = lambda: renew


def _renew() -> None:
    for find in list(_renewers.values()):
        renew = find()
        if renew is None:
            continue
        errors.guarded("renewing after a fork")(renew)()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_renew)
renew_after_fork(errors.counts.clear)
renew_after_fork(errors.foreign.clear)
