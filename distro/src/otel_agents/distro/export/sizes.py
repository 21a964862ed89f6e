"""How many bytes a span or a log record will take, without encoding it.

An upper bound that is near for ASCII: what is not ASCII counts as the widest encoding of its kind
of string, which is also about what it holds in memory.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

__all__ = ["log_size", "span_size"]

_ITEM: Final = 192  # ids, times, kind, status, and the frame of the message
_FIELD: Final = 16  # tags and lengths of one attribute
_ELEMENT: Final = 6  # the same of one element of a list
_REFERENCE: Final = 64  # a link's ids
_NUMBER: Final = 10
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


def _mapping(attributes: Mapping[str, Any] | None) -> int:
    if not attributes:
        return 0
    return sum(_FIELD + len(key) + _value(value) for key, value in attributes.items())


def _value(value: Any) -> int:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (bytes, bytearray)):
        return len(value)
    if isinstance(value, Mapping):
        return _mapping(cast(Mapping[str, Any], value))
    if isinstance(value, Sequence):
        return sum(_ELEMENT + _value(item) for item in cast(Sequence[Any], value))
    return _NUMBER


def _text(text: str) -> int:
    if text.isascii():
        return len(text)
    width = (sys.getsizeof(text) - _HEADER) // len(text)
    return len(text) * {0: 2, 1: 2, 2: 3}.get(width, 4)
