"""Model classes: CrewAI's own, whose SDKs report their calls if they can, and the application's."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import CallObserver
from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import ClaimedCall, unfinished
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import field, text
from otel_agents.instrumentors._dialects.parts import with_finish_reasons
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation, Provider

from ._hosts import host_of
from ._messages import input_messages, output_messages
from ._runs import RUN, ToolCaller
from ._tool_calls import key_of, tool_calls_in
from ._usage import usage_of

if TYPE_CHECKING:
    from crewai.events.types.llm_events import LLMCallCompletedEvent, LLMStreamChunkEvent
    from crewai.llms.base_llm import BaseLLM

__all__ = ["ClaimedModelCall", "current_model_call", "model_call", "on_stream_chunk"]

_LITELLM: Final = "crewai.llm"
_CREWAI: Final = "crewai."
_CLIENT: Final = "_get_sync_client"
"""The method by which CrewAI's own classes get their SDK's client, since 1.14.2."""
_PROVIDERS: Final = MappingProxyType(
    {
        "azure": Provider.AZURE_AI_INFERENCE.value,
        "bedrock": Provider.AWS_BEDROCK.value,
        "gemini": Provider.GCP_GEMINI.value,
    }
)
"""CrewAI's provider names that differ from the conventions'."""
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


class ClaimedModelCall(ClaimedCall):
    """One call of a model class, below all of CrewAI's caches.

    A call of an application's class is itself evidence of a request. CrewAI's own classes may
    send several requests, after a refusal or with a tool's result: each time they get a client.
    """

    def __init__(self, telemetry: Telemetry, instance: BaseLLM, messages: Any) -> None:
        model = getattr(instance, "model", None)
        provider = _provider(instance)
        self._sends_itself = not hasattr(instance, _CLIENT)
        super().__init__(
            telemetry,
            Operation.GENERATE_CONTENT if provider == Provider.GCP_GEMINI.value else Operation.CHAT,
            model=model if isinstance(model, str) else None,
            provider=provider,
            sends_itself=self._sends_itself,
            record_request=partial(_record_request, messages),
        )
        # CrewAI's own classes before 1.14.2 create their client at once:
        # https://github.com/crewAIInc/crewAI/pull/5412
        if self._sends_itself and type(instance).__module__.startswith(_CREWAI):
            self.server = host_of(getattr(instance, "client", None))
        self.model = instance
        self.run = RUN.get()
        self.event: LLMCallCompletedEvent | None = None
        self._usage: Any = None
        self._billed: Any = None
        self._identity: tuple[str | None, str | None, str | None] = (None, None, None)
        self._received = False
        self._first_chunk: int | None = None
        self._failure: BaseException | None = None
        self._content_enabled = telemetry.gate.enabled
        self.context = _MODEL_CALL.set(self, self.context)

    def send(self, server: tuple[str, int] | None) -> None:
        """Start an attempt, and end the previous one."""
        if self._received:
            self.responded(None)
        elif self._failure is not None:
            self.attempt_failed(self._failure)
        self.event, self._usage, self._billed, self._received = None, None, None, False
        self._identity = (None, None, None)
        self._first_chunk, self._failure = None, None
        self.server = server
        self.attempt()

    def received(self, usage: Any) -> None:
        """Note a response and its usage."""
        self._received, self._usage = True, usage

    def billed(self, usage: dict[str, Any]) -> None:
        """Note the usage of Azure's response; CrewAI's omits the cached tokens."""
        self._billed = usage

    def identify(self, model: str | None, response_id: str | None, reason: str | None) -> None:
        """Note model, id and finish reason of a response or a chunk, as far as it has them."""
        known = self._identity
        self._identity = (model or known[0], response_id or known[1], reason or known[2])

    def completed(self, event: LLMCallCompletedEvent) -> None:
        """Note CrewAI's event for a response, which holds less in early versions."""
        self._received, self.event = True, event
        self._usage = field(event, "usage") or self._usage
        model, response_id, reason = self._identity
        self._identity = (
            model or text(event, "model"),
            text(event, "response_id") or response_id,
            text(event, "finish_reason") or reason,
        )

    def on_chunk(self) -> None:
        """Note the time of a stream's first chunk."""
        if self._first_chunk is None:
            self._first_chunk = time.time_ns()

    def on_failure(self, error: BaseException) -> None:
        """Note the error of CrewAI's event; a retry may follow."""
        # CrewAI emits `llm_call_failed` twice for one error, in the provider class and above it.
        if self._failure is None:
            self._failure = _sdk_error(error)

    def error_to_report(self, value: Any, error: BaseException | None) -> BaseException | None:
        """Report a response first, if the provider sent one before the call failed."""
        if error is None:
            _keep_tool_call_ids(self.run, value)
            return None
        if self._received:
            self.responded(None)
        return _sdk_error(error)

    def describe(self, call: Any, response: Any) -> None:
        """Record what the class has reported; the application's own may report nothing."""
        if call.detailed:
            self._describe_request(call)
        event = self.event
        call.response_model, call.response_id, reason = self._identity
        call.finish_reasons = (reason.lower(),) if reason else ()  # Gemini's are in capitals
        if self._content_enabled:
            output = event.response if response is None and event is not None else response
            messages = output_messages(output)()
            call.content.output_messages = with_finish_reasons(messages, call.finish_reasons)
        if not (self._sends_itself or self._received):
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


_MODEL_CALL: Final = Slot("crewai-model-call", ClaimedModelCall)


def _record_request(messages: Any, content: Content) -> None:
    content.input_messages = input_messages(messages)


class _LiteLLMCall(Observation):
    """A call whose requests LiteLLM sends."""

    def __init__(self) -> None:
        self._ids: dict[int, str] = {}
        super().__init__(_STREAMED_IDS.set(self._ids))

    def returned(self, value: Any) -> Any:
        """Keep the ids of the tool calls; those of a stream came with its chunks."""
        _keep_tool_call_ids(RUN.get(), value, self._ids)
        return value


_STREAMED_IDS: Final[Slot[dict[int, str]]] = Slot("crewai-streamed-ids", dict)


def _keep_tool_call_ids(
    run: ToolCaller | None, response: Any, ids: Mapping[int, str] = MappingProxyType({})
) -> None:
    """Keep the ids of the tool calls that the model requests; ``ids`` are by index."""
    for index, call in enumerate(tool_calls_in(response) if run is not None else ()):
        call_id = call.id or ids.get(index)
        if run is not None and call_id is not None:
            run.calls.append((key_of(call.name, call.arguments), call_id))


def on_stream_chunk(event: LLMStreamChunkEvent) -> None:
    """Note CrewAI's event for a chunk of a stream."""
    model_call, ids = current_model_call(), _STREAMED_IDS.get()
    if model_call is not None:
        model_call.on_chunk()
    call = event.tool_call
    if ids is not None and call is not None and call.id:
        ids[call.index] = call.id


def _sdk_error(error: BaseException) -> BaseException:
    """Return the error of the provider's SDK, which CrewAI may have wrapped in its own."""
    while True:
        module, cause = type(error).__module__, error.__cause__
        wraps = module == "builtins" or module.partition(".")[0] == "crewai"
        if not wraps or cause is None or cause is error:
            return error
        error = cause


def _provider(instance: BaseLLM) -> str | None:
    """Return the provider that the class names; ``openai`` is the default of every class."""
    provider = getattr(instance, "provider", None)
    is_crewais = type(instance).__module__.startswith(_CREWAI)
    if not isinstance(provider, str) or (not is_crewais and provider == Provider.OPENAI.value):
        return None
    return _PROVIDERS.get(provider, provider)


def current_model_call() -> ClaimedModelCall | None:
    """Return the call of a model class in which this runs."""
    return unfinished(_MODEL_CALL)


def model_call(telemetry: Telemetry, call: Call) -> CallObserver:
    """Claim ``BaseLLM.call(messages, …)`` or ``acall``; LiteLLM claims its own calls."""
    if type(call.instance).__module__ == _LITELLM:
        return _LiteLLMCall()
    return ClaimedModelCall(telemetry, call.instance, call.argument(0, "messages"))
