"""A framework's model call, reported in the framework's own terms where no SDK reports it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.operations import ClaimedCall
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation, Provider

from .api import Message, ResponseFields
from .fields import Body
from .generation import record_response
from .openai.requests import inference_attributes
from .parts import with_finish_reasons

__all__ = ["FrameworkCall"]

_GENERATE_CONTENT: Final = (
    Provider.GCP_GEMINI.value,
    Provider.GCP_GEN_AI.value,
    Provider.GCP_VERTEX_AI.value,
)
"""Providers whose operation is ``generate_content``."""


class FrameworkCall(ClaimedCall):
    """One call of a framework's model class, whatever the provider.

    It knows no SDK. The instrumentor of the SDK below takes the claim and reports. Where there is
    none, this class reports what the framework knows: override `response_fields` and
    `output_messages`.

    Args:
        telemetry: What to emit with.
        settings: The request's settings by their names in OpenAI's API. They are read when the call
            is reported.
        model: The requested model, if known.
        provider: The provider, as far as the framework names it.
        server: Host and port of the endpoint, if the framework knows them.
        operation: The operation; default is the provider's.
        sends_itself: Whether the call is itself evidence that a request is sent.
        record_request: Records the request's content.
        parent: The parent context; default is the current one.
    """

    def __init__(
        self,
        telemetry: Telemetry,
        settings: Body,
        *,
        model: str | None = None,
        provider: str | None = None,
        server: tuple[str, int] | None = None,
        operation: Operation | None = None,
        sends_itself: bool = True,
        record_request: Callable[[Content], object] | None = None,
        parent: Context | None = None,
    ) -> None:
        generates = provider in _GENERATE_CONTENT
        super().__init__(
            telemetry,
            operation or (Operation.GENERATE_CONTENT if generates else Operation.CHAT),
            model=model,
            provider=provider,
            sends_itself=sends_itself,
            record_request=record_request,
            parent=parent,
        )
        self.settings = settings
        self.server = server
        self._first_chunk: int | None = None

    def chunk_received(self) -> None:
        """Record that a chunk of the current attempt's response was received."""
        if self._first_chunk is None:
            self._first_chunk = time.time_ns()

    def attempt(self) -> None:
        """Record that this layer is about to send."""
        super().attempt()
        self._first_chunk = None

    def response_fields(self, response: Any) -> ResponseFields:
        """Return what the framework reports of ``response``, None after an error; to override."""
        return ResponseFields()

    def output_messages(self, response: Any) -> list[Message]:
        """Return the messages of ``response``, without finish reasons; to override."""
        return []

    def response_id(self, response: Any) -> str | None:
        """Return the provider's id of the response."""
        return self.response_fields(response).response_id

    @final
    def describe(self, call: Any, response: Any) -> None:
        """Record settings, response and content."""
        if call.detailed:
            call.attributes.update(inference_attributes(self.settings))
        if self._first_chunk is not None and self.settings.get("stream") is True:
            seconds = (self._first_chunk - call.start_time) / 1e9
            call.attributes[attr.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] = seconds
        fields = self.response_fields(response)
        record_response(call, fields)
        messages = self.output_messages(response) if call.content.enabled else []
        if messages:
            call.content.output_messages = with_finish_reasons(messages, fields.finish_reasons)
