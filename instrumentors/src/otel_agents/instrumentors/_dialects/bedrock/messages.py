"""Requests and responses of the Converse API, whose shape Nova's own bodies have too."""

from __future__ import annotations

from typing import Any, cast

from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Message
from otel_agents.instrumentors._dialects.fields import Body, as_mapping, field, items, text
from otel_agents.instrumentors._dialects.parts import items_of_text

from .parts import converted_message, parts, text_of, tool_definitions

__all__ = ["output", "output_messages", "record_request"]


def record_request(content: Content, body: Body) -> None:
    """Set the messages of a request, its instructions, its tools and the variables of a prompt."""
    messages, system, tools = body.get("messages"), body.get("system"), body.get("toolConfig")
    if isinstance(messages, (list, tuple)):
        content.input_messages = Items(cast("list[Any]", messages), converted_message, text_of)
    if system:
        content.system_instructions = lambda: parts(items(body, "system"))
    if tools:
        content.tool_definitions = lambda: tool_definitions(tools)
    given = body.get("promptVariables")
    if given:
        variables = as_mapping(given)
        content.prompt_variables = lambda: {
            name: text(value, "text") or "" for name, value in variables.items()
        }


def output(response: Any) -> Items | list[Message]:
    """Return the message of a response as content: often it is one of text."""
    known = text_of(field(field(response, "output"), "message"))
    if known is None:
        return output_messages(response)
    reason = text(response, "stopReason") or "error"
    return items_of_text((known[0], known[1], reason))


def output_messages(response: Any) -> list[Message]:
    """Return the message of a response; an empty list if it has no content."""
    converted = converted_message(field(field(response, "output"), "message"))
    if not converted["parts"]:
        return []
    # A stream that broke off has no reason.
    return [{**converted, "finish_reason": text(response, "stopReason") or "error"}]
