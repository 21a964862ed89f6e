"""Events of a conversation as messages (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._dialects.fields import parsed_arguments

__all__ = ["answer", "arguments", "conversation", "instructions", "request", "result", "said"]

Messages = Callable[[], "list[dict[str, Any]]"]


def conversation(events: Any) -> Messages:
    """What a model is sent: everything that was said and done so far."""
    return lambda: [message for event in events or () for message in _messages(event)]


def request(event: Any) -> Messages:
    """What a turn begins with."""
    return lambda: _messages(event)


def answer(response: Any) -> Messages:
    """What a model has answered."""
    return lambda: _messages(response)


def instructions(context: Any) -> Any:
    """The system prompt of a turn, as parts; None where there is none."""
    prompts = [str(text) for text in getattr(context, "prompt", None) or ()]
    return (lambda: [{"type": "text", "content": text} for text in prompts]) if prompts else None


def arguments(call: Any) -> Any:
    """The arguments of a tool's call."""
    return parsed_arguments(call.arguments or "{}")


def result(event: Any) -> Any:
    """What a tool has returned."""
    values = [_value(part) for part in getattr(event.result, "parts", None) or ()]
    return values[0] if len(values) == 1 else values


def _messages(event: Any) -> list[dict[str, Any]]:
    """The message of an event, none of one that only tells what goes on."""
    for kind in type(event).__mro__:
        convert = _CONVERSATIONAL.get(kind.__name__)
        if convert is not None:
            return convert(event)
    return []


def _request(event: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "parts": [_part(part) for part in event.parts]}]


def _results(event: Any) -> list[dict[str, Any]]:
    parts = [
        {"type": "tool_call_response", "id": one.parent_id, "response": result(one)}
        for one in event.results
    ]
    return [{"role": "tool", "parts": parts}]


def _summary(event: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "parts": [{"type": "text", "content": event.summary}]}]


def _response(event: Any) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    if event.content:
        parts.append({"type": "text", "content": event.content})
    for call in getattr(event.tool_calls, "calls", None) or ():
        asked = {"id": call.id, "name": call.name, "arguments": arguments(call)}
        parts.append({"type": "tool_call", **asked})
    return [{"role": "assistant", "parts": parts}] if parts else []


_CONVERSATIONAL: Final[dict[str, Callable[[Any], list[dict[str, Any]]]]] = {
    "CompactionSummary": _summary,
    "ModelRequest": _request,
    "ModelResponse": _response,
    "ToolResultsEvent": _results,
}


def _part(part: Any) -> dict[str, Any]:
    if hasattr(part, "media_type"):
        media_type = str(part.media_type)
        return media.part_from_bytes(part.data, media_type, media_type.partition("/")[0])
    if hasattr(part, "url"):
        return media.part_from_url(part.url, _modality(part))
    if hasattr(part, "file_id"):
        return {"type": "file", "modality": _modality(part), "file_id": part.file_id}
    value = _value(part)
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return {"type": "text", "content": text}


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


def said(role: str, envelope: Any) -> Messages:
    """The text of a message between agents."""
    data = envelope.event_data
    text = data.get("text") or data.get("body") or ""
    return lambda: [{"role": role, "parts": [{"type": "text", "content": str(text)}]}]
