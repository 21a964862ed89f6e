"""The tool calls that a model requests, as CrewAI's model classes return them."""

from __future__ import annotations

import json
from typing import Any, NamedTuple, cast

from otel_agents.instrumentors._dialects.fields import field, text

__all__ = ["ToolCall", "key_of", "tool_calls_in"]


class ToolCall(NamedTuple):
    """One call; the arguments are an object or JSON, the id is None where the provider has none."""

    name: str
    arguments: Any
    id: str | None


def tool_calls_in(response: Any) -> list[ToolCall]:
    """Return the tool calls in ``response``, of OpenAI, Gemini, Anthropic or Bedrock."""
    listed = cast("list[Any]", response) if isinstance(response, list) else []
    return [call for call in map(_tool_call, listed) if call is not None]


def _tool_call(item: Any) -> ToolCall | None:
    function = field(item, "function") or field(item, "function_call")
    described = item if function is None else function
    name = text(described, "name")
    if name is None:
        return None
    without_none: list[Any] = [field(described, part) for part in ("arguments", "args", "input")]
    ids = (text(item, "call_id"), text(item, "id"), text(described, "id"), text(item, "toolUseId"))
    return ToolCall(
        name,
        next((arguments for arguments in without_none if arguments is not None), "{}"),
        next((call_id for call_id in ids if call_id is not None), None),
    )


def key_of(name: Any, arguments: Any) -> str:
    """Return one key for a call, whether its arguments are JSON of a model or an object."""
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            return f"{name} {arguments}"
    return f"{name} {json.dumps(arguments, sort_keys=True, default=str)}"
