"""One typed value in the OpenTelemetry context."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from opentelemetry.context import Context, create_key, get_current

__all__ = ["Slot", "add"]

_Value = TypeVar("_Value")
add: Final[Callable[[Any, str, Any], None]] = dict[str, Any].__setitem__
"""Add a key and a value to a context that nobody else has yet; a context itself refuses it."""


class Slot(Generic[_Value]):
    """A key in the OpenTelemetry context for values of one type.

    Values of other types are ignored.

    Example:
        >>> RUN = Slot("example-run", str)
        >>> RUN.get(RUN.set("nightly"))
        'nightly'

    Args:
        name: A name for debugging; slots of the same name are still different slots.
        kind: The type of its values.
    """

    __slots__ = ("_kind", "key")

    def __init__(self, name: str, kind: type[_Value]) -> None:
        self.key = create_key(f"otel_agents-{name}")
        """Its key in a context."""
        self._kind = kind

    def get(self, context: Context | None = None) -> _Value | None:
        """Return the value in ``context`` (default: the current one), None if there is none."""
        value = (get_current() if context is None else context).get(self.key)
        return value if isinstance(value, self._kind) else None

    def set(self, value: _Value | None, context: Context | None = None) -> Context:
        """Return ``context`` (default: the current one) with ``value``; None empties the slot."""
        known = get_current() if context is None else context
        return Context({**known, self.key: value})
