"""Model classes: CrewAI's own, whose SDKs report their calls if they can, and the application's."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import CallObserver
from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import ModelCall, unfinished
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import Message, ResponseFields
from otel_agents.instrumentors._dialects.fields import field, text
from otel_agents.instrumentors._dialects.framework_call import FrameworkCall
from otel_agents.instrumentors._dialects.providers import provider_name
from otel_agents.instrumentors._dialects.servers import server_of
from otel_agents.semconv.values import Provider

from ._messages import input_messages, output_messages
from ._model_tools import add_requested
from ._runs import RUN, ToolCaller
from ._tool_calls import key_of, tool_calls_in
from ._usage import usage_of

if TYPE_CHECKING:
    from crewai.events.types.llm_events import LLMCallCompletedEvent, LLMStreamChunkEvent
    from crewai.llms.base_llm import BaseLLM

__all__ = ["ClaimedModelCall", "current_model_call", "model_call", "on_stream_chunk", "on_usage"]

_LITELLM: Final = "crewai.llm"
_CREWAIS_CLASSES: Final = "crewai.llms.providers."
_PROVIDERS: Final = MappingProxyType({"azure": Provider.AZURE_AI_INFERENCE})
"""CrewAI's names of providers that mean something else in other libraries."""
_SETTINGS: Final = (
    *("frequency_penalty", "max_tokens", "presence_penalty", "seed", "stream", "temperature"),
    "top_p",
)
"""The fields of a model class that are settings of a request."""


class ClaimedModelCall(FrameworkCall):
    """One call of a model class, below all of CrewAI's caches.

    The call is itself evidence of a request, unless CrewAI rejects it. CrewAI's own classes may
    send several requests: after a refusal, which starts the call again, and with a tool's result.
    """

    def __init__(self, telemetry: Telemetry, instance: BaseLLM, messages: Any) -> None:
        model = getattr(instance, "model", None)
        super().__init__(
            telemetry,
            {name: getattr(instance, name, None) for name in _SETTINGS},
            model=model if isinstance(model, str) else None,
            provider=_provider(instance),
            server=_server(instance),
            record_request=partial(_record_request, messages),
        )
        self.model = instance
        self.run = RUN.get()
        self._is_crewais = _is_crewais(instance)
        self._tool_error: BaseException | None = None
        self._begin()
        self.context = _MODEL_CALL.set(self, self.context)

    def _begin(self, *, after_tool: bool = False) -> None:
        """Expect a response; after a tool there need not be another one."""
        self._after_tool = after_tool
        self._responded = False
        self._usage: Any = None
        self._event: LLMCallCompletedEvent | None = None
        self._failure: BaseException | None = None

    def on_start(self) -> None:
        """Note CrewAI's event for the start: after a failure it is a retry."""
        if self._failure is not None:
            self.attempt_failed(self._failure)
            self._begin()
            self.attempt()

    def on_usage(self, usage: Any) -> None:
        """Note a response and its usage."""
        self._responded, self._usage = True, usage

    def on_completion(self, event: LLMCallCompletedEvent) -> None:
        """Note CrewAI's event for a response, or for a tool that it has executed."""
        if self._responded or not self._after_tool:
            self._responded, self._event = True, event
            self._usage = field(event, "usage") or self._usage

    def on_failure(self, error: BaseException) -> None:
        """Note the error of CrewAI's event; a retry may follow."""
        # CrewAI emits `llm_call_failed` twice for one error, in the provider class and above it;
        # and for a tool's error.
        if self._failure is None and error is not self._tool_error:
            self._failure = _sdk_error(error)

    def on_tool_start(self) -> None:
        """Report the response that requested the tool."""
        if self._responded:
            self.responded(None)

    def on_tool_end(self, error: BaseException | None = None) -> None:
        """Expect that the tool's result is sent: some classes do."""
        self._tool_error = error
        self._begin(after_tool=True)
        self.attempt()

    def complete(self, call: ModelCall) -> None:
        """Note the tool calls of a response that an SDK's instrumentor reports."""
        add_requested(call)

    def error_to_report(self, value: Any, error: BaseException | None) -> BaseException | None:
        """Report a response first, if the provider sent one before the call failed."""
        if error is None:
            _keep_tool_call_ids(self.run, value)
        else:
            error = _sdk_error(error)
        if self._responded and error is not None:
            self.responded(None)
        elif not self._responded and self._was_not_sent(error):
            self.nothing_sent()
        return error

    def _was_not_sent(self, error: BaseException | None) -> bool:
        """Return whether there was no request, given the call's result."""
        return self._after_tool if error is None else self._is_crewais and _is_rejection(error)

    def response_fields(self, response: Any) -> ResponseFields:
        """Return what the class has reported; the application's own may report nothing."""
        reason = text(self._event, "finish_reason")
        return ResponseFields(
            response_id=text(self._event, "response_id"),
            finish_reasons=(reason.lower(),) if reason else (),  # Gemini's are in capitals
            usage=usage_of(self._usage),
        )

    def output_messages(self, response: Any) -> list[Message]:
        """Return the message of the call's result, or of the event for a response."""
        if response is None and self._event is not None:
            response = self._event.response
        return output_messages(response)()


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


def on_stream_chunk(source: Any, event: LLMStreamChunkEvent) -> None:
    """Note CrewAI's event for a chunk of a stream."""
    model_call, ids = current_model_call(source), _STREAMED_IDS.get()
    if model_call is not None:
        model_call.chunk_received()
    call = event.tool_call
    if ids is not None and call is not None and call.id:
        ids[call.index] = call.id


def _sdk_error(error: BaseException) -> BaseException:
    """Return the error of the provider's SDK, which CrewAI may have wrapped in its own."""
    while True:
        cause = error.__cause__
        if not _is_own(error) or cause is None or cause is error:
            return error
        error = cause


def _is_own(error: BaseException) -> bool:
    """Return whether ``error`` is of a class that CrewAI raises and no SDK does."""
    module = type(error).__module__
    return module == "builtins" or module.partition(".")[0] == "crewai"


def _is_rejection(error: BaseException) -> bool:
    """Return whether CrewAI has rejected the call: a hook forbids it, or the settings are wrong."""
    # What interrupts a call, or breaks its connection, is of Python too.
    return _is_own(error) and isinstance(error, Exception) and not isinstance(error, OSError)


def _is_crewais(instance: BaseLLM) -> bool:
    """Return whether CrewAI's own class sends: this one, or one that the application extends."""
    return any(kind.__module__.startswith(_CREWAIS_CLASSES) for kind in type(instance).__mro__)


def _provider(instance: BaseLLM) -> str | None:
    """Return the provider that the class names; ``openai`` is the default of every class."""
    provider = getattr(instance, "provider", None)
    is_default = provider == Provider.OPENAI.value
    if not isinstance(provider, str) or (is_default and not _is_crewais(instance)):
        return None
    if getattr(instance, "is_azure_openai_endpoint", False) is True:
        return Provider.AZURE_AI_OPENAI.value
    return provider_name(provider, _PROVIDERS)


def _server(instance: BaseLLM) -> tuple[str, int] | None:
    """Return the endpoint that the application has configured; its default only the SDK knows."""
    url = getattr(instance, "base_url", None) or getattr(instance, "endpoint", None)
    return server_of(url) if isinstance(url, str) else None


def current_model_call(model: Any) -> ClaimedModelCall | None:
    """Return the call of ``model`` in which this runs; None if it calls itself another one."""
    call = unfinished(_MODEL_CALL)
    return call if call is not None and call.model is model else None


def on_usage(telemetry: Telemetry, call: Call) -> None:
    """Note a response: ``BaseLLM._track_token_usage_internal(usage)``."""
    model_call = current_model_call(call.instance)
    if model_call is not None:
        model_call.on_usage(call.args[0] if call.args else next(iter(call.kwargs.values()), None))


def model_call(telemetry: Telemetry, call: Call) -> CallObserver:
    """Claim ``BaseLLM.call(messages, …)`` or ``acall``; LiteLLM claims its own calls."""
    if type(call.instance).__module__ == _LITELLM:
        return _LiteLLMCall()
    return ClaimedModelCall(telemetry, call.instance, call.argument(0, "messages"))
