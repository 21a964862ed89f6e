"""Reading a field of what may be a dict of a request or an object of a response."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, cast

_NO_MODEL: Final = object()

__all__ = ["field", "given", "items", "text", "view"]


def field(holder: Any, name: str) -> Any:
    """The field ``name``, None where it is not there."""
    if isinstance(holder, dict):
        return cast("dict[str, Any]", holder).get(name)
    extra: Any = getattr(holder, "__pydantic_extra__", _NO_MODEL)
    if extra is _NO_MODEL:
        return getattr(holder, name, None)
    # A model looks for a name that it lacks in a slow way, and raises; its fields are here.
    fields = cast("dict[str, Any]", vars(holder))
    return fields[name] if name in fields else extra.get(name) if extra else None


def view(holder: Any) -> dict[str, Any]:
    """All fields at once, for what is read in a stream: one look-up instead of one a field."""
    if isinstance(holder, dict):
        return cast("dict[str, Any]", holder)
    extra: dict[str, Any] | None = getattr(holder, "__pydantic_extra__", None)
    fields = cast("dict[str, Any]", vars(holder))
    return {**fields, **extra} if extra else fields


def items(holder: object, name: str) -> Iterable[Any]:
    """The list in the field ``name``, empty where it is not there."""
    value = field(holder, name)
    return cast("list[Any]", value) if isinstance(value, (list, tuple)) else ()


def text(holder: object, name: str) -> str | None:
    """The string in the field ``name``, None where it is not there or empty."""
    value = field(holder, name)
    return value if isinstance(value, str) and value else None


def given(part: dict[str, Any]) -> dict[str, Any]:
    """``part`` without the keys that have no value."""
    return {key: value for key, value in part.items() if value is not None}
