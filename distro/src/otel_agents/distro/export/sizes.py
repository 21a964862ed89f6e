"""Estimates the encoded bytes of a span or a log record without encoding it.

The estimate is an upper bound, close for ASCII. Other strings count as the widest encoding of
their internal representation, which is about what they occupy in memory. The body of a log record
may be any object; one with more than `MAX_VALUES` values, or a cyclic one, has no size.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["MAX_VALUES", "TooManyValuesError", "log_size", "span_size"]

MAX_VALUES: Final = 100_000
"""Limit for one attribute or body; about 30 ms on the application's thread."""

_ITEM: Final = 192  # ids, times, kind, status, and the frame of the message
_FIELD: Final = 16  # tags and lengths of one attribute
_ELEMENT: Final = 6  # tag and length of one list element
_REFERENCE: Final = 64  # a link's ids
_NUMBER: Final = 10
_PLAIN: Final = (str, bytes, int, float, type(None))
# Of a non-ASCII string. A one-character string is a shared object that may be larger.
_HEADER: Final = sys.getsizeof("éé") - 2


def span_size(span: ReadableSpan) -> int:
    """Estimate the bytes of a finished span in a request."""
    size = _ITEM + _text(span.name) + _mapping(span.attributes)
    for event in span.events:
        size += _REFERENCE + _text(event.name) + _mapping(event.attributes)
    for link in span.links:
        size += _REFERENCE + _mapping(link.attributes)
    description = span.status.description
    return size + _text(description) if description else size


def log_size(data: Any) -> int:
    """Estimate the bytes of a log record; ``data`` is what the SDK passes to exporters."""
    record = data.log_record
    return _ITEM + _value(record.body) + _mapping(record.attributes)


class TooManyValuesError(Exception):
    """Raised for a value that is cyclic or has more than `MAX_VALUES` values."""


def _mapping(attributes: Mapping[Any, Any] | None) -> int:
    if not attributes:
        return 0
    return sum(_FIELD + _key(key) + _value(value) for key, value in attributes.items())


def _key(key: Any) -> int:
    return len(key) if isinstance(key, str) else _NUMBER  # the encoder writes it as a string


def _value(value: Any) -> int:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bytes):
        return len(value)
    return _nested(value) if _is_container(value) else _NUMBER


def _is_container(value: Any) -> bool:
    return not isinstance(value, _PLAIN) and isinstance(value, (Mapping, Sequence))


def _nested(outermost: Any) -> int:
    """Add up without recursion, so that any depth works."""
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
    """Yield the values of a container, each with the bytes of its key and framing."""
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
