"""Anthropic's messages as Bedrock serves them: the body does not name the model."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._dialects.anthropic.accumulator import Accumulator
from otel_agents.instrumentors._dialects.anthropic.messages import (
    finish_reasons,
    output_messages,
    record_request,
)
from otel_agents.instrumentors._dialects.anthropic.usage import counts_of, usage_of
from otel_agents.instrumentors._dialects.api import ResponseFields, WireFormat
from otel_agents.instrumentors._dialects.fields import field, text
from otel_agents.semconv.values import Operation

from .requests import settings_attributes

__all__ = ["CLAUDE"]


def _fields(response: Any) -> ResponseFields:
    return ResponseFields(
        response_id=text(response, "id"),
        model=text(response, "model"),
        finish_reasons=finish_reasons(response),
        usage=usage_of(counts_of(field(response, "usage"))),
    )


class _Accumulator(Accumulator):
    """Accumulates a stream, and knows its last event."""

    finished = False

    def add(self, chunk: Any) -> None:
        """Add one event."""
        super().add(chunk)
        self.finished = self.finished or text(chunk, "type") == "message_stop"


CLAUDE: Final = WireFormat(
    operation=Operation.CHAT,
    record_request=record_request,
    output_messages=output_messages,
    finish_reasons=finish_reasons,
    accumulator=_Accumulator,
    request_attributes=settings_attributes,
    response_fields=_fields,
)
