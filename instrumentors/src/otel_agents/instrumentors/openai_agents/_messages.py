"""Items of the SDK in the conventions' shape (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Message
from otel_agents.instrumentors._dialects.fields import field
from otel_agents.instrumentors._dialects.openai.responses import RESPONSES, output_messages
from otel_agents.instrumentors._dialects.parts import text_message

if TYPE_CHECKING:
    from agents import RunResult

__all__ = ["final_output", "interruptions", "record_input", "response_output"]


def record_input(content: Content, given: Any, instructions: str | None = None) -> None:
    """Record what a run or an agent gets: a text, or items of the Responses API."""
    if content.enabled and (given is not None or instructions):
        RESPONSES.record_request(content, {"input": given, "instructions": instructions})


def final_output(result: RunResult) -> Callable[[], list[Message]] | None:
    """Return the final output as a message; None if there is none."""
    output = getattr(result, "final_output", None)
    return None if output is None else lambda: [text_message("assistant", output)]


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
