"""The rows of an instrumentor's table: what is replaced, by what, and in which versions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.calls.call import Bindable, Call, Start

from .versions import Bound

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["Landmark", "Patch", "Registration", "Row"]


@dataclass(frozen=True)
class Row:
    """One target of an instrumentor.

    Attributes:
        target: ``"package.module:Class.method"``, ``"package.module:function"``; of a registration
            ``"package.module"``.
        since: The first version with the target, of the distribution that holds the import; None if
            every supported one has it. A mapping by distribution if several hold the import: one
            that is not in the mapping never had the target.
        until: The first version without the target; a distribution not in the mapping still has it.
            The row does nothing unless ``since`` <= version < ``until``.
        one_of: A group of targets of which every version has at least one; the others may be
            absent.
    """

    target: str
    _: KW_ONLY
    since: Bound = None
    until: Bound = None
    one_of: str | None = None

    @property
    def module(self) -> str:
        """The module that holds the target."""
        return self.target.partition(":")[0]


@dataclass(frozen=True)
class Patch(Row):
    """One function to replace.

    Example:
        >>> def start(telemetry, call):
        ...     return InvokeAgent(telemetry, call.instance.name)
        >>> patch = Patch("example.agents:Agent.run", start, since="1.2")

    Attributes:
        how: A start, ``start(telemetry, call)``, which returns the operation of a call or None; or
            what `watch`, `after`, `replacing`, `within`, `instead`, `attaching` or `step` makes.
        subclasses: The target is an abstract method, replaced in the subclasses that implement it,
            future ones included. Its calls by ``super()`` are part of its call.
        overrides: The target is a method that subclasses may override: it is replaced in its class,
            and in subclasses as ``subclasses`` describes.
        argument_method: The target is a method that takes an application class without a known
            base: the method of this name is replaced in that class when it is passed.
        decorated: The target was made by a decorator, which keeps the original function in a
            variable of this name: that function is replaced. So names that were bound to the
            target earlier are covered, and the decorator's work stays outside the operation.
        once_per: See `calls.around.around`: a call for the same object is part of the first one.
    """

    how: Start | Bindable
    _: KW_ONLY
    subclasses: bool = False
    overrides: bool = False
    argument_method: str | None = None
    decorated: str | None = None
    once_per: Callable[[Call], object] | None = None

    @property
    def path(self) -> list[str]:
        """The names that lead from the module to the target."""
        return self.target.partition(":")[2].split(".")

    @property
    def overridden(self) -> bool:
        """Whether implementations in several classes of a hierarchy are replaced."""
        return self.subclasses or self.overrides or self.argument_method is not None


@dataclass(frozen=True)
class Registration(Row):
    """An action when a module was imported: registers a hook, a handler, a processor.

    Example:
        >>> def register(telemetry, module):
        ...     handler = object()
        ...     module.handlers.append(handler)
        ...     return lambda: module.handlers.remove(handler)
        >>> row = Registration("example.callbacks", register)

    Attributes:
        apply: Called with the instrumentor's telemetry and the module; returns what undoes it
            exactly. Raises `AttributeError` if the module does not have what it needs.
    """

    apply: Callable[[Telemetry, ModuleType], Callable[[], None]]


@dataclass(frozen=True)
class Landmark(Row):
    """A function or a class by whose module objects are recognized, and which is not replaced.

    It is missing if its module only imports it: it is defined elsewhere then.

    Example:
        >>> row = Landmark("example.factory:create_agent", since="2.0")
    """
