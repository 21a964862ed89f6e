"""Reading the fields of what may be a dict of a request or an object of a response."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

Body = Mapping[str, Any]

_NO_MODEL: Final = object()
_PARSED_LIMIT: Final = 65536
"""Characters up to which the JSON of tool arguments is parsed; longer ones stay a string."""

__all__ = [
    "Body",
    "as_mapping",
    "field",
    "fields_of",
    "items",
    "parsed_arguments",
    "text",
    "without_none",
]


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


def fields_of(holder: Any) -> dict[str, Any]:
    """All fields at once: one look-up instead of one a field; none where it has none, as a text."""
    if isinstance(holder, dict):
        return cast("dict[str, Any]", holder)
    extra: dict[str, Any] | None = getattr(holder, "__pydantic_extra__", None)
    fields: dict[str, Any] | None = getattr(holder, "__dict__", None)
    return {**(fields or {}), **extra} if extra else fields or {}


def items(holder: object, name: str) -> Iterable[Any]:
    """The list in the field ``name``, empty where it is not there."""
    value = field(holder, name)
    return cast("list[Any]", value) if isinstance(value, (list, tuple)) else ()


def text(holder: object, name: str) -> str | None:
    """The string in the field ``name``, None where it is not there or empty."""
    value = field(holder, name)
    return value if isinstance(value, str) and value else None


def without_none(part: dict[str, Any]) -> dict[str, Any]:
    """``part`` without the keys that have no value."""
    return {key: value for key, value in part.items() if value is not None}


def as_mapping(value: object) -> Body:
    """``value`` if it is a mapping, else an empty one."""
    return cast(Body, value) if isinstance(value, Mapping) else {}


def parsed_arguments(arguments: Any) -> Any:
    """Tool arguments as the value that their JSON stands for, or as they are if it is none."""
    if not isinstance(arguments, str) or len(arguments) > _PARSED_LIMIT:
        return arguments
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):  # the model wrote it: it may be cut or wrong
        return arguments
