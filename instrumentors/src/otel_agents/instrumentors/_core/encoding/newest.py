"""The newest messages of a history that is too long, encoded without building them if they are texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from typing import Any

from .messages import TextMessage, message_segments
from .plain import dump
from .pruning import MIN_BYTES, OMITTED, ORIGINAL_BYTES, TRUNCATED, prune, prune_message
from .sizes import DATA, END, take_fitting, text_bytes, text_message_bytes, utf8_bytes

__all__ = ["Newest", "encode_newest"]


class Newest:
    """Messages that are kept.

    Args:
        convert: Converts an item that is anything but a text.
        text_of: Returns what an item is if it is a text and nothing else; None for any other.
    """

    __slots__ = ("_built", "_convert", "_encoded", "_text_of", "json", "size", "truncated")

    def __init__(
        self, convert: Callable[[Any], Any], text_of: Callable[[Any], TextMessage | None]
    ) -> None:
        self._convert = convert
        self._text_of = text_of
        self._encoded: list[tuple[str, ...]] = []
        self._built: list[Callable[[], Any]] = []
        self.truncated = False
        """Whether anything is missing."""
        self.json = ""
        """All of them as JSON, in the end; empty if there are none."""
        self.size = 0
        """Its bytes."""

    def end(self, first: int) -> None:
        """Set their JSON: the ``first`` of them, and then the others from the last to the first.

        Raises:
            ValueError: JSON cannot hold one of them.
        """
        self._encoded[first:] = reversed(self._encoded[first:])
        self._built[first:] = reversed(self._built[first:])
        if not self._encoded:
            return
        segments = ["["]
        for message in self._encoded:
            segments += message
            segments.append(",")
        segments[-1] = "]"
        self.json = "".join(segments)  # once: each copy of a long text counts
        self.size = utf8_bytes(self.json)

    def built(self) -> list[Any]:
        """Build them."""
        return [build() for build in self._built]

    def take(self, items: Iterable[Any], room: int) -> tuple[Any, TextMessage | None, int]:
        """Take ``items`` while they fit.

        Return the first that does not fit, or `END`, what it is if it is a text, and the room left.
        """
        text_of = self._text_of
        for item in items:
            message = text_of(item)
            if message is None or type(message[0]) is not str or message[1][0] in DATA:
                kept: list[Any] = []
                rest, room = take_fitting(iter((self._convert(item),)), kept, room, 1)
                if rest is not END:
                    return item, None, room
                self._add(kept[0])
                continue
            size = text_message_bytes(*message) + 1
            if size > room:
                return item, message, room
            self._encoded.append(message_segments(*message))
            self._built.append(partial(self._convert, item))
            room -= size
        return END, None, room

    def take_start(
        self, item: Any, message: TextMessage | None, room: int, above: tuple[int, ...]
    ) -> int | None:
        """Take what `prune` leaves of ``item``; return its size, None if nothing is left of it."""
        if message is not None:
            role, text, reason = message
            kept, size = prune_message(role, text, reason, room)
            if MIN_BYTES <= len(kept) < len(text):
                original = text_bytes(text)
                marks = f',"{TRUNCATED}":true,"{ORIGINAL_BYTES}":{original}'
                self._encoded.append(message_segments(role, kept, reason, marks))
                self._built.append(partial(_marked, role, kept, reason, original))
                self.truncated = True
                return size
        pruned = prune(self._convert(item), room, above)
        if pruned.value is OMITTED or pruned.size > room:
            return None
        self._add(pruned.value)
        self.truncated = self.truncated or pruned.truncated
        return pruned.size

    def _add(self, built: Any) -> None:
        self._encoded.append((dump(built).decode(),))
        self._built.append(lambda: built)


def _marked(role: str, kept: str, reason: str | None, original: int) -> dict[str, Any]:
    part = {"type": "text", "content": kept, TRUNCATED: True, ORIGINAL_BYTES: original}
    built: dict[str, Any] = {"role": role, "parts": [part]}
    return built if reason is None else {**built, "finish_reason": reason}


def encode_newest(
    items: Sequence[Any],
    first: int,
    convert: Callable[[Any], Any],
    text_of: Callable[[Any], TextMessage | None],
    budget: int,
) -> Newest | None:
    """Return the newest of messages that do not fit: what is left of them if all are built.

    None if that is known only then.

    Args:
        items: The messages, not converted.
        first: How many of them, at the start, are instructions, which are kept.
        convert: Converts one that is anything but a text.
        text_of: Returns what an item is if it is a text and nothing else; None for any other.
        budget: Bytes, without escapes.
    """
    newest, half = Newest(convert, text_of), budget // 2 - 2
    try:
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
        newest.truncated = newest.truncated or rest is not END
        newest.end(first)
    except (ValueError, TypeError):  # a lone surrogate
        return None
    return newest if newest.json else None
