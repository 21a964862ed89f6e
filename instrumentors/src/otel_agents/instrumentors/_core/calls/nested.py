"""Calls within calls that are part of the same operation."""

from __future__ import annotations

import functools
import weakref
from typing import Final, NamedTuple, cast

from opentelemetry.context import Context, create_key, get_value, set_value

from otel_agents.instrumentors._core.context.scope import scope_of

from .call import Call, Start
from .reporting import Running

__all__ = ["Once", "is_super_call", "within_call"]

_CALL: Final = create_key("otel_agents-call")


def within_call(start: Start, call: Call, context: Context) -> Context:
    """``context`` within ``call``, of which what it calls by ``super()`` is a part."""
    return set_value(_CALL, (start, call), context)


def is_super_call(start: Start, call: Call) -> bool:
    """Whether an implementation of a method calls the one of a class above, for the same object."""
    entered = get_value(_CALL)
    if not isinstance(entered, tuple):
        return False
    outer_start, outer = cast("tuple[Start, Call]", entered)
    same = outer_start is start and outer.instance is call.instance
    return same and outer.function is not call.function


class _Entered(NamedTuple):
    """An operation of which calls for the same object are a part, as long as it lasts."""

    subject: object
    tool: object
    running: weakref.ref[Running]
    """Which holds a context with this in it."""


class Once:
    """A call for ``subject``, by a start of which calls for the same one are part of the first.

    But not within a tool of the first one, nor after its end: a task in the background keeps the
    context of the call that created it.
    """

    __slots__ = ("_key", "_subject")

    def __init__(self, start: Start, subject: object) -> None:
        self._key = _key_of(start)
        self._subject = subject

    def is_within(self) -> bool:
        """Whether this is a part of an operation that has begun and lasts."""
        entered = get_value(self._key)
        if not isinstance(entered, _Entered):
            return False
        running = entered.running()
        lasts = running is not None and not getattr(running, "ended", False)
        return lasts and entered.subject is self._subject and entered.tool is scope_of().tool

    def enter(self, running: Running) -> None:
        """``running`` has begun for it; it may be a tool itself, in which there is no further one."""
        tool = scope_of(running.context).tool
        entered = _Entered(self._subject, tool, weakref.ref(running))
        running.context = set_value(self._key, entered, running.context)


@functools.lru_cache(maxsize=1024)
def _key_of(start: Start) -> str:
    """The key by which operations of the same ``start`` know each other."""
    return create_key("otel_agents-once")
