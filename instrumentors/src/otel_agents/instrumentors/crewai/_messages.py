"""Requests and answers of a run as messages (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

from otel_agents.instrumentors._dialects.fields import parsed_arguments

from ._requested import requested

__all__ = ["answer", "request"]

Messages = Callable[[], "list[dict[str, Any]]"]


def request(value: Any) -> Messages:
    """What a run was asked: a text, messages, or the inputs of a crew."""
    return lambda: _message("user", value)


def answer(value: Any) -> Messages:
    """What a run has answered; the raw text of an output, or the calls that a model asks for."""
    return lambda: _calls(value) or _message("assistant", getattr(value, "raw", value))


def _calls(value: Any) -> list[dict[str, Any]]:
    parts = [
        {
            "type": "tool_call",
            "id": call.id,
            "name": call.name,
            "arguments": parsed_arguments(call.arguments),
        }
        for call in requested(value)
    ]
    return [{"role": "assistant", "parts": parts}] if parts else []


def _message(role: str, value: Any) -> list[dict[str, Any]]:
    if value is None:
        return []
    listed = cast("list[Any]", value) if isinstance(value, list) else []
    if listed and all(isinstance(one, dict) for one in listed):
        return [m for one in listed for m in _message(str(one.get("role")), one.get("content"))]
    return [{"role": role, "parts": [{"type": "text", "content": _text(value)}]}]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    dump = getattr(value, "model_dump_json", None)
    return dump() if dump is not None else json.dumps(value, default=str)
