"""The calls of tools that a model asks for, as CrewAI's model classes return them."""

from __future__ import annotations

import json
from typing import Any, NamedTuple, cast

from otel_agents.instrumentors._dialects.fields import field, text

__all__ = ["Requested", "key_of", "requested"]


class Requested(NamedTuple):
    """One call; the arguments are an object or JSON, the id is None where the provider has none."""

    name: str
    arguments: Any
    id: str | None


def requested(response: Any) -> list[Requested]:
    """What ``response`` asks for, in the words of OpenAI, Gemini, Anthropic or Bedrock."""
    listed = cast("list[Any]", response) if isinstance(response, list) else []
    return [call for call in map(_requested, listed) if call is not None]


def _requested(one: Any) -> Requested | None:
    function = field(one, "function") or field(one, "function_call")
    described = one if function is None else function
    name = text(described, "name")
    if name is None:
        return None
    given: list[Any] = [field(described, part) for part in ("arguments", "args", "input")]
    ids = (text(one, "call_id"), text(one, "id"), text(described, "id"), text(one, "toolUseId"))
    return Requested(
        name,
        next((arguments for arguments in given if arguments is not None), "{}"),
        next((call_id for call_id in ids if call_id is not None), None),
    )


def key_of(name: Any, arguments: Any) -> str:
    """A call as the model asked for it and as the tool is told of it, in one spelling."""
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            return f"{name} {arguments}"
    return f"{name} {json.dumps(arguments, sort_keys=True, default=str)}"
