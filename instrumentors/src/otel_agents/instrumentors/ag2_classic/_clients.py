"""AG2's own model clients: their providers, and which of their values come from the provider."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._dialects.providers import provider_name
from otel_agents.instrumentors._dialects.servers import server_of
from otel_agents.semconv.values import Provider

__all__ = [
    "CLIENTS",
    "IGNORE_STREAM",
    "INVENT_IDS",
    "OMIT_THOUGHTS",
    "guesses_stream_usage",
    "kind_of",
    "provider_of",
    "server_of_client",
]

_PACKAGE: Final = "autogen."
_OPENAI_CLIENT: Final = "OpenAIClient"
_STREAM_USAGE_METHOD: Final = "_add_streaming_usage_to_params"

CLIENTS: Final = (
    "oai.client:OpenAIClient",
    "oai.openai_responses:OpenAIResponsesClient",
    "oai.anthropic:AnthropicClient",
    "oai.bedrock:BedrockClient",
    "oai.cerebras:CerebrasClient",
    "oai.cohere:CohereClient",
    "oai.gemini:GeminiClient",
    "oai.groq:GroqClient",
    "oai.mistral:MistralAIClient",
    "oai.ollama:OllamaClient",
    "oai.together:TogetherClient",
    "llm_clients.anthropic_v2:AnthropicV2Client",
    "llm_clients.bedrock_v2:BedrockV2Client",
    "llm_clients.openai_completions_client:OpenAICompletionsClient",
    "llm_clients.openai_responses_v2:OpenAIResponsesV2Client",
)
"""AG2's own clients, by their path below the package ``autogen``."""
_MODULES: Final = MappingProxyType({"client": Provider.OPENAI.value, "together": "together_ai"})
"""Providers of the modules that are not named after them."""
_AZURE: Final = "AzureOpenAI"

IGNORE_STREAM: Final = frozenset(
    {"AnthropicV2Client", "BedrockClient", "BedrockV2Client", "MistralAIClient"}
)
"""Clients that never stream, whatever their settings."""

INVENT_IDS: Final = frozenset({"GeminiClient", "OllamaClient"})
"""Clients whose response ids are not the provider's."""

OMIT_THOUGHTS: Final = frozenset({"GeminiClient"})
"""Clients whose output tokens are without those of thoughts, which are billed."""


def kind_of(client: Any) -> str:
    """Return the name of AG2's class that ``client`` is or derives from; empty for a custom one."""
    kind = _class_of(client)
    return kind.__name__ if kind is not None else ""


def provider_of(client: Any) -> str | None:
    """Return the provider of one of AG2's own clients, None for a custom client."""
    kind = _class_of(client)
    if kind is None:
        return None
    if getattr(client, "use_vertexai", False) is True:
        return Provider.GCP_VERTEX_AI.value
    if type(_sdk_client(client)).__name__ == _AZURE:
        return Provider.AZURE_AI_OPENAI.value
    name = kind.__module__.rpartition(".")[2]  # such as ``gemini``, ``bedrock_v2``
    return _MODULES.get(name) or provider_name(name.partition("_")[0])


def server_of_client(client: Any) -> tuple[str, int] | None:
    """Return host and port of the SDK client in ``client``, or of the URL that ``client`` keeps."""
    holder = _sdk_client(client) or client
    return server_of(getattr(holder, "base_url", None))


def guesses_stream_usage(client: Any) -> bool:
    """Return whether ``client`` counts the tokens of a stream itself."""
    # AutoGen 0.2 counts tokens with tiktoken; versions with this method request the usage.
    return kind_of(client) == _OPENAI_CLIENT and not hasattr(client, _STREAM_USAGE_METHOD)


def _sdk_client(client: Any) -> Any:
    return getattr(client, "_oai_client", None) or getattr(client, "_client", None)


def _class_of(client: Any) -> type[Any] | None:
    kinds = (kind for kind in type(client).__mro__ if kind.__module__.startswith(_PACKAGE))
    return next(kinds, None)
