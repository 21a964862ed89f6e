"""Requests and answers of a run as messages (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from otel_agents.instrumentors._dialects.api import Message
from otel_agents.instrumentors._dialects.parts import message, text_message, tool_call

from ._requested import requested

__all__ = ["answer", "request"]

Messages = Callable[[], list[Message]]


def request(value: Any) -> Messages:
    """What a run was asked: a text, messages, or the inputs of a crew."""
    return lambda: _messages("user", value)


def answer(value: Any) -> Messages:
    """What a run has answered; the raw text of an output, or the calls that a model asks for."""
    return lambda: _calls(value) or _messages("assistant", getattr(value, "raw", value))


def _calls(value: Any) -> list[Message]:
    parts = [tool_call(call.id, call.name, call.arguments) for call in requested(value)]
    return [message("assistant", parts)] if parts else []


def _messages(role: str, value: Any) -> list[Message]:
    if value is None:
        return []
    listed = cast("list[Any]", value) if isinstance(value, list) else []
    if listed and all(isinstance(one, dict) for one in listed):
        return [m for one in listed for m in _messages(str(one.get("role")), one.get("content"))]
    return [text_message(role, value)]
