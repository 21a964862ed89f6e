"""What a provider's response contains and AG2 drops, read in the format of the provider's SDK."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

from otel_agents.instrumentors._dialects import bedrock, google
from otel_agents.instrumentors._dialects.anthropic import usage as anthropic_usage
from otel_agents.instrumentors._dialects.anthropic.accumulator import Accumulator
from otel_agents.instrumentors._dialects.anthropic.messages import finish_reasons
from otel_agents.instrumentors._dialects.api import Usage
from otel_agents.instrumentors._dialects.fields import field, items, text

__all__ = ["ANTHROPIC", "BEDROCK", "GEMINI", "Dialect", "ResponseFields", "StreamAccumulator"]


class ResponseFields(NamedTuple):
    """The fields of a response; ``model`` is None for Bedrock, whose responses do not name it."""

    model: str | None
    id: str | None
    finish_reasons: tuple[str, ...]
    usage: Usage | None


class StreamAccumulator(Protocol):
    """Accumulates the chunks of a stream."""

    def add(self, chunk: Any) -> None:
        """Add one chunk."""
        ...

    def response(self) -> Any:
        """Return the response as if it were not streamed; None if no chunk was added."""
        ...


class Dialect(NamedTuple):
    """How to read a response; ``accumulator`` creates an accumulator for a streamed one."""

    read: Callable[[Any], ResponseFields]
    accumulator: Callable[[], StreamAccumulator]


class _LatestFields:
    """Accumulates chunks that each repeat in these fields what is known of the response."""

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}

    def add(self, chunk: Any) -> None:
        """Add one chunk."""
        for name in ("model_version", "response_id", "candidates", "usage_metadata"):
            value = field(chunk, name)
            if value:
                self._fields[name] = value

    def response(self) -> dict[str, Any] | None:
        """Return the latest value of each field."""
        return self._fields or None


def _anthropic(response: Any) -> ResponseFields:
    usage = anthropic_usage.usage_of(anthropic_usage.counts_of(field(response, "usage")))
    reasons = finish_reasons(response)
    return ResponseFields(text(response, "model"), text(response, "id"), reasons, usage)


def _gemini(response: Any) -> ResponseFields:
    reasons = (text(one, "finish_reason") for one in items(response, "candidates"))
    return ResponseFields(
        text(response, "model_version"),
        text(response, "response_id"),
        tuple(reason.lower() for reason in reasons if reason),  # Gemini's are upper case
        google.usage_of(field(response, "usage_metadata")),
    )


def _converse(response: Any) -> ResponseFields:
    reason = text(response, "stopReason")
    request_id = text(field(response, "ResponseMetadata"), "RequestId")
    usage = bedrock.usage_of(field(response, "usage"))
    return ResponseFields(None, request_id, (reason,) if reason else (), usage)


ANTHROPIC: Final = Dialect(_anthropic, lambda: Accumulator(content=False))
GEMINI: Final = Dialect(_gemini, _LatestFields)
BEDROCK: Final = Dialect(_converse, _LatestFields)  # AG2 never streams from Bedrock
