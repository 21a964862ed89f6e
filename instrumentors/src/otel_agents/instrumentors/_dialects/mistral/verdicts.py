"""Verdicts of a model on a conversation, or on a record of a data set."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Message, WireFormat
from otel_agents.instrumentors._dialects.fields import Body, field, text
from otel_agents.instrumentors._dialects.parts import message, text_part
from otel_agents.semconv.values import Operation

from .chat import CHAT
from .requests import no_attributes
from .response_fields import response_fields

__all__ = ["VERDICTS", "verdict_model"]

_DEFINITION: Final = "judge_definition"
"""A request names a saved definition by its id, or has one, with its model."""


def verdict_model(body: Body) -> str | None:
    """Return the model that a request names; a saved definition has one that it does not name."""
    return text(body.get(_DEFINITION), "model_name")


def _record_request(content: Content, body: Body) -> None:
    CHAT.record_request(content, body)
    instructions = text(body.get(_DEFINITION), "instructions")
    if instructions:
        content.system_instructions = lambda: [text_part(instructions)]


def _output_messages(response: Any) -> list[Message]:
    """Return one message: the analysis, and the verdict, a class or a number."""
    verdict = field(response, "answer")
    texts = (text(response, "analysis"), None if verdict is None else str(verdict))
    parts = [text_part(one) for one in texts if one]
    return [message("assistant", parts)] if parts else []


VERDICTS: Final = WireFormat(
    operation=Operation.GENERATE_CONTENT,
    request_attributes=no_attributes,
    record_request=_record_request,
    output_messages=_output_messages,
    response_fields=response_fields,
    accumulator=CHAT.accumulator,
)
"""The API reports no usage."""
