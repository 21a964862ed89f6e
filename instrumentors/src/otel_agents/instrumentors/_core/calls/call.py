"""One call of a patched function, and what may be begun by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from .reporting import Running

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["Bindable", "Call", "Start", "Switch", "Wrapping", "instance"]


class Switch:
    """On while a patch is applied, read at each call: off, what still holds ours runs the original."""

    __slots__ = ("on",)

    def __init__(self) -> None:
        self.on = True


@dataclass(slots=True)
class Call:
    """One call of a patched function.

    ``instance`` is the object or class of a method, None for functions and static methods;
    ``args`` are without it. A start may replace ``args`` and ``kwargs``.
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


Start = Callable[["Telemetry", Call], "Running | None"]
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
