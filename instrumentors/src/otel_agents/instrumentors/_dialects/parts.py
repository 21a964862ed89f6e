"""Messages and their parts (GenAI semconv, "Message JSON schemas"), whoever's objects they come from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .api import Message, Part
from .fields import parsed_arguments, without_none

__all__ = [
    "as_text",
    "message",
    "reasoning_part",
    "text_message",
    "text_part",
    "tool_call",
    "tool_call_response",
    "with_finish_reasons",
]


def text_part(content: Any) -> Part:
    """A text."""
    return {"type": "text", "content": content}


def reasoning_part(content: Any) -> Part:
    """What a model thought before it answered."""
    return {"type": "reasoning", "content": content}


def tool_call(call_id: Any, name: Any, arguments: Any, *, parse: bool = True) -> Part:
    """A tool that a model asks for; JSON arguments as what they stand for, unless told not to."""
    return without_none(
        {
            "type": "tool_call",
            "id": call_id,
            "name": name or "",
            "arguments": parsed_arguments(arguments) if parse else arguments,
        }
    )


def tool_call_response(call_id: Any, response: Any) -> Part:
    """What a tool has answered, which may be nothing."""
    return {**without_none({"type": "tool_call_response", "id": call_id}), "response": response}


def message(role: str, parts: list[Part], name: str | None = None) -> Message:
    """A message; ``name`` is the participant's, where it has one."""
    return {"role": role, "parts": parts, **({"name": name} if name else {})}


def text_message(role: str, value: Any, name: str | None = None) -> Message:
    """A message of one text; what is no text is written as JSON."""
    return message(role, [text_part(as_text(value))], name)


def with_finish_reasons(messages: list[Message], reasons: Sequence[str]) -> list[Message]:
    """The messages of choices with the reasons for which they ended, where those are told."""
    told = [
        {**one, "finish_reason": reason} for one, reason in zip(messages, reasons, strict=False)
    ]
    return [*told, *messages[len(told) :]]


def as_text(value: Any) -> str:
    """A text as it is, a pydantic model or anything else as JSON."""
    if isinstance(value, str):
        return value
    dump = getattr(value, "model_dump_json", None)
    return dump() if dump is not None else json.dumps(value, default=str)
