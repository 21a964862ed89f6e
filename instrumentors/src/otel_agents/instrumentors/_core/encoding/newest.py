"""The newest messages of a history that is too long, encoded without building them if they are texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from .messages import TextMessage, text_message
from .plain import dump
from .pruning import MIN_BYTES, ORIGINAL_BYTES, TRUNCATED, prune_message
from .sizes import DATA, END, take_fitting, text_bytes, text_message_bytes

__all__ = ["encode_newest"]


class _OtherError(ValueError):
    """A message must be built to be truncated."""


def encode_newest(
    items: Sequence[Any],
    first: int,
    convert: Callable[[Any], Any],
    text_of: Callable[[Any], TextMessage | None],
    budget: int,
) -> tuple[str, int] | None:
    """Return the newest of messages that do not fit, as JSON, and its size in bytes.

    They are what is left of the messages if all are built. None if that is known only then.

    Args:
        items: The messages, not converted.
        first: How many of them, at the start, are instructions, which are kept.
        convert: Converts one that is anything but a text.
        text_of: Returns what an item is if it is a text and nothing else; None for any other.
        budget: Bytes.
    """
    instructions: list[str] = []
    newest: list[str] = []
    half = budget // 2 - 2
    try:
        rest, left = _take(islice(items, first), convert, text_of, instructions, half)
        if rest is not END:
            return None
        others = islice(reversed(items), len(items) - first)
        rest, left = _take(others, convert, text_of, newest, budget - 2 - half + left)
        if rest is END:
            return None
        while rest is not END and left > MIN_BYTES:
            start, size = _start_of(rest, left - 1)
            newest.append(start)
            rest, left = _take(others, convert, text_of, newest, left - size - 1)
        json = f"[{','.join((*instructions, *reversed(newest)))}]"
        size = len(json) if json.isascii() else len(json.encode())
    except (ValueError, TypeError):  # a lone surrogate, or a role that is not a string
        return None
    return (json, size) if size <= budget and (instructions or newest) else None


def _take(
    items: Iterable[Any],
    convert: Callable[[Any], Any],
    text_of: Callable[[Any], TextMessage | None],
    taken: list[str],
    room: int,
) -> tuple[Any, int]:
    """Add ``items`` to ``taken``, as JSON, while they fit.

    Return the first that does not fit, or `END`, and the room left.
    """
    for item in items:
        message = text_of(item)
        if message is None:
            kept: list[Any] = []
            rest, room = take_fitting(iter((convert(item),)), kept, room, 1)
            if rest is not END:
                raise _OtherError
            taken.append(dump(kept[0]).decode())
            continue
        if type(message[0]) is not str or message[1][0] in DATA:
            raise _OtherError
        size = text_message_bytes(*message) + 1
        if size > room:
            return message, room
        taken.append(text_message(*message))
        room -= size
    return END, room


def _start_of(message: TextMessage, room: int) -> tuple[str, int]:
    """Return the start of a message in ``room`` bytes, as JSON, and its size without escapes."""
    role, text, reason = message
    kept, size = prune_message(role, text, reason, room)
    if len(kept) < MIN_BYTES or len(kept) == len(text):
        raise _OtherError
    marks = f',"{TRUNCATED}":true,"{ORIGINAL_BYTES}":{text_bytes(text)}'
    return text_message(role, kept, reason, marks), size
