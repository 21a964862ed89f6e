"""The size of content as JSON, without copying or encoding it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

from . import media
from .plain import MAX_DEPTH, kind_of, plain

__all__ = [
    "DATA",
    "EMPTY_BYTES",
    "END",
    "bytes_within",
    "estimate",
    "estimate_list",
    "size_within",
    "take_fitting",
    "text_bytes",
    "text_message_bytes",
    "utf8_bytes",
]

EMPTY_BYTES: Final = 4
"""Bytes of an emptied value: ``null``, or an empty string or list."""

END: Final = object()
"""Returned by `take_fitting` if no item is left."""

DATA: Final = "dD"
"""The first character of a ``data:`` URL, for a cheap check."""

_MESSAGE: Final = len('{"role":"","parts":[{"type":"text","content":""}]}')
_REASON: Final = len(',"finish_reason":""')
_NUMBER: Final = 24
_SMALL_NUMBER: Final = 7
_SAMPLE: Final = 4096
_MAX_SAMPLES: Final = 64
_MAX_VISITS: Final = 2000


class _DoesNotFitError(Exception):
    """The value is too large, or not plain JSON; leaves a deep walk at once."""


def size_within(value: Any, room: int, depth: int = 0) -> int | None:
    """Return the bytes of ``value`` as JSON, without escapes; None if they exceed ``room``.

    Also None for what is not plain JSON: types other than dict, list, tuple, str, int, float, bool
    and None, keys that are not strings, NaN, ``data:`` URLs, and nesting beyond `MAX_DEPTH`. The
    walk stops as soon as that is known.
    """
    try:
        size = _size_of(value, room, depth)
    except _DoesNotFitError:
        return None
    return size if size <= room else None


def take_fitting(items: Iterator[Any], kept: list[Any], room: int, depth: int) -> tuple[Any, int]:
    """Move ``items`` to ``kept`` while they fit.

    Return the first item that does not fit, or `END`, and the room left.
    """
    item = END
    try:
        for item in items:
            size = (_plain_message(item) or _size_of(item, room, depth)) + 1
            if size > room:
                return item, room
            kept.append(item)
            room -= size
    except _DoesNotFitError:
        return item, room
    return END, room


def _plain_message(item: Any) -> int | None:
    """Return the size of a message with one text, the common case; None for anything else."""
    if kind_of(item) is not dict or len(item) > 3:
        return None
    role, parts = item.get("role"), item.get("parts")
    if kind_of(role) is not str or kind_of(parts) is not list or len(parts) != 1:
        return None
    part = parts[0]
    if kind_of(part) is not dict or len(part) != 2 or part.get("type") != "text":
        return None
    text = part.get("content")
    if kind_of(text) is not str or text[:1] in DATA:
        return None
    reason = None
    if len(item) == 3:
        reason = item.get("finish_reason")
        if kind_of(reason) is not str:
            return None
    return text_message_bytes(role, text, reason)


def text_message_bytes(role: str, text: str, reason: str | None) -> int:
    """Return the size of a message that is one text."""
    size = text_bytes(text) + len(role) + _MESSAGE
    return size if reason is None else size + len(reason) + _REASON


def _size_of(value: Any, room: int, depth: int) -> int:
    # The hot path of all content: types are compared by identity, and the strings of an object
    # are measured without a call.
    if depth > MAX_DEPTH:
        raise _DoesNotFitError
    kind = kind_of(value)
    if kind is dict:
        size = 2 + 4 * len(value)
        for key, item in value.items():
            if type(item) is str and type(key) is str and item.isascii():
                length = len(item)
                if length < media.MIN_DATA_URL or item[0] not in DATA:
                    size += len(key) + length + 2
                    if size > room:
                        raise _DoesNotFitError
                    continue
            if type(key) is not str:
                raise _DoesNotFitError
            size += len(key) + _size_of(item, room - size, depth + 1)
    elif kind is list or kind is tuple:
        size = 2 + len(value)
        for item in value:
            if size > room:
                raise _DoesNotFitError
            size += _size_of(item, room - size, depth + 1)
    elif kind is str:
        if media.is_data_url(value):
            raise _DoesNotFitError
        return text_bytes(value) + 2
    else:
        return _scalar(value)
    if depth == MAX_DEPTH or size > room:
        raise _DoesNotFitError
    return size


def _scalar(value: Any) -> int:
    if value is None or value is True or value is False:
        return 5
    if type(value) is int and -(2**63) <= value < 2**63:
        return _SMALL_NUMBER if -(10**6) < value < 10**7 else _NUMBER
    if type(value) is float and value - value == 0:  # neither NaN nor infinite
        return _NUMBER
    raise _DoesNotFitError


def text_bytes(text: str) -> int:
    """Return the bytes of UTF-8: exact for ASCII and short text, else based on its start."""
    length = len(text)
    if text.isascii():
        return length
    sample = text[:_SAMPLE].encode("utf-8", "replace")
    return len(sample) * length // min(length, _SAMPLE)


def utf8_bytes(text: str) -> int:
    """Return the bytes of UTF-8, exactly; raise `ValueError` for a lone surrogate."""
    return len(text) if text.isascii() else len(text.encode())


def bytes_within(text: str, room: int) -> int | None:
    """Return the bytes of UTF-8, exactly; None if they exceed ``room``."""
    if len(text) > room:
        return None
    size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    return size if size <= room else None


def estimate(value: Any) -> int:
    """Return about how many bytes of JSON ``value`` is, in bounded time.

    Exact, without escapes, for ASCII text in lists and objects of up to 64 items; of longer ones 64
    items are sampled.
    """
    return _Estimate().of(value, 0)


def estimate_list(items: Sequence[Any]) -> int:
    """Return the estimate for a list."""
    return _Estimate().of_list(items, 0)


class _Estimate:
    _visits = _MAX_VISITS

    def of(self, value: Any, depth: int) -> int:
        kind = kind_of(value)
        if kind is str:
            return (len(value) if value.isascii() else text_bytes(value)) + 2
        self._visits -= 1
        if self._visits < 0 or depth > MAX_DEPTH:
            return EMPTY_BYTES
        if kind is dict:
            size = 0
            for key, item in islice(value.items(), _MAX_SAMPLES):
                size += (len(key) if type(key) is str else EMPTY_BYTES) + 4
                is_ascii = type(item) is str and item.isascii()  # mostly, so without a call
                size += len(item) + 2 if is_ascii else self.of(item, depth + 1)
            count = len(value)
            size = size if count <= _MAX_SAMPLES else size * count // _MAX_SAMPLES
            return size + 1 if count else 2  # no trailing comma
        if kind is list or kind is tuple:
            return self.of_list(value, depth)
        if value is None or isinstance(value, (bool, int, float)):
            return EMPTY_BYTES
        simple = plain(value)
        return self.of(simple, depth + 1) if isinstance(simple, (dict, list, str)) else EMPTY_BYTES

    def of_list(self, items: Sequence[Any], depth: int) -> int:
        count = len(items)
        if not count:
            return 2
        sampled = range(0, count, max(count // _MAX_SAMPLES, 1))
        size = 0
        for index in sampled:
            size += self.of(items[index], depth + 1) + 1
        return 1 + size * count // len(sampled)
