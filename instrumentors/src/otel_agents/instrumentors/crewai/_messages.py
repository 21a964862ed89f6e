"""Input and output of a run as messages (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from otel_agents.instrumentors._dialects.api import Message
from otel_agents.instrumentors._dialects.parts import message, text_message, tool_call

from ._tool_calls import tool_calls_in

__all__ = ["input_messages", "output_messages"]

Messages = Callable[[], list[Message]]


def input_messages(value: Any) -> Messages:
    """Return the input of a run: a text, messages, or the inputs of a crew."""
    return lambda: _messages("user", value)


def output_messages(value: Any) -> Messages:
    """Return the output of a run: the raw text, or the tool calls that a model requests."""
    return lambda: _tool_calls(value) or _messages("assistant", getattr(value, "raw", value))


def _tool_calls(value: Any) -> list[Message]:
    parts = [tool_call(call.id, call.name, call.arguments) for call in tool_calls_in(value)]
    return [message("assistant", parts)] if parts else []


def _messages(role: str, value: Any) -> list[Message]:
    if value is None:
        return []
    listed = cast("list[Any]", value) if isinstance(value, list) else []
    if listed and all(isinstance(one, dict) for one in listed):
        return [m for one in listed for m in _messages(str(one.get("role")), one.get("content"))]
    return [text_message(role, value)]
