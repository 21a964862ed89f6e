"""Gemini's generation as a `WireFormat`."""

from __future__ import annotations

from typing import Final

from otel_agents.instrumentors._dialects.api import WireFormat
from otel_agents.semconv.values import Operation

from .accumulator import Accumulator
from .requests import inference_attributes, record_request
from .responses import output, output_messages, response_fields, stream_error

__all__ = ["GENERATE_CONTENT"]

GENERATE_CONTENT: Final = WireFormat(
    operation=Operation.GENERATE_CONTENT,
    record_request=record_request,
    output_messages=output_messages,
    output=output,
    accumulator=Accumulator,
    request_attributes=inference_attributes,
    response_fields=response_fields,
    stream_error=stream_error,
)
