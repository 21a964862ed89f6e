"""What instrumentors need to know of a generating API, whatever its wire format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.semconv.values import OpenAIApiType, Operation, OutputType

from .fields import Body

__all__ = ["Accumulator", "Api", "Message", "Part", "Usage"]

Part = dict[str, Any]
Message = dict[str, Any]


class Usage(NamedTuple):
    """Input and output tokens as billed, and their breakdown by attribute."""

    input_tokens: int | None
    output_tokens: int | None
    breakdown: dict[str, int]

    @classmethod
    def with_cache_tokens(cls, inputs: int, outputs: int, cached: dict[str, int]) -> Usage:
        """Return the usage of a provider whose input tokens exclude ``cached``, by attribute."""
        parts = {name: count for name, count in cached.items() if count}
        return cls(inputs + sum(parts.values()), outputs, parts)


class Accumulator(Protocol):
    """Accumulates the content of a stream; created only if content is recorded."""

    def add(self, chunk: Any) -> None:
        """Add one chunk."""
        ...

    def messages(self) -> list[Message]:
        """Return the output so far as messages; an empty list if it has no content."""
        ...


@dataclass(frozen=True)
class Api:
    """One generating API.

    Attributes:
        operation: The conventions' operation.
        record_request: Sets the content of a request.
        output_messages: The output messages of a response.
        finish_reasons: A response's finish reasons, one per choice, in the provider's spelling.
        accumulator: Creates what accumulates the content of a stream.
        type: ``openai.api.type``, if the conventions have a value for it.
        output_type: What it generates, if that is always the same.
    """

    operation: Operation
    record_request: Callable[[Content, Body], None]
    output_messages: Callable[[Any], list[Message]]
    finish_reasons: Callable[[Any], tuple[str, ...]]
    accumulator: Callable[[], Accumulator]
    type: OpenAIApiType | None = None
    output_type: OutputType | None = None
