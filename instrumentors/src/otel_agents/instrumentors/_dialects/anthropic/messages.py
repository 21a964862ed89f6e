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
    """Set the content of a request: ``messages``, ``system``, ``tools``."""
    asked, system, tools = (field(body, name) for name in ("messages", "system", "tools"))
    listed = isinstance(asked, (list, tuple))
    content.input_messages = lambda: Items(cast("list[Any]", asked) if listed else [], _message)
    if system:
        content.system_instructions = lambda: _parts(system)
    if tools:
        content.tool_definitions = lambda: [_definition(tool) for tool in tools]


def output_messages(answer: Any) -> list[Message]:
    """The one message of an answer; none where it said nothing."""
    parts = _parts(field(answer, "content"))
    reasons = finish_reasons(answer) or ("error",)  # as of a stream that was cut
    said = message(text(answer, "role") or "assistant", parts)
    return with_finish_reasons([said], reasons) if parts else []


def finish_reasons(answer: Any) -> tuple[str, ...]:
    """``stop_reason`` in Anthropic's spelling."""
    reason = text(answer, "stop_reason")
    return (reason,) if reason else ()


def _message(given: Any) -> Message:
    parts = _parts(field(given, "content"))
    role = text(given, "role") or "user"
    answers = bool(parts) and all(part["type"] == "tool_call_response" for part in parts)
    return {"role": "tool" if answers else role, "parts": parts}


def _parts(content: Any) -> list[Part]:
    if content is None or isinstance(content, str):
        return [text_part(content)] if content else []
    return [_part(block) for block in cast("Iterable[Any]", content)]


def _part(block: Any) -> Part:
    kind = text(block, "type") or "text"
    if isinstance(block, str) or kind == "text":
        said = block if isinstance(block, str) else field(block, "text")
        return text_part(said or "")
    if kind == "thinking":
        return reasoning_part(field(block, "thinking") or "")
    if kind == "tool_use":
        name, asked = text(block, "name"), field(block, "input")
        return tool_call(text(block, "id"), name, asked, parse=False)
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
