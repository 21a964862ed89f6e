"""Media as message parts: references stay, data becomes a placeholder with type, size and hash."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any, Final

__all__ = ["BYTES", "SHA256", "part_from_base64", "part_from_bytes", "part_from_url"]

BYTES: Final = "otel_agents.bytes"
SHA256: Final = "otel_agents.sha256"


def part_from_bytes(data: bytes, mime_type: str | None, modality: str) -> dict[str, Any]:
    """A blob part without its content: how much it was, and what hash it had."""
    part = {"type": "blob", "modality": modality, "mime_type": mime_type, "content": ""}
    return {**part, BYTES: len(data), SHA256: hashlib.sha256(data).hexdigest()}


def part_from_base64(data: str, mime_type: str | None, modality: str) -> dict[str, Any]:
    """A blob part for base64 text; text that is none is taken as the bytes that it is."""
    try:
        raw = base64.b64decode(data)
    except (binascii.Error, ValueError):
        raw = data.encode("utf-8", "replace")
    return part_from_bytes(raw, mime_type, modality)


def part_from_url(url: str, modality: str) -> dict[str, Any]:
    """A uri part, or a blob part where the URL holds the data itself."""
    if not url.startswith("data:"):
        return {"type": "uri", "modality": modality, "uri": url}
    head, _, data = url[5:].partition(",")
    mime_type, *parameters = head.split(";")
    if "base64" in parameters:
        return part_from_base64(data, mime_type or None, modality)
    return part_from_bytes(data.encode("utf-8", "replace"), mime_type or None, modality)
