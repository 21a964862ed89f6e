"""How many bytes a span or a log record will take, without encoding it.

An upper bound that is near for ASCII: what is not ASCII counts as the widest encoding of its kind
of string, which is also about what it holds in memory. The body of a log record may be any object:
what holds more values than can be looked at here has no size, and neither has what holds itself.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

__all__ = ["MAX_VALUES", "TooManyValuesError", "log_size", "span_size"]

MAX_VALUES: Final = 100_000
"""In one attribute or body; some 30 ms on the thread of the application."""

_ITEM: Final = 192  # ids, times, kind, status, and the frame of the message
_FIELD: Final = 16  # tags and lengths of one attribute
_ELEMENT: Final = 6  # the same of one element of a list
_REFERENCE: Final = 64  # a link's ids
_NUMBER: Final = 10
_PLAIN: Final = (str, bytes, int, float, type(None))
# Of a string that is not ASCII; one character alone is a shared object that may hold more.
_HEADER: Final = sys.getsizeof("éé") - 2


def span_size(span: Any) -> int:
    """Bytes of a finished span in a request."""
    size = _ITEM + _text(span.name) + _mapping(span.attributes)
    for event in span.events:
        size += _REFERENCE + _text(event.name) + _mapping(event.attributes)
    for link in span.links:
        size += _REFERENCE + _mapping(link.attributes)
    description = span.status.description
    return size + _text(description) if description else size


def log_size(data: Any) -> int:
    """Bytes of a log record in a request; ``data`` is what the SDK hands to exporters."""
    record = data.log_record
    return _ITEM + _value(record.body) + _mapping(record.attributes)


class TooManyValuesError(Exception):
    """It holds more values than `MAX_VALUES`, or holds itself."""


def _mapping(attributes: Mapping[Any, Any] | None) -> int:
    if not attributes:
        return 0
    return sum(_FIELD + _key(key) + _value(value) for key, value in attributes.items())


def _key(key: Any) -> int:
    return len(key) if isinstance(key, str) else _NUMBER  # it is written as a text


def _value(value: Any) -> int:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bytes):
        return len(value)
    return _nested(value) if _is_container(value) else _NUMBER


def _is_container(value: Any) -> bool:
    return not isinstance(value, _PLAIN) and isinstance(value, (Mapping, Sequence))


def _nested(outermost: Any) -> int:
    """Not by recursion: how deep it is must not matter."""
    size, left, containers = 0, MAX_VALUES, [outermost]
    while containers:
        for before, value in _entries(containers.pop()):
            left -= 1
            if left < 0:
                raise TooManyValuesError
            size += before
            if _is_container(value):
                containers.append(value)
            else:
                size += _value(value)
    return size


def _entries(container: Any) -> Iterator[tuple[int, Any]]:
    """The values in it, each with the bytes that come before it."""
    if isinstance(container, Mapping):
        for key, value in cast(Mapping[Any, Any], container).items():
            yield _FIELD + _key(key), value
    else:
        for value in container:
            yield _ELEMENT, value


def _text(text: str) -> int:
    if text.isascii():
        return len(text)
    width = (sys.getsizeof(text) - _HEADER) // len(text)
    return len(text) * {0: 2, 1: 2, 2: 3}.get(width, 4)
