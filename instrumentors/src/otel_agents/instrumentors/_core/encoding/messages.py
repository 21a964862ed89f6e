"""Messages of one text, as most are: encoded without building what is encoded."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from json.encoder import encode_basestring
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from . import media
from .plain import dump, kind_of
from .sizes import DATA, size_within, utf8_bytes

__all__ = ["TextMessage", "encode_messages", "encode_part", "json_around", "message_of_text"]

TextMessage: TypeAlias = "tuple[str, str, str | None]"
"""The role, the text and the finish reason of a message that has nothing else."""


def _start(role: str) -> str:
    return f'{{"role":{role},"parts":[{{"type":"text","content":'


def _end(reason: str) -> str:
    return f'}}],"finish_reason":{reason}}}'


_ROLES: Final = ("assistant", "developer", "system", "user")
_STARTS: Final = MappingProxyType({role: _start(f'"{role}"') for role in _ROLES})
"""What is before the text of a message, by its role; further roles are rare."""
_REASONS: Final = ("end_turn", "length", "max_tokens", "stop")
_ENDS: Final = MappingProxyType[str | None, str](
    {None: "}]}", **{reason: _end(f'"{reason}"') for reason in _REASONS}}
)
"""What is after it, by its finish reason."""
_start_of: Final = {**_STARTS}.get  # a proxy's own `get` takes twice as long
_end_of: Final = {**_ENDS}.get
_PART: Final = ("type", "content")
"""The fields of a part that is a text, in their order."""
_SHORT: Final = 1536
"""Characters of a text that Python's encoder, which the SDKs use too, encodes as quickly."""
_AROUND: Final = len(_start('""') + _end('""'))
"""Bytes of a message without its text, about."""


def encode_messages(
    items: Sequence[Any],
    convert: Callable[[Any], Any],
    text_of: Callable[[Any], TextMessage | None],
    budget: int,
) -> tuple[str, int] | None:
    """Return messages as JSON, as `encoded.encode` returns them, and its size in bytes.

    None if they do not fit, or if something in one of them must be replaced.

    Args:
        items: The messages, not converted.
        convert: Converts one that is anything but a text.
        text_of: Returns what an item is if it is a text and nothing else; None for any other.
        budget: Bytes.
    """
    room = budget - 1
    segments = ["["]  # joined once: each copy of a long text counts
    try:
        for item in items:
            message = text_of(item)
            if message is None:
                converted = convert(item)
                size = size_within(converted, room, 1)
                if size is None:
                    return None
                room -= size + 1
                segments += (dump(converted).decode(), ",")
                continue
            role, text, reason = message
            length = len(text)
            room -= length + _AROUND
            if room < 0 or (text[0] in DATA and media.is_data_url(text)):
                return None
            # `json_around`, inline.
            start = _start_of(role) or _start(encode_basestring(role))
            end = _end_of(reason) or _end(encode_basestring(str(reason)))
            quoted = encode_basestring(text) if length < _SHORT else _quoted(text)
            segments += (start, quoted, end, ",")
        if len(segments) == 1:
            return None
        segments[-1] = "]"
        json = "".join(segments)
        size = len(json) if json.isascii() else len(json.encode())  # `utf8_bytes`, inline
    except (ValueError, TypeError):  # a lone surrogate, or a role that is not a string
        return None
    return (json, size) if size <= budget else None


def encode_part(part: Any, budget: int) -> tuple[str, int] | None:
    """Return a list of one part as JSON, and its size in bytes; None unless it is a text that fits."""
    if kind_of(part) is not dict or tuple(part) != _PART or part["type"] != "text":
        return None
    text = part["content"]
    if kind_of(text) is not str or len(text) + _AROUND > budget or text[:1] in DATA:
        return None
    try:
        json = f'[{{"type":"text","content":{_quoted(text)}}}]'
        size = utf8_bytes(json)
    except ValueError:  # a lone surrogate
        return None
    return (json, size) if size <= budget else None


def json_around(role: str, reason: str | None) -> tuple[str, str]:
    """Return what is before and after the text of a message; raise `TypeError` for no string."""
    start = _start_of(role) or _start(encode_basestring(role))
    return start, _end_of(reason) or _end(encode_basestring(str(reason)))


def message_of_text(known: TextMessage) -> dict[str, Any]:
    """Return the message of a text and nothing else."""
    role, text, reason = known
    built: dict[str, Any] = {"role": role, "parts": [{"type": "text", "content": text}]}
    if reason is not None:
        built["finish_reason"] = reason
    return built


def _quoted(text: str) -> str:
    """Return a long text as JSON: by pydantic, if imported, as with every SDK based on it."""
    to_json = getattr(sys.modules.get("pydantic_core"), "to_json", None)
    return encode_basestring(text) if to_json is None else to_json(text).decode()
