"""The Converse API, and Nova's own bodies, as wire formats."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from otel_agents.instrumentors._dialects.api import ResponseFields, WireFormat
from otel_agents.instrumentors._dialects.fields import as_mapping, field, text
from otel_agents.semconv.values import Operation

from .accumulator import Accumulator
from .messages import output, output_messages, record_request
from .requests import converse_attributes, settings_attributes
from .usage import usage_of

__all__ = ["CONVERSE", "NOVA"]


def _fields(response: Any) -> ResponseFields:
    """Return what a response reports of itself; a router names the model that it chose."""
    fields = as_mapping(response)
    traced, reason = fields.get("trace"), fields.get("stopReason")
    return ResponseFields(
        text(fields.get("ResponseMetadata"), "RequestId"),
        text(field(traced, "promptRouter"), "invokedModelId") if traced is not None else None,
        (reason,) if isinstance(reason, str) and reason else (),
        usage_of(fields.get("usage")),
    )


CONVERSE: Final = WireFormat(
    operation=Operation.CHAT,
    record_request=record_request,
    output_messages=output_messages,
    accumulator=Accumulator,
    request_attributes=converse_attributes,
    response_fields=_fields,
    output=output,
)
NOVA: Final = replace(CONVERSE, request_attributes=settings_attributes)
