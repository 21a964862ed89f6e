"""AutoGen's messages as messages of the conventions (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final, cast

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._dialects.api import Message, Part
from otel_agents.instrumentors._dialects.parts import (
    as_text,
    message,
    reasoning_part,
    text_part,
    tool_call,
    tool_call_response,
)
from otel_agents.semconv.values import Modality

__all__ = ["answer", "completion", "last_answer", "prompt", "request", "task"]

Messages = Callable[[], list[Message]]


def task(value: Any) -> Messages:
    """The task of a team: a text, a message or several."""
    listed = list(cast("list[Any]", value)) if isinstance(value, (list, tuple)) else [value]
    return lambda: [_spoken("user", one) for one in listed if one is not None]


def request(messages: Any) -> Items | None:
    """The messages that an agent is given for its turn."""
    return Items(list(messages), lambda one: _spoken("user", one)) if messages else None


def answer(said: Any) -> Messages:
    """What an agent says in its turn."""
    return lambda: [_spoken("assistant", said)]


def last_answer(result: Any) -> Messages | None:
    """The last message of a run."""
    messages = getattr(result, "messages", None)
    return answer(messages[-1]) if messages else None


def _spoken(role: str, said: Any) -> Message:
    """A message of a chat, or a text; whose it is, is its name."""
    source = getattr(said, "source", None)
    name = source if isinstance(source, str) and source != role else None
    return message(role, _parts(getattr(said, "content", said)), name)


def _parts(content: Any) -> list[Part]:
    listed = cast("list[Any]", content) if isinstance(content, list) else [content]
    return [_part(one) for one in listed]


def _part(value: Any) -> Part:
    if hasattr(value, "arguments") and hasattr(value, "name"):
        return tool_call(value.id, value.name, value.arguments)
    if hasattr(value, "call_id"):
        return tool_call_response(value.call_id, value.content)
    if hasattr(value, "to_base64"):
        return media.part_from_base64(value.to_base64(), "image/png", Modality.IMAGE.value)
    return text_part(as_text(value))


_ROLES: Final = MappingProxyType(
    {
        "SystemMessage": "system",
        "AssistantMessage": "assistant",
        "FunctionExecutionResultMessage": "tool",
    }
)


def prompt(messages: Any) -> Items | None:
    """What a model is sent."""
    return Items(list(messages), _to_model) if messages else None


def _to_model(given: Any) -> Message:
    role = _ROLES.get(str(getattr(given, "type", "")), "user")
    return message(role, [*_thought(given), *_parts(given.content)])


def _thought(given: Any) -> list[Part]:
    thought = getattr(given, "thought", None)
    return [reasoning_part(thought)] if thought else []


def completion(result: Any) -> list[Message]:
    """What a model has answered."""
    return [{**_to_model(result), "role": "assistant"}]
