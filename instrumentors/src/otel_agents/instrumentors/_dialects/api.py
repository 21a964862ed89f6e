"""What an API that generates is to whoever instruments its clients, whosever dialect it is."""

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
    """Input and output tokens as billed, and attributes for the breakdowns."""

    input_tokens: int | None
    output_tokens: int | None
    breakdown: dict[str, int]

    @classmethod
    def with_cache_tokens(cls, inputs: int, outputs: int, cached: dict[str, int]) -> Usage:
        """Of a provider whose input excludes what a cache had a part in: ``cached``, by attribute."""
        parts = {name: count for name, count in cached.items() if count}
        return cls(inputs + sum(parts.values()), outputs, parts)


class Accumulator(Protocol):
    """Gathers the content of a stream; made only where somebody wants content."""

    def add(self, chunk: Any) -> None:
        """Take one chunk in."""
        ...

    def messages(self) -> list[Message]:
        """The output so far as messages; empty where nothing was said."""
        ...


@dataclass(frozen=True)
class Api:
    """One API that generates.

    Attributes:
        operation: What it is in the conventions' terms.
        record_request: Sets the content of a request.
        output_messages: The output messages of a response.
        finish_reasons: One per choice, in the provider's spelling.
        accumulator: Gathers the content of its streams.
        type: ``openai.api.type``, where the conventions have a value for it.
        output_type: What it generates, where that is always the same.
    """

    operation: Operation
    record_request: Callable[[Content, Body], None]
    output_messages: Callable[[Any], list[Message]]
    finish_reasons: Callable[[Any], tuple[str, ...]]
    accumulator: Callable[[], Accumulator]
    type: OpenAIApiType | None = None
    output_type: OutputType | None = None
