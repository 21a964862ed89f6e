"""Model calls: inference, embeddings, and responses that are fetched later."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Final

from opentelemetry.context import Context, get_current
from opentelemetry.trace import Link

from otel_agents.instrumentors._core.calls import bodies, results
from otel_agents.instrumentors._core.calls.streams import follow_stream
from otel_agents.instrumentors._core.context import official, ownership
from otel_agents.instrumentors._core.context.scope import NO_SCOPE, SCOPE_KEY, Scope
from otel_agents.instrumentors._core.operations import kinds
from otel_agents.instrumentors._core.operations.kinds import Kind
from otel_agents.instrumentors._core.operations.operation import Operation
from otel_agents.instrumentors._core.operations.owner import OURS, ClaimedAround, owner_of
from otel_agents.instrumentors._core.telemetry.prices import SOURCE, UNKNOWN, Prices
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv import values

__all__ = ["Embeddings", "FetchResponse", "Inference", "LocalEmbeddings", "ModelCall", "Server"]

Server = tuple[str, int]
"""Host and port of the provider's endpoint."""

_NAMES: Final = MappingProxyType({operation: operation.value for operation in values.Operation})
"""Names by operation: an enumeration's ``value`` is two calls of Python functions."""


class ModelCall(Operation):
    """A call of a provider. It takes the claim of the layers above, so that it is counted once.

    `Inference`, `Embeddings` and `FetchResponse` are the concrete classes.

    Example:
        >>> def record(call: ModelCall, response):
        ...     call.response_id = response.id
        ...     call.response_model = response.model
        ...     call.input_tokens = response.usage.input_tokens

    Args:
        telemetry: What to emit with.
        operation: The operation's name.
        provider: ``gen_ai.provider.name``.
        model: The requested model, if the request names one.
        server: Host and port of the endpoint, if known.
        parent: The parent context; default is the current one.
        start_time: Nanoseconds since the epoch, for a call that started earlier.
        links: Links of the span.
        provider_is_guess: Whether the provider that a layer above names takes precedence.
    """

    __slots__ = (
        *("_agent", "_claim", "_last_chunk", "chunk_seconds", "finish_reasons"),
        "first_chunk_seconds",
        *("input_tokens", "layer", "model", "operation", "output", "output_tokens"),
        *("response_id", "response_model", "times_next_chunk"),
    )

    kind: ClassVar[Kind]
    generates: ClassVar[bool] = False
    """Whether it counts as an inference of the agent around it."""

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
        self.output: Callable[[], list[dict[str, Any]]] | None = None
        """Returns the output messages of a whole response, for a layer above that needs them (see
        `ClaimedCall.complete`), whether or not content is recorded."""
        self.layer: type[Any] | None = None
        """The class of the claiming layer that reports the call, if one does."""
        self._last_chunk = 0
        self.chunk_seconds = 0.0
        """Seconds between the last two chunks, if each is measured."""
        self.first_chunk_seconds: float | None = None
        """Seconds to the first chunk of a stream; known when the operation ends."""
        self.times_next_chunk = True
        self.response_model: str | None = None
        self.response_id: str | None = None
        known: Any = parent.get(SCOPE_KEY)  # a hot path: `scope_of`, without its call
        scope: Scope = known or NO_SCOPE
        name = _NAMES[operation]
        self._agent = scope.agent if self.generates else None
        self._claim = None
        official_in_use = official.MODULE in sys.modules
        foreign = official_in_use or scope.foreign_span or scope.foreign is not None
        owner = owner_of(operation, scope, parent, telemetry, start_time) if foreign else OURS
        claim = scope.inference or scope.embeddings
        above = claim if provider_is_guess else None
        start_attributes: dict[str, Any] = {
            attr.GEN_AI_OPERATION_NAME: name,
            attr.GEN_AI_PROVIDER_NAME: (above.sends_to if above else None) or provider,
        }
        if model:
            start_attributes[attr.GEN_AI_REQUEST_MODEL] = model
        if server:
            start_attributes[attr.SERVER_ADDRESS], start_attributes[attr.SERVER_PORT] = server
        Operation.__init__(  # a hot path: quicker than by `super()`
            self,
            telemetry,
            self.kind,
            f"{name} {model}" if model else name,
            start_attributes,
            parent=parent,
            start_time=start_time,
            links=links,
            owner=owner,
            scope=scope,
        )
        if official_in_use and (
            owner is OURS or isinstance(owner, ClaimedAround)
        ):  # official instrumentations below then report nothing
            self.context = official.announce(operation, self.context)
        if claim is not None:
            # Last: an operation that fails to start must not take the claim.
            self._claim = ownership.take(operation, parent)

    @property
    def withholds_usage(self) -> bool:
        """Whether the layer above does not pass on the usage that a stream reports."""
        return self._claim is not None and self._claim.withholds_usage

    def returned(self, value: Any) -> Any:
        """Record ``value``, now or, if it is a stream, while it is read."""
        if type(value) in results.MODELS:  # a hot path: looked up, not found out again
            self.respond(value)
            self.end()
            return value
        return follow_stream(value, self) or results.follow(self, value)

    def follow_response(self, response: Any) -> None:
        """Record an httpx response, now or while the application reads its body."""
        if not bodies.follow(self, response):
            self.end()

    def _finalize(self) -> None:
        # A hot path: one function for all kinds of model calls.
        attributes = self.attributes
        if self.output_tokens is not None:
            attributes[attr.GEN_AI_USAGE_OUTPUT_TOKENS] = self.output_tokens
        if self.finish_reasons:
            attributes[attr.GEN_AI_RESPONSE_FINISH_REASONS] = self.finish_reasons
        if self._agent is not None:
            self._agent.add_inference(self.input_tokens, self.output_tokens, self.finish_reasons)
        if self.response_id is not None:
            attributes[attr.GEN_AI_RESPONSE_ID] = self.response_id
            reported = (self.response_id, self.end_time, self.layer)
            ownership.REPORTED.append(ownership.new_reported(reported))
        if self.response_model is not None:
            attributes[attr.GEN_AI_RESPONSE_MODEL] = self.response_model
        if self.input_tokens is not None:
            attributes[attr.GEN_AI_USAGE_INPUT_TOKENS] = self.input_tokens
        if self._claim is not None:
            self._claim.complete(self)
        # Some layers know it only when the call is over.
        self.first_chunk_seconds = attributes.get(attr.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK)
        if self.telemetry.prices is not None and attr.OTEL_AGENTS_COST not in attributes:
            self._record_cost(self.telemetry.prices)

    def _record_cost(self, prices: Prices) -> None:
        """Record the cost, by the prices of the model that responded, else of the requested one.

        A layer above may have a figure of its own, as LiteLLM: that wins.
        """
        model = self.response_model or self.model
        if model is None or self.input_tokens is None:
            return  # nothing is known to be billed
        provider = self._start_attributes[attr.GEN_AI_PROVIDER_NAME]
        rates = prices.of(provider, model)
        if rates is UNKNOWN and self.model is not None and self.model != model:
            rates = prices.of(provider, self.model)
        cost = None
        if not isinstance(rates, str):
            cost = rates.cost(self.input_tokens, self.output_tokens, self.attributes)
        if cost is None:
            reason = rates if isinstance(rates, str) else UNKNOWN
            self.telemetry.instruments.miss_cost(reason)
            return
        self.attributes[attr.OTEL_AGENTS_COST] = cost
        self.attributes[attr.OTEL_AGENTS_COST_SOURCE] = SOURCE


class Inference(ModelCall):
    """A chat, a text completion or another generation (GenAI semconv, "Inference").

    Set `input_tokens`, `output_tokens` and `finish_reasons` from the response; breakdowns of the
    usage go to ``attributes`` under their own names.

    Example:
        >>> class HouseInference(Inference):
        ...     def respond(self, value):
        ...         self.response_id = value.id
        ...         self.input_tokens = value.usage.input_tokens
        ...         self.output_tokens = value.usage.output_tokens
        >>> def chat(telemetry, call):
        ...     model, server = call.argument(0, "model"), ("api.house.example", 443)
        ...     return HouseInference(telemetry, values.Operation.CHAT, "house", model, server)
        >>> patch = Patch("house:Client.chat", chat)
    """

    __slots__ = ()
    kind = kinds.INFERENCE
    generates = True

    def record_chunk_time(self) -> None:
        """Record the time of a chunk: the first always, later ones for the chunk metric.

        Call it if `times_next_chunk` is True.
        """
        instruments = self.telemetry.instruments
        elapsed = self.elapsed()
        since_last, self._last_chunk = (elapsed - self._last_chunk) / 1e9, elapsed
        self.times_next_chunk = instruments.per_chunk
        if attr.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK not in self.attributes:
            self.attributes[attr.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] = since_last
        elif self._owner.emits:
            self.chunk_seconds = since_last
            instruments.measure(kinds.CHUNK, self, self.known)


class Embeddings(ModelCall):
    """A call that embeds texts (GenAI semconv, "Embeddings"); their content is never recorded.

    Example:
        >>> def embed(telemetry, call):
        ...     model = call.argument(0, "model")
        ...     return Embeddings(telemetry, values.Operation.EMBEDDINGS, "house", model, None)
        >>> patch = Patch("house:Client.embed", embed)
    """

    __slots__ = ()
    kind = kinds.EMBEDDINGS


class LocalEmbeddings(Embeddings):
    """Embeddings by a model that this process runs."""

    __slots__ = ()
    kind = kinds.LOCAL_EMBEDDINGS


class FetchResponse(ModelCall):
    """Fetch a response that was generated before (GenAI semconv, "Fetch response").

    It has no usage.

    Example:
        >>> def retrieve(telemetry, call):
        ...     return FetchResponse(telemetry, "openai", call.argument(0, "response_id"), None)
        >>> patch = Patch("house:Client.retrieve", retrieve)
    """

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
