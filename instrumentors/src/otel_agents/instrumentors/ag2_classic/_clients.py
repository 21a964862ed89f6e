"""AG2's own model clients: their providers, and what of their answers is the provider's."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._dialects.servers import server_of
from otel_agents.semconv.values import Operation, Provider

__all__ = [
    "CLIENTS",
    "guesses_streams",
    "is_seen_to_send",
    "makes_ids_up",
    "operation_of",
    "provider_of",
    "server_of_client",
    "streams_unseen",
]

_OWN: Final = "autogen."
_GUESSES: Final = "OpenAIClient"
_ASKS: Final = "_add_streaming_usage_to_params"
"""What that client has where it asks for the usage of a stream; before, it guessed it."""

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
"""AG2's own clients, below the package ``autogen``, and their providers."""
_PROVIDERS: Final = MappingProxyType(
    {target.partition(":")[2]: name for target, name in CLIENTS.items()}
)
_DEPLOYED: Final = MappingProxyType(
    {
        "AzureOpenAI": Provider.AZURE_AI_OPENAI.value,
        "AnthropicBedrock": Provider.AWS_BEDROCK.value,
        "AnthropicVertex": Provider.GCP_VERTEX_AI.value,
    }
)
"""SDKs' clients of models that somebody else than their maker provides."""
_SEEN: Final = frozenset(
    {"AnthropicClient", "AnthropicV2Client", "BedrockClient", "BedrockV2Client", "GeminiClient"}
)
_WHOLE: Final = frozenset({"MistralAIClient"})
_IDLESS: Final = frozenset({"GeminiClient", "OllamaClient"})


def provider_of(client: Any) -> str | None:
    """The provider of one of AG2's own clients; None of one of the application's."""
    own = _own_class(client)
    if not own:
        return None
    if getattr(client, "use_vertexai", False) is True:
        return Provider.GCP_VERTEX_AI.value
    return _DEPLOYED.get(type(_sdk(client)).__name__) or _PROVIDERS.get(own)


def operation_of(client: Any) -> Operation:
    """What a client is asked for with messages, in the conventions' words."""
    gemini = _own_class(client) == "GeminiClient"
    return Operation.GENERATE_CONTENT if gemini else Operation.CHAT


def server_of_client(client: Any) -> tuple[str, int] | None:
    """Host and port of a client that keeps the SDK's, or what it makes that of."""
    holder = _sdk(client) or client
    return server_of(getattr(holder, "base_url", None))


def guesses_streams(client: Any) -> bool:
    """Whether it counts the tokens of a stream itself."""
    return _own_class(client) == _GUESSES and not hasattr(client, _ASKS)


def makes_ids_up(client: Any) -> bool:
    """Whether the ids of its answers are no provider's."""
    return _own_class(client) in _IDLESS


def is_seen_to_send(client: Any) -> bool:
    """Whether each of its requests is seen to be sent, by its SDK."""
    vertex = getattr(client, "use_vertexai", False) is True  # by another SDK
    return _own_class(client) in _SEEN and not vertex


def streams_unseen(client: Any) -> bool:
    """Whether it may stream though no piece is seen here."""
    return not is_seen_to_send(client) and _own_class(client) not in _WHOLE


def _sdk(client: Any) -> Any:
    return getattr(client, "_oai_client", None) or getattr(client, "_client", None)


def _own_class(client: Any) -> str:
    """The name of AG2's class that ``client`` is one of, or derives from; empty where none is."""
    own = (cls.__name__ for cls in type(client).__mro__ if cls.__module__.startswith(_OWN))
    return next(own, "")
