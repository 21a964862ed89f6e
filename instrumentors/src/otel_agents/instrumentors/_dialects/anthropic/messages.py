"""Messages of Anthropic's API as message parts (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Any, Final, cast

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Message, Part
from otel_agents.instrumentors._dialects.fields import field, items, text
from otel_agents.instrumentors._dialects.parts import (
    message,
    reasoning_part,
    text_part,
    tool_call,
    tool_call_response,
    with_finish_reasons,
)
from otel_agents.semconv.values import Modality

__all__ = ["finish_reasons", "output_messages", "record_request"]


_MODALITIES: Final = MappingProxyType({"image": Modality.IMAGE, "document": Modality.DOCUMENT})


def record_request(content: Content, body: Any) -> None:
    """Set the content of a request from its ``messages``, ``system`` and ``tools``."""
    messages, system, tools = (field(body, name) for name in ("messages", "system", "tools"))
    is_list = isinstance(messages, (list, tuple))
    content.input_messages = lambda: Items(cast("list[Any]", messages) if is_list else [], _message)
    if system:
        content.system_instructions = lambda: _parts(system)
    if tools:
        content.tool_definitions = lambda: [_definition(tool) for tool in tools]


def output_messages(response: Any) -> list[Message]:
    """Return the message of a response; an empty list if it has no content."""
    parts = _parts(field(response, "content"))
    reasons = finish_reasons(response) or ("error",)  # a stream that broke off has none
    output = message(text(response, "role") or "assistant", parts)
    return with_finish_reasons([output], reasons) if parts else []


def finish_reasons(response: Any) -> tuple[str, ...]:
    """Return the ``stop_reason`` in Anthropic's spelling, as a tuple of one or none."""
    reason = text(response, "stop_reason")
    return (reason,) if reason else ()


def _message(sent: Any) -> Message:
    parts = _parts(field(sent, "content"))
    role = text(sent, "role") or "user"
    is_tool_result = bool(parts) and all(part["type"] == "tool_call_response" for part in parts)
    return {"role": "tool" if is_tool_result else role, "parts": parts}


def _parts(content: Any) -> list[Part]:
    if content is None or isinstance(content, str):
        return [text_part(content)] if content else []
    return [_part(block) for block in cast("Iterable[Any]", content)]


def _part(block: Any) -> Part:
    kind = text(block, "type") or "text"
    if isinstance(block, str) or kind == "text":
        return text_part((block if isinstance(block, str) else field(block, "text")) or "")
    if kind == "thinking":
        return reasoning_part(field(block, "thinking") or "")
    if kind == "tool_use":
        name, arguments = text(block, "name"), field(block, "input")
        return tool_call(text(block, "id"), name, arguments, parse=False)
    if kind == "tool_result":
        return tool_call_response(text(block, "tool_use_id"), _result(field(block, "content")))
    if kind in _MODALITIES:
        return _medium(field(block, "source"), _MODALITIES[kind].value)
    return {"type": "generic", "generic_type": kind}


def _result(content: Any) -> Any:
    parts = _parts(content)
    if all(part["type"] == "text" for part in parts):
        return "".join(part["content"] for part in parts)
    return parts


def _medium(source: Any, modality: str) -> Part:
    kind, mime_type = text(source, "type"), text(source, "media_type")
    if kind == "base64":
        return media.part_from_base64(field(source, "data") or "", mime_type, modality)
    if kind == "url":
        return media.part_from_url(text(source, "url") or "", modality)
    if kind == "file":
        return {"type": "file", "modality": modality, "file_id": text(source, "file_id") or ""}
    if kind == "content":
        return {
            "type": "generic",
            "generic_type": modality,
            "content": _parts(items(source, "content")),
        }
    return text_part(field(source, "data") or "")


def _definition(tool: Any) -> Part:
    kind = text(tool, "type") or "function"
    return {"type": "function" if kind == "custom" else kind, "name": text(tool, "name") or kind}
