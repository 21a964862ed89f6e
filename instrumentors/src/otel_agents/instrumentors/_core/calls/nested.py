"""Calls within calls that are part of the same operation."""

from __future__ import annotations

import weakref
from typing import Final, NamedTuple

from opentelemetry.context import Context

from otel_agents.instrumentors._core.context.scope import scope_of
from otel_agents.instrumentors._core.context.slots import Slot

from .call import Call, Start
from .reporting import Running

__all__ = ["Once", "is_super_call", "within_call"]


class _Within(NamedTuple):
    """A call of an implementation, and the start that it was made with."""

    start: Start
    call: Call


_CALL: Final = Slot("call", _Within)


def within_call(start: Start, call: Call, context: Context) -> Context:
    """``context`` within ``call``, of which what it calls by ``super()`` is a part."""
    return _CALL.set(_Within(start, call), context)


def is_super_call(start: Start, call: Call) -> bool:
    """Whether an implementation of a method calls the one of a class above, for the same object."""
    entered = _CALL.get()
    if entered is None:
        return False
    same = entered.start is start and entered.call.instance is call.instance
    return same and entered.call.function is not call.function


class _Entered(NamedTuple):
    """An operation of which calls for the same object are a part, as long as it lasts."""

    start: Start
    subject: object
    tool: object
    running: weakref.ref[Running]
    """Which holds a context with this in it."""


_ONCE: Final = Slot[tuple[_Entered, ...]]("once", tuple)
"""The operations of this kind that there are around this one, the newest of each start."""


class Once:
    """A call for ``subject``, by a start of which calls for the same one are part of the first.

    But not within a tool of the first one, nor after its end: a task in the background keeps the
    context of the call that created it.
    """

    __slots__ = ("_start", "_subject")

    def __init__(self, start: Start, subject: object) -> None:
        self._start = start
        self._subject = subject

    def is_within(self) -> bool:
        """Whether this is a part of an operation that has begun and lasts."""
        entered = next((one for one in _ONCE.get() or () if one.start == self._start), None)
        if entered is None:
            return False
        running = entered.running()
        lasts = running is not None and not getattr(running, "ended", False)
        return lasts and entered.subject is self._subject and entered.tool is scope_of().tool

    def enter(self, running: Running) -> None:
        """``running`` has begun for it; it may be a tool itself, in which there is no further one."""
        tool = scope_of(running.context).tool
        entered = _Entered(self._start, self._subject, tool, weakref.ref(running))
        others = (one for one in _ONCE.get(running.context) or () if one.start != self._start)
        running.context = _ONCE.set((entered, *others), running.context)
