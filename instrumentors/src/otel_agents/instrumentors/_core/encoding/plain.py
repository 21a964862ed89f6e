"""Any object as JSON or as what JSON can hold: models, dataclasses, dates, sets, bytes."""

from __future__ import annotations

import json
import math
import sys
from collections import deque
from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from . import media

__all__ = [
    "MAX_DEPTH",
    "as_object",
    "dump",
    "json_copy",
    "key_text",
    "kind_of",
    "plain",
    "plain_text",
]

MAX_DEPTH: Final = 30
"""Maximum nesting of objects and lists. Protobuf parsers accept 100 levels of messages, and one
object takes three, so every receiver rejects an event with 32 levels."""

if TYPE_CHECKING:

    def kind_of(value: Any) -> Any:
        """Return the type of a value, like `type`, without narrowing in type checkers."""
        ...
else:
    kind_of = type

_INT64: Final = 2**63
_JSON: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
"""One for all: `json.dumps` with arguments makes one for each value."""
_TEXTS: Final = (UUID, Decimal, PurePath, timedelta)
_LISTS: Final = (list, tuple, set, frozenset, deque)


def plain(value: Any) -> Any:
    """Return one level of ``value`` as a dict, a list, a string, a number or None.

    Nested values stay as they are. Fields that a model excludes from its output or its ``repr`` are
    left out. An object of an unknown type becomes its type's name.
    """
    try:
        return _plain(value)
    except Exception:  # the application's object cannot be read: record its type
        return _named(value)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        small = -_INT64 <= value < _INT64
        return int(value) if small else str(value) if value.bit_length() < 1024 else _named(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, (bytes, bytearray, memoryview)):
        return media.placeholder(bytes(cast(Any, value)))
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, _TEXTS):
        return str(value)
    if isinstance(value, Mapping):
        return dict(cast("Mapping[Any, Any]", value))
    if isinstance(value, _LISTS):
        return list(cast("list[Any]", value))
    fields = _fields(value)
    return _named(value) if fields is None else fields


def plain_text(text: str) -> str:
    """Return the text of a string or a subclass; a ``data:`` URL without its data."""
    text = str.__str__(text)
    return media.without_data(text) if media.is_data_url(text) else text


def key_text(key: Any) -> str:
    """Return a dict key as the key of a JSON object."""
    value = plain(key)
    if isinstance(value, str):
        return value
    return _named(key) if isinstance(value, (dict, list)) else str(value)


def json_copy(value: Any, above: tuple[int, ...] = ()) -> Any:
    """Return a deep copy of ``value`` that is valid JSON: no cycle, NaN or lone surrogate."""
    kind = kind_of(value)
    if kind is str:
        return _valid(plain_text(value))
    if kind is not dict and kind is not list:
        simple = plain(value)
        if not isinstance(simple, (dict, list)):
            return _valid(simple) if isinstance(simple, str) else simple
    else:
        simple = value
    if len(above) >= MAX_DEPTH or id(value) in above:
        return None
    above = (*above, id(value))
    if isinstance(simple, dict):
        pairs = cast("dict[Any, Any]", simple).items()
        return {_valid(key_text(key)): json_copy(item, above) for key, item in pairs}
    return [json_copy(item, above) for item in cast("list[Any]", simple)]


def dump(value: Any) -> bytes:
    """Return ``value`` as compact JSON; replace what JSON cannot hold instead of raising."""
    # Used only if imported, as with every pydantic-based model SDK: it is 2 to 3 times faster.
    to_json = getattr(sys.modules.get("pydantic_core"), "to_json", None) or _to_json
    try:
        return to_json(value)
    except (ValueError, TypeError, RecursionError):  # lone surrogates, or a concurrent change
        return _to_json(json_copy(value))


def _to_json(value: Any) -> bytes:
    return _JSON.encode(value).encode()


def as_object(value: Any, key: str, limit: int) -> Any:
    """Return tool arguments or results as an object: parse JSON text, wrap anything else."""
    if isinstance(value, str) and len(value) <= limit and value.lstrip()[:1] == "{":
        try:
            return json.loads(value)
        except (ValueError, RecursionError):  # not JSON after all
            return {key: cast(Any, value)}
    if isinstance(value, dict):
        return cast(Any, value)
    if not isinstance(value, (str, bytes, list, tuple)):
        simple = plain(value)
        if isinstance(simple, dict):
            return cast(Any, simple)
    return {key: cast(Any, value)}


def _fields(value: Any) -> dict[str, Any] | None:
    """Return the public fields of a pydantic model or a dataclass, None for anything else."""
    kind = kind_of(value)
    for name in ("model_fields", "__fields__", "__dataclass_fields__"):
        described: Any = getattr(kind, name, None)
        if described is not None:
            break
    else:
        return None
    if name == "__dataclass_fields__":
        values = {one: getattr(value, one) for one in described}
    else:  # pydantic 1 or 2
        extra: Any = getattr(value, "__pydantic_extra__", None)
        values: dict[str, Any] = {**vars(value), **(extra or {})}
    return {one: item for one, item in values.items() if _is_shown(described.get(one))}


def _is_shown(field: Any) -> bool:
    return getattr(field, "repr", True) is not False and not getattr(field, "exclude", None)


def _named(value: Any) -> str:
    return f"<{type(value).__name__}>"


def _valid(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
