"""Messages of Anthropic's API: what a request and a response hold."""

from __future__ import annotations

from typing import Any

from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.encoding.messages import TextMessage
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Message, Part
from otel_agents.instrumentors._dialects.fields import field, fields_of, listed, text
from otel_agents.instrumentors._dialects.parts import message, with_finish_reasons

from .blocks import parts

__all__ = ["finish_reasons", "output_messages", "record_request"]


def record_request(content: Content, body: Any) -> None:
    """Set the content of a request from its ``messages``, ``system`` and ``tools``."""
    messages, tools = (listed(field(body, name)) for name in ("messages", "tools"))
    system = field(body, "system")
    if messages:
        content.input_messages = lambda: Items(messages, _message, _text_of)
    if system:
        content.system_instructions = lambda: parts(system)
    if tools:
        content.tool_definitions = lambda: [_definition(tool) for tool in tools]


def output_messages(response: Any) -> list[Message]:
    """Return the message of a response; an empty list if it has no content."""
    content = parts(field(response, "content"))
    reasons = finish_reasons(response) or ("error",)  # a stream that broke off has none
    output = message(text(response, "role") or "assistant", content)
    return with_finish_reasons([output], reasons) if content else []


def finish_reasons(response: Any) -> tuple[str, ...]:
    """Return the ``stop_reason`` in Anthropic's spelling, as a tuple of one or none."""
    reason = text(response, "stop_reason")
    return (reason,) if reason else ()


def _text_of(sent: Any) -> TextMessage | None:
    fields = fields_of(sent)
    role, content = fields.get("role"), fields.get("content")
    if type(content) is not str or not content or not isinstance(role, str):
        return None
    return role or "user", content, None


def _message(sent: Any) -> Message:
    sent = fields_of(sent)
    role, content = text(sent, "role") or "user", sent.get("content")
    if isinstance(content, str) and content:  # nearly always
        return {"role": role, "parts": [{"type": "text", "content": content}]}
    content = parts(content)
    is_tool_result = bool(content) and all(part["type"] == "tool_call_response" for part in content)
    return {"role": "tool" if is_tool_result else role, "parts": content}


def _definition(tool: Any) -> Part:
    kind = text(tool, "type") or "function"
    name = text(tool, "name") or text(tool, "mcp_server_name") or kind
    return {"type": "function" if kind == "custom" else kind, "name": name}
