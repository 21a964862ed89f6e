"""The newest messages of a history that is too long, without converting those that are texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from . import media
from .messages import TextMessage, encode_messages, json_around, message_of_text
from .plain import dump
from .pruning import (
    MIN_BYTES,
    OMITTED,
    ORIGINAL_BYTES,
    TRUNCATED,
    prune,
    prune_message,
    truncate_text,
)
from .sizes import (
    DATA,
    END,
    estimate_list,
    take_fitting,
    text_bytes,
    text_message_bytes,
    utf8_bytes,
)

__all__ = ["encode_start", "newest_messages"]


class _Newest:
    """Messages that are kept.

    Args:
        convert: Converts an item that is anything but a text.
        text_of: Returns what an item is if it is a text and nothing else; None for any other.
    """

    __slots__ = ("_convert", "_text_of", "kept", "truncated")

    def __init__(
        self, convert: Callable[[Any], Any], text_of: Callable[[Any], TextMessage | None]
    ) -> None:
        self._convert = convert
        self._text_of = text_of
        self.kept: list[Any] = []
        self.truncated = False
        """Whether anything is missing."""

    def take(self, items: Iterable[Any], room: int) -> tuple[Any, TextMessage | None, int]:
        """Take ``items`` while they fit.

        Return the first that does not fit, or `END`, what it is if it is a text, and the room left.
        """
        text_of, kept = self._text_of, self.kept
        for item in items:
            message = text_of(item)
            if message is None or type(message[0]) is not str or message[1][0] in DATA:
                rest, room = take_fitting(iter((self._convert(item),)), kept, room, 1)
                if rest is not END:
                    return item, None, room
                continue
            size = text_message_bytes(*message) + 1
            if size > room:
                return item, message, room
            kept.append(message_of_text(message))
            room -= size
        return END, None, room

    def take_start(
        self, item: Any, message: TextMessage | None, room: int, above: tuple[int, ...]
    ) -> int | None:
        """Take what `prune` leaves of ``item``; return its size, None if nothing is left of it."""
        if message is not None:
            role, text, reason = message
            start, size = prune_message(role, text, reason, room)
            if MIN_BYTES <= len(start) < len(text):
                converted = message_of_text((role, start, reason))
                converted["parts"][0] |= {TRUNCATED: True, ORIGINAL_BYTES: text_bytes(text)}
                self.kept.append(converted)
                self.truncated = True
                return size
        pruned = prune(self._convert(item), room, above)
        if pruned.value is OMITTED or pruned.size > room:
            return None
        self.kept.append(pruned.value)
        self.truncated = self.truncated or pruned.truncated
        return pruned.size


def newest_messages(
    items: Sequence[Any],
    first: int,
    convert: Callable[[Any], Any],
    text_of: Callable[[Any], TextMessage | None],
    budget: int,
) -> tuple[list[Any], bool] | None:
    """Return the newest of messages that do not fit: what is left of them if all are converted.

    Also whether anything is missing. None if it is known only when all are converted.

    Args:
        items: The messages, not converted.
        first: How many of them, at the start, are instructions, which are kept.
        convert: Converts one that is anything but a text.
        text_of: Returns what an item is if it is a text and nothing else; None for any other.
        budget: Bytes, without escapes.
    """
    newest, half = _Newest(convert, text_of), budget // 2 - 2
    rest, _, left = newest.take(islice(items, first), half)
    if rest is not END:
        return None
    others = islice(reversed(items), len(items) - first)
    rest, message, left = newest.take(others, budget - 2 - half + left)
    if rest is END:
        return None
    while rest is not END and left > MIN_BYTES:
        size = newest.take_start(rest, message, left - 1, (id(items),))
        if size is None:
            break
        rest, message, left = newest.take(others, left - size - 1)
    newest.kept[first:] = reversed(newest.kept[first:])
    return newest.kept, newest.truncated or rest is not END


def encode_start(
    items: Sequence[Any],
    first: int,
    convert: Callable[[Any], Any],
    text_of: Callable[[Any], TextMessage | None],
    budget: int,
) -> tuple[str, int, int] | None:
    """Return instructions and the start of the newest message, if that alone does not fit, as JSON.

    Also its size in bytes, and about what all messages are. None if the newest may fit, or is not a
    text, or if the instructions take more than half of the budget.

    Args:
        items: The messages, not converted.
        first: How many of them, at the start, are instructions, which are kept.
        convert: Converts one that is anything but a text.
        text_of: Returns what an item is if it is a text and nothing else; None for any other.
        budget: Bytes.
    """
    message = text_of(items[-1]) if items else None
    if message is None:
        return None
    role, text, reason = message
    if text[0] in DATA and media.is_data_url(text):
        return None
    original = text_bytes(text)
    if original <= budget // 2:
        return None
    before = "["
    if first:
        encoded = encode_messages(items[:first], convert, text_of, budget // 2)
        if encoded is None:
            return None
        before = f"{encoded[0][:-1]},"
    try:
        start, end = json_around(role, reason)
        before, after = before + start, end + "]"
        around = utf8_bytes(before) + utf8_bytes(after)
    except (ValueError, TypeError):  # a lone surrogate, or a role that is not a string
        return None
    marks = f',"{TRUNCATED}":true,"{ORIGINAL_BYTES}":{original}'
    whole = budget - around
    room = whole - len(marks)
    if original <= whole or room < MIN_BYTES:
        return None
    kept = truncate_text(text, room - 2)
    if len(kept) == len(text):  # it fits: its size was an estimate
        return None
    quoted = _truncate_json(dump(kept), room)
    json = f"{before}{quoted.decode()}{marks}{after}"
    others = estimate_list(items[first:-1]) if first < len(items) - 1 else 0
    return json, budget - room + len(quoted), around + original + others + len('""')


def _truncate_json(quoted: bytes, size: int) -> bytes:
    """Return a string as JSON in at most ``size`` bytes, without splitting a character or escape."""
    if len(quoted) <= size:
        return quoted
    end = size - 1
    while quoted[end] & 0xC0 == 0x80:  # the rest of a character in UTF-8
        end -= 1
    last = quoted.rfind(b"\\", end - 5, end)
    backslashes = last + 1 - len(quoted[: last + 1].rstrip(b"\\"))
    if backslashes % 2 and last + (6 if quoted[last + 1 : last + 2] == b"u" else 2) > end:
        end = last
    return quoted[:end] + b'"'
