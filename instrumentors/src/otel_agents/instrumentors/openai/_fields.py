"""Reading a field of what may be a dict of a request or an object of a response."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

__all__ = ["field", "given", "items", "text"]


def field(holder: object, name: str) -> Any:
    """The field ``name``, None where it is not there."""
    if isinstance(holder, dict):
        return cast("dict[str, Any]", holder).get(name)
    return getattr(holder, name, None)


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
