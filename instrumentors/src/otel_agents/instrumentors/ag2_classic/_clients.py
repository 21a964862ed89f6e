"""AG2's own model clients: their providers, and which of their values come from the provider."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._dialects.servers import server_of
from otel_agents.semconv.values import Operation, Provider

__all__ = [
    "CLIENTS",
    "guesses_stream_usage",
    "invents_ids",
    "may_stream_unobserved",
    "operation_of",
    "provider_of",
    "sends_observably",
    "server_of_client",
]

_PACKAGE: Final = "autogen."
_OPENAI_CLIENT: Final = "OpenAIClient"
_STREAM_USAGE_METHOD: Final = "_add_streaming_usage_to_params"

CLIENTS: Final = MappingProxyType(
    {
        "oai.client:OpenAIClient": Provider.OPENAI.value,
        "oai.openai_responses:OpenAIResponsesClient": Provider.OPENAI.value,
        "oai.anthropic:AnthropicClient": Provider.ANTHROPIC.value,
        "oai.bedrock:BedrockClient": Provider.AWS_BEDROCK.value,
        "oai.cerebras:CerebrasClient": "cerebras",
        "oai.cohere:CohereClient": Provider.COHERE.value,
        "oai.gemini:GeminiClient": Provider.GCP_GEMINI.value,
        "oai.groq:GroqClient": Provider.GROQ.value,
        "oai.mistral:MistralAIClient": Provider.MISTRAL_AI.value,
        "oai.ollama:OllamaClient": "ollama",
        "oai.together:TogetherClient": "together_ai",
        "llm_clients.anthropic_v2:AnthropicV2Client": Provider.ANTHROPIC.value,
        "llm_clients.bedrock_v2:BedrockV2Client": Provider.AWS_BEDROCK.value,
        "llm_clients.openai_completions_client:OpenAICompletionsClient": Provider.OPENAI.value,
        "llm_clients.openai_responses_v2:OpenAIResponsesV2Client": Provider.OPENAI.value,
    }
)
"""AG2's own clients, by their path below the package ``autogen``, and their providers."""
_PROVIDERS: Final = MappingProxyType(
    {target.partition(":")[2]: name for target, name in CLIENTS.items()}
)
_HOSTED: Final = MappingProxyType(
    {
        "AzureOpenAI": Provider.AZURE_AI_OPENAI.value,
        "AnthropicBedrock": Provider.AWS_BEDROCK.value,
        "AnthropicVertex": Provider.GCP_VERTEX_AI.value,
    }
)
"""SDK clients for models that another company than their vendor hosts."""
_OBSERVED: Final = frozenset(
    {"AnthropicClient", "AnthropicV2Client", "BedrockClient", "BedrockV2Client", "GeminiClient"}
)
_NEVER_STREAMS: Final = frozenset({"MistralAIClient"})
_INVENTS_IDS: Final = frozenset({"GeminiClient", "OllamaClient"})


def provider_of(client: Any) -> str | None:
    """Return the provider of one of AG2's own clients, None for a custom client."""
    name = _client_class(client)
    if not name:
        return None
    if getattr(client, "use_vertexai", False) is True:
        return Provider.GCP_VERTEX_AI.value
    return _HOSTED.get(type(_sdk_client(client)).__name__) or _PROVIDERS.get(name)


def operation_of(client: Any) -> Operation:
    """Return the operation of a client's requests."""
    gemini = _client_class(client) == "GeminiClient"
    return Operation.GENERATE_CONTENT if gemini else Operation.CHAT


def server_of_client(client: Any) -> tuple[str, int] | None:
    """Return host and port of the SDK client in ``client``, or of the URL that ``client`` keeps."""
    holder = _sdk_client(client) or client
    return server_of(getattr(holder, "base_url", None))


def guesses_stream_usage(client: Any) -> bool:
    """Return whether ``client`` counts the tokens of a stream itself."""
    # AutoGen 0.2 counts tokens with tiktoken; versions with this method request the usage.
    return _client_class(client) == _OPENAI_CLIENT and not hasattr(client, _STREAM_USAGE_METHOD)


def invents_ids(client: Any) -> bool:
    """Return whether the response ids of ``client`` are not the provider's."""
    return _client_class(client) in _INVENTS_IDS


def sends_observably(client: Any) -> bool:
    """Return whether each request of ``client`` is observed in its SDK (`_sdk_requests`)."""
    # For Vertex AI GeminiClient uses another SDK, vertexai.
    vertex = getattr(client, "use_vertexai", False) is True
    return _client_class(client) in _OBSERVED and not vertex


def may_stream_unobserved(client: Any) -> bool:
    """Return whether ``client`` may stream a response whose chunks are not observed here."""
    return not sends_observably(client) and _client_class(client) not in _NEVER_STREAMS


def _sdk_client(client: Any) -> Any:
    return getattr(client, "_oai_client", None) or getattr(client, "_client", None)


def _client_class(client: Any) -> str:
    """Return the name of AG2's class that ``client`` is or derives from; empty if there is none."""
    names = (cls.__name__ for cls in type(client).__mro__ if cls.__module__.startswith(_PACKAGE))
    return next(names, "")
