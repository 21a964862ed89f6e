"""One call of a patched function, what may be begun by it, and the calls within it that are part of it."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, runtime_checkable

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

    def argument(self, position: int, name: str) -> Any:
        """What was given at ``position`` or by ``name``; None if it was left out."""
        return self.args[position] if len(self.args) > position else self.kwargs.get(name)

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


class _ActiveCall(NamedTuple):
    """An operation of which calls for the same object are a part, as long as it lasts."""

    start: Start
    subject: object
    function: Callable[..., Any]
    tool: object
    observer: weakref.ref[CallObserver]
    """Which holds a context with this in it."""


_SAME_OBJECT: Final = Slot[tuple[_ActiveCall, ...]]("once", tuple)
_SUPER_CHAIN: Final = Slot[tuple[_ActiveCall, ...]]("chain", tuple)
"""The operations of this kind that there are around this one, the newest of each start."""


class Reentry:
    """A call of which calls for the same object, by the same start, are a part.

    But not within a tool of the first one, nor after its end: a task in the background keeps the
    context of the call that created it.
    """

    __slots__ = ("_call", "_slot", "_start", "_subject")

    def __init__(self, start: Start, call: Call, subject: object) -> None:
        self._slot = _SAME_OBJECT
        self._start = start
        self._call = call
        self._subject = subject

    @classmethod
    def by_super(cls, start: Start, call: Call) -> Reentry:
        """Of which what it calls by ``super()`` is a part: other implementations, and not itself."""
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
        """In which ways calls within ``call`` are a part of it; None where it is a part itself."""
        reentries = [cls.by_super(start, call)] if overridden else []
        if once_per is not None:
            reentries.append(cls(start, call, once_per(call)))
        return None if any(reentry.is_nested() for reentry in reentries) else reentries

    def is_nested(self) -> bool:
        """Whether this is a part of an operation that has begun and lasts."""
        active = next((one for one in self._slot.get() or () if one.start == self._start), None)
        if active is None or (
            self._slot is _SUPER_CHAIN and active.function is self._call.function
        ):
            return False
        observer = active.observer()
        is_active = observer is not None and not getattr(observer, "ended", False)
        return is_active and active.subject is self._subject and active.tool is scope_of().tool

    def enter(self, observer: CallObserver) -> None:
        """``observer`` has begun for it; it may be a tool itself, in which there is no further one."""
        tool, start = scope_of(observer.context).tool, self._start
        active = _ActiveCall(start, self._subject, self._call.function, tool, weakref.ref(observer))
        others = (one for one in self._slot.get(observer.context) or () if one.start != start)
        observer.context = self._slot.set((active, *others), observer.context)


hide_frames(globals())
