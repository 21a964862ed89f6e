"""Messages of a conversation (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from otel_agents.instrumentors._dialects.fields import field
from otel_agents.instrumentors._dialects.openai.chat import input_messages

__all__ = ["conclusion", "first_request", "last_message", "messages_of"]

Messages = Callable[[], "list[Any]"]


def messages_of(message: Any, role: str) -> Messages:
    """Return one message, without_none as text or as AG2's dict; no message for a function."""
    return lambda: _messages(message, role)


def first_request(chats: Any) -> Messages:
    """Return the message that starts the first of several chats."""
    chat_list = cast("list[Any]", chats) if isinstance(chats, list) else []
    return lambda: _messages(field(chat_list[0], "message"), "user") if chat_list else []


def last_message(messages: Any) -> Any:
    """Return the last message of a list, None where there is none."""
    message_list = cast("list[Any]", messages) if isinstance(messages, list) else []
    return message_list[-1] if message_list else None


def conclusion(result: Any) -> Messages:
    """Return the summary of a chat, or of the last of several; its last message if it has none."""
    return lambda: _messages(_conclusion(result), "assistant")


def _conclusion(result: Any) -> Any:
    several = list(cast("dict[Any, Any]", result).values()) if isinstance(result, dict) else result
    one: Any = last_message(several) if isinstance(several, list) else several
    summary = getattr(one, "summary", None)
    return summary if isinstance(summary, str) and summary else last_message(_history(one))


def _history(result: Any) -> Any:
    return getattr(result, "chat_history", None)


def _messages(message: Any, role: str) -> list[Any]:
    if isinstance(message, str):
        return _converted([{"role": role, "content": message}]) if message else []
    if not isinstance(message, dict):
        return []
    fields = cast("dict[str, Any]", message)
    responses = fields.get("tool_responses")
    if isinstance(responses, list) and responses:
        return _converted(cast("list[Any]", responses))
    return _converted([{**fields, "role": fields.get("role") or role}])


def _converted(messages: list[Any]) -> list[Any]:
    return input_messages(messages).all()
