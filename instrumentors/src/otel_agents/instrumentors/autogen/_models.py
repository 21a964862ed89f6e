"""Model clients: AutoGen's own, whose SDKs report, and the application's, which only they see."""

from __future__ import annotations

import time
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.operations import ClaimedCall
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import as_mapping
from otel_agents.instrumentors._dialects.openai.hosts import provider_of_host
from otel_agents.instrumentors._dialects.openai.requests import inference_attributes
from otel_agents.instrumentors._dialects.parts import with_finish_reasons
from otel_agents.instrumentors._dialects.servers import server_of
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation, Provider

from ._messages import completion, prompt

__all__ = ["model_call"]

_OWN: Final = "autogen_ext."
_PROVIDERS: Final = MappingProxyType(
    {
        "AnthropicBedrockChatCompletionClient": Provider.AWS_BEDROCK.value,
        "AnthropicChatCompletionClient": Provider.ANTHROPIC.value,
        "AzureAIChatCompletionClient": Provider.AZURE_AI_INFERENCE.value,
        "AzureOpenAIChatCompletionClient": Provider.AZURE_AI_OPENAI.value,
        "LlamaCppChatCompletionClient": "llama_cpp",
        "OllamaChatCompletionClient": "ollama",
        "OpenAIChatCompletionClient": Provider.OPENAI.value,
    }
)
_BY_HOST: Final = Provider.OPENAI.value
_REASONS: Final = MappingProxyType({"function_calls": "tool_calls", "unknown": None})
"""AutoGen's names of reasons that are not the providers'."""


class _Completion(ClaimedCall):
    """One call of a model client; the call is evidence, unless its result says it is from a cache."""

    def __init__(self, telemetry: Telemetry, instance: Any, call: Call) -> None:
        self._settings = _settings_of(instance, call)
        model = self._settings.get("model")
        messages = call.argument(0, "messages")
        server = _server_of(instance)
        super().__init__(
            telemetry,
            Operation.CHAT,
            model=model if isinstance(model, str) else None,
            provider=_provider(instance, server),
            sends_itself=True,
            record_request=partial(_record_request, messages),
        )
        self.server = server
        self._streams = False
        self._first_chunk: float | None = None
        self._opened = time.perf_counter()
        self._own = type(instance).__module__.startswith(_OWN)
        self._result: Any = None
        self._wanted = telemetry.gate.enabled

    def error_to_report(self, value: Any, error: BaseException | None) -> BaseException | None:
        """The answer of a cache is no call; an own client that objects to its arguments sends none."""
        cached = getattr(self._result if value is None else value, "cached", False)
        refuses = error is not None and self._own and type(error).__module__ == "builtins"
        if cached or refuses:
            self.nothing_sent()
        return error

    def chunk(self, item: Any) -> object:
        """The last item of a stream is the whole answer."""
        self._streams = True
        if not isinstance(item, str):
            self._result = item
        elif self._first_chunk is None:
            self._first_chunk = time.perf_counter() - self._opened
        return None

    def describe(self, call: Any, response: Any) -> None:
        """What the result tells; no client tells the response's id."""
        result = response if response is not None else self._result
        if call.detailed:
            call.attributes.update(inference_attributes(self._settings))
        if self._streams:
            call.attributes[attr.GEN_AI_REQUEST_STREAM] = True
        if self._first_chunk is not None:
            call.attributes[attr.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] = self._first_chunk
        reason = getattr(result, "finish_reason", None)
        reason = _REASONS.get(reason, reason) if isinstance(reason, str) else None
        call.finish_reasons = (reason,) if reason else ()
        if self._wanted and hasattr(result, "content"):
            call.content.output_messages = with_finish_reasons(
                completion(result), call.finish_reasons
            )
        usage = getattr(result, "usage", None)
        told = (getattr(usage, "prompt_tokens", 0), getattr(usage, "completion_tokens", 0))
        if any(told):  # both are zero where the provider told none
            call.input_tokens, call.output_tokens = told


def _record_request(messages: Any, content: Content) -> None:
    content.input_messages = prompt(messages)


def _settings_of(instance: Any, call: Call) -> dict[str, Any]:
    """What the client asks with, in the names of the provider's API, as far as it shows."""
    known = as_mapping(getattr(instance, "_create_args", None))
    model = known.get("model") or getattr(instance, "model", None)
    return {**known, "model": model, **as_mapping(call.kwargs.get("extra_create_args"))}


def _server_of(instance: Any) -> tuple[str, int] | None:
    """The endpoint of the SDK's client that a client of AutoGen's own holds."""
    return server_of(getattr(getattr(instance, "_client", None), "base_url", None))


def _provider(instance: Any, server: tuple[str, int] | None) -> str | None:
    """The provider of a client of AutoGen's own, or of a class that an application derives of it.

    Whom AutoGen asks in OpenAI's way, is known by the host.
    """
    for kind in type(instance).__mro__:
        if kind.__module__.startswith(_OWN) and kind.__name__ in _PROVIDERS:
            named = _PROVIDERS[kind.__name__]
            return provider_of_host(server[0]) if server and named == _BY_HOST else named
    return None


def model_call(telemetry: Telemetry, call: Call) -> ClaimedCall:
    """``ChatCompletionClient.create(messages, …)`` and ``create_stream``."""
    return _Completion(telemetry, call.instance, call)
