"""AutoGen's messages as messages of the conventions (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, cast

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._dialects.fields import parsed_arguments
from otel_agents.semconv.values import Modality

__all__ = ["answer", "completion", "last_answer", "prompt", "request", "task"]

Messages = Callable[[], "list[dict[str, Any]]"]
Part = dict[str, Any]

_REASONS: Final = {"function_calls": "tool_call", "unknown": "stop"}


def task(value: Any) -> Messages:
    """What a team was asked: a text, a message or several."""
    listed = list(cast("list[Any]", value)) if isinstance(value, (list, tuple)) else [value]
    return lambda: [_spoken("user", one) for one in listed if one is not None]


def request(messages: Any) -> Items | None:
    """The messages that an agent is given for its turn."""
    return Items(list(messages), lambda one: _spoken("user", one)) if messages else None


def answer(message: Any) -> Messages:
    """What an agent says in its turn."""
    return lambda: [_spoken("assistant", message)]


def last_answer(result: Any) -> Messages | None:
    """The last message of a run."""
    messages = getattr(result, "messages", None)
    return answer(messages[-1]) if messages else None


def _spoken(role: str, message: Any) -> dict[str, Any]:
    """A message of a chat, or a text; whose it is, is its name."""
    spoken: dict[str, Any] = {"role": role, "parts": _parts(getattr(message, "content", message))}
    source = getattr(message, "source", None)
    return {**spoken, "name": source} if isinstance(source, str) and source != role else spoken


def _parts(content: Any) -> list[Part]:
    listed = cast("list[Any]", content) if isinstance(content, list) else [content]
    return [_part(one) for one in listed]


def _part(value: Any) -> Part:
    if hasattr(value, "arguments") and hasattr(value, "name"):
        return {
            "type": "tool_call",
            "id": value.id,
            "name": value.name,
            "arguments": parsed_arguments(value.arguments),
        }
    if hasattr(value, "call_id"):
        return {"type": "tool_call_response", "id": value.call_id, "response": value.content}
    if hasattr(value, "to_base64"):
        return media.part_from_base64(value.to_base64(), "image/png", Modality.IMAGE.value)
    return {"type": "text", "content": _text(value)}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    dump = getattr(value, "model_dump_json", None)
    return dump() if dump is not None else json.dumps(value, default=str)


_ROLES: Final = {
    "SystemMessage": "system",
    "AssistantMessage": "assistant",
    "FunctionExecutionResultMessage": "tool",
}


def prompt(messages: Any) -> Items | None:
    """What a model is asked."""
    return Items(list(messages), _asked) if messages else None


def _asked(message: Any) -> dict[str, Any]:
    role = _ROLES.get(str(getattr(message, "type", "")), "user")
    return {"role": role, "parts": [*_thought(message), *_parts(message.content)]}


def _thought(message: Any) -> list[Part]:
    thought = getattr(message, "thought", None)
    return [{"type": "reasoning", "content": thought}] if thought else []


def completion(result: Any) -> Messages | None:
    """What a model has answered."""
    if result is None or not hasattr(result, "content"):
        return None
    reason = str(getattr(result, "finish_reason", "stop"))
    return lambda: [
        {
            "role": "assistant",
            "parts": [*_thought(result), *_parts(result.content)],
            "finish_reason": _REASONS.get(reason, reason),
        }
    ]
