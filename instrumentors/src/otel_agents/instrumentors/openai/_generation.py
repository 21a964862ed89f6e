"""An inference of the OpenAI SDK, whatever its API and whatever comes back."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._core.calls.reporting import HIDDEN
from otel_agents.instrumentors._core.operations import Inference
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import Api, Assembly
from otel_agents.instrumentors._dialects.fields import Body, field, text, view
from otel_agents.instrumentors._dialects.openai.apis import RESPONSES
from otel_agents.instrumentors._dialects.openai.requests import inference_attributes
from otel_agents.instrumentors._dialects.openai.usage import usage_of
from otel_agents.semconv import attributes as attr

from . import _background
from ._endpoints import Endpoint
from ._raw import follow

__all__ = ["FINAL_EVENTS", "Generation"]

FINAL_EVENTS: Final = ("response.completed", "response.incomplete", "response.failed")
"""The last event of a response, which holds all of it."""


class Generation(Inference):
    """An inference of any API; its result may be a response, a stream or a raw response."""

    __slots__ = ("_api", "_assembly", "_reasons", "_responded", "hides_usage", "pending")

    def __init__(self, telemetry: Telemetry, api: Api, body: Body, endpoint: Endpoint) -> None:
        super().__init__(
            telemetry, api.operation, endpoint.provider, text(body, "model"), endpoint.server
        )
        self._api = api
        self._assembly: Assembly | None = None
        self._reasons: dict[int, str | None] = {}
        self._responded = False
        self.hides_usage = False
        self.pending = False
        if self.detailed:
            self.attributes.update(inference_attributes(body))
            if api.type is not None:
                self.attributes[attr.OPENAI_API_TYPE] = api.type.value
            if api.output_type is not None:
                self.attributes[attr.GEN_AI_OUTPUT_TYPE] = api.output_type.value
        if telemetry.gate.wanted:
            self._assembly = api.assembly()
            api.ask(self.content, body)

    def returned(self, value: Any) -> Any:
        """Follow a stream or a raw response; record anything else."""
        return follow(self, value)

    def respond(self, value: Any) -> None:
        """Gather from a whole response."""
        if self._responded:
            return
        self.pending = text(value, "status") in _background.PENDING
        self._responded = not self.pending
        self._identify(value)
        self._spend(field(value, "usage"))
        self.finish_reasons = self._api.finish_reasons(value)
        conversation = text(field(value, "conversation"), "id")
        if conversation is not None:
            self.attributes[attr.GEN_AI_CONVERSATION_ID] = conversation
        error = field(value, "error")
        if error is not None and text(value, "status") == "failed":
            self.reject(text(error, "code"))
        if self._assembly is not None:
            self.content.output_messages = lambda: self._api.output(value)

    def _identify(self, value: Any) -> None:
        self.response_id = self.response_id or text(value, "id")
        self.response_model = self.response_model or text(value, "model")
        for key, name in (
            ("service_tier", attr.OPENAI_RESPONSE_SERVICE_TIER),
            ("system_fingerprint", attr.OPENAI_RESPONSE_SYSTEM_FINGERPRINT),
        ):
            known = text(value, key)
            if known is not None:
                self.attributes[name] = known

    def _spend(self, reported: Any) -> None:
        usage = usage_of(reported)
        if usage is not None:
            self.input_tokens, self.output_tokens = usage.input_tokens, usage.output_tokens
            self.attributes.update(usage.breakdown)

    def chunk(self, item: Any) -> object:
        """Gather from one chunk or event of a stream."""
        if self.times_next_chunk:
            self.timed_chunk()
        if self._assembly is not None:
            self._assembly.add(item)
        if self._api is RESPONSES:
            return self._event(item)
        return self._delta(item)

    def _delta(self, item: Any) -> object:
        if self.response_id is None or self.response_model is None:
            self._identify(item)
        fields = view(item)
        choices = fields.get("choices")
        if choices:
            for choice in choices:
                chosen = view(choice)
                reason, index = chosen.get("finish_reason"), chosen.get("index") or 0
                if reason is not None or index not in self._reasons:
                    self._reasons[index] = reason
        usage = fields.get("usage")
        if usage is not None:
            self._identify(item)
            self._spend(usage)
            if self.hides_usage and not choices:
                return HIDDEN
        return None

    def _event(self, item: Any) -> object:
        kind = text(item, "type")
        response = field(item, "response")
        if kind in FINAL_EVENTS:
            self.respond(response)
        elif kind == "response.created":
            self._identify(response)
        elif kind == "error":
            self.reject(text(item, "code"))
        return None

    def exhausted(self, value: Any) -> None:
        """The stream is at its end."""
        self._conclude()
        super().exhausted(value)

    def abandoned(self) -> None:
        """The caller left; what was said until then is kept."""
        self._conclude()
        if self._responded:  # its last event was read, only the connection was left open
            super().exhausted(None)
        else:
            super().abandoned()

    def failed(self, error: BaseException) -> None:
        """The call failed, or the stream broke; what was said until then is kept."""
        self._conclude()
        super().failed(error)

    def interrupt(self) -> None:
        """The process is told to end; a response that goes on in the background is no error."""
        if not self._ended:
            self._conclude()
        if self.pending and self.response_id is not None:
            self.pending = False
            self.end()
        else:
            super().interrupt()

    def _conclude(self) -> None:
        """Put together what a stream said; a choice that was cut has the reason ``error``."""
        if self._reasons and any(self._reasons.values()):
            ordered = sorted(self._reasons.items())
            self.finish_reasons = tuple(reason or "error" for _, reason in ordered)
        assembly = self._assembly
        if assembly is not None and not self._responded:
            self.content.output_messages = assembly.messages

    def end(self) -> None:
        """End, unless the response goes on in the background and may be fetched here."""
        if self.pending and self.response_id is not None and self.error_type is None:
            _background.hold(self.response_id, self)
        else:
            super().end()
