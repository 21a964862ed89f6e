"""Reads fields of request dicts and of response objects alike."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar, cast

from otel_agents.instrumentors._core.encoding.plain import kind_of

Body = Mapping[str, Any]

_Number = TypeVar("_Number", bound=float)

# By these names a type checker does not narrow a type: on a hot path, a `cast` costs a call.
_DICT: Final[Any] = dict
_LISTS: Final[Any] = (list, tuple)

_NO_MODEL: Final = object()
_PARSED_LIMIT: Final = 65536
"""Characters; longer JSON of tool arguments is not parsed and stays a string."""

MOST: Final = 2**63
"""The first integer above those of OTLP."""

__all__ = [
    "MOST",
    "Body",
    "as_count",
    "as_mapping",
    "as_number",
    "field",
    "fields_of",
    "items",
    "known_fields",
    "known_numbers",
    "listed",
    "numbers",
    "parsed_arguments",
    "plain",
    "text",
    "without_none",
]


def field(holder: Any, name: str) -> Any:
    """Return the field ``name``; None if it is missing."""
    if isinstance(holder, _DICT):
        return holder.get(name)
    extra: Any = getattr(holder, "__pydantic_extra__", _NO_MODEL)
    if extra is _NO_MODEL:
        return getattr(holder, name, None)
    # pydantic 2: `getattr` of a missing name is slow, since `__getattr__` builds and raises an
    # error.
    # https://github.com/pydantic/pydantic/pull/6165
    fields: dict[str, Any] = holder.__dict__
    return fields[name] if name in fields else extra.get(name) if extra else None


def fields_of(holder: Any) -> dict[str, Any]:
    """Return all fields with one look-up; an empty dict for a value without fields, as a string."""
    if isinstance(holder, _DICT):
        return holder
    try:  # a pydantic 2 model
        extra: dict[str, Any] | None = holder.__pydantic_extra__
        fields: dict[str, Any] = holder.__dict__
    except AttributeError:
        return getattr(holder, "__dict__", None) or {}
    return {**fields, **extra} if extra else fields


def known_fields(holder: Any, names: Iterable[str]) -> dict[str, Any]:
    """Return the fields ``names``, and maybe others, as `field` reads each: for a hot path.

    A field that is missing may be None or missing here too.
    """
    if kind_of(holder) is dict:
        return holder
    try:
        extra: dict[str, Any] | None = holder.__pydantic_extra__
    except AttributeError:
        if isinstance(holder, _DICT):
            return holder
        return {name: field(holder, name) for name in names}
    return {**extra, **holder.__dict__} if extra else holder.__dict__


def items(holder: object, name: str) -> Sequence[Any]:
    """Return the list in the field ``name``; an empty one if it is missing."""
    value = field(holder, name)
    return value if isinstance(value, _LISTS) else ()


def listed(value: object) -> Sequence[Any]:
    """Return ``value`` if it is a list; else an empty one: an iterator is the SDK's."""
    return cast("list[Any]", value) if isinstance(value, (list, tuple)) else ()


def text(holder: object, name: str) -> str | None:
    """Return the string in the field ``name``; None if it is missing or empty."""
    value = field(holder, name)
    return value if isinstance(value, str) and value else None


def plain(value: Any) -> Any:
    """Return the fields of an SDK's object as JSON has them; any other value as it is."""
    dump = getattr(value, "model_dump", None)
    return dump(mode="json", exclude_none=True) if dump is not None else value


def without_none(part: dict[str, Any]) -> dict[str, Any]:
    """Return ``part`` without the keys whose value is None."""
    return {key: value for key, value in part.items() if value is not None}


def as_mapping(value: Any) -> Body:
    """Return ``value`` if it is a mapping, else an empty mapping."""
    if isinstance(value, _DICT):  # a hot path: `Mapping` decides by Python code
        return value
    return cast(Body, value) if isinstance(value, Mapping) else {}


def as_number(value: object, number: type[_Number]) -> _Number | None:
    """Return ``value`` as ``number``; None if it is none, or one that no attribute can hold.

    JSON has infinite and boundless numbers too; an attribute's integer has 64 bits.
    """
    if type(value) is not number and (
        not isinstance(value, (int, float)) or isinstance(value, bool)
    ):
        return None
    return number(value) if -MOST <= value < MOST else None  # false for NaN too


def as_count(value: object) -> int | None:
    """Return ``value`` as a number of tokens; None if it is none, or one that no metric can hold."""
    if type(value) is int:  # a hot path
        return value if 0 <= value < MOST else None
    count = as_number(value, int)
    return count if count is not None and count >= 0 and count == value else None


def numbers(body: Body, attributes: Iterable[tuple[str, str, type[int | float]]]) -> dict[str, Any]:
    """Return the numbers in ``body`` by attribute.

    Args:
        body: The settings of a request.
        attributes: Rows of a setting's name, its attribute, and the attribute's type.
    """
    found: dict[str, Any] = {}
    for key, name, number in attributes:
        value = body.get(key)
        if value is not None and (value := as_number(value, number)) is not None:
            found[name] = value
    return found


def known_numbers(
    settings: Body, attributes: Mapping[str, tuple[str, type[int | float]]], others: Container[str]
) -> tuple[dict[str, Any], bool]:
    """Return the numbers in ``settings`` by attribute, and whether one of ``others`` has a value.

    For a hot path: it reads what is there, which is little, and not the tables.

    Args:
        settings: The settings of a request.
        attributes: By setting, its attribute and the attribute's type.
        others: Further settings.
    """
    found: dict[str, Any] = {}
    has_others = False
    for name, value in settings.items():
        if value is None:
            continue
        known = attributes.get(name)
        if known is None:
            has_others = has_others or name in others
        elif (number := as_number(value, known[1])) is not None:
            found[known[0]] = number
    return found, has_others


def parsed_arguments(arguments: Any) -> Any:
    """Parse the JSON of tool arguments; return them unchanged if they are not JSON."""
    if not isinstance(arguments, str) or len(arguments) > _PARSED_LIMIT:
        return arguments
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):  # the model wrote it: it may be truncated or invalid
        return arguments
