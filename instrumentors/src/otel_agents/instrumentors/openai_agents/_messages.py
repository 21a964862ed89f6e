"""Items of the SDK in the conventions' shape (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Message
from otel_agents.instrumentors._dialects.fields import field
from otel_agents.instrumentors._dialects.openai.responses import (
    RESPONSES,
    instruction_parts,
    output_messages,
)
from otel_agents.instrumentors._dialects.parts import text_message

if TYPE_CHECKING:
    from agents import RunResult

__all__ = ["interruptions", "output", "record_input", "response_output"]


def record_input(content: Content, given: Any, instructions: str | None = None) -> None:
    """Record what a run or an agent gets: a text, or items of the Responses API."""
    if not content.enabled:
        return
    if given is not None:
        RESPONSES.record_request(content, {"input": given})
    if instructions:
        content.system_instructions = lambda: instruction_parts(instructions)


def output(result: RunResult | list[Any]) -> Callable[[], list[Message]] | None:
    """Return the final output of a run, or the items of a response; None if there is none."""
    if isinstance(result, list):
        return lambda: response_output(result)
    final = getattr(result, "final_output", None)
    return None if final is None else lambda: [text_message("assistant", final)]


def response_output(items: list[Any]) -> list[Message]:
    """Return the items of a model's response as a message."""
    return output_messages(items, ())


def interruptions(result: Any) -> Callable[[], list[dict[str, Any]]] | None:
    """Return the tool calls that wait for approval; None if there are none."""
    waiting: list[Any] = list(getattr(result, "interruptions", None) or ())
    if not waiting:
        return None
    return lambda: [_requested(item.raw_item) for item in waiting]


def _requested(item: Any) -> dict[str, Any]:
    names = ("call_id", "name", "arguments")
    found = {name: field(item, name) for name in names}
    return {name: value for name, value in found.items() if value is not None}
