"""Where LiteLLM sends a request: the provider in the conventions' spelling."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.semconv.values import Provider

__all__ = ["COMPLETES_TEXT", "SPEAKS_OPENAI", "provider_name"]

_PROVIDERS: Final = {
    "aiohttp_openai": Provider.OPENAI,
    "azure": Provider.AZURE_AI_OPENAI,
    "azure_ai": Provider.AZURE_AI_INFERENCE,
    "azure_text": Provider.AZURE_AI_OPENAI,
    "bedrock": Provider.AWS_BEDROCK,
    "bedrock_converse": Provider.AWS_BEDROCK,
    "codestral": Provider.MISTRAL_AI,
    "cohere_chat": Provider.COHERE,
    "custom_openai": Provider.OPENAI,
    "gemini": Provider.GCP_GEMINI,
    "mistral": Provider.MISTRAL_AI,
    "moonshot": Provider.MOONSHOT_AI,
    "openai_like": Provider.OPENAI,
    "text-completion-codestral": Provider.MISTRAL_AI,
    "text-completion-openai": Provider.OPENAI,
    "vertex_ai": Provider.GCP_VERTEX_AI,
    "vertex_ai_beta": Provider.GCP_VERTEX_AI,
    "watsonx": Provider.IBM_WATSONX_AI,
    "watsonx_text": Provider.IBM_WATSONX_AI,
    "xai": Provider.X_AI,
}
"""LiteLLM's names that are not the conventions'; any other is taken over."""

COMPLETES_TEXT: Final = ("azure_text", "text-completion-codestral", "text-completion-openai")
"""LiteLLM's names of routes that complete a text, also where a chat was asked for."""

SPEAKS_OPENAI: Final = (Provider.OPENAI.value, Provider.AZURE_AI_OPENAI.value)
"""The providers whose spans have attributes of OpenAI's own."""


def provider_name(provider: Any) -> str | None:
    """``gen_ai.provider.name`` for a ``custom_llm_provider``."""
    if not isinstance(provider, str) or not provider:
        return None
    known = _PROVIDERS.get(provider)
    return known.value if known is not None else provider
