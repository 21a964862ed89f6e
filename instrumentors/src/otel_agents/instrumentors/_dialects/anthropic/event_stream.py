"""A stream of messages in the framing of Amazon's event streams, as Bedrock sends it."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from typing import Any, Final, cast

from otel_agents.instrumentors._dialects.fields import as_mapping, text

__all__ = ["CONTENT_TYPE", "Events"]

CONTENT_TYPE: Final = "vnd.amazon.eventstream"

_PRELUDE: Final = 12
"""Bytes: the length of a message, that of its headers, and their checksum."""
_CHECKSUM: Final = 4
_STRING: Final = 7
"""The type of a header that holds a string; Bedrock sends no other."""
_EXCEPTION: Final = b":exception-type"
_MAX_BYTES: Final = 32 * 1024 * 1024
"""Bytes of a message; after a larger one nothing is read any more."""


class Events:
    """Parses events from the chunks of a response body; an incomplete one waits for the next."""

    def __init__(self) -> None:
        self._rest = b""

    def read(self, chunk: bytes) -> Iterator[dict[str, Any]]:
        """Yield the events that ``chunk`` completes."""
        self._rest += chunk
        while len(self._rest) >= _PRELUDE:
            length, headers = struct.unpack(">II", self._rest[:8])
            if not _PRELUDE <= length <= _MAX_BYTES:
                self._rest = b""
            if len(self._rest) < length:
                return
            message, self._rest = self._rest[:length], self._rest[length:]
            end = _PRELUDE + headers
            event = _event(message[_PRELUDE:end], message[end : length - _CHECKSUM])
            if event is not None:
                yield event


def _event(headers: bytes, payload: bytes) -> dict[str, Any] | None:
    exception = _string_headers(headers).get(_EXCEPTION)
    if exception is not None:
        name = exception.decode()  # of an event's member; an error of HTTP begins with a capital
        return {"type": "error", "error": {"type": name[:1].upper() + name[1:]}}
    encoded = text(as_mapping(_parsed(payload)), "bytes")
    event: Any = _parsed(base64.b64decode(encoded)) if encoded else None
    return cast("dict[str, Any]", event) if isinstance(event, dict) else None


def _string_headers(headers: bytes) -> dict[bytes, bytes]:
    """Return the headers up to the first one that is not a string."""
    found: dict[bytes, bytes] = {}
    while headers:
        name, rest = headers[1 : 1 + headers[0]], headers[1 + headers[0] :]
        if rest[0] != _STRING:
            break
        end = 3 + int.from_bytes(rest[1:3], "big")
        found[name], headers = rest[3:end], rest[end:]
    return found


def _parsed(document: bytes) -> Any:
    try:
        return json.loads(document)
    except ValueError:
        return None
