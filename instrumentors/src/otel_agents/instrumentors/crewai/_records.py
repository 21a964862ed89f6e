"""What a crew remembers and looks up (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._core.encoding.plain import plain
from otel_agents.instrumentors._dialects.fields import field, given, text

__all__ = ["record"]

_TEXTS: Final = ("content", "context", "memory", "description", "task")
"""Where the text is; early versions have the others."""


def record(found: Any) -> dict[str, Any]:
    """A record of a memory or a document of a source: a text, a match, an item, a dict."""
    if isinstance(found, str):
        return {"content": found}
    held: Any = field(found, "record") or found
    content = next(filter(None, (text(held, name) for name in _TEXTS)), None)
    if content is None:
        return {"content": plain(found)}
    told = {"content": content, "id": text(held, "id"), "score": field(found, "score")}
    return given({**told, "metadata": field(held, "metadata") or None})
