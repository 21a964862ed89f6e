"""The newest messages of a history that is too long, without converting those that are texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from .messages import TextMessage, message_of_text
from .pruning import MIN_BYTES, OMITTED, ORIGINAL_BYTES, TRUNCATED, prune, prune_message
from .sizes import DATA, END, take_fitting, text_bytes, text_message_bytes

__all__ = ["newest_messages"]


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
