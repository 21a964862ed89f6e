"""An inference in OpenAI's formats, whatever the API and the shape of the result."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.reporting import HIDDEN
from otel_agents.instrumentors._core.operations import Inference
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import Accumulator
from otel_agents.instrumentors._dialects.error_codes import code_in
from otel_agents.instrumentors._dialects.fields import Body, field, fields_of, known_fields, text
from otel_agents.instrumentors._dialects.unparsed import unparsed_response
from otel_agents.semconv import attributes as attr

from .api import OpenAIApi
from .requests import inference_attributes
from .responses import FINAL_EVENTS, PENDING, RESPONSES, failure_of
from .usage import usage_of

__all__ = ["Generation"]

_RESPONSE_TEXTS: Final = (
    ("service_tier", attr.OPENAI_RESPONSE_SERVICE_TIER),
    ("system_fingerprint", attr.OPENAI_RESPONSE_SYSTEM_FINGERPRINT),
)
_FIELDS: Final = (
    *("id", "model", "status", "usage", "conversation"),
    *(key for key, _ in _RESPONSE_TEXTS),
)


class Generation(Inference):
    """An inference of any API. Its result is a response, a stream or a raw response."""

    __slots__ = ("_accumulator", "_api", "_reasons", "_responded", "hides_usage")

    def __init__(
        self,
        telemetry: Telemetry,
        api: OpenAIApi,
        body: Body,
        provider: str,
        server: tuple[str, int] | None,
        *,
        parent: Context | None = None,
        provider_is_guess: bool,
    ) -> None:
        model = body.get("model")
        requested = model if isinstance(model, str) else None
        super().__init__(
            telemetry,
            api.operation,
            provider,
            requested,
            server,
            parent=parent,
            provider_is_guess=provider_is_guess,
        )
        self._api = api
        self._accumulator: Accumulator | None = None
        self._reasons: dict[int, str | None] = {}
        self._responded = False
        self.hides_usage = False
        if self.detailed:
            self.attributes.update(inference_attributes(body))
            self.attributes.update(api.attributes)
        if telemetry.gate.enabled:
            self._accumulator = api.accumulator()
            api.record_request(self.content, body)

    def respond(self, value: Any) -> None:
        """Record a whole response; a background response keeps the operation open."""
        if self._responded:
            return
        fields = known_fields(value, _FIELDS)
        status = fields.get("status")
        pending = status in PENDING
        self._responded = self.complete = not pending
        if pending:
            self.attributes[attr.OTEL_AGENTS_RESPONSE_PENDING] = True
        else:
            self.attributes.pop(attr.OTEL_AGENTS_RESPONSE_PENDING, None)
        self._identify(fields)
        response_id = self.response_id
        if pending and response_id is not None:
            self.hold(response_id)
        self._record_usage(fields.get("usage"))
        self.finish_reasons = self._api.finish_reasons(value)
        conversation = fields.get("conversation")
        if conversation is not None and (conversation := text(conversation, "id")) is not None:
            self.attributes[attr.GEN_AI_CONVERSATION_ID] = conversation
        if status is not None:
            failed, code = failure_of(value)
            if failed:
                self.mark_failed(code)
        self.output = partial(self._api.output_messages, value)  # of this, it makes no cycle
        if self._accumulator is not None:
            self.content.output_messages = self.output

    def hold(self, response_id: str) -> None:
        """Handle a response that is generated in the background; for an SDK to override."""

    def stream_error(self, event: Mapping[str, Any]) -> str:
        """Return the type of a stream's event that holds an error: what the SDK raises for it."""
        return "openai.APIError"

    def _identify(self, fields: Mapping[str, Any]) -> None:
        response_id, model = fields.get("id"), fields.get("model")
        if self.response_id is None and isinstance(response_id, str):
            self.response_id = response_id or None
        if self.response_model is None and isinstance(model, str):
            self.response_model = model or None
        for key, name in _RESPONSE_TEXTS:
            known = fields.get(key)
            if isinstance(known, str) and known:
                self.attributes[name] = known

    def _record_usage(self, reported: Any) -> None:
        usage = usage_of(reported)
        if usage is not None:
            self.input_tokens, self.output_tokens = usage.input_tokens, usage.output_tokens
            self.attributes.update(usage.breakdown)

    def chunk(self, item: Any) -> object:
        """Record one chunk or event of a stream."""
        # A hot path: one function for the chunks of a chat.
        if self.times_next_chunk:
            self.record_chunk_time()
        if self._accumulator is not None:
            self._accumulator.add(item)
        fields = fields_of(item)
        if fields.get("error"):  # a raw stream: for a parsed one the SDK raises
            self.mark_failed(self.stream_error(fields))
            self.end()  # the reader stops here and may never close the stream
            return None
        if self._api is RESPONSES:
            return self._response_event(fields)
        if self.response_id is None or self.response_model is None:
            self._identify(fields)
        choices = fields.get("choices")
        for choice in choices or ():
            choice_fields = fields_of(choice)
            reason, index = choice_fields.get("finish_reason"), choice_fields.get("index") or 0
            if reason is not None or index not in self._reasons:
                self._reasons[index] = reason
        extra = fields.get("x_groq")
        if extra is not None:
            self._record_groq(extra)
        usage = fields.get("usage")
        if usage is not None:
            self._identify(fields)
            self._record_usage(usage)
            if self.hides_usage and not choices:
                return HIDDEN
        return None

    def _record_groq(self, extra: Any) -> None:
        """Record what the first and the last chunk of Groq have; usage is there unrequested."""
        self._record_usage(field(extra, "usage"))
        if field(extra, "error"):  # no SDK raises: the stream just ends
            self.mark_failed(code_in(extra, "error"))

    def _response_event(self, item: Any) -> object:
        kind = text(item, "type")
        response = field(item, "response")
        if kind in FINAL_EVENTS:
            self.respond(response)
        elif kind == "response.created":
            self._identify(fields_of(response))
        elif kind == "error":
            self.mark_failed(code_in(item, "code"))
            self.complete = True
        return None

    def conclude(self) -> None:
        """Record finish reasons and output of a stream; a choice that broke off has ``error``.

        A response that the SDK did not parse is recorded, too.
        """
        if self._responded and self.error is None:
            return  # a hot path: a whole response has all of it
        unparsed = unparsed_response(self.error) if self.error is not None else None
        if unparsed is not None and not self._reasons and text(unparsed, "status") not in PENDING:
            self.respond(unparsed)
        if self._reasons and any(self._reasons.values()):
            ordered = sorted(self._reasons.items())
            self.finish_reasons = tuple(reason or "error" for _, reason in ordered)
        accumulator = self._accumulator
        if accumulator is not None and not self._responded:
            self.content.output_messages = accumulator.messages
