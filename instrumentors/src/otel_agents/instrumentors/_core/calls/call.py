"""One call of a patched function, and the calls within it that are part of it."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, runtime_checkable

from opentelemetry.context import Context

from otel_agents.instrumentors._core.context.scope import scope_of
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames

from .reporting import CallObserver

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = [
    "Bindable",
    "Call",
    "Reentry",
    "Start",
    "Switch",
    "Wrapping",
    "instance",
]


class Switch:
    """On while a patch is applied; read at each call.

    When it is off, a replacement that somebody still holds runs the original.

    Example:
        >>> from otel_agents.instrumentors import Switch, guarded
        >>> switch = Switch()
        >>> @guarded("handling an event", switch=switch)
        ... def on_event(event):
        ...     return event
        >>> switch.on = False
        >>> on_event("started") is None
        True
    """

    __slots__ = ("on",)

    def __init__(self) -> None:
        self.on = True


@dataclass(slots=True)
class Call:
    """One call of a patched function.

    Example:
        >>> from otel_agents.instrumentors import Call
        >>> call = Call(max, None, (1, 2), {})
        >>> call.argument(0, "first"), call.proceed()
        (1, 2)

    Attributes:
        function: The original function. A start may replace it, ``args`` and ``kwargs``.
        instance: The object or class of a method; None for functions and static methods.
        args: The positional arguments without the instance.
        kwargs: The keyword arguments.
        context: The context in which it is made, once a start sees it.
    """

    function: Callable[..., Any]
    instance: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    context: Context | None = field(default=None, compare=False, repr=False)

    def argument(self, position: int, name: str) -> Any:
        """Return the argument at ``position`` or named ``name``; None if it was omitted."""
        return self.args[position] if len(self.args) > position else self.kwargs.get(name)

    def proceed(self) -> Any:
        """Call the original function with the current arguments."""
        if self.instance is None:
            return self.function(*self.args, **self.kwargs)
        return self.function(self.instance, *self.args, **self.kwargs)


Start = Callable[["Telemetry", Call], "CallObserver | None"]
"""Starts the operation of a call, or returns None to skip it."""

Wrapping = Callable[[Callable[..., Any], Switch, bool], Callable[..., Any]]
"""Takes a function, the patch's switch and whether it is a method; returns the replacement."""


@runtime_checkable
class Bindable(Protocol):
    """Replaces a function in another way than a `Start`; the functions of `watching` make them."""

    def bind(self, telemetry: Telemetry) -> Wrapping:
        """Make the wrapping, which emits with ``telemetry``."""
        ...


def instance(call: Call) -> object:
    """Return the object whose method is called; for ``once_per``."""
    return call.instance


class _ActiveCall(NamedTuple):
    """A running operation that calls for the same object are part of."""

    start: Start
    subject: object
    function: Callable[..., Any]
    tool: object
    observer: weakref.ref[CallObserver]
    """Weak, since its context holds this."""


_SAME_OBJECT: Final = Slot[tuple[_ActiveCall, ...]]("once", tuple)
_SUPER_CHAIN: Final = Slot[tuple[_ActiveCall, ...]]("chain", tuple)
"""The running operations of each kind around this call, the newest of each start."""


class Reentry:
    """A call whose operation includes later calls for the same object by the same start.

    Not within a tool of the first call, nor after its end: a background task keeps the context of
    the call that created it.
    """

    __slots__ = ("_call", "_slot", "_start", "_subject")

    def __init__(self, start: Start, call: Call, subject: object) -> None:
        self._slot = _SAME_OBJECT
        self._start = start
        self._call = call
        self._subject = subject

    @classmethod
    def by_super(cls, start: Start, call: Call) -> Reentry:
        """Include calls of other implementations by ``super()``, not of the same one."""
        reentry = cls(start, call, call.instance)
        reentry._slot = _SUPER_CHAIN
        return reentry

    @classmethod
    def of(
        cls,
        start: Start,
        call: Call,
        overridden: bool,
        once_per: Callable[[Call], object] | None,
    ) -> list[Reentry] | None:
        """Return what calls within ``call`` are checked against; None if it is nested itself."""
        reentries = [cls.by_super(start, call)] if overridden else []
        if once_per is not None:
            reentries.append(cls(start, call, once_per(call)))
        return None if any(reentry.is_nested() for reentry in reentries) else reentries

    def is_nested(self) -> bool:
        """Return whether the call is part of a running operation."""
        active = next((one for one in self._slot.get() or () if one.start == self._start), None)
        if active is None or (
            self._slot is _SUPER_CHAIN and active.function is self._call.function
        ):
            return False
        observer = active.observer()
        is_active = observer is not None and not getattr(observer, "ended", False)
        return is_active and active.subject is self._subject and active.tool is scope_of().tool

    def enter(self, observer: CallObserver) -> None:
        """Mark ``observer``, which runs the call; if it is a tool, the mark is within that tool."""
        tool, start = scope_of(observer.context).tool, self._start
        active = _ActiveCall(start, self._subject, self._call.function, tool, weakref.ref(observer))
        others = (one for one in self._slot.get(observer.context) or () if one.start != start)
        observer.context = self._slot.set((active, *others), observer.context)


hide_frames(globals())
