"""Reading untyped JSON without trusting its shape."""

from __future__ import annotations

from typing import Any, cast

Json = dict[str, Any]


def json_object(value: object) -> Json:
    """Return the value if it is an object, else an empty one."""
    return cast(Json, value) if isinstance(value, dict) else {}


def json_objects(value: object) -> list[Json]:
    """Return the objects in the value if it is a list, else none."""
    return [cast(Json, item) for item in json_list(value) if isinstance(item, dict)]


def json_list(value: object) -> list[Any]:
    """Return the value if it is a list, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def texts(value: object) -> list[str]:
    """Return all strings inside the value, in order."""
    if isinstance(value, str):
        return [value]
    parts = json_list(value) or list(json_object(value).values())
    return [text for part in parts for text in texts(part)]


def whole(value: object, default: int) -> int:
    """Return the value if it is a positive number or digits, as in a form; else the default."""
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    return value if isinstance(value, int) and value > 0 else default
