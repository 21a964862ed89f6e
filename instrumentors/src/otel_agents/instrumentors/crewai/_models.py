"""Model classes: CrewAI's own, whose SDK reports if it can, and the application's."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import CallObserver
from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import ClaimedCall, unfinished
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import field, text
from otel_agents.instrumentors._dialects.parts import finished
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation, Provider

from ._hosts import host_of
from ._messages import answer, request
from ._requested import key_of, requested
from ._runs import RUN, Caller
from ._usage import usage_of

__all__ = ["Answer", "asked", "chunk_came", "current_answer"]

_LITELLM: Final = "crewai.llm"
_OWN: Final = "crewai."
_CLIENT: Final = "_get_sync_client"
"""The method by which CrewAI's own classes get what they send with, in versions that have it."""
_PROVIDERS: Final = MappingProxyType(
    {
        "azure": Provider.AZURE_AI_INFERENCE.value,
        "bedrock": Provider.AWS_BEDROCK.value,
        "gemini": Provider.GCP_GEMINI.value,
    }
)
"""CrewAI's names that are not the conventions'."""
_PARAMETERS: Final = MappingProxyType(
    {
        attr.GEN_AI_REQUEST_FREQUENCY_PENALTY: "frequency_penalty",
        attr.GEN_AI_REQUEST_MAX_TOKENS: "max_tokens",
        attr.GEN_AI_REQUEST_PRESENCE_PENALTY: "presence_penalty",
        attr.GEN_AI_REQUEST_SEED: "seed",
        attr.GEN_AI_REQUEST_TEMPERATURE: "temperature",
        attr.GEN_AI_REQUEST_TOP_P: "top_p",
    }
)


class Answer(ClaimedCall):
    """One call of a model class, below every cache of CrewAI's.

    Of a class of the application's own the call itself is evidence. CrewAI's own may ask several
    times, after a refusal or with what a tool has answered: they are seen to get a client each time.
    """

    def __init__(self, telemetry: Telemetry, instance: Any, messages: Any) -> None:
        model = getattr(instance, "model", None)
        provider = _provider(instance)
        self._evident = not hasattr(instance, _CLIENT)
        super().__init__(
            telemetry,
            Operation.GENERATE_CONTENT if provider == Provider.GCP_GEMINI.value else Operation.CHAT,
            model=model if isinstance(model, str) else None,
            provider=provider,
            sends_itself=self._evident,
            record_request=partial(_record_request, messages),
        )
        if self._evident and type(instance).__module__.startswith(_OWN):  # of early versions
            self.server = host_of(getattr(instance, "client", None))
        self.model = instance
        self.run = RUN.get()
        self.event: Any = None
        self._usage: Any = None
        self._billed: Any = None
        self._told: tuple[str | None, str | None, str | None] = (None, None, None)
        self._received = False
        self._first_chunk: int | None = None
        self._failure: BaseException | None = None
        self._wanted = telemetry.gate.enabled
        self.context = _ANSWER.set(self, self.context)

    def sends(self, server: tuple[str, int] | None) -> None:
        """A request follows; what was sent before is over."""
        if self._received:
            self.responded(None)
        elif self._failure is not None:
            self.attempt_failed(self._failure)
        self.event, self._usage, self._billed, self._received = None, None, None, False
        self._told = (None, None, None)
        self._first_chunk, self._failure = None, None
        self.server = server
        self.attempt()

    def received(self, usage: Any) -> None:
        """The response is there."""
        self._received, self._usage = True, usage

    def billed(self, usage: dict[str, Any]) -> None:
        """What Azure has counted; CrewAI leaves out of it what came from a cache."""
        self._billed = usage

    def identified(self, model: str | None, response_id: str | None, reason: str | None) -> None:
        """What a response, or a piece of it, tells of itself; None is what it does not tell."""
        told = self._told
        self._told = (model or told[0], response_id or told[1], reason or told[2])

    def completed(self, event: Any) -> None:
        """CrewAI tells of the response; early versions do not tell all of it."""
        self._received, self.event = True, event
        self._usage = field(event, "usage") or self._usage
        model, response_id, reason = self._told
        self._told = (
            model or text(event, "model"),
            text(event, "response_id") or response_id,
            text(event, "finish_reason") or reason,
        )

    def chunked(self) -> None:
        """A piece of a stream is there."""
        if self._first_chunk is None:
            self._first_chunk = time.time_ns()

    def failing(self, error: BaseException) -> None:
        """CrewAI tells of an error; it may tell it again, and it may try again."""
        if self._failure is None:
            self._failure = _shown(error)

    def error_to_report(self, value: Any, error: BaseException | None) -> BaseException | None:
        """What the provider had answered before the call failed is no failure of its."""
        if error is None:
            _note(self.run, value)
            return None
        if self._received:
            self.responded(None)
        return _shown(error)

    def describe(self, call: Any, response: Any) -> None:
        """What the class has told of it; one of the application's own may tell nothing."""
        if call.detailed:
            self._describe_request(call)
        event = self.event
        call.response_model, call.response_id, reason = self._told
        call.finish_reasons = (reason.lower(),) if reason else ()  # Gemini's are in capitals
        if self._wanted:
            told = event.response if response is None and event is not None else response
            call.content.output_messages = finished(answer(told)(), call.finish_reasons)
        if not (self._evident or self._received):
            call.mark_failed(None)
        usage = usage_of(self._billed or self._usage)
        if usage is not None:
            call.input_tokens, call.output_tokens = usage.input_tokens, usage.output_tokens
            call.attributes.update(usage.breakdown)

    def _describe_request(self, call: Any) -> None:
        if self._first_chunk is not None:
            seconds = (self._first_chunk - call.start_time) / 1e9
            call.attributes[attr.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] = seconds
        if getattr(self.model, "stream", None) is True:
            call.attributes[attr.GEN_AI_REQUEST_STREAM] = True
        for name, parameter in _PARAMETERS.items():
            value = getattr(self.model, parameter, None)
            if isinstance(value, (int, float)):
                call.attributes[name] = value


_ANSWER: Final = Slot("crewai-answer", Answer)


def _record_request(messages: Any, content: Content) -> None:
    content.input_messages = request(messages)


class _ByLiteLLM(Observation):
    """A call whose requests are LiteLLM's."""

    def __init__(self) -> None:
        self._ids: dict[int, str] = {}
        super().__init__(_STREAMED_IDS.set(self._ids))

    def returned(self, value: Any) -> Any:
        """The call has its result; of a stream CrewAI has told the ids piece by piece."""
        _note(RUN.get(), value, self._ids)
        return value


_STREAMED_IDS: Final[Slot[dict[int, str]]] = Slot("crewai-streamed-ids", dict)


def _note(run: Caller | None, response: Any, ids: Mapping[int, str] = MappingProxyType({})) -> None:
    """Keep the ids of the calls that the model asks for; ``ids`` are by their places."""
    for place, call in enumerate(requested(response) if run is not None else ()):
        call_id = call.id or ids.get(place)
        if run is not None and call_id is not None:
            run.calls.append((key_of(call.name, call.arguments), call_id))


def chunk_came(event: Any) -> None:
    """CrewAI tells of a piece of a stream."""
    answer, ids = current_answer(), _STREAMED_IDS.get()
    if answer is not None:
        answer.chunked()
    call = event.tool_call
    if ids is not None and call is not None and call.id:
        ids[call.index] = call.id


def _shown(error: BaseException) -> BaseException:
    """What the provider's SDK has raised, where CrewAI has put an error of its own around it."""
    while True:
        module, cause = type(error).__module__, error.__cause__
        wraps = module == "builtins" or module.partition(".")[0] == "crewai"
        if not wraps or cause is None or cause is error:
            return error
        error = cause


def _provider(instance: Any) -> str | None:
    """The provider that the class names; the base class names one for all."""
    provider = getattr(instance, "provider", None)
    own = type(instance).__module__.startswith(_OWN)
    if not isinstance(provider, str) or (not own and provider == Provider.OPENAI.value):
        return None
    return _PROVIDERS.get(provider, provider)


def current_answer() -> Answer | None:
    """The call of a model class that is being answered here."""
    return unfinished(_ANSWER)


def asked(telemetry: Telemetry, call: Call) -> CallObserver:
    """``BaseLLM.call(messages, …)`` and ``acall``; by way of LiteLLM the calls are LiteLLM's."""
    if type(call.instance).__module__ == _LITELLM:
        return _ByLiteLLM()
    return Answer(telemetry, call.instance, call.argument(0, "messages"))
