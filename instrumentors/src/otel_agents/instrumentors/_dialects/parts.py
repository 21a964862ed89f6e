"""Builds messages and their parts (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.encoding.messages import TextMessage, message_of_text
from otel_agents.instrumentors._core.encoding.plain import json_copy

from .api import Message, Part
from .fields import parsed_arguments

__all__ = [
    "as_text",
    "items_of_text",
    "message",
    "reasoning_part",
    "text_message",
    "text_part",
    "tool_call",
    "tool_call_response",
    "with_finish_reasons",
]


def text_part(content: Any) -> Part:
    """Return a text part."""
    return {"type": "text", "content": content}


def reasoning_part(content: Any) -> Part:
    """Return a part with a model's reasoning."""
    return {"type": "reasoning", "content": content}


def tool_call(call_id: Any, name: Any, arguments: Any, *, parse: bool = True) -> Part:
    """Return a model's call of a tool; parse JSON in ``arguments`` unless ``parse`` is false."""
    part: Part = {"type": "tool_call"}
    if call_id is not None:
        part["id"] = call_id
    part["name"] = name or ""
    known = parsed_arguments(arguments) if parse else arguments
    if known is not None:
        part["arguments"] = known
    return part


def tool_call_response(call_id: Any, response: Any) -> Part:
    """Return the result of a tool call, which may be None."""
    if call_id is None:
        return {"type": "tool_call_response", "response": response}
    return {"type": "tool_call_response", "id": call_id, "response": response}


def message(role: str, parts: list[Part], name: str | None = None) -> Message:
    """Return a message; ``name`` is the participant's, if it has one."""
    return {"role": role, "parts": parts, **({"name": name} if name else {})}


def text_message(role: str, value: Any, name: str | None = None) -> Message:
    """Return a message with one text part; a ``value`` that is not a string becomes JSON."""
    return message(role, [text_part(as_text(value))], name)


def items_of_text(known: TextMessage) -> Items:
    """Return the only message of a response, which is a text, as content."""
    return Items((message_of_text(known),), _as_it_is, lambda _: known)


def _as_it_is(built: Message) -> Message:
    return built


def with_finish_reasons(messages: list[Message], reasons: Sequence[str]) -> list[Message]:
    """Return the messages of choices with their finish reasons, as far as there are any."""
    finished = [
        {**one, "finish_reason": reason} for one, reason in zip(messages, reasons, strict=False)
    ]
    return [*finished, *messages[len(finished) :]]


def as_text(value: Any) -> str:
    """Return a string unchanged, a pydantic model or any other value as JSON."""
    if isinstance(value, str):
        return value
    dump = getattr(value, "model_dump_json", None)
    try:
        return dump() if dump is not None else json.dumps(value, default=str)
    except Exception:  # noqa: BLE001  a cycle, many levels, a key that is a tuple, a failing __str__
        return json.dumps(json_copy(value))
