"""Anthropic's generating APIs by request path."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._dialects.api import ResponseFields, WireFormat
from otel_agents.instrumentors._dialects.error_codes import code_in
from otel_agents.instrumentors._dialects.fields import field, items, text
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import ERROR_TYPE_OTHER, Operation

from .accumulator import Accumulator
from .completions import CompletionAccumulator, completion_messages, record_prompt
from .messages import finish_reasons, output_messages, record_request
from .requests import request_attributes
from .usage import counts_of, usage_of

__all__ = ["APIS", "MESSAGES"]

_COMPACTED: Final = MappingProxyType({attr.GEN_AI_CONVERSATION_COMPACTED: True})
_NONE: Final = MappingProxyType[str, bool]({})


def _response_fields(response: Any) -> ResponseFields:
    compacted = any(text(block, "type") == "compaction" for block in items(response, "content"))
    return ResponseFields(
        text(response, "id"),
        text(response, "model"),
        finish_reasons(response),
        usage_of(counts_of(field(response, "usage"))),
        _COMPACTED if compacted else _NONE,
    )


def _stream_error(event: Any) -> str | None:
    """Return the type of an ``error`` event; None for any other event."""
    if text(event, "type") != "error":
        return None
    return code_in(event, "type") or ERROR_TYPE_OTHER


MESSAGES: Final = WireFormat(
    operation=Operation.CHAT,
    record_request=record_request,
    output_messages=output_messages,
    accumulator=Accumulator,
    request_attributes=request_attributes,
    response_fields=_response_fields,
    stream_error=_stream_error,
)
_COMPLETIONS: Final = WireFormat(
    operation=Operation.TEXT_COMPLETION,
    record_request=record_prompt,
    output_messages=completion_messages,
    accumulator=CompletionAccumulator,
    request_attributes=request_attributes,
    response_fields=_response_fields,
    stream_error=_stream_error,
)
APIS: Final = MappingProxyType({"/v1/messages": MESSAGES, "/v1/complete": _COMPLETIONS})
"""By request path below the base URL."""
