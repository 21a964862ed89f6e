"""The binary framing of Amazon's event streams (`application/vnd.amazon.eventstream`)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

from otel_agents.testing.scripted_model.dialect import Frame, encode
from otel_agents.testing.scripted_model.values import Json

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7


def event(kind: str, payload: Json, *, has_usage: bool = False) -> Frame:
    """Return an event."""
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return Frame(_message(headers, encode(payload)), has_usage)


def exception(kind: str, message: str) -> Frame:
    """Return an error inside a stream."""
    headers = {
        ":exception-type": kind,
        ":content-type": "application/json",
        ":message-type": "exception",
    }
    return Frame(_message(headers, encode({"message": message})))


def _message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Return lengths and their checksum, headers, payload, and the checksum of all."""
    head = b"".join(_header(name, value) for name, value in headers.items())
    lengths = struct.pack(">II", 4 * 4 + len(head) + len(payload), len(head))
    message = lengths + struct.pack(">I", zlib.crc32(lengths)) + head + payload
    return message + struct.pack(">I", zlib.crc32(message))


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return struct.pack(">B", len(key)) + key + struct.pack(">BH", _STRING, len(text)) + text
