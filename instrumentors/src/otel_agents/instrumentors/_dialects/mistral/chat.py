"""Chat, agents and fill-in-the-middle, which return the same completion."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.encoding.messages import TextMessage, message_of_text
from otel_agents.instrumentors._core.encoding.plain import kind_of
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Message, Part, WireFormat
from otel_agents.instrumentors._dialects.choices import Choices
from otel_agents.instrumentors._dialects.fields import Body, field, fields_of, items, text
from otel_agents.instrumentors._dialects.parts import (
    message,
    tool_call,
    tool_call_response,
)
from otel_agents.semconv.values import Operation

from .accumulator import ChatAccumulator
from .parts import content_parts, tool_definitions, tool_response
from .requests import inference_attributes
from .response_fields import response_fields

__all__ = ["CHAT", "FIM", "record_tools"]


def _text_of(sent: Any) -> TextMessage | None:
    # The hot path of a long history: nearly every message is a role and a string.
    fields = fields_of(sent)
    role: Any = fields.get("role")
    content: Any = fields.get("content")
    is_text = content and kind_of(content) is str and role and kind_of(role) is str
    if is_text and role != "tool" and not isinstance(fields.get("tool_calls"), (list, tuple)):
        return role, content, None
    return None


def _message(sent: Any) -> Message:
    known = _text_of(sent)
    return _convert(sent) if known is None else message_of_text(known)


def _convert(sent: Any) -> Message:
    role, content = text(sent, "role") or "assistant", field(sent, "content")
    if role == "tool":
        response = tool_call_response(text(sent, "tool_call_id"), tool_response(content))
        return message("tool", [response])
    calls = [_tool_call(call) for call in items(sent, "tool_calls")]
    return message(role, [*content_parts(content), *calls])


def _tool_call(call: Any) -> Part:
    call_id, function = text(call, "id"), field(call, "function")
    known = call_id if call_id != "null" else None  # the SDK's default
    return tool_call(known, text(function, "name"), field(function, "arguments"))


def _record_chat(content: Content, body: Body) -> None:
    content.input_messages = Items(list(items(body, "messages")), _message, _text_of)
    record_tools(content, body)


def record_tools(content: Content, body: Body) -> None:
    """Set the tools of a request, if it has any."""
    tools = items(body, "tools")
    if tools:
        content.tool_definitions = lambda: tool_definitions(tools)


def _record_fim(content: Content, body: Body) -> None:
    """Set the prompt, and the suffix that follows what the model fills in."""
    texts = (text(body, "prompt"), text(body, "suffix"))
    content.input_messages = lambda: [message("user", content_parts(it)) for it in texts if it]


_CHOICES: Final = Choices(_message, _text_of)


def _accumulator(*, content: bool) -> ChatAccumulator:
    return ChatAccumulator(_CHOICES.messages, content=content)


CHAT: Final = WireFormat(
    operation=Operation.CHAT,
    request_attributes=inference_attributes,
    record_request=_record_chat,
    output_messages=_CHOICES.messages,
    output=_CHOICES.output,
    response_fields=response_fields,
    accumulator=_accumulator,
)
FIM: Final = WireFormat(
    operation=Operation.TEXT_COMPLETION,
    request_attributes=inference_attributes,
    record_request=_record_fim,
    output_messages=_CHOICES.messages,
    output=_CHOICES.output,
    response_fields=response_fields,
    accumulator=_accumulator,
)
