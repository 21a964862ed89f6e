"""AutoGen's messages in the conventions' shape (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast

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

if TYPE_CHECKING:
    from autogen_agentchat.messages import BaseChatMessage
    from autogen_core.models import CreateResult, LLMMessage

__all__ = ["agent_input", "agent_output", "model_input", "model_output", "task", "team_output"]

Messages = Callable[[], list[Message]]


def task(value: Any) -> Messages:
    """Return the task of a team: a text, a message or several."""
    tasks = list(cast("list[Any]", value)) if isinstance(value, (list, tuple)) else [value]
    return lambda: [_chat_message("user", task) for task in tasks if task is not None]


def agent_input(messages: Sequence[BaseChatMessage] | None) -> Items | None:
    """Return the messages that an agent gets for its turn."""
    return Items(list(messages), lambda one: _chat_message("user", one)) if messages else None


def agent_output(value: Any) -> Messages:
    """Return the message that ends an agent's turn."""
    return lambda: [_chat_message("assistant", value)]


def team_output(result: Any) -> Messages | None:
    """Return the last message of a team's run."""
    messages = getattr(result, "messages", None)
    return agent_output(messages[-1]) if messages else None


def _chat_message(role: str, value: Any) -> Message:
    """Return a message of a chat, or a text, with its source as the name."""
    source = getattr(value, "source", None)
    name = source if isinstance(source, str) and source != role else None
    return message(role, _parts(getattr(value, "content", value)), name)


def _parts(content: Any) -> list[Part]:
    values = cast("list[Any]", content) if isinstance(content, list) else [content]
    return [_part(value) for value in values]


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


def model_input(messages: Sequence[LLMMessage] | None) -> Items | None:
    """Return the messages that are sent to a model."""
    return Items(list(messages), _model_message) if messages else None


def _model_message(value: LLMMessage | CreateResult) -> Message:
    role = _ROLES.get(str(getattr(value, "type", "")), "user")
    return message(role, [*_reasoning(value), *_parts(value.content)])


def _reasoning(value: LLMMessage | CreateResult) -> list[Part]:
    thought = getattr(value, "thought", None)
    return [reasoning_part(thought)] if thought else []


def model_output(result: CreateResult) -> list[Message]:
    """Return the message with which a model responds."""
    return [{**_model_message(result), "role": "assistant"}]
