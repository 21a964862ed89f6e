"""What an operation is started for: a block that is entered, or a decorated function's call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.calls.call import Call
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["Use"]

_SELF: Final = ("self", "cls")


class Use:
    """One use of a block.

    Args:
        telemetry: What to emit with.
        name: That of the block, else of the decorated function.
        options: The block's options.
        function: The decorated function; None if the block is entered by ``with``.
        call: The call of that function.
    """

    __slots__ = ("_call", "_function", "name", "options", "telemetry")

    def __init__(
        self,
        telemetry: Telemetry,
        name: str | None,
        options: Mapping[str, Any],
        function: Callable[..., Any] | None = None,
        call: Call | None = None,
    ) -> None:
        self.telemetry = telemetry
        self.name = name
        self.options = options
        self._function = function
        self._call = call

    @property
    def is_call(self) -> bool:
        """Whether a decorated function is called."""
        return self._call is not None

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the call by name, without the instance of a method."""
        function, call = self._function, self._call
        if function is None or call is None:
            return {}
        try:
            bound = inspect.signature(function).bind(*call.args, **call.kwargs)
        except (TypeError, ValueError):  # wrong arguments, or a builtin without a signature
            return {**{str(at): value for at, value in enumerate(call.args)}, **call.kwargs}
        found = bound.arguments
        for name, parameter in bound.signature.parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD:
                found.update(found.pop(name, {}))
        first = next(iter(bound.signature.parameters), None)
        return {
            name: value for name, value in found.items() if not (name == first and name in _SELF)
        }

    def given(self) -> Any:
        """Return what the call was given: its only argument, or all by name; None without any."""
        named = self.arguments()
        return next(iter(named.values())) if len(named) == 1 else named or None

    def first(self) -> Any:
        """Return the first argument; None without any."""
        return next(iter(self.arguments().values()), None)

    def first_text(self) -> str | None:
        """Return the first argument that is a text."""
        texts = (value for value in self.arguments().values() if isinstance(value, str))
        return next(texts, None)
