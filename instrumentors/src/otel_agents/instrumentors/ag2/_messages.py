"""Events of a conversation as messages (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._dialects.api import Message, Part
from otel_agents.instrumentors._dialects.fields import parsed_arguments
from otel_agents.instrumentors._dialects.parts import (
    as_text,
    message,
    text_message,
    text_part,
    tool_call,
    tool_call_response,
)

if TYPE_CHECKING:
    from ag2.compact import CompactionSummary
    from ag2.context import ConversationContext
    from ag2.events import (
        BaseEvent,
        ModelRequest,
        ModelResponse,
        ToolCallEvent,
        ToolResultEvent,
        ToolResultsEvent,
    )
    from ag2.network import Envelope

__all__ = [
    "conversation_messages",
    "envelope_message",
    "request_messages",
    "response_messages",
    "system_instructions",
    "tool_arguments",
    "tool_result",
]

Messages = Callable[[], list[Message]]


def conversation_messages(events: Iterable[BaseEvent] | None) -> Messages:
    """Return what a model is sent: the conversation so far."""
    return lambda: [one for event in events or () for one in _messages(event)]


def request_messages(event: BaseEvent) -> Messages:
    """Return what a turn starts with."""
    return lambda: _messages(event)


def response_messages(response: BaseEvent) -> Messages:
    """Return the model's response."""
    return lambda: _messages(response)


def system_instructions(context: ConversationContext) -> Callable[[], list[Part]] | None:
    """Return the system prompt of a turn as parts, None where there is none."""
    prompts = [str(text) for text in getattr(context, "prompt", None) or ()]
    return (lambda: [text_part(text) for text in prompts]) if prompts else None


def tool_arguments(call: ToolCallEvent) -> Any:
    """Return the arguments of a tool call."""
    return parsed_arguments(call.arguments or "{}")


def tool_result(event: ToolResultEvent) -> Any:
    """Return the result of a tool."""
    values = [_value(part) for part in getattr(event.result, "parts", None) or ()]
    return values[0] if len(values) == 1 else values


def _messages(event: BaseEvent) -> list[Message]:
    """Return the message of an event; no message for an event that only reports progress."""
    for kind in type(event).__mro__:
        convert = _CONVERTERS.get(kind.__name__)
        if convert is not None:
            return convert(event)
    return []


def _request(event: ModelRequest) -> list[Message]:
    return [message("user", [_part(part) for part in event.parts])]


def _results(event: ToolResultsEvent) -> list[Message]:
    parts = [tool_call_response(one.parent_id, tool_result(one)) for one in event.results]
    return [message("tool", parts)]


def _summary(event: CompactionSummary) -> list[Message]:
    return [text_message("user", event.summary)]


def _response(event: ModelResponse) -> list[Message]:
    parts = [text_part(event.content)] if event.content else []
    for call in getattr(event.tool_calls, "calls", None) or ():
        parts.append(tool_call(call.id, call.name, call.arguments or "{}"))
    return [message("assistant", parts)] if parts else []


_CONVERTERS: Final[Mapping[str, Callable[[Any], list[Message]]]] = MappingProxyType(
    {
        "CompactionSummary": _summary,
        "ModelRequest": _request,
        "ModelResponse": _response,
        "ToolResultsEvent": _results,
    }
)


def _part(part: Any) -> Part:
    if hasattr(part, "media_type"):
        media_type = str(part.media_type)
        return media.part_from_bytes(part.data, media_type, media_type.partition("/")[0])
    if hasattr(part, "url"):
        return media.part_from_url(part.url, _modality(part))
    if hasattr(part, "file_id"):
        return {"type": "file", "modality": _modality(part), "file_id": part.file_id}
    return text_part(as_text(_value(part)))


def _modality(part: Any) -> str:
    kind = getattr(part, "kind", None)
    return str(getattr(kind, "value", kind) or "document")


def _value(part: Any) -> Any:
    if hasattr(part, "media_type"):
        return media.placeholder(part.data)
    for name in ("content", "data", "url", "file_id"):
        if hasattr(part, name):
            return getattr(part, name)
    return None


def envelope_message(role: str, envelope: Envelope) -> Messages:
    """Return the text of a message between agents."""
    data = envelope.event_data
    text = data.get("text") or data.get("body") or ""
    return lambda: [text_message(role, str(text))]
