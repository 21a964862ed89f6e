"""One question to a model: claimed where it is asked, reported where LiteLLM itself sends it."""

from __future__ import annotations

import weakref
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from functools import partial
from typing import Any, Final

from otel_agents.instrumentors._core.calls.streams import AsyncStreamProxy, StreamProxy
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import ClaimedCall, unfinished
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.anthropic.api import MESSAGES
from otel_agents.instrumentors._dialects.anthropic.assembly import Assembly, Events
from otel_agents.instrumentors._dialects.anthropic.usage import told, usage_of
from otel_agents.instrumentors._dialects.api import Api
from otel_agents.instrumentors._dialects.fields import field, items, text
from otel_agents.instrumentors._dialects.openai.requests import (
    embeddings_attributes,
    inference_attributes,
)
from otel_agents.instrumentors._dialects.openai.responses import (
    FINAL_EVENTS,
    RESPONSES,
    failure_of,
)
from otel_agents.instrumentors._dialects.servers import server_of
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation

from ._costs import cost_of
from ._functions import Arguments, Function
from ._results import answer_id, chunk_id, model_of, spent, stream_spent
from ._routes import (
    COMPLETES_TEXT,
    SPEAKS_OPENAI,
    provider_name,
    sent_model,
    tells_usage_of_streams,
)

__all__ = ["QUESTION", "Question", "current_question"]


def current_question() -> Question | None:
    """The question that is being asked here."""
    return unfinished(QUESTION)


class Question(ClaimedCall):
    """One question to a model, which LiteLLM sends itself or has an SDK send.

    ``native`` where what is sent under it, and by no question within, is sent by the Rust core;
    ``route`` is LiteLLM's name of the provider, None until it sends.
    """

    def __init__(
        self, telemetry: Telemetry, function: Function, arguments: Arguments, asynchronous: bool
    ) -> None:
        api = function.api
        ask = partial(_ask, api, arguments) if api is not None else None
        super().__init__(
            telemetry, function.operation, model=text(arguments, "model"), record_request=ask
        )
        self.function = function
        self.native = False
        self.context = QUESTION.set(self, self.context)
        self._api = function.api
        self._arguments = arguments
        self._asynchronous = asynchronous
        self._assembly = (
            function.api.assembly() if function.api and telemetry.gate.enabled else None
        )
        self._events = Events() if function.api is MESSAGES else None
        if self._events is not None:  # its streams are what they tell: who answered, and the usage
            self._assembly = Assembly(content=telemetry.gate.enabled)
        self._final: Any = None
        self._broken: str | None = None
        self._id: str | None = None
        self._model: str | None = None
        self._heard: dict[str, int] = {}
        self._kept: list[Any] = []
        self._logged: Callable[[], Any] = _nothing
        self.route: Any = None
        self._streams = False
        self._unsent_stream = False
        self._wrapper: Any = None

    def sends(self, logging: Any, additional: Any) -> None:
        """Evidence, and what LiteLLM knows of the route by now."""
        details = logging.model_call_details
        self._logged = lambda: logging
        self.route = field(details, "custom_llm_provider")
        self.claim.sends_to = provider_name(self.route)
        self.claim.provider = self.claim.sends_to or self.claim.provider
        url, body = field(additional, "api_base"), field(additional, "complete_input_dict")
        self.claim.model = sent_model(url, body) or text(details, "model") or self.claim.model
        self.server = server_of(url)
        if self.route in COMPLETES_TEXT:
            self.operation = Operation.TEXT_COMPLETION
        if self._telemetry.settings.stream_usage and self._arguments.get("stream"):
            self.claim.withholds_usage = tells_usage_of_streams(self.claim.model, self.route)
        self.attempt()
        if self.native:
            self.start(self.server)

    def start(self, server: tuple[str, int] | None) -> Any:
        """LiteLLM sends by itself; a stream may do so when its first item is wanted."""
        if self._unsent_stream and self.started is None:
            self._unsent_stream = False
            self.attempt()
        return super().start(server)

    def complete(self, call: Any) -> None:
        """An SDK below reports this question: its cost is LiteLLM's to know."""
        if (
            call.detailed
            and self._logged() is not None
            and attr.OTEL_AGENTS_COST not in call.attributes
        ):
            self._tell_cost(call)

    def returned(self, value: Any) -> Any:
        """Follow a stream that no SDK follows; record anything else."""
        if not (hasattr(value, "__next__") or hasattr(value, "__anext__")):
            return super().returned(value)
        self._streams = True
        if self.started is None and (_is_unsent(value) or self._is_unasked(value)):
            self._unsent_stream = True
            self.nothing_sent()
        elif self.adopt() is None:
            self._let_go()
            return value
        if self._asynchronous:
            return AsyncStreamProxy(value, self)
        return (
            _EitherStream(value, self) if hasattr(value, "__aiter__") else StreamProxy(value, self)
        )

    def _let_go(self) -> None:
        """An SDK follows the stream, and holds this until it is gone: so this must not hold it."""
        self.close()
        self._wrapper, self._arguments = None, {}
        logging = self._logged()
        if logging is not None:
            self._logged = weakref.ref(logging)

    def _is_unasked(self, stream: Any) -> bool:
        """Whether a provider of the application's own runs when its first item is wanted."""
        source = getattr(stream, "completion_stream", None)
        return self.claim.current is None and isinstance(source, (Generator, AsyncGenerator))

    def chunk(self, item: Any) -> object:
        """Gather from one chunk or event of a stream."""
        self._streams = True
        call: Any = self.adopt()
        if call is not None and call.times_next_chunk:
            call.record_chunk_time()
        if self._events is not None and isinstance(item, bytes):
            for event in self._events.read(item):
                self._gather(event)
        else:
            self._gather(item)
        return None

    def _gather(self, item: Any) -> None:
        if self._assembly is not None:
            self._assembly.add(item)
        kind = text(item, "type")
        if kind in FINAL_EVENTS:
            self._final = field(item, "response")
        elif kind == "error":  # of OpenAI's responses or Anthropic's messages, as they came
            self._broken = text(item, "code") or text(field(item, "error"), "type") or kind
        elif not self._kept or field(item, "usage") is not None or _reasons([item]):
            self._kept.append(item)

    def unwraps(self, wrapper: Any) -> None:
        """LiteLLM wraps what the provider streams in its ``CustomStreamWrapper``."""
        self._wrapper = wrapper

    @property
    def identified(self) -> bool:
        """Whether it is known what the provider calls its answer, and itself."""
        return self._id is not None and self._model is not None

    def identify(self, event: Any) -> None:
        """Take id and model from a stream's event as it came: LiteLLM hands on names of its own."""
        self._id = self._id or text(event, "id") or text(event, "responseId")
        self._model = self._model or text(event, "model") or text(event, "modelVersion")

    def hears(self, message: Any, usage: Any) -> None:
        """An event of Anthropic's as it came: LiteLLM does not hand on its id and all of its usage.

        Args:
            message: The message that begins, if one does.
            usage: The numbers that the event tells; later ones replace earlier ones.
        """
        self.identify(message)
        for source in (field(message, "usage"), usage):
            self._heard.update(told(source))

    def describe(self, call: Any, response: Any) -> None:
        """Set on ``call`` what was asked and what the provider answered."""
        if call.detailed:
            self._describe_request(call)
        answer = response if response is not None else self._final
        if answer is None and isinstance(self._assembly, Assembly):
            answer = self._assembly.answer()
        failed, code = failure_of(answer) if self._api is RESPONSES else (False, None)
        if failed or self._broken is not None:
            call.mark_failed(code or self._broken)
            call.complete = True
        if answer is not None:
            self._describe_answer(call, answer)
        elif self._streams:
            self._describe_stream(call)
        if call.detailed and self._logged() is not None:
            self._tell_cost(call)

    def _describe_request(self, call: Any) -> None:
        if self._api is None:
            call.attributes.update(embeddings_attributes(self._arguments))
            return
        attributes = inference_attributes(self._arguments)
        if self.claim.provider not in SPEAKS_OPENAI:
            attributes.pop(attr.OPENAI_REQUEST_SERVICE_TIER, None)
        elif self._api.type is not None and self.operation is Operation.CHAT:
            attributes[attr.OPENAI_API_TYPE] = self._api.type.value
        call.attributes.update(attributes)

    def _describe_answer(self, call: Any, answer: Any) -> None:
        raw = None
        logging = self._logged()
        if logging is not None and not self._streams:
            raw = field(logging.model_call_details, "original_response")
        call.response_model = model_of(answer, self.route, raw)
        if self._api is MESSAGES:
            usage = usage_of(told(field(answer, "usage")))
        else:
            usage = spent(answer, raw)
        if usage is not None:
            call.input_tokens = usage.input_tokens
        if self._api is None:
            return
        if usage is not None:
            call.output_tokens = usage.output_tokens
            call.attributes.update(usage.breakdown)
        call.response_id = answer_id(answer, raw)
        call.finish_reasons = self._api.finish_reasons(answer)
        if self._assembly is not None:
            call.content.output_messages = self._api.output(answer)

    def _describe_stream(self, call: Any) -> None:
        # What LiteLLM keeps of a stream is what the provider sent; the last chunk that it hands on may
        # tell tokens that it has counted itself.
        chunks: list[Any] = self._kept if self._wrapper is None else list(self._wrapper.chunks)
        first = chunks[0] if chunks else None
        call.response_id = self._id or chunk_id(first)
        call.response_model = (
            self._model if self._wrapper is not None else model_of(first, self.route, None)
        )
        usage = usage_of(self._heard) or stream_spent(chunks)
        if usage is not None:
            call.input_tokens, call.output_tokens = usage.input_tokens, usage.output_tokens
            call.attributes.update(usage.breakdown)
        call.finish_reasons = _reasons(chunks)
        if self._assembly is not None:
            call.content.output_messages = self._assembly.messages

    def response_id(self, response: Any) -> str | None:
        """The id by which an SDK would have reported the response."""
        return text(response, "id")

    def _tell_cost(self, call: Any) -> None:
        cost = cost_of(self._logged(), call)
        if cost is not None:
            call.attributes[attr.OTEL_AGENTS_COST] = cost


QUESTION: Final[Slot[Question]] = Slot("litellm-question", Question)


class _EitherStream(StreamProxy):
    """A stream that can be read asynchronously too: it is followed by whom reads it."""

    __slots__ = ()

    def __aiter__(self) -> AsyncStreamProxy:
        object.__setattr__(self, "_otel_ended", True)
        return AsyncStreamProxy(self._otel_wrapped, self._otel_running)


def _ask(api: Api, arguments: Arguments, content: Content) -> None:
    api.ask(content, arguments)


def _nothing() -> None:
    """What LiteLLM has recorded of a call that it has not sent."""


def _is_unsent(stream: Any) -> bool:
    """Whether a stream sends its request when its first item is wanted."""
    return (
        getattr(stream, "completion_stream", stream) is None
        and getattr(stream, "make_call", None) is not None
    )


def _reasons(chunks: Iterable[Any]) -> tuple[str, ...]:
    reasons: dict[int, str | None] = {}
    for chunk in chunks:
        for choice in items(chunk, "choices"):
            index, reason = field(choice, "index") or 0, text(choice, "finish_reason")
            reasons[index] = reason or reasons.get(index)
    ordered = [reason for _, reason in sorted(reasons.items())]
    return tuple(reason or "error" for reason in ordered) if any(ordered) else ()
