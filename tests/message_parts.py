"""The parts of messages as the conventions shape them, for what a test expects to be recorded."""

from __future__ import annotations

import hashlib
from typing import Any

__all__ = ["blob", "text", "tool_call"]


def text(content: str) -> dict[str, Any]:
    """Return a text."""
    return {"type": "text", "content": content}


def tool_call(id: str, name: str, **arguments: Any) -> dict[str, Any]:
    """Return a call of a tool."""
    return {"type": "tool_call", "id": id, "name": name, "arguments": arguments}


def blob(
    data: bytes, mime_type: str | None = "image/png", modality: str = "image"
) -> dict[str, Any]:
    """Return what is recorded for ``data``, whose bytes are not."""
    return {
        "type": "blob",
        "modality": modality,
        "mime_type": mime_type,
        "content": "",
        "otel_agents.bytes": len(data),
        "otel_agents.sha256": hashlib.sha256(data).hexdigest(),
    }
