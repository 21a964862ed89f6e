"""Content as JSON: encoded at once, stopping at a budget, valid whatever was cut.

What is cut is cut in the structure, never in the text: long strings lose their end, lists their
items. The object that holds a cut string says so by two keys of ours beside it. Encoding later, on
another thread, would need a copy that costs more, and would see edits made in between.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

__all__ = [
    "ORIGINAL_BYTES",
    "TRUNCATED",
    "Encoded",
    "Items",
    "dump",
    "encode",
    "encode_text",
    "measure",
]

TRUNCATED: Final = "otel_agents.truncated"
ORIGINAL_BYTES: Final = "otel_agents.original_bytes"

_DEPTH: Final = 32
_SAMPLE: Final = 4096
_MARK_BYTES: Final = 70
_SCALAR_BYTES: Final = 8
_LISTED: Final = 1000


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Encoded:
    """JSON within its budget; ``original_bytes`` is None unless something was cut.

    ``original_bytes`` is an estimate: exact for ASCII text, near to it for other text.
    """

    text: str
    original_bytes: int | None = None
    is_json: bool = True

    def structure(self) -> Any:
        """What the JSON stands for, or the text where it is no JSON."""
        return json.loads(self.text) if self.is_json else self.text


def encode(value: Any, budget: int) -> Encoded:
    """``value`` as JSON of at most ``budget`` bytes of UTF-8; system messages and the end go first."""
    if isinstance(value, Items):
        fitted, original = _fit_items(value, budget)
    else:
        fitted, original = value, None
        size = measure(value)
        if size > budget:
            fitted, original = _cut(value, budget), size
    text = dump(fitted)
    room = budget
    while len(text) > budget or _bytes(text) > budget:  # escapes were not measured
        original = original or _bytes(text)
        room = room * budget // _bytes(text) * 9 // 10
        if room < _MARK_BYTES:
            return Encoded("[]" if isinstance(value, (Items, list, tuple)) else "{}", original)
        fitted = _cut(fitted, room)
        text = dump(fitted)
    return Encoded(text, original)


def encode_text(text: str, budget: int) -> Encoded:
    """Plain text of at most ``budget`` bytes of UTF-8."""
    size = _text_bytes(text)
    fitted = _clean_text(text[:budget]).encode()[:budget].decode("utf-8", "ignore")
    return Encoded(fitted, size if size > budget else None, is_json=False)


def measure(value: Any, depth: int = 0) -> int:
    """The size of ``value`` as JSON in bytes, escapes aside: an estimate that copies nothing."""
    if isinstance(value, str):
        return (len(value) if value.isascii() else _text_bytes(value)) + 2
    if depth > _DEPTH:
        return _SCALAR_BYTES
    size = 2
    if isinstance(value, dict):  # plain loops: this runs for every part of every message
        for key, item in cast("dict[Any, Any]", value).items():
            size += (len(key) if isinstance(key, str) else _SCALAR_BYTES) + 4
            size += measure(item, depth + 1)
        return size
    if isinstance(value, (list, tuple)):
        for item in cast("list[Any]", value):
            size += measure(item, depth + 1) + 1
        return size
    return len(value) if isinstance(value, (bytes, bytearray)) else _SCALAR_BYTES


def _text_bytes(text: str) -> int:
    length = len(text)
    if text.isascii():
        return length
    sample = text[:_SAMPLE].encode("utf-8", "replace")
    return len(sample) * length // min(length, _SAMPLE)


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _fit_items(items: Items, budget: int) -> tuple[list[Any], int | None]:
    """As many items as fit, from the end; a leading system message before all."""
    source, room = items.source, budget - 2
    first: list[Any] = []
    begin = 0
    if len(source) > 1 and _is_system(source[0]):
        head = items.convert(source[0])
        size = measure(head) + 1
        first, begin = [head if size <= room // 2 else _cut(head, room // 2)], 1
        room -= measure(first[0]) + 1
        cut = size if size > (budget - 2) // 2 else None
    else:
        cut = None
    kept: list[Any] = []
    used = 0
    for index in range(len(source) - 1, begin - 1, -1):
        item = items.convert(source[index])
        size = _measure_item(item) + 1
        if size > room:
            if room > 2 * _MARK_BYTES:
                kept.append(_cut(item, room))
            original = used + size + (cut or sum(map(measure, first)))
            return [*first, *reversed(kept)], original + _estimate(source[begin:index])
        kept.append(item)
        room -= size
        used += size
    return [*first, *reversed(kept)], None if cut is None else cut + used


def _measure_item(item: Any) -> int:
    """`measure`, with a short way for a message of one text, which nearly every one is."""
    message = cast("dict[str, Any]", item) if isinstance(item, dict) else {}
    parts = cast("list[dict[str, Any]]", message.get("parts") or ())
    if len(message) == _PLAIN_KEYS and len(parts) == 1:
        part = parts[0]
        text = part.get("content")
        if isinstance(text, str) and len(part) == _PLAIN_KEYS:
            return _PLAIN_BYTES + (len(text) if text.isascii() else _text_bytes(text))
    return measure(item)


_PLAIN_KEYS: Final = 2
_PLAIN_BYTES: Final = 64


def _is_system(message: Any) -> bool:
    if isinstance(message, dict):
        role = cast("dict[str, Any]", message).get("role")
    else:
        role = getattr(message, "role", None)
    return role in ("system", "developer")


def _estimate(source: Sequence[Any]) -> int:
    """The size of items that were not converted, from the first of them if there are many."""
    if not source:
        return 0
    listed = source[:_LISTED]
    return sum(map(measure, listed)) * len(source) // len(listed)


def _cut(value: Any, budget: int, depth: int = 0) -> Any:
    """``value`` cut to about ``budget`` bytes."""
    if isinstance(value, str):
        return _cut_text(value, budget)
    if depth > _DEPTH or budget <= 0:
        return None
    if isinstance(value, dict):
        return _cut_dict(cast("dict[str, Any]", value), budget, depth)
    if isinstance(value, (list, tuple)):
        return _cut_list(cast("list[Any]", value), budget, depth)
    return value


def _cut_text(text: str, budget: int) -> str:
    room = max(budget - 2, 0)
    if text.isascii():
        return text[:room]
    return text[:room].encode("utf-8", "replace")[:room].decode("utf-8", "ignore")


def _cut_dict(value: dict[str, Any], budget: int, depth: int) -> dict[str, Any]:
    """Small values first, so that a long one does not push them out; marked if a string is cut."""
    room = budget - 2
    sizes = {key: measure(key) + measure(item) + 2 for key, item in value.items()}
    kept: dict[str, Any] = {}
    for key in sorted(sizes, key=sizes.__getitem__):
        if sizes[key] <= room:
            kept[key] = value[key]
            room -= sizes[key]
            continue
        left = room - measure(key) - _MARK_BYTES
        if left <= 0:
            continue
        kept[key] = _cut(value[key], left, depth + 1)
        room -= measure(key) + measure(kept[key]) + 2
        if isinstance(value[key], str):
            kept[TRUNCATED], kept[ORIGINAL_BYTES] = True, _text_bytes(value[key])
            room -= _MARK_BYTES
    return {key: kept[key] for key in (*value, TRUNCATED, ORIGINAL_BYTES) if key in kept}


def _cut_list(value: list[Any], budget: int, depth: int) -> list[Any]:
    """The items from the end that fit, as messages are cut."""
    room = budget - 2
    kept: list[Any] = []
    for item in reversed(value):
        size = measure(item) + 1
        if size > room:
            if room > 2 * _MARK_BYTES:
                kept.append(_cut(item, room, depth + 1))
            break
        kept.append(item)
        room -= size
    return kept[::-1]


def dump(value: Any) -> str:
    """``value`` as compact JSON; what JSON cannot hold is replaced, never an error."""
    # Not ours to import: it is there wherever a model SDK is, and 2 to 3 times faster.
    core: Any = sys.modules.get("pydantic_core")
    try:
        if core is not None:
            return core.to_json(value, fallback=_plain, inf_nan_mode="null").decode()
        text = json.dumps(
            value, default=_plain, ensure_ascii=False, allow_nan=False, separators=_COMPACT
        )
        text.encode()  # fails on lone surrogates, as every exporter would
        return text
    except (ValueError, TypeError, RecursionError):
        clean = _clean(value, 0)
        return json.dumps(clean, ensure_ascii=False, separators=_COMPACT)


_COMPACT: Final = (",", ":")


def _plain(value: Any) -> Any:
    """Something JSON can hold in place of ``value``."""
    dumped = getattr(value, "model_dump", None)
    return dumped(mode="json") if callable(dumped) else f"<{type(value).__name__}>"


def _clean(value: Any, depth: int) -> Any:
    """A copy that is JSON: no NaN, no cycles, no lone surrogates, no foreign objects."""
    if depth > _DEPTH:
        return None
    if isinstance(value, dict):
        pairs = cast("dict[Any, Any]", value).items()
        return {_clean_text(str(k)): _clean(v, depth + 1) for k, v in pairs}
    if isinstance(value, (list, tuple)):
        return [_clean(item, depth + 1) for item in cast("list[Any]", value)]
    if isinstance(value, str):
        return _clean_text(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return f"<{type(value).__name__}>"


def _clean_text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
