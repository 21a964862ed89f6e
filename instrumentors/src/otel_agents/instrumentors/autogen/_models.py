"""Model clients: AutoGen's own, whose SDKs report their calls, and the application's."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import Message, ResponseFields, Usage
from otel_agents.instrumentors._dialects.fields import as_mapping
from otel_agents.instrumentors._dialects.framework_call import FrameworkCall
from otel_agents.instrumentors._dialects.openai.hosts import provider_of_host
from otel_agents.instrumentors._dialects.providers import provider_name
from otel_agents.instrumentors._dialects.servers import server_of
from otel_agents.semconv.values import Operation, Provider

from ._messages import model_input, model_output

if TYPE_CHECKING:
    from autogen_core.models import ChatCompletionClient, CreateResult, LLMMessage

__all__ = ["model_call"]

_AUTOGEN: Final = "autogen_ext.models."
_PROVIDERS: Final = MappingProxyType({"azure": Provider.AZURE_AI_INFERENCE})
"""The packages of clients whose names mean something else in other libraries."""
_CLASSES: Final = MappingProxyType(
    {
        "AnthropicBedrockChatCompletionClient": Provider.AWS_BEDROCK,
        "AzureOpenAIChatCompletionClient": Provider.AZURE_AI_OPENAI,
    }
)
"""The clients whose provider is not that of their package."""
_REASONS: Final = MappingProxyType({"function_calls": "tool_calls", "unknown": None})
"""AutoGen's finish reasons that differ from the providers'."""


class _ModelCall(FrameworkCall):
    """One call of a model client.

    The call itself is evidence of a request, unless its result comes from a cache.
    """

    def __init__(self, telemetry: Telemetry, client: ChatCompletionClient, call: Call) -> None:
        settings = _settings_of(client, call)
        model = settings.get("model")
        messages: list[LLMMessage] | None = call.argument(0, "messages")
        server = _server_of(client)
        super().__init__(
            telemetry,
            settings,
            model=model if isinstance(model, str) else None,
            provider=_provider(client, server),
            server=server,
            operation=Operation.CHAT,
            record_request=partial(_record_request, messages),
        )
        self._is_autogens = type(client).__module__.startswith(_AUTOGEN)
        self._result: Any = None

    def error_to_report(self, value: Any, error: BaseException | None) -> BaseException | None:
        """Report nothing for a cached response, or if AutoGen's client rejects its arguments."""
        is_cached = getattr(self._result if value is None else value, "cached", False)
        rejected = error is not None and self._is_autogens and type(error).__module__ == "builtins"
        if is_cached or rejected:
            self.nothing_sent()
        return error

    def chunk(self, item: str | CreateResult) -> object:
        """Keep the last item of a stream, which is the whole result."""
        self.settings = {**self.settings, "stream": True}
        if isinstance(item, str):
            self.chunk_received()
        else:
            self._result = item
        return None

    def response_fields(self, response: Any) -> ResponseFields:
        """Return what the result holds; no client exposes the response's id."""
        result = self._result if response is None else response
        reason = getattr(result, "finish_reason", None)
        reason = _REASONS.get(reason, reason) if isinstance(reason, str) else None
        usage = getattr(result, "usage", None)
        tokens = (getattr(usage, "prompt_tokens", 0), getattr(usage, "completion_tokens", 0))
        return ResponseFields(
            finish_reasons=(reason,) if reason else (),
            usage=Usage(*tokens, {}) if any(tokens) else None,  # both are 0 if there was no usage
        )

    def output_messages(self, response: Any) -> list[Message]:
        """Return the result's message."""
        result = self._result if response is None else response
        return model_output(result) if hasattr(result, "content") else []


def _record_request(messages: list[LLMMessage] | None, content: Content) -> None:
    content.input_messages = model_input(messages)


def _settings_of(client: ChatCompletionClient, call: Call) -> dict[str, Any]:
    """Return the request's parameters by the names of the provider's API, as far as known."""
    known = as_mapping(getattr(client, "_create_args", None))
    model = known.get("model") or getattr(client, "model", None)
    return {**known, "model": model, **as_mapping(call.kwargs.get("extra_create_args"))}


def _server_of(client: ChatCompletionClient) -> tuple[str, int] | None:
    """Return the endpoint of the SDK's client that AutoGen's client holds."""
    return server_of(getattr(getattr(client, "_client", None), "base_url", None))


def _provider(client: ChatCompletionClient, server: tuple[str, int] | None) -> str | None:
    """Return the provider of AutoGen's client, or of an application's subclass of it.

    It is the name of the package. Many providers speak OpenAI's API: there the host tells them
    apart.
    """
    for kind in type(client).__mro__:
        if not kind.__module__.startswith(_AUTOGEN):
            continue
        if kind.__name__ in _CLASSES:
            return _CLASSES[kind.__name__].value
        package = kind.__module__.removeprefix(_AUTOGEN).partition(".")[0]
        if package == Provider.OPENAI and server is not None:
            return provider_of_host(server[0])
        return provider_name(package, _PROVIDERS)
    return None


def model_call(telemetry: Telemetry, call: Call) -> FrameworkCall:
    """Claim ``ChatCompletionClient.create(messages, …)`` and ``create_stream``."""
    return _ModelCall(telemetry, call.instance, call)
