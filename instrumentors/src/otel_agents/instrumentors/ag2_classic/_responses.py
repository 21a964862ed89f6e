"""What a provider's response tells and AG2 keeps to itself, in the words of its SDK."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

from otel_agents.instrumentors._dialects import bedrock, google
from otel_agents.instrumentors._dialects.anthropic import usage as anthropic_usage
from otel_agents.instrumentors._dialects.anthropic.accumulator import Accumulator
from otel_agents.instrumentors._dialects.anthropic.messages import finish_reasons
from otel_agents.instrumentors._dialects.api import Usage
from otel_agents.instrumentors._dialects.fields import field, items, text

__all__ = ["ANTHROPIC", "BEDROCK", "GEMINI", "Dialect", "StreamAccumulator", "Told"]


class Told(NamedTuple):
    """What a response tells of itself; Bedrock's do not name the model."""

    model: str | None
    id: str | None
    reasons: tuple[str, ...]
    usage: Usage | None


class StreamAccumulator(Protocol):
    """Gathers the pieces of a stream."""

    def add(self, chunk: Any) -> None:
        """Take one piece in."""
        ...

    def response(self) -> Any:
        """What they would have been in one piece; None where nothing has come."""
        ...


class Dialect(NamedTuple):
    """How a response is read; ``accumulator`` makes what puts a stream together."""

    read: Callable[[Any], Told]
    accumulator: Callable[[], StreamAccumulator]


class _Latest:
    """Pieces of which each tells anew, in these fields, what it knows of the whole."""

    def __init__(self) -> None:
        self._told: dict[str, Any] = {}

    def add(self, chunk: Any) -> None:
        """Take one piece in."""
        for name in ("model_version", "response_id", "candidates", "usage_metadata"):
            value = field(chunk, name)
            if value:
                self._told[name] = value

    def response(self) -> dict[str, Any] | None:
        """What they tell together."""
        return self._told or None


def _anthropic(response: Any) -> Told:
    usage = anthropic_usage.usage_of(anthropic_usage.counts_of(field(response, "usage")))
    reasons = finish_reasons(response)
    return Told(text(response, "model"), text(response, "id"), reasons, usage)


def _gemini(response: Any) -> Told:
    reasons = (text(one, "finish_reason") for one in items(response, "candidates"))
    return Told(
        text(response, "model_version"),
        text(response, "response_id"),
        tuple(reason.lower() for reason in reasons if reason),  # they are in capitals
        google.usage_of(field(response, "usage_metadata")),
    )


def _converse(response: Any) -> Told:
    reason = text(response, "stopReason")
    request = text(field(response, "ResponseMetadata"), "RequestId")
    usage = bedrock.usage_of(field(response, "usage"))
    return Told(None, request, (reason,) if reason else (), usage)


ANTHROPIC: Final = Dialect(_anthropic, lambda: Accumulator(content=False))
GEMINI: Final = Dialect(_gemini, _Latest)
BEDROCK: Final = Dialect(_converse, _Latest)  # AG2 streams nothing of it
