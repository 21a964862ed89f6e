"""An inference and an embedding of any wire format, whatever the shape of the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from opentelemetry.context import Context

from otel_agents.instrumentors._core.operations import Embeddings, Inference, ModelCall
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import values

from .api import ResponseAccumulator, ResponseFields, Usage, WireFormat
from .error_codes import as_code
from .fields import Body, text
from .unparsed import unparsed_response

__all__ = ["Embedding", "Generation", "record_response", "record_usage"]


class Generation(Inference):
    """An inference that a `WireFormat` describes. Its result is a response, a stream or raw.

    Args:
        telemetry: What to emit with.
        wire_format: The format of request and response.
        body: The request as it is sent.
        provider: ``gen_ai.provider.name``.
        server: Host and port of the endpoint, if known.
        model: The requested model; default is the body's ``model``.
        parent: The parent context; default is the current one.
        provider_is_guess: Whether the provider that a layer above names takes precedence.
    """

    __slots__ = ("_accumulator", "_responded", "_wire_format")

    def __init__(
        self,
        telemetry: Telemetry,
        wire_format: WireFormat,
        body: Body,
        provider: str,
        server: tuple[str, int] | None,
        *,
        model: str | None = None,
        parent: Context | None = None,
        provider_is_guess: bool = False,
    ) -> None:
        ModelCall.__init__(  # a hot path: quicker than by `super()`
            self,
            telemetry,
            wire_format.operation,
            provider,
            model or text(body, "model"),
            server,
            parent=parent,
            provider_is_guess=provider_is_guess,
        )
        self._wire_format = wire_format
        self._accumulator: ResponseAccumulator | None = None
        self._responded = False
        if self.detailed:
            self.attributes.update(wire_format.request_attributes(body))
            self.attributes.update(wire_format.attributes)
        if self.content.enabled:
            wire_format.record_request(self.content, body)

    def respond(self, value: Any) -> None:
        """Record a whole response, once."""
        if self._responded:
            return
        self._responded = self.complete = True
        record_response(self, self._wire_format.response_fields(value))
        self.output = partial(self._wire_format.output_messages, value)
        if self.content.enabled:
            read = self._wire_format.output
            self.content.output_messages = self.output if read is None else partial(read, value)

    def chunk(self, item: Any) -> object:
        """Record one chunk or event of a stream."""
        if self.times_next_chunk:
            self.record_chunk_time()
        accumulator = self._accumulator
        if accumulator is None:
            accumulator = self._wire_format.accumulator(content=self.content.enabled)
            self._accumulator = accumulator
        accumulator.add(item)
        if accumulator.finished:
            self.complete = True
        if isinstance(item, dict):
            code = self._wire_format.stream_error(item)
            if code is not None:
                self.mark_failed(code)
                self.end()  # the reader stops here and may never close the stream
        return None

    def conclude(self) -> None:
        """Record what was accumulated of a stream, or a response that the SDK did not parse."""
        if self._responded and self.error is None:
            return  # a hot path: a whole response has all of it
        accumulator = self._accumulator
        unparsed = unparsed_response(self.error) if self.error is not None else None
        if accumulator is None and unparsed is not None:
            self.respond(unparsed)
        if accumulator is None or self._responded:
            return
        response = accumulator.response()
        if response is not None:
            record_response(self, self._wire_format.response_fields(response))
        if self.content.enabled:
            self.content.output_messages = accumulator.messages


def record_response(call: Inference, fields: ResponseFields) -> None:
    """Record what a response reports of itself."""
    call.response_id, call.response_model = fields.response_id, fields.model
    call.finish_reasons = fields.finish_reasons
    if fields.attributes:
        call.attributes.update(fields.attributes)
    usage = fields.usage
    if usage is not None:  # a hot path: `record_usage`, without its call
        call.input_tokens, call.output_tokens = usage.input_tokens, usage.output_tokens
        call.attributes.update(usage.breakdown)
    if fields.failed:
        call.mark_failed(as_code(fields.error_code))


def record_usage(call: ModelCall, usage: Usage) -> None:
    """Record the tokens of a response, and their breakdown."""
    call.input_tokens, call.output_tokens = usage.input_tokens, usage.output_tokens
    call.attributes.update(usage.breakdown)


class Embedding(Embeddings):
    """A request for embeddings, whose result may be raw.

    Args:
        telemetry: What to emit with.
        response_fields: What a response reports of itself.
        attributes: The attributes of the request.
        provider: ``gen_ai.provider.name``.
        model: The requested model, if the request names one.
        server: Host and port of the endpoint, if known.
        parent: The parent context; default is the current one.
        provider_is_guess: Whether the provider that a layer above names takes precedence.
    """

    __slots__ = ("_response_fields",)

    def __init__(
        self,
        telemetry: Telemetry,
        response_fields: Callable[[Any], ResponseFields],
        attributes: Mapping[str, Any],
        provider: str,
        model: str | None,
        server: tuple[str, int] | None,
        *,
        parent: Context | None = None,
        provider_is_guess: bool = False,
    ) -> None:
        super().__init__(
            telemetry,
            values.Operation.EMBEDDINGS,
            provider,
            model,
            server,
            parent=parent,
            provider_is_guess=provider_is_guess,
        )
        self._response_fields = response_fields
        if self.detailed:
            self.attributes.update(attributes)

    def respond(self, value: Any) -> None:
        """Record the response, once; its usage has input tokens alone."""
        if self.complete:  # an SDK's parser got it
            return
        self.complete = True
        fields = self._response_fields(value)
        self.response_id, self.response_model = fields.response_id, fields.model
        self.attributes.update(fields.attributes)
        if fields.usage is not None:
            self.input_tokens = fields.usage.input_tokens
            self.attributes.update(fields.usage.breakdown)

    def conclude(self) -> None:
        """Record a response that the SDK did not parse."""
        unparsed = unparsed_response(self.error) if self.error is not None else None
        if unparsed is not None:
            self.respond(unparsed)
