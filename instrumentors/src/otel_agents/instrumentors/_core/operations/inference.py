"""Calls of a model: inference, embeddings, and responses that are read again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, ClassVar

from opentelemetry.context import Context, get_current
from opentelemetry.trace import Link

from otel_agents.instrumentors._core.calls import results
from otel_agents.instrumentors._core.calls.streams import stream_of
from otel_agents.instrumentors._core.context import official, ownership
from otel_agents.instrumentors._core.context.scope import scope_of
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv import values

from . import kinds
from .kinds import Kind
from .operation import Operation
from .owner import OURS, owner_of

__all__ = ["Embeddings", "FetchResponse", "Inference", "ModelCall", "Server"]

Server = tuple[str, int]
"""Host and port of the provider's endpoint."""


class ModelCall(Operation):
    """A call of a provider: takes the claim of the layers above, and is counted once.

    Args:
        telemetry: What to emit with.
        operation: The operation's name.
        provider: ``gen_ai.provider.name``.
        model: The model asked for, if the request names one.
        server: Host and port of the endpoint, if known.
        parent: The context to work in; default is the current one.
        start_time: Nanoseconds since the epoch, if the call began before it was known.
        links: Links of the span.
        provider_is_guess: Whether the layer above knows the provider better, if it says whom it sends to.
    """

    __slots__ = (
        *("_agent", "_claim", "_last_chunk", "finish_reasons", "input_tokens", "layer"),
        "model",
        *("operation", "output_tokens", "response_id", "response_model", "times_next_chunk"),
    )

    kind: ClassVar[Kind]

    def __init__(
        self,
        telemetry: Telemetry,
        operation: values.Operation,
        provider: str,
        model: str | None,
        server: Server | None,
        *,
        parent: Context | None = None,
        start_time: int | None = None,
        links: Sequence[Link] | None = None,
        provider_is_guess: bool = False,
    ) -> None:
        parent = get_current() if parent is None else parent
        self.operation = operation
        self.model = model
        self.input_tokens: int | None = None
        self.output_tokens: int | None = None
        self.finish_reasons: tuple[str, ...] = ()
        self.layer: type[Any] | None = None
        """The class of the claiming layer that reports it, if one does."""
        self._last_chunk = 0
        self.times_next_chunk = True
        self.response_model: str | None = None
        self.response_id: str | None = None
        scope = scope_of(parent)
        self._agent = scope.agent
        self._claim = None
        official_in_use = official.MODULE in sys.modules
        foreign = official_in_use or scope.foreign_span
        owner = owner_of(operation, scope, parent) if foreign else OURS
        above = (scope.inference or scope.embeddings) if provider_is_guess else None
        start_attributes: dict[str, Any] = {
            attr.GEN_AI_OPERATION_NAME: operation.value,
            attr.GEN_AI_PROVIDER_NAME: (above.sends_to if above else None) or provider,
        }
        if model:
            start_attributes[attr.GEN_AI_REQUEST_MODEL] = model
        if server:
            start_attributes[attr.SERVER_ADDRESS], start_attributes[attr.SERVER_PORT] = server
        name = f"{operation.value} {model}" if model else operation.value
        super().__init__(
            telemetry,
            self.kind,
            name,
            start_attributes,
            parent=parent,
            start_time=start_time,
            links=links,
            owner=owner,
            scope=scope,
        )
        if official_in_use and owner is OURS:  # theirs below us report nothing then
            self.context = official.announce(operation, self.context)
        if scope.inference is not None or scope.embeddings is not None:
            self._claim = ownership.take(operation, parent)  # what could not be begun takes none

    @property
    def withholds_usage(self) -> bool:
        """Whether the layer above keeps what a stream tells of its usage to itself."""
        return self._claim is not None and self._claim.withholds_usage

    def returned(self, value: Any) -> Any:
        """The call returned ``value``: record it, now or while it is read."""
        return stream_of(value, self) or results.follow(self, value)

    def _finalize(self) -> None:
        attributes = self.attributes
        if self.response_id is not None:
            attributes[attr.GEN_AI_RESPONSE_ID] = self.response_id
            reported = ownership.Reported(self.response_id, self.end_time, self.layer)
            ownership.REPORTED.append(reported)
        if self.response_model is not None:
            attributes[attr.GEN_AI_RESPONSE_MODEL] = self.response_model
        if self.input_tokens is not None:
            attributes[attr.GEN_AI_USAGE_INPUT_TOKENS] = self.input_tokens
        if self._claim is not None:
            self._claim.complete(self)


class Inference(ModelCall):
    """A chat, a text completion or another generation (GenAI semconv, "Inference").

    Framework code sets `input_tokens`, `output_tokens` and `finish_reasons` from the response;
    breakdowns go to ``attributes`` under their own names.
    """

    __slots__ = ()
    kind = kinds.INFERENCE

    @property
    def first_chunk_seconds(self) -> float | None:
        """Of a stream; an attribute, since some layers know it only when the call is over."""
        return self.attributes.get(attr.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK)

    def record_chunk_time(self) -> None:
        """Note the time of a chunk: of the first always, of later ones where a metric asks.

        Called where `times_next_chunk` says so.
        """
        instruments = self.telemetry.instruments
        elapsed = self.elapsed()
        since_last, self._last_chunk = (elapsed - self._last_chunk) / 1e9, elapsed
        self.times_next_chunk = instruments.per_chunk
        if attr.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK not in self.attributes:
            self.attributes[attr.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] = since_last
        elif self._owner.emits:
            instruments.measure(kinds.chunk_measures(since_last), self, self.known)

    def _finalize(self) -> None:
        attributes = self.attributes
        if self.output_tokens is not None:
            attributes[attr.GEN_AI_USAGE_OUTPUT_TOKENS] = self.output_tokens
        if self.finish_reasons:
            attributes[attr.GEN_AI_RESPONSE_FINISH_REASONS] = self.finish_reasons
        if self._agent is not None:
            self._agent.add_inference(self.input_tokens, self.output_tokens, self.finish_reasons)
        super()._finalize()


class Embeddings(ModelCall):
    """A call that embeds texts (GenAI semconv, "Embeddings"); their content is never recorded."""

    __slots__ = ()
    kind = kinds.EMBEDDINGS


class FetchResponse(ModelCall):
    """Reads a response that was generated before (GenAI semconv, "Fetch response"): no tokens."""

    __slots__ = ()
    kind = kinds.CLIENT_ALONE

    def __init__(
        self,
        telemetry: Telemetry,
        provider: str,
        response_id: str,
        server: Server | None,
        *,
        parent: Context | None = None,
    ) -> None:
        operation = values.Operation.FETCH_RESPONSE
        super().__init__(telemetry, operation, provider, None, server, parent=parent)
        self.attributes[attr.GEN_AI_RESPONSE_ID] = response_id
