"""Media as message parts: URLs stay, data becomes a placeholder with type, size and hash."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from otel_agents.instrumentors._core.tables import Bounded

__all__ = [
    "BYTES",
    "MIN_DATA_URL",
    "SHA256",
    "is_data_url",
    "part_from_base64",
    "part_from_bytes",
    "part_from_data_url",
    "part_from_url",
    "placeholder",
    "without_data",
]

BYTES: Final = "otel_agents.bytes"
"""Key of a placeholder: the number of bytes."""

SHA256: Final = "otel_agents.sha256"
"""Key of a placeholder: the hash of the decoded data, in hexadecimal."""

MIN_DATA_URL: Final = 32
"""Shortest ``data:`` URL, in characters, that is replaced; a shorter one holds under 24 bytes."""

_known: Final[Bounded[tuple[type[Any], int, int], tuple[str | None, dict[str, Any]]]] = Bounded(
    1024, inherited=True
)
"""MIME types and placeholders of recent data, by class, length and hash.

A conversation is sent again with each turn, with the same image objects. Python caches their hash,
so that they are decoded only once.
"""


def placeholder(data: bytes) -> dict[str, Any]:
    """Return the placeholder of data: its size and hash."""
    return dict(_cached(data, lambda: (None, _placeholder(data)))[1])


def part_from_bytes(data: bytes, mime_type: str | None, modality: str) -> dict[str, Any]:
    """Return a blob part without its content."""
    return _blob(placeholder(data), mime_type, modality)


def part_from_base64(data: str, mime_type: str | None, modality: str) -> dict[str, Any]:
    """Return a blob part for base64 text; invalid base64 is hashed as text."""
    _, kept = _cached(data, lambda: (None, _placeholder(_decoded(data))))
    return _blob(kept, mime_type, modality)


def part_from_data_url(url: str, modality: str) -> dict[str, Any]:
    """Return a blob part for a ``data:`` URL."""
    mime_type, kept = _split(url)
    return _blob(kept, mime_type, modality)


def part_from_url(url: str, modality: str) -> dict[str, Any]:
    """Return a uri part, or a blob part for a ``data:`` URL."""
    if is_data_url(url):
        return part_from_data_url(url, modality)
    return {"type": "uri", "modality": modality, "uri": url}


def is_data_url(text: str) -> bool:
    """Return whether ``text`` is a ``data:`` URL with data; one without data needs no placeholder."""
    is_long = len(text) >= MIN_DATA_URL
    return is_long and text[:5].lower() == "data:" and 0 < text.find(",", 0, 1000) < len(text) - 1


def without_data(url: str) -> str:
    """Return a ``data:`` URL with size and hash instead of the data."""
    mime_type, kept = _split(url)
    return f"data:{mime_type or ''};{BYTES}={kept[BYTES]};{SHA256}={kept[SHA256]},"


def _blob(kept: dict[str, Any], mime_type: str | None, modality: str) -> dict[str, Any]:
    return {"type": "blob", "modality": modality, "mime_type": mime_type, "content": "", **kept}


def _split(url: str) -> tuple[str | None, dict[str, Any]]:
    return _cached(url, lambda: _read(url))


def _read(url: str) -> tuple[str | None, dict[str, Any]]:
    head, _, data = url[5:].partition(",")
    mime_type, *parameters = head.split(";")
    encoded = any(one.strip().lower() == "base64" for one in parameters)
    unquoted = _decoded(data) if encoded else unquote_to_bytes(_utf8(data))
    return mime_type or None, _placeholder(unquoted)


def _cached(
    data: str | bytes, make: Callable[[], tuple[str | None, dict[str, Any]]]
) -> tuple[str | None, dict[str, Any]]:
    key = (type(data), len(data), hash(data))
    made = _known.get(key)
    if made is None:
        made = make()
        _known.put(key, made)
    return made


def _placeholder(data: bytes) -> dict[str, Any]:
    return {BYTES: len(data), SHA256: hashlib.sha256(data).hexdigest()}


def _decoded(data: str) -> bytes:
    try:
        altchars = b"-_" if "-" in data or "_" in data else None
        return base64.b64decode(data + "==", altchars)  # padding may be missing, never too long
    except (binascii.Error, ValueError):
        return _utf8(data)


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")  # of a lone surrogate, a question mark
