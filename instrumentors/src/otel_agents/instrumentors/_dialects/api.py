"""What instrumentors need to know of a generating API, whatever its wire format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation, OutputType

from .fields import Body

__all__ = [
    "Accumulator",
    "Api",
    "Message",
    "Part",
    "ResponseAccumulator",
    "ResponseFields",
    "Usage",
    "WireFormat",
    "no_messages",
]

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


_NO_ATTRIBUTES: Final[Mapping[str, Any]] = MappingProxyType({})


class ResponseFields(NamedTuple):
    """What a response reports of itself.

    Attributes:
        response_id: The provider's id.
        model: The model that generated it.
        finish_reasons: One per choice, as the provider spells them; capitals become lower case.
        usage: Its tokens.
        attributes: Its other attributes by the conventions' names, such as the conversation's id.
        failed: Whether it reports an error, although its status is 200.
        error_code: The provider's name of that error, if it has one.
    """

    response_id: str | None = None
    model: str | None = None
    finish_reasons: tuple[str, ...] = ()
    usage: Usage | None = None
    attributes: Mapping[str, Any] = _NO_ATTRIBUTES
    failed: bool = False
    error_code: str | None = None


class Accumulator(Protocol):
    """Accumulates the content of a stream; created only if content is recorded."""

    def add(self, chunk: Any) -> None:
        """Add one chunk."""
        ...

    def messages(self) -> list[Message]:
        """Return the output so far as messages; an empty list if it has no content."""
        ...


class ResponseAccumulator(Accumulator, Protocol):
    """Accumulates a stream into the response that it would have been without streaming."""

    @property
    def finished(self) -> bool:
        """Whether the provider's last event has arrived: to close the stream then loses nothing."""
        ...

    def response(self) -> Any:
        """Return the response so far; None before anything arrived."""
        ...


@dataclass(frozen=True)
class Api:
    """One generating API.

    Attributes:
        operation: The conventions' operation.
        record_request: Sets the content of a request.
        output_messages: The output messages of a response.
        accumulator: Creates what accumulates the content of a stream.
        output_type: What it generates, if that is always the same.
    """

    operation: Operation
    record_request: Callable[[Content, Body], None]
    output_messages: Callable[[Any], list[Message]]
    accumulator: Callable[[], Accumulator]
    output_type: OutputType | None = None

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """The attributes that all its inferences have."""
        known = self.output_type
        return {} if known is None else {attr.GEN_AI_OUTPUT_TYPE: known.value}


def no_messages(response: Any) -> list[Message]:
    """Return no output messages, for an API whose output is not recorded."""
    return []


def _no_error(event: Any) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class WireFormat(Api):
    """A generating API whose inference needs nothing else to be recorded (`generation.Generation`).

    Attributes:
        accumulator: Creates what accumulates a stream; ``content=False`` keeps ids and usage alone.
        request_attributes: The attributes of a request.
        response_fields: What a response reports of itself.
        output: The content of a response, if that is recorded quicker than its output messages.
        stream_error: The error code of an event of a raw stream, which is a dict; None for any
            other event. For a parsed stream the SDK raises.
    """

    accumulator: Callable[..., ResponseAccumulator]
    request_attributes: Callable[[Body], dict[str, Any]]
    response_fields: Callable[[Any], ResponseFields]
    output: Callable[[Any], Any] | None = None
    stream_error: Callable[[Any], str | None] = _no_error
