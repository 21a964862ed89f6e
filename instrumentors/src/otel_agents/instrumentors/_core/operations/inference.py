"""Calls of a model: inference and embeddings."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.context import Context, get_current
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind

from otel_agents.instrumentors._core.context import claims, official
from otel_agents.instrumentors._core.context.agents import agent_scope
from otel_agents.instrumentors._core.telemetry.records import record_of
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv import events, values

from .operation import Operation

__all__ = ["Embeddings", "Inference", "ModelCall"]

Server = tuple[str, int]
"""Host and port of the provider's endpoint."""

_METRIC_EXTRAS: Final = (
    attr.OPENAI_RESPONSE_SERVICE_TIER,
    attr.OPENAI_RESPONSE_SYSTEM_FINGERPRINT,
)


class ModelCall(Operation):
    """A call that a provider bills: takes the claim of the layers above, and is counted once.

    Args:
        telemetry: What to emit with.
        operation: The operation's name.
        provider: ``gen_ai.provider.name``.
        model: The model asked for, if the request names one.
        server: Host and port of the endpoint, if known.
        parent: The context to work in; default is the current one.
        start_time: Nanoseconds since the epoch, if the call began before it was known.
    """

    __slots__ = (
        "_claim",
        "_data",
        "_elsewhere",
        "model",
        "operation",
        "response_id",
        "response_model",
    )

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
    ) -> None:
        parent = get_current() if parent is None else parent
        self.operation = operation
        self.model = model
        self.response_model: str | None = None
        self.response_id: str | None = None
        self._data = official.find(operation, parent)
        self._elsewhere = claims.is_elsewhere(parent)
        self._claim = claims.take(operation, parent)
        first: dict[str, Any] = {
            attr.GEN_AI_OPERATION_NAME: operation.value,
            attr.GEN_AI_PROVIDER_NAME: provider,
        }
        if model:
            first[attr.GEN_AI_REQUEST_MODEL] = model
        if server:
            first[attr.SERVER_ADDRESS], first[attr.SERVER_PORT] = server
        name = f"{operation.value} {model}" if model else operation.value
        super().__init__(
            telemetry, name, SpanKind.CLIENT, first, parent=parent, start_time=start_time
        )
        if self._data is not None:
            self.context = parent
            self.detailed = True
        elif self._elsewhere:
            self.context = parent
        else:
            self.context = official.announce(operation, self.context)

    def _start_span(
        self, name: str, kind: SpanKind, attributes: dict[str, Any], parent: Context
    ) -> Span:
        if self._data is not None or self._elsewhere:  # an official call around us, or a rival's
            return INVALID_SPAN
        return super()._start_span(name, kind, attributes, parent)

    @property
    def handed_over(self) -> bool:
        """Whether an official instrumentation reports this call, filled in by us."""
        return self._data is not None

    @property
    def metric_attributes(self) -> dict[str, Any]:
        """The attributes that the client metrics have in common."""
        common = dict(self._first)
        if self.response_model is not None:
            common[attr.GEN_AI_RESPONSE_MODEL] = self.response_model
        for extra in _METRIC_EXTRAS:
            value = self.attributes.get(extra)
            if value is not None:
                common[extra] = value
        return common

    def _finish(self) -> None:
        if self.response_id is not None:
            self.attributes[attr.GEN_AI_RESPONSE_ID] = self.response_id
            claims.remember(self.response_id)
        if self.response_model is not None:
            self.attributes[attr.GEN_AI_RESPONSE_MODEL] = self.response_model
        if self._claim is not None:
            self._claim.complete(self)
        if self._data is not None:
            self._hand_over(self._data)
        else:
            super()._finish()

    def _hand_over(self, data: object) -> None:
        official.fill(data, {**self._first, **self.attributes})


class Inference(ModelCall):
    """A chat, a text completion or another generation (GenAI semconv, "Inference").

    Framework code sets `input_tokens`, `output_tokens` and `finish_reasons` from the response;
    breakdowns go to ``attributes`` under their own names.
    """

    __slots__ = (
        "_chunks",
        "_last_chunk",
        "finish_reasons",
        "input_tokens",
        "output_tokens",
        "times_next_chunk",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.input_tokens: int | None = None
        self.output_tokens: int | None = None
        self.finish_reasons: tuple[str, ...] = ()
        self._chunks = 0
        self._last_chunk = 0
        self.times_next_chunk = True
        super().__init__(*args, **kwargs)

    def timed_chunk(self) -> None:
        """Note the time of a chunk: of the first always, of later ones where a metric asks.

        Called where `times_next_chunk` says so.
        """
        self._chunks += 1
        self.times_next_chunk = self.telemetry.instruments.per_chunk
        elapsed = self.elapsed()
        since_last, self._last_chunk = (elapsed - self._last_chunk) / 1e9, elapsed
        instruments = self.telemetry.instruments
        if self._chunks == 1:
            self.attributes[attr.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] = since_last
        elif self._data is None:
            instruments.output_chunk(since_last, self.metric_attributes, self.context)

    def _finish(self) -> None:
        gathered = self.attributes
        if self.input_tokens is not None:
            gathered[attr.GEN_AI_USAGE_INPUT_TOKENS] = self.input_tokens
        if self.output_tokens is not None:
            gathered[attr.GEN_AI_USAGE_OUTPUT_TOKENS] = self.output_tokens
        if self.finish_reasons:
            gathered[attr.GEN_AI_RESPONSE_FINISH_REASONS] = self.finish_reasons
        scope = agent_scope(self.context)
        if scope is not None:
            scope.add_inference(self.input_tokens, self.output_tokens, self.finish_reasons)
        super()._finish()

    def measure(self) -> None:
        """Duration, tokens and time to first chunk, in the generations asked for."""
        instruments, context = self.telemetry.instruments, self.context
        common = self.metric_attributes
        timed = {**common, **self.error_attributes} if self.error_type else common
        instruments.inference_duration(self.duration, timed, context)
        first_chunk = self.attributes.get(attr.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK)
        if first_chunk is not None:
            instruments.first_chunk(first_chunk, common, context)
        instruments.token_usage(self.input_tokens, self.output_tokens, common, context)
        instruments.inference_usage(self.attributes, common, context)

    def _tell(self) -> None:
        gate = self._gate
        record = None
        if self.telemetry.settings.emit_event:
            attributes = {**self._first, **self.attributes}
            record = record_of(
                events.GEN_AI_CLIENT_INFERENCE_OPERATION_DETAILS,
                attributes,
                self.context,
                self.end_time,
            )
        if gate.wanted:
            gate.tell(self.content, self.span, record)
        if record is not None:
            self.telemetry.emit(record)


class Embeddings(ModelCall):
    """A call that embeds texts (GenAI semconv, "Embeddings"); their content is never recorded."""

    __slots__ = ("input_tokens",)
    carries_conversation = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.input_tokens: int | None = None
        super().__init__(*args, **kwargs)

    def _finish(self) -> None:
        if self.input_tokens is not None:
            self.attributes[attr.GEN_AI_USAGE_INPUT_TOKENS] = self.input_tokens
        super()._finish()

    def measure(self) -> None:
        """Duration, and tokens in the previous generation; the latest has none for embeddings."""
        instruments = self.telemetry.instruments
        common = self.metric_attributes
        instruments.operation_duration(
            self.duration, {**common, **self.error_attributes}, self.context
        )
        instruments.token_usage(self.input_tokens, None, common, self.context)
