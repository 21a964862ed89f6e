"""OpenAI's Responses API, as Mistral serves it: an event of a stream wraps OpenAI's in ``data``."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._dialects.api import Message, ResponseFields, WireFormat
from otel_agents.instrumentors._dialects.fields import field, text
from otel_agents.instrumentors._dialects.openai import responses as openai_responses
from otel_agents.instrumentors._dialects.openai.requests import inference_attributes

from .usage import usage_of

__all__ = ["RESPONSES"]

_OPENAI: Final = openai_responses.RESPONSES


def _response_fields(response: Any) -> ResponseFields:
    failed, code = openai_responses.failure_of(response)
    return ResponseFields(
        response_id=text(response, "id"),
        model=text(response, "model"),
        finish_reasons=openai_responses.response_finish_reasons(response),
        usage=usage_of(field(response, "usage")),
        failed=failed,
        error_code=code,
    )


class _Accumulator:
    """Accumulates events; the last one has the whole response.

    Args:
        content: Whether to accumulate content too.
    """

    def __init__(self, *, content: bool = True) -> None:
        self._partial = _OPENAI.accumulator() if content else None
        self._response: Any = None
        self.finished = False

    def add(self, chunk: Any) -> None:
        """Add one event."""
        event = field(chunk, "data") or chunk
        response = field(event, "response")
        if response is not None:
            self._response = response
        if text(event, "type") in openai_responses.FINAL_EVENTS:
            self.finished = True
        elif self._partial is not None:
            self._partial.add(event)

    def response(self) -> Any:
        """Return the response as the newest event has it; None before the first."""
        return self._response

    def messages(self) -> list[Message]:
        """Return the output of the whole response, or so far."""
        if self.finished or self._partial is None:
            return _OPENAI.output_messages(self._response)
        return self._partial.messages()


RESPONSES: Final = WireFormat(
    operation=_OPENAI.operation,
    request_attributes=inference_attributes,
    record_request=_OPENAI.record_request,
    output_messages=_OPENAI.output_messages,
    response_fields=_response_fields,
    accumulator=_Accumulator,
)
