"""Content as JSON: encoded at once, stopping at a budget, valid whatever was cut.

Encoding later, on another thread, would need a copy that costs more, and would see edits made in
between.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final, cast

from .plain import json_copy
from .pruning import (
    MIN_BYTES,
    OMITTED,
    ORIGINAL_BYTES,
    TRUNCATED,
    prune,
    prune_list,
    truncate_text,
)
from .sizes import END, estimate, estimate_list, size_within, take_fitting, text_bytes

__all__ = [
    "ORIGINAL_BYTES",
    "TRUNCATED",
    "Encoded",
    "Items",
    "dump",
    "encode",
    "encode_text",
    "encode_variables",
]

_INSTRUCTIONS: Final = ("system", "developer")
_COMPACT: Final = (",", ":")


@dataclass(slots=True)  # frozen ones are slow to make
class Items:
    """A list that is converted item by item, from its end, for as long as the budget lasts.

    Attributes:
        source: What is to be converted.
        convert: Converts one item to plain dicts, lists and strings.
    """

    source: Sequence[Any]
    convert: Callable[[Any], Any]

    def all(self) -> list[Any]:
        """Every item, converted."""
        return [self.convert(item) for item in self.source]


@dataclass(slots=True)  # frozen ones are slow to make
class Encoded:
    """JSON within its budget, or plain text; empty if nothing fits.

    ``size`` is its bytes. ``original_bytes`` is None unless something was cut: an estimate, near
    to exact for ASCII text, judged by samples for other text and for long lists.
    """

    text: str
    size: int
    original_bytes: int | None = None
    is_json: bool = True

    def structure(self) -> Any:
        """What the JSON stands for, or the text where it is no JSON."""
        return json.loads(self.text) if self.is_json else self.text


def encode(value: Any, budget: int, *, newest: bool = True) -> Encoded:
    """``value`` as JSON of at most ``budget`` bytes of UTF-8.

    Args:
        value: Anything; a list of messages may be given as `Items`.
        budget: Bytes.
        newest: Of a list too long keep the last items, and system messages at its beginning;
            else the first items.
    """
    whole = _whole(value, budget, newest)
    if whole is not None:
        return whole
    kept, truncated = _truncated(value, budget, newest)
    room, data = budget, b"" if kept is OMITTED else dump(kept)
    while len(data) > budget:  # by its escapes, which are not weighed
        truncated, room = True, room * budget // len(data) * 19 // 20
        kept = OMITTED if room < MIN_BYTES else prune(kept, room).value
        data = b"" if kept is OMITTED else dump(kept)
    if not truncated:
        return Encoded(data.decode(), len(data))
    if not kept or kept is OMITTED:
        data = b""
    return Encoded(data.decode(), len(data), _original_bytes(value))


def encode_text(text: str, budget: int, *, end: bool = False) -> Encoded:
    """Plain text of at most ``budget`` bytes of UTF-8: its beginning, or its ``end``."""
    size = text_bytes(text)
    kept = truncate_text(text[::-1], budget)[::-1] if end else truncate_text(text, budget)
    data = kept.encode("utf-8", "replace")
    truncated = len(kept) < len(text)
    return Encoded(data.decode(), len(data), size if truncated else None, is_json=False)


def encode_variables(prefix: str, variables: Mapping[str, Any], budget: int) -> dict[str, Encoded]:
    """``variables`` by their full names, as texts; the names count as well."""
    encoded: dict[str, Encoded] = {}
    for key, value in variables.items():
        name = f"{prefix}.{key}"
        budget = max(budget - len(name), 0)
        one = encode_text(value, budget) if isinstance(value, str) else encode(value, budget)
        encoded[name] = replace(one, is_json=False)
        budget -= one.size
    return encoded


def dump(value: Any) -> bytes:
    """``value`` as compact JSON; what JSON cannot hold is replaced, never an error."""
    # Not ours to import: it is there wherever a model SDK is, and 2 to 3 times faster.
    to_json = getattr(sys.modules.get("pydantic_core"), "to_json", None) or _to_json
    try:
        return to_json(value)
    except (ValueError, TypeError, RecursionError):  # lone surrogates, or an edit in between
        return _to_json(json_copy(value))


def _to_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=_COMPACT).encode()


def _whole(value: Any, budget: int, newest: bool) -> Encoded | None:
    """A list that fits as it is, as nearly every one does; None for anything else."""
    if isinstance(value, Items):
        items, convert = value.source, value.convert
    elif isinstance(value, list):
        items, convert = cast("list[Any]", value), None
    else:
        return None
    kept: list[Any] = []
    # From the end that is kept if it does not fit: what is beyond the budget is not even converted.
    ordered = _converted(reversed(items) if newest else items, convert)
    rest, _ = take_fitting(iter(ordered), kept, budget - 2, 1)
    if rest is not END:
        return None
    if newest:
        kept.reverse()
    data = dump(kept)
    return Encoded(data.decode(), len(data)) if len(data) <= budget else None


def _truncated(value: Any, budget: int, newest: bool) -> tuple[Any, bool]:
    """What is left of ``value``, and whether anything is missing."""
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
    """How many messages of the system there are at the beginning, if others follow."""
    for count, item in enumerate(items):
        if isinstance(item, dict):
            role = cast("dict[str, Any]", item).get("role")
        else:
            role = getattr(item, "role", None)
        if role not in _INSTRUCTIONS:
            return count
    return 0


def _original_bytes(value: Any) -> int:
    return estimate_list(value.source) if isinstance(value, Items) else estimate(value)
