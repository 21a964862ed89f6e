"""The rows of an instrumentor's table: what is replaced, by what, and which versions have it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.calls.call import Bindable, Call, Start

from .versions import Bound

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["Patch", "Registration", "Row"]


@dataclass(frozen=True)
class Row:
    """One target of an instrumentor.

    Attributes:
        target: ``"package.module:Class.method"``, ``"package.module:function"``; of a registration
            ``"package.module"``.
        since: The first version that has it, of the distribution that holds the import; None where
            every supported one has. A mapping by distribution where several hold it: one that is
            not in the mapping has never had it.
        until: The first version that has it no more; a distribution not in the mapping still has.
            A row is for the versions between the two: elsewhere it does nothing.
        one_of: A group of targets of which every version has at least one: where that is so, the
            others may be absent.
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
        >>> def asked(telemetry, call):
        ...     return InvokeAgent(telemetry, call.instance.name)
        >>> patch = Patch("example.agents:Agent.run", asked, since="1.2")

    Attributes:
        how: A start, ``start(telemetry, call)``, which returns the operation of a call or None; or
            what `watch`, `after`, `replacing`, `within`, `instead`, `attaching` or `step` makes.
        subclasses: An abstract method: replaced in the subclasses that implement it, those to come
            included. What an implementation calls by ``super()`` is part of its call.
        overrides: A method that subclasses may override: replaced in its class, and in theirs as
            ``subclasses`` says.
        argument_method: The target is a method that is handed a class of the application's, which needs no
            known base: the method of this name is replaced in that class, when it is.
        decorated: The target is what a decorator made of a function, which it keeps in a variable of
            this name: that function is replaced instead. Names that were bound to the target
            before are covered too, and what the decorator does stays outside.
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
    """Something to do when a module has been imported: to register a hook, a handler, a processor.

    Attributes:
        apply: Called with the instrumentor's telemetry and the module; returns what undoes it
            exactly. An `AttributeError` says that the module has not what is needed.
    """

    apply: Callable[[Telemetry, ModuleType], Callable[[], None]]
