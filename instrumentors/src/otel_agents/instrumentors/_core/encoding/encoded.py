"""Content as JSON: encoded when it is set, up to a budget, and valid however it is truncated.

Encoding later, on another thread, would need a copy that costs more, and would see changes made in
between.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Final, NamedTuple, cast

from .messages import TextMessage, encode_messages, encode_part
from .newest import encode_start, newest_messages
from .plain import dump, kind_of
from .pruning import (
    MIN_BYTES,
    OMITTED,
    ORIGINAL_BYTES,
    TRUNCATED,
    prune,
    prune_list,
    truncate_text,
)
from .sizes import END, bytes_within, estimate, estimate_list, size_within, take_fitting, text_bytes

__all__ = [
    "ORIGINAL_BYTES",
    "TRUNCATED",
    "Encoded",
    "EncodedTexts",
    "Items",
    "encode",
    "encode_text",
    "encode_texts",
    "encode_variables",
]

_INSTRUCTIONS: Final = ("system", "developer")
_MOST: Final = 32
"""Variables or texts of one operation: by default, a span has room for 128 attributes."""


@dataclass(slots=True)  # not frozen: creating frozen ones is slow
class Items:
    """A list that is converted item by item, from its end, until the budget is used up.

    Example:
        >>> history = ["hi", "hello"]
        >>> def message(text):
        ...     return {"role": "user", "parts": [{"type": "text", "content": text}]}
        >>> [one["role"] for one in Items(history, message).all()]
        ['user', 'user']

    Attributes:
        source: The items to convert.
        convert: Converts one item to plain dicts, lists and strings.
        text_of: Returns what an item is if it converts to a message of one text and nothing else;
            None for any other item. With it, such messages are encoded without being converted.
    """

    source: Sequence[Any]
    convert: Callable[[Any], Any]
    text_of: Callable[[Any], TextMessage | None] | None = None

    def all(self) -> list[Any]:
        """Return all items, converted."""
        return [self.convert(item) for item in self.source]


class Encoded(NamedTuple):
    """JSON within its budget, or plain text; empty if nothing fits.

    ``size`` is in bytes. ``original_bytes`` is None unless something was truncated. It is an
    estimate: close for ASCII text, based on samples for other text and for long lists.
    """

    text: str
    size: int
    original_bytes: int | None = None
    is_json: bool = True

    def structure(self) -> Any:
        """Return the decoded JSON, or the text if it is not JSON."""
        return json.loads(self.text) if self.is_json else self.text


_new_encoded: Final[Callable[[tuple[str, int, int | None, bool]], Encoded]] = partial(
    cast(Any, tuple).__new__, Encoded
)
"""Makes one, on a hot path: the class does it by a Python function."""


@dataclass(slots=True)
class EncodedTexts:
    """Plain texts within their budget, which are one attribute; see `Encoded`."""

    text: tuple[str, ...]
    size: int
    original_bytes: int | None = None

    def structure(self) -> list[str]:
        """Return the texts."""
        return list(self.text)


def encode(value: Any, budget: int, *, newest: bool = True) -> Encoded:
    """Return ``value`` as JSON of at most ``budget`` bytes of UTF-8.

    Args:
        value: Anything; a list of messages may be passed as `Items`.
        budget: Bytes.
        newest: Of a list that is too long, keep the last items and the leading system messages; if
            False, keep the first items.
    """
    if kind_of(value) is Items and value.text_of is not None:  # a hot path
        items, convert, text_of = value.source, value.convert, value.text_of
        messages = encode_messages(items, convert, text_of, budget)
        if messages is not None:
            return _new_encoded((*messages, None, True))
        if newest:
            first = _leading_instructions(items)
            start = encode_start(items, first, convert, text_of, budget)
            if start is not None:
                return _new_encoded((*start, True))
            found = newest_messages(items, first, convert, text_of, budget)
            if found is not None:
                return _within(value, *found, budget, newest)
    elif kind_of(value) is list and len(value) == 1:  # instructions, mostly
        part = encode_part(value[0], budget)
        if part is not None:
            return _new_encoded((*part, None, True))
    whole = _whole(value, budget, newest)
    if whole is not None:
        return whole
    kept, truncated = _truncated(value, budget, newest)
    return _within(value, kept, truncated, budget, newest)


def _within(value: Any, kept: Any, truncated: bool, budget: int, newest: bool) -> Encoded:
    """Return what is kept of ``value`` as JSON; less of it if that has many escapes.

    The sizes by which it was kept do not include them.
    """
    data = b"" if kept is OMITTED else dump(kept)
    room = budget
    while len(data) > budget:
        truncated, room = True, room * budget // len(data) * 19 // 20
        kept = OMITTED if room < MIN_BYTES else _truncated(kept, room, newest)[0]
        data = b"" if kept is OMITTED else dump(kept)
    original = None
    if truncated:
        original = estimate_list(value.source) if kind_of(value) is Items else estimate(value)
        if not kept:
            data = b""
    return _new_encoded((data.decode(), len(data), original, True))


def encode_text(text: str, budget: int, *, end: bool = False) -> Encoded:
    """Return text of at most ``budget`` bytes of UTF-8: its start or, with ``end``, its end."""
    size = text_bytes(text)
    kept = truncate_text(text[::-1], budget)[::-1] if end else truncate_text(text, budget)
    data = kept.encode("utf-8", "replace")
    truncated = len(kept) < len(text)
    return Encoded(data.decode(), len(data), size if truncated else None, is_json=False)


def encode_texts(texts: Sequence[str], budget: int) -> EncodedTexts:
    """Return the first of ``texts`` as far as they fit, up to a fixed number of them."""
    kept: list[str] = []
    room = budget
    for text in texts[:_MOST]:
        size = bytes_within(text, room)
        if size is None:
            break
        kept.append(text)
        room -= size
    whole = len(kept) == len(texts)
    return EncodedTexts(tuple(kept), budget - room, None if whole else sum(map(text_bytes, texts)))


def encode_variables(prefix: str, variables: Mapping[str, Any], budget: int) -> dict[str, Encoded]:
    """Return ``variables`` under their full names, as text; names count towards the budget.

    Beyond a fixed number of them, none is kept, and ``prefix`` is what is truncated.
    """
    encoded: dict[str, Encoded] = {}
    for key, value in islice(variables.items(), _MOST):
        name = f"{prefix}.{key}"
        budget = max(budget - len(name), 0)
        one = encode_text(value, budget) if isinstance(value, str) else encode(value, budget)
        encoded[name] = one._replace(is_json=False)
        budget -= one.size
    rest = dict(islice(variables.items(), _MOST, None))
    if rest:
        encoded[prefix] = Encoded("", 0, estimate(rest), is_json=False)
    return encoded


def _whole(value: Any, budget: int, newest: bool) -> Encoded | None:
    """Return a list that fits as it is, which is the common case; None for anything else."""
    if isinstance(value, Items):
        items, convert = value.source, value.convert
    elif isinstance(value, list):
        items, convert = cast("list[Any]", value), None
    else:
        return None
    kept: list[Any] = []
    # Start at the end that is kept if the list is too long: the rest is not even converted.
    ordered = reversed(items) if newest else iter(items)
    rest, _ = take_fitting(map(convert, ordered) if convert else ordered, kept, budget - 2, 1)
    if rest is not END:
        return None
    if newest:
        kept.reverse()
    data = dump(kept)
    return Encoded(data.decode(), len(data)) if len(data) <= budget else None


def _truncated(value: Any, budget: int, newest: bool) -> tuple[Any, bool]:
    """Return what is left of ``value``, and whether anything is missing."""
    if isinstance(value, Items):
        items, convert = value.source, value.convert
    elif isinstance(value, list):
        items, convert = cast("list[Any]", value), None
    elif size_within(value, budget) is not None:
        return value, False
    else:
        pruned = prune(value, budget)
        return pruned.value, pruned.truncated
    above = (id(items),)
    if not newest:
        pruned = prune_list(_converted(items, convert), budget, above, backwards=False)
        return pruned.value, pruned.truncated
    first = _leading_instructions(items)
    if not first:
        tail = prune_list(_converted(reversed(items), convert), budget, above)
        return tail.value, tail.truncated
    head = prune_list(_converted(items[:first], convert), budget // 2, above, backwards=False)
    rest = islice(reversed(items), len(items) - first)
    tail = prune_list(_converted(rest, convert), budget - head.size + 2, above)
    return head.value + tail.value, head.truncated or tail.truncated


def _converted(items: Iterable[Any], convert: Callable[[Any], Any] | None) -> Iterable[Any]:
    return items if convert is None else map(convert, items)


def _leading_instructions(items: Sequence[Any]) -> int:
    """Return the number of leading system messages; 0 if no others follow."""
    for count, item in enumerate(items):
        if isinstance(item, dict):
            role = cast("dict[str, Any]", item).get("role")
        else:
            role = getattr(item, "role", None)
        if role not in _INSTRUCTIONS:
            return count
    return 0
