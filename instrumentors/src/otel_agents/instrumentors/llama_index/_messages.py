"""LlamaIndex's messages in the conventions' shape (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._dialects.api import Message, Part
from otel_agents.instrumentors._dialects.fields import as_mapping, field, listed
from otel_agents.instrumentors._dialects.parts import (
    as_text,
    message,
    reasoning_part,
    text_message,
    text_part,
    tool_call,
    tool_call_response,
)

if TYPE_CHECKING:
    from llama_index.core.base.llms.types import ChatMessage

__all__ = ["any_message", "model_message", "model_messages", "query_text"]

_ROLES: Final = MappingProxyType(
    {"chatbot": "assistant", "developer": "system", "function": "tool", "model": "assistant"}
)
_MEDIA: Final = MappingProxyType(
    {"image": "image", "audio": "audio", "video": "video", "document": "document"}
)


def model_messages(values: Sequence[ChatMessage]) -> Items:
    """Return the messages that are sent to a model."""
    return Items(list(values), model_message)


def model_message(value: ChatMessage) -> Message:
    """Return one message."""
    role = str(getattr(value.role, "value", value.role))
    role = _ROLES.get(role, role)
    extra = as_mapping(value.additional_kwargs)
    if role == "tool":
        return message(role, [tool_call_response(extra.get("tool_call_id"), value.content)])
    blocks: Sequence[Any] | None = getattr(value, "blocks", None)
    if blocks is None:  # before 0.12
        parts = [text_part(value.content)] if value.content else []
    else:
        parts = [part for block in blocks if (part := _part(block)) is not None]
    if not any(part["type"] == "tool_call" for part in parts):
        parts.extend(_requested(one) for one in listed(extra.get("tool_calls")))
    return message(role, parts)


def _requested(call: Any) -> Part:
    """Return a call of a tool as the provider's SDK has it."""
    function = field(call, "function") or call
    return tool_call(field(call, "id"), field(function, "name"), field(function, "arguments"))


def _part(block: Any) -> Part | None:
    kind: str = getattr(block, "block_type", "")
    if kind == "text":
        return text_part(block.text) if block.text else None
    if kind == "thinking":
        return reasoning_part(block.content or "")
    if kind == "tool_call":
        return tool_call(block.tool_call_id, block.tool_name, block.tool_kwargs)
    if kind in _MEDIA:
        return _media_part(block, _MEDIA[kind])
    return None if kind == "cache" else text_part(as_text(block))


def _media_part(block: Any, modality: str) -> Part:
    if block.url:
        return media.part_from_url(str(block.url), modality)
    data = getattr(block, modality if modality != "document" else "data", None)
    if isinstance(data, bytes):  # LlamaIndex keeps it in base64
        mime = getattr(block, f"{modality}_mimetype", None)
        return media.part_from_base64(data.decode("ascii", "replace"), mime, modality)
    return text_part(as_text({"type": modality, "path": str(block.path) if block.path else None}))


def any_message(role: str, value: Any) -> Message:
    """Return a message, a text or anything else as one message."""
    if hasattr(value, "role") and hasattr(value, "additional_kwargs"):
        return model_message(value)
    return text_message(role, value)


def query_text(value: Any) -> str:
    """Return the text of a query, which may be a ``QueryBundle``."""
    return value if isinstance(value, str) else str(getattr(value, "query_str", value))
