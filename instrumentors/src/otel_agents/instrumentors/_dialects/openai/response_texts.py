"""The items of the Responses API that are one text, as most are."""

from __future__ import annotations

from typing import Any

from otel_agents.instrumentors._core.encoding.messages import TextMessage
from otel_agents.instrumentors._core.encoding.plain import kind_of
from otel_agents.instrumentors._dialects.fields import fields_of, listed

__all__ = ["text_of_input", "text_of_output"]


def text_of_input(item: Any) -> TextMessage | None:
    """Return an item of a request if it is a text; None for any other."""
    if kind_of(item) is not dict or (item.get("type") or "message") != "message":
        return None
    role, content = item.get("role"), item.get("content")
    if not isinstance(content, str) or not content:
        return None
    return (role if role and isinstance(role, str) else "user"), content, None


def text_of_output(item: Any, reason: str) -> TextMessage | None:
    """Return the only item of a response if it is a text; None for any other."""
    fields = fields_of(item)
    content = listed(fields.get("content"))
    if fields.get("type") != "message" or len(content) != 1:
        return None
    part = fields_of(content[0])
    text = part.get("text")
    if part.get("type") != "output_text" or not isinstance(text, str) or not text:
        return None
    return "assistant", text, reason
