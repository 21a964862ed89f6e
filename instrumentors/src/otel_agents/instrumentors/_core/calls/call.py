"""One call of a patched function, what may be begun by it, and the calls within it that are part of it."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, runtime_checkable

from otel_agents.instrumentors._core.context.scope import scope_of
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.importlib_bootstrap import leave_out

from .reporting import CallObserver

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = [
    "Bindable",
    "Call",
    "Once",
    "Start",
    "Switch",
    "Wrapping",
    "instance",
]


class Switch:
    """On while a patch is applied, read at each call: off, what still holds ours runs the original."""

    __slots__ = ("on",)

    def __init__(self) -> None:
        self.on = True


@dataclass(slots=True)
class Call:
    """One call of a patched function.

    ``instance`` is the object or class of a method, None for functions and static methods;
    ``args`` are without it. A start may replace ``function``, ``args`` and ``kwargs``.
    """

    function: Callable[..., Any]
    instance: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def argument(self, place: int, name: str) -> Any:
        """What was given at ``place`` or by ``name``; None if it was left out."""
        return self.args[place] if len(self.args) > place else self.kwargs.get(name)

    def proceed(self) -> Any:
        """Call the original function with the arguments as they are now."""
        if self.instance is None:
            return self.function(*self.args, **self.kwargs)
        return self.function(self.instance, *self.args, **self.kwargs)


Start = Callable[["Telemetry", Call], "CallObserver | None"]
"""Begins the operation of a call, or returns None to stay out."""

Wrapping = Callable[[Callable[..., Any], Switch, bool], Callable[..., Any]]
"""Builds the replacement of a function, from it, the patch's switch and "takes self"."""


@runtime_checkable
class Bindable(Protocol):
    """Another way than a `Start` to replace a function; made by the functions of `watching`."""

    def bind(self, telemetry: Telemetry) -> Wrapping:
        """The wrapping, which works with ``telemetry``."""
        ...


def instance(call: Call) -> object:
    """The object whose method is called; for ``once_per``."""
    return call.instance


class _Entered(NamedTuple):
    """An operation of which calls for the same object are a part, as long as it lasts."""

    start: Start
    subject: object
    function: Callable[..., Any]
    tool: object
    observer: weakref.ref[CallObserver]
    """Which holds a context with this in it."""


_ONCE: Final = Slot[tuple[_Entered, ...]]("once", tuple)
_CHAIN: Final = Slot[tuple[_Entered, ...]]("chain", tuple)
"""The operations of this kind that there are around this one, the newest of each start."""


class Once:
    """A call of which calls for the same object, by the same start, are a part.

    But not within a tool of the first one, nor after its end: a task in the background keeps the
    context of the call that created it.
    """

    __slots__ = ("_call", "_slot", "_start", "_subject")

    def __init__(self, start: Start, call: Call, subject: object) -> None:
        self._slot = _ONCE
        self._start = start
        self._call = call
        self._subject = subject

    @classmethod
    def in_a_chain(cls, start: Start, call: Call) -> Once:
        """Of which what it calls by ``super()`` is a part: other implementations, and not itself."""
        once = cls(start, call, call.instance)
        once._slot = _CHAIN
        return once

    @classmethod
    def of(
        cls,
        start: Start,
        call: Call,
        overridden: bool,
        once_per: Callable[[Call], object] | None,
    ) -> list[Once] | None:
        """In which ways calls within ``call`` are a part of it; None where it is a part itself."""
        onces = [cls.in_a_chain(start, call)] if overridden else []
        if once_per is not None:
            onces.append(cls(start, call, once_per(call)))
        return None if any(once.is_within() for once in onces) else onces

    def is_within(self) -> bool:
        """Whether this is a part of an operation that has begun and lasts."""
        entered = next((one for one in self._slot.get() or () if one.start == self._start), None)
        if entered is None or (self._slot is _CHAIN and entered.function is self._call.function):
            return False
        observer = entered.observer()
        lasts = observer is not None and not getattr(observer, "ended", False)
        return lasts and entered.subject is self._subject and entered.tool is scope_of().tool

    def enter(self, observer: CallObserver) -> None:
        """``running`` has begun for it; it may be a tool itself, in which there is no further one."""
        tool, start = scope_of(observer.context).tool, self._start
        entered = _Entered(start, self._subject, self._call.function, tool, weakref.ref(observer))
        others = (one for one in self._slot.get(observer.context) or () if one.start != start)
        observer.context = self._slot.set((entered, *others), observer.context)


leave_out(globals())
