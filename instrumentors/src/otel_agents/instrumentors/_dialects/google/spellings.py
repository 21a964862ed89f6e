"""Reads fields in both of their spellings: ``finish_reason``, and in JSON ``finishReason``.

The SDK takes dicts in either spelling, and its objects have the first one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, TypeVar, cast

from otel_agents.instrumentors._dialects import fields

__all__ = ["both_spellings", "camel_case", "field", "items", "text", "text_in"]

_Value = TypeVar("_Value")
_DICT: Final[Any] = dict  # by this name a type checker does not narrow a type


@lru_cache(maxsize=256)
def camel_case(name: str) -> str:
    """Return a name as JSON spells it."""
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def both_spellings(named: Mapping[str, _Value]) -> Mapping[str, _Value]:
    """Return values by either spelling of their names."""
    spelled = {camel_case(name): value for name, value in named.items()}
    return MappingProxyType({**spelled, **named})


def field(holder: Any, name: str) -> Any:
    """Return the field ``name``, which is in snake case; None if it is missing."""
    if not isinstance(holder, _DICT):
        return fields.field(holder, name)
    value = holder.get(name)
    return holder.get(camel_case(name)) if value is None and "_" in name else value


def items(holder: object, name: str) -> Iterable[Any]:
    """Return the list in the field ``name``; an empty one if it is missing."""
    value = field(holder, name)
    return cast("list[Any]", value) if isinstance(value, (list, tuple)) else ()


def text(holder: object, name: str) -> str | None:
    """Return the string in the field ``name``, that of an enum too; None if missing or empty."""
    return text_in(field(holder, name))


def text_in(value: object) -> str | None:
    """Return a string, that of an enum too; None for anything else, and for an empty one."""
    if value is None or type(value) is str:
        return value or None
    value = getattr(value, "_value_", value)  # an enumeration's `value` is two calls
    return value if isinstance(value, str) and value else None
