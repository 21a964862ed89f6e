"""An inference in OpenAI's formats, whatever the API and the shape of the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from operator import countOf
from typing import Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.reporting import HIDDEN
from otel_agents.instrumentors._core.operations import Inference, ModelCall
from otel_agents.instrumentors._core.operations.owner import OURS
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import Accumulator
from otel_agents.instrumentors._dialects.error_codes import code_in
from otel_agents.instrumentors._dialects.fields import Body, field, fields_of, known_fields, text
from otel_agents.instrumentors._dialects.unparsed import unparsed_response
from otel_agents.semconv import attributes as attr

from .api import OpenAIApi
from .chat import Accumulator as ChatAccumulator
from .requests import inference_attributes
from .responses import COMPLETED, FINAL_EVENTS, PENDING, RESPONSES, failure_of
from .usage import usage_of

__all__ = ["Generation", "takes_unrecorded_text", "text_taker"]

_RECORDED_EVENTS: Final = frozenset(("response.created", "error", *FINAL_EVENTS))
"""The events of a stream of the Responses API that hold more than content."""

_GROQ: Final = "x_groq"
"""The field of a chunk in which Groq reports errors and usage."""
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

    __slots__ = (
        *("_accumulator", "_api", "_collects", "_reasons", "_responded", "_take_text"),
        "hides_usage",
    )

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
        ModelCall.__init__(  # a hot path: quicker than by `super()`
            self,
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
        self._take_text: Callable[[Any], bool] | None = None
        """Records the chunks of text of a chat, once its first choice has started."""
        self._reasons: dict[int, str | None] = {}
        self._responded = False
        self.hides_usage = False
        if self.detailed:
            self.attributes.update(inference_attributes(body, api.attributes))
        self._collects = self.content.enabled
        if self._collects:
            api.record_request(self.content, body)

    def respond(self, value: Any) -> None:
        """Record a whole response; a background response keeps the operation open."""
        if self._responded:
            return
        fields = known_fields(value, _FIELDS)
        status = fields.get("status")
        pending = status is not None and status in PENDING
        self._responded = self.complete = not pending
        if pending:
            self.attributes[attr.OTEL_AGENTS_RESPONSE_PENDING] = True
        else:
            self.attributes.pop(attr.OTEL_AGENTS_RESPONSE_PENDING, None)
        self._identify(fields)
        response_id = self.response_id
        if pending and response_id is not None:
            self.hold(response_id)
        api, claim = self._api, self._claim
        above = claim is not None or self._agent is not None or self._owner is not OURS
        if self.detailed or above or self.telemetry.instruments.records:  # else nothing takes it
            usage = usage_of(fields.get("usage"))
            if usage is not None:  # `_record_usage`, without its call
                self.input_tokens, self.output_tokens, breakdown = usage
                self.attributes.update(breakdown)
            self.finish_reasons = api.finish_reasons(value)
        conversation = fields.get("conversation")
        if conversation is not None and (conversation := text(conversation, "id")) is not None:
            self.attributes[attr.GEN_AI_CONVERSATION_ID] = conversation
        if status is not None and status != COMPLETED:
            failed, code = failure_of(value)
            if failed:
                self.mark_failed(code)
        if claim is not None:  # else nobody reads it
            self.output = partial(api.output_messages, value)  # of this, it makes no cycle
        if self._collects:
            self.content.set("output_messages", partial(api.output or api.output_messages, value))

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
        if self.times_next_chunk:
            self.record_chunk_time()
        if self._take_text is not None and self._take_text(item):
            return None
        fields = fields_of(item)
        if self._collects:
            if self._accumulator is None:
                self._accumulator = self._api.accumulator()
            self._accumulator.add(fields)
        if fields.get("error"):  # a raw stream: for a parsed one the SDK raises
            self.mark_failed(self.stream_error(fields))
            self.end()  # the reader stops here and may never close the stream
            return None
        if self._api is RESPONSES:
            return self._response_event(fields) if fields.get("type") in _RECORDED_EVENTS else None
        if self.response_id is None or self.response_model is None:
            self._identify(fields)
        choices = fields.get("choices")
        for choice in choices or ():
            choice_fields = fields_of(choice)
            reason, index = choice_fields.get("finish_reason"), choice_fields.get("index") or 0
            if reason is not None or index not in self._reasons:
                self._reasons[index] = reason
        if self._take_text is None and 0 in self._reasons and self.response_id is not None:
            self._expect_text(item)
        extra = fields.get(_GROQ)
        if extra is not None:
            self._record_groq(extra)
        usage = fields.get("usage")
        if usage is not None:
            self._identify(fields)
            self._record_usage(usage)
            if self.hides_usage and not choices:
                return HIDDEN
        return None if self.times_next_chunk else self._take_text

    def _expect_text(self, chunk: Any) -> None:
        """Read what follows of a chat as text as far as it is."""
        accumulator = self._accumulator
        if self.response_model is None:
            return  # a later chunk may name it
        if accumulator is None:
            self._take_text = takes_unrecorded_text
        elif isinstance(accumulator, ChatAccumulator) and 0 in accumulator.choices:
            take = text_taker(accumulator.choices[0].content)
            has_groq = _GROQ in getattr(chunk, "__dict__", ())  # a chunk of Groq's SDK
            self._take_text = partial(_takes_text_of_groq, take) if has_groq else take

    def _record_groq(self, extra: Any) -> None:
        """Record what the first and the last chunk of Groq have; usage is there unrequested."""
        self._record_usage(field(extra, "usage"))
        if field(extra, "error"):  # no SDK raises: the stream just ends
            self.mark_failed(code_in(extra, "error"))

    def _response_event(self, event: Mapping[str, Any]) -> object:
        kind, response = event["type"], event.get("response")
        if kind in FINAL_EVENTS:
            self.respond(response)
        elif kind == "response.created":
            self._identify(fields_of(response))
        else:
            self.mark_failed(code_in(event, "code"))
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
            is_chat = type(accumulator) is ChatAccumulator  # not one of Groq's
            self.content.output_messages = accumulator.output if is_chat else accumulator.messages


def text_taker(texts: list[str]) -> Callable[[Any], bool]:
    """Return what adds to ``texts`` that of a parsed chunk of a chat that holds nothing else.

    Nearly all chunks do. It returns False for any other, also for one whose choice is not the first.
    """

    def take(chunk: Any) -> bool:
        # The hot path of every stream. Further fields of the chunk itself do not matter: the SDK
        # raises for an error.
        try:
            fields = chunk.__dict__
            (choice,) = fields["choices"]
            choice_fields = choice.__dict__
            delta = choice_fields["delta"]
            content = delta.content
            if (
                content  # an empty one may be beside an error of Groq
                and (
                    len(delta.__pydantic_fields_set__) == 1  # quicker than to look at the others
                    or countOf(delta.__dict__.values(), None) == len(delta.__dict__) - 1
                )
                and choice_fields["finish_reason"] is None
                and fields["usage"] is None  # missing before openai 1.26: raises
                and not choice_fields["index"]
                and not delta.__pydantic_extra__
            ):
                texts.append(content)
                return True
        except (AttributeError, LookupError, TypeError, ValueError):  # not as the SDK parses it
            pass
        return False

    return take


def _takes_text_of_groq(take: Callable[[Any], bool], chunk: Any) -> bool:
    return getattr(chunk, _GROQ, None) is None and take(chunk)


def takes_unrecorded_text(chunk: Any) -> bool:
    """Return whether a parsed chunk of a chat holds nothing but a delta, if no content is recorded.

    Its choice is the first, as in `text_taker`.
    """
    try:
        fields = chunk.__dict__
        (choice,) = fields["choices"]
        choice_fields, extra = choice.__dict__, chunk.__pydantic_extra__
        return (
            choice_fields["finish_reason"] is None
            and fields["usage"] is None  # missing before openai 1.26: raises
            and not choice_fields["index"]
            and ("x_groq" not in fields or fields["x_groq"] is None)
            and not (extra and "x_groq" in extra)
        )
    except (AttributeError, LookupError, TypeError, ValueError):  # not as the SDK parses it
        return False
