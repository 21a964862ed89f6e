"""Truncation of content to a number of bytes, by its structure: the rest is valid JSON.

Strings lose their end and lists their oldest items. Objects keep their keys unless they are
enormous; a value without room becomes empty. Two ``otel_agents.*`` keys mark an object with
truncated values. A message or a part needs all its keys, so it is kept with all of them or omitted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple, cast

from .plain import MAX_DEPTH, key_text, plain, plain_text
from .sizes import EMPTY_BYTES, END, size_within, take_fitting, text_bytes, utf8_bytes

__all__ = [
    "MIN_BYTES",
    "OMITTED",
    "ORIGINAL_BYTES",
    "TRUNCATED",
    "Pruned",
    "prune",
    "prune_list",
    "prune_message",
    "truncate_text",
]

TRUNCATED: Final = "otel_agents.truncated"
"""Key of an object with a truncated value: true."""

ORIGINAL_BYTES: Final = "otel_agents.original_bytes"
"""Key next to it: the original bytes of the object's truncated strings, if any."""

OMITTED: Final = object()
"""Returned for a value without any room."""

MIN_BYTES: Final = 200
"""Minimum room, in bytes, for keeping part of an item."""

_MARKER_BYTES: Final = 75
_SMALL: Final = 512
_SCALAR_BYTES: Final = 20
_TYPED: Final = ("type", "role")


class Pruned(NamedTuple):
    """What is left of a value.

    Attributes:
        value: The rest, `OMITTED` if nothing is left.
        size: Its bytes.
        truncated: Whether anything is missing.
        marked: Whether marks inside the value cover everything that is missing.
    """

    value: Any
    size: int
    truncated: bool
    marked: bool = False


def prune(value: Any, room: int, above: tuple[int, ...] = ()) -> Pruned:
    """Return ``value`` in about ``room`` bytes, if `size_within` found that it does not fit.

    Args:
        value: Anything.
        room: Bytes, without escapes.
        above: Ids of the objects and lists around it.
    """
    if isinstance(value, str):
        return _text(plain_text(value), room)
    simple = cast(Any, value) if isinstance(value, (dict, list, tuple)) else plain(value)
    if isinstance(simple, str):
        return _text(simple, room)
    if not isinstance(simple, (dict, list, tuple)):
        return Pruned(simple, _SCALAR_BYTES, False)
    if len(above) >= MAX_DEPTH or id(cast(Any, value)) in above:
        return Pruned(None, EMPTY_BYTES, True)
    above = (*above, id(cast(Any, value)))
    if isinstance(simple, dict):
        return _object(cast("dict[Any, Any]", simple), room, above)
    return prune_list(reversed(cast("list[Any]", simple)), room, above)


def prune_list(
    items: Iterable[Any], room: int, above: tuple[int, ...], *, backwards: bool = True
) -> Pruned:
    """Return the first of ``items`` that fit; reversed if they come ``backwards``."""
    kept: list[Any] = []
    rest, left, truncated, marked = iter(items), room - 2, False, True
    while True:
        item, left = take_fitting(rest, kept, left, len(above))
        if item is END:
            break
        pruned = prune(item, left - 1, above) if left > MIN_BYTES else Pruned(OMITTED, 0, True)
        if pruned.value is OMITTED or pruned.size > left - 1:
            truncated, marked = True, False
            break
        kept.append(pruned.value)
        left -= pruned.size + 1
        truncated, marked = (
            truncated or pruned.truncated,
            marked and pruned.marked >= pruned.truncated,
        )
    if backwards:
        kept.reverse()
    return Pruned(kept, room - left, truncated, marked)


def _text(text: str, room: int) -> Pruned:
    size = text_bytes(text) + 2
    if size <= room:
        return Pruned(text, size, False)
    kept = truncate_text(text, max(room - 2, 0))
    return Pruned(kept, utf8_bytes(kept) + 2, len(kept) < len(text))  # the size was an estimate


def truncate_text(text: str, room: int) -> str:
    """Return the start of ``text`` in at most ``room`` bytes of UTF-8."""
    text = text[:room]
    if text.isascii():
        return text
    return text.encode("utf-8", "replace")[:room].decode("utf-8", "ignore")


def prune_message(role: str, text: str, reason: str | None, room: int) -> tuple[str, int]:
    """Return what `prune` leaves of a long text which is all of a message, and the message's size."""
    reserved = text_bytes(role) + (0 if reason is None else text_bytes(reason) + _AROUND_REASON)
    kept = truncate_text(text, max(room - _AROUND_TEXT - reserved, 0))
    return kept, _AROUND_TEXT - _MARKER_BYTES + reserved + utf8_bytes(kept)


def _object(value: dict[Any, Any], room: int, above: tuple[int, ...]) -> Pruned:
    """Keep small values first, so that a long one does not displace them."""
    kept, large, left, truncated = _skeleton(value, room - 2 - _MARKER_BYTES, above)
    all_or_nothing = any(name in value for name in _TYPED)
    if truncated and all_or_nothing:
        return Pruned(OMITTED, 0, True)
    marked, original = not truncated, 0
    for name, item in large.items():
        pruned = prune(item, left + EMPTY_BYTES, above)
        if pruned.value is OMITTED:
            if all_or_nothing:
                return Pruned(OMITTED, 0, True)
            pruned = Pruned(None, EMPTY_BYTES, True)
        kept[name] = pruned.value
        left -= pruned.size - EMPTY_BYTES
        truncated = truncated or pruned.truncated
        if pruned.truncated and not pruned.marked:
            marked = False
            original += text_bytes(item) if isinstance(item, str) else 0
    if marked or room < _MARKER_BYTES + 2:
        return Pruned(kept, room - left - _MARKER_BYTES, truncated, marked)
    kept[TRUNCATED] = True
    original = value.get(ORIGINAL_BYTES, original)
    if original:
        kept[ORIGINAL_BYTES] = original
    return Pruned(kept, room - left, True, True)


def _skeleton(
    value: dict[Any, Any], left: int, above: tuple[int, ...]
) -> tuple[dict[str, Any], dict[str, Any], int, bool]:
    """Return the small values, the large values, the room left, and whether keys are missing."""
    kept: dict[str, Any] = {}
    large: dict[str, Any] = {}
    max_large = left // _SMALL + 1
    for key, item in value.items():
        name = key if type(key) is str else key_text(key)
        minimum = text_bytes(name) + 4 + EMPTY_BYTES
        if minimum > left or len(large) > max_large:
            return kept, large, left, True
        size = size_within(item, min(left - minimum + EMPTY_BYTES, _SMALL), len(above))
        kept[name] = None if size is None else item
        if size is None:
            large[name] = item
        left -= minimum if size is None else minimum - EMPTY_BYTES + size
    return kept, large, left, False


def _bytes_around(**reason: str) -> int:
    """Return what `prune` reserves in a message around its text."""
    long = "x" * _LONG
    pruned = prune({"role": "", "parts": [{"type": "text", "content": long}], **reason}, _LONG)
    return _LONG - len(pruned.value["parts"][0]["content"])


_LONG: Final = 4096
_AROUND_TEXT: Final = _bytes_around()
_AROUND_REASON: Final = _bytes_around(finish_reason="") - _AROUND_TEXT
