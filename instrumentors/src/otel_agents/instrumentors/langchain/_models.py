"""Model classes: the SDK below reports their calls; where there is none, this module does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial, reduce
from operator import add
from types import MappingProxyType, SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import Message, ResponseFields
from otel_agents.instrumentors._dialects.fields import as_mapping
from otel_agents.instrumentors._dialects.framework_call import FrameworkCall
from otel_agents.instrumentors._dialects.parts import text_message
from otel_agents.instrumentors._dialects.providers import provider_name
from otel_agents.instrumentors._dialects.servers import server_of
from otel_agents.semconv.values import Operation, Provider

from ._messages import (
    billed_usage,
    fields_of,
    generations_of,
    merged_metadata,
    metadata_of,
    model_messages,
    output_message,
    sum_of_usages,
    usage_of,
)
from ._names import LABELS, labels_of, with_labels
from ._runs import RUNS, key_of

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel, BaseLLM
    from langchain_core.language_models.chat_model_stream import (
        AsyncChatModelStream,
        ChatModelStream,
    )

    from otel_agents.instrumentors._core.operations.models import ModelCall

__all__ = ["chat_model_call", "completion_model_call", "model_context", "native_model_call"]

_PROVIDERS: Final = MappingProxyType(
    {
        "amazon_bedrock": Provider.AWS_BEDROCK,
        "azure": Provider.AZURE_AI_OPENAI,
        "google_genai": Provider.GCP_GEMINI,
        "google_vertexai": Provider.GCP_VERTEX_AI,
        "mistral": Provider.MISTRAL_AI,
        "xai": Provider.X_AI,
    }
)
"""LangChain's names of providers (``ls_provider``)."""
_SENDS_ITSELF: Final = ("langchain_mistralai.", "langchain_ollama.")
"""The packages whose models send by no SDK that is instrumented."""
_SETTINGS: Final = (
    *("temperature", "top_p", "top_k", "max_tokens", "max_output_tokens", "seed", "stop", "n"),
    *("frequency_penalty", "presence_penalty", "reasoning_effort"),
)
"""Settings that model classes have as fields, by their names in OpenAI's API."""
_URLS: Final = (
    *("endpoint", "base_url", "endpoint_url", "openai_api_base", "anthropic_api_url"),
    "groq_api_base",
)
_NAMES: Final = ("model", "model_name", "model_id")
_NATIVE: Final = ("_stream_chat_model_events", "_astream_chat_model_events")
"""Methods that model classes may have since langchain-core 1.3.2."""
_OWN: Final = ("messages", "prompts", "prompt", "stop", "run_manager", "stream")
"""Arguments that are not passed on to the provider."""


class _ModelCall(FrameworkCall):
    """One call of a model class below LangChain's cache: each one sends a request."""

    def __init__(
        self, telemetry: Telemetry, call: Call, operation: Operation | None, chat: bool
    ) -> None:
        self._model = call.instance
        messages, stop = (
            call.argument(0, "messages" if chat else "prompts"),
            call.argument(1, "stop"),
        )
        manager = call.argument(2, "run_manager")
        self._run_id = key_of(getattr(manager, "parent_run_id", None))
        settings = _settings_of(self._model, stop, call.kwargs)
        known = _ls_params(self._model, stop, call.kwargs)
        self._labels = labels_of(manager) if telemetry.gate.enabled else None
        parent = RUNS.parent_context(self._run_id)
        super().__init__(
            telemetry,
            settings,
            model=_name_of(self._model, known),
            provider=_provider_of(known),
            server=_server_of(self._model),
            operation=operation,
            record_request=partial(self._record_content, messages),
            parent=parent,
        )
        self._chunks: list[Any] = []
        if type(self._model).__module__.startswith(_SENDS_ITSELF):
            self._start_span()

    def _record_content(self, messages: Any, content: Content) -> None:
        _record_request(messages, content)
        self._record_labels(content)

    def _record_labels(self, content: Content) -> None:
        if self._labels is not None:
            self._labels.record(content, LABELS.get(self._parent))

    def complete(self, call: ModelCall) -> None:
        """Record tags and metadata on the span of the SDK below."""
        self._record_labels(call.content)

    def _start_span(self) -> None:
        """Start the span now: the HTTP client's spans are then its children."""
        started = self.start(self.server)
        if started is not None:
            self.context = started.context

    def error_to_report(self, value: Any, error: BaseException | None) -> BaseException | None:
        """Return ``error``; it passes the runs above, which do not report where it was raised."""
        if error is not None:
            RUNS.passed(self._run_id, error)
        return error

    def chunk(self, item: Any) -> object:
        """Collect one chunk of a stream."""
        if not self._chunks:
            self.chunk_received()
            self.settings = {**self.settings, "stream": True}
        self._chunks.append(item)
        return None

    def response_fields(self, response: Any) -> ResponseFields:
        """Return what the result reports, or the chunks of a stream so far."""
        if response is None:
            return fields_of(
                [merged_metadata(self._chunks)], sum_of_usages(self._chunks), self._chunks
            )
        generations = generations_of(response)
        shared = as_mapping(getattr(response, "llm_output", None))
        metadata = [{**shared, **metadata_of(one)} for one in generations]
        usage = next(filter(None, map(usage_of, generations)), None) or billed_usage(shared)
        return fields_of(metadata, usage, generations)

    def output_messages(self, response: Any) -> list[Message]:
        """Return the result's messages."""
        if response is None:
            return [output_message(reduce(add, self._chunks))] if self._chunks else []
        return [output_message(one) for one in generations_of(response)]


class _NativeCall(_ModelCall):
    """One call of a model class that streams events, and no chunks of messages."""

    def __init__(self, telemetry: Telemetry, call: Call) -> None:
        super().__init__(telemetry, call, None, chat=True)
        self._stream: ChatModelStream | AsyncChatModelStream = call.kwargs["stream"]
        self.settings = {**self.settings, "stream": True}

    def chunk(self, item: Any) -> object:
        """Note when the first event came; LangChain makes a message of them.

        It reads no further than to the last event, and does not exhaust the stream.
        """
        self.chunk_received()
        if as_mapping(item).get("event") == "message-finish":
            self.responded(self._result())
        return None

    def response_fields(self, response: Any) -> ResponseFields:
        """Return what the message reports, if the stream has reached its end."""
        return super().response_fields(self._result() if response is None else response)

    def output_messages(self, response: Any) -> list[Message]:
        """Return the message, if the stream has reached its end."""
        return super().output_messages(self._result() if response is None else response)

    def _result(self) -> Any:
        whole = self._stream.output_message
        return SimpleNamespace(generations=[SimpleNamespace(message=whole)] if whole else [])


def native_model_call(telemetry: Telemetry, call: Call) -> FrameworkCall | None:
    """Claim ``_iter_v2_events(messages, *, run_manager, stream, …)``, and its async form.

    Both read chunks of ``_stream``, unless the class has a method for events.
    """
    native = (getattr(call.instance, name, None) for name in _NATIVE)
    return _NativeCall(telemetry, call) if any(native) else None


def chat_model_call(telemetry: Telemetry, call: Call) -> FrameworkCall:
    """Claim ``BaseChatModel._generate(messages, stop, run_manager, …)`` and its three kinds."""
    return _ModelCall(telemetry, call, None, chat=True)


def completion_model_call(telemetry: Telemetry, call: Call) -> FrameworkCall:
    """Claim ``BaseLLM._generate(prompts, stop, run_manager, …)`` and its three kinds."""
    return _ModelCall(telemetry, call, Operation.TEXT_COMPLETION, chat=False)


def model_context(telemetry: Telemetry, call: Call) -> Context | None:
    """Return the context for ``_generate_with_cache(messages, stop, run_manager, …)``.

    A class need not take the manager, and what streams below gets none.
    """
    manager = call.argument(2, "run_manager")
    parent = RUNS.parent_context(key_of(getattr(manager, "parent_run_id", None)))
    return with_labels(telemetry, labels_of(manager), parent)


def _record_request(messages: Any, content: Content) -> None:
    if isinstance(messages, str):
        content.input_messages = [text_message("user", messages)]
    elif messages and isinstance(messages[0], str):
        content.input_messages = [text_message("user", prompt) for prompt in messages]
    elif messages:
        content.input_messages = model_messages(messages)


def _settings_of(
    model: Any, stop: Sequence[str] | None, given: Mapping[str, Any]
) -> dict[str, Any]:
    known = {name: getattr(model, name, None) for name in _SETTINGS}
    called = {name: given[name] for name in _SETTINGS if given.get(name) is not None}
    return {**known, **called, **({"stop": stop} if stop else {})}


def _ls_params(
    model: BaseChatModel | BaseLLM, stop: Sequence[str] | None, given: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return what the class reports of its model.

    One that reports nothing has a provider made of the name of the class, which is dropped.
    """
    method = getattr(model, "_get_ls_params", None)
    if method is None:
        return {}
    known = as_mapping(method(stop=stop, **{k: v for k, v in given.items() if k not in _OWN}))
    if method.__func__.__module__.startswith("langchain_core.language_models."):
        return {name: value for name, value in known.items() if name != "ls_provider"}
    return known


def _name_of(model: Any, known: Mapping[str, Any]) -> str | None:
    names = (known.get("ls_model_name"), *(getattr(model, name, None) for name in _NAMES))
    return next((name for name in names if name and isinstance(name, str)), None)


def _provider_of(known: Mapping[str, Any]) -> str | None:
    name = known.get("ls_provider")
    return provider_name(name, _PROVIDERS) if isinstance(name, str) and name else None


def _server_of(model: Any) -> tuple[str, int] | None:
    urls = (getattr(model, name, None) for name in _URLS)
    url = next((url for url in urls if url and isinstance(url, str)), None)
    return server_of(url) if url else None
