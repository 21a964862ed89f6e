"""Messages of one text, as nearly all are: encoded without building what is encoded."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from . import media

__all__ = ["TextMessage", "encode_messages"]

TextMessage: TypeAlias = "tuple[str, str, str | None]"
"""The role, the text and the finish reason of a message that has nothing else."""

_STARTS: Final = MappingProxyType(
    {
        role: f'{{"role":"{role}","parts":[{{"type":"text","content":'.encode()
        for role in ("assistant", "developer", "system", "user")
    }
)
_ENDS: Final[MappingProxyType[str | None, bytes]] = MappingProxyType(
    {
        None: b"}]}",
        **{
            reason: f'}}],"finish_reason":"{reason}"}}'.encode()
            for reason in ("content_filter", "length", "stop", "tool_calls")
        },
    }
)
_DATA: Final = "dD"
"""The first character of a ``data:`` URL."""


def encode_messages(
    items: Sequence[Any], text_of: Callable[[Any], TextMessage | None], budget: int
) -> bytes | None:
    """Return messages as JSON in UTF-8, as `encoded.dump` returns them if they are converted.

    None if they do not fit, or if one of them is anything but a text.

    Args:
        items: The messages, not converted.
        text_of: Returns what an item is if it is a text and nothing else; None for any other.
        budget: Bytes.
    """
    to_json = getattr(sys.modules.get("pydantic_core"), "to_json", None)
    if to_json is None:
        return None
    parts: list[tuple[bytes, str, bytes]] = []
    room = budget - 1
    try:
        for item in items:
            message = text_of(item)
            if message is None:
                return None
            role, text, reason = message
            start, end = _STARTS.get(role), _ENDS.get(reason)
            if start is None or end is None or (text[0] in _DATA and media.is_data_url(text)):
                return None
            room -= len(start) + len(text) + len(end) + 3
            if room < 0:
                return None
            parts.append((start, text, end))
        data = b"[%b]" % b",".join([start + to_json(text) + end for start, text, end in parts])
    except (ValueError, TypeError):  # a lone surrogate, or a role that is no string
        return None
    return data if len(data) <= budget else None
