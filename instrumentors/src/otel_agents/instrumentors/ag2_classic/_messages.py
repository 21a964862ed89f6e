"""What is said in a conversation as messages (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from otel_agents.instrumentors._dialects.fields import field
from otel_agents.instrumentors._dialects.openai.chat import input_messages

__all__ = ["conclusion", "last", "said", "said_first"]

Messages = Callable[[], "list[Any]"]


def said(message: Any, role: str) -> Messages:
    """One message: a text, or a dict as AG2 keeps it; nothing where it is a function."""
    return lambda: _messages(message, role)


def said_first(chats: Any) -> Messages:
    """What the first of several chats begins with."""
    listed = cast("list[Any]", chats) if isinstance(chats, list) else []
    return lambda: _messages(field(listed[0], "message"), "user") if listed else []


def last(messages: Any) -> Any:
    """The last message of a list, None where there is none."""
    listed = cast("list[Any]", messages) if isinstance(messages, list) else []
    return listed[-1] if listed else None


def conclusion(result: Any) -> Messages:
    """What a chat, or the last one of several, has come to: its summary, else what was said last."""
    return lambda: _messages(_conclusion(result), "assistant")


def _conclusion(result: Any) -> Any:
    several = list(cast("dict[Any, Any]", result).values()) if isinstance(result, dict) else result
    one: Any = last(several) if isinstance(several, list) else several
    summary = getattr(one, "summary", None)
    return summary if isinstance(summary, str) and summary else last(_history(one))


def _history(result: Any) -> Any:
    return getattr(result, "chat_history", None)


def _messages(message: Any, role: str) -> list[Any]:
    if isinstance(message, str):
        return _converted([{"role": role, "content": message}]) if message else []
    if not isinstance(message, dict):
        return []
    fields = cast("dict[str, Any]", message)
    answers = fields.get("tool_responses")
    if isinstance(answers, list) and answers:
        return _converted(cast("list[Any]", answers))
    return _converted([{**fields, "role": fields.get("role") or role}])


def _converted(messages: list[Any]) -> list[Any]:
    return input_messages(messages).all()
