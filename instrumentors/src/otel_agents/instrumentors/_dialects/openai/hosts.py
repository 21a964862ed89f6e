"""Maps hosts that serve OpenAI's API to their providers."""

from __future__ import annotations

from typing import Final

from otel_agents.semconv.values import Provider

__all__ = ["known_provider", "provider_of_host"]

_HOSTS: Final = (
    ("api.openai.com", Provider.OPENAI),
    ("openai.azure.com", Provider.AZURE_AI_OPENAI),
    ("cognitiveservices.azure.com", Provider.AZURE_AI_OPENAI),
    ("services.ai.azure.com", Provider.AZURE_AI_OPENAI),
    ("models.ai.azure.com", Provider.AZURE_AI_INFERENCE),
    ("api.x.ai", Provider.X_AI),
    ("api.deepseek.com", Provider.DEEPSEEK),
    ("api.groq.com", Provider.GROQ),
    ("api.mistral.ai", Provider.MISTRAL_AI),
    ("api.perplexity.ai", Provider.PERPLEXITY),
    ("api.moonshot.ai", Provider.MOONSHOT_AI),
    ("api.moonshot.cn", Provider.MOONSHOT_AI),
    ("api.anthropic.com", Provider.ANTHROPIC),
    ("api.cohere.ai", Provider.COHERE),
    ("api.cohere.com", Provider.COHERE),
    ("generativelanguage.googleapis.com", Provider.GCP_GEMINI),
    ("aiplatform.googleapis.com", Provider.GCP_VERTEX_AI),
    ("ml.cloud.ibm.com", Provider.IBM_WATSONX_AI),
)


def provider_of_host(host: str) -> str:
    """Return ``gen_ai.provider.name`` for a host; ``openai`` for an unknown one.

    The conventions' provider names the format of the API, not the company behind the host.
    """
    return known_provider(host) or Provider.OPENAI.value


def known_provider(host: str) -> str | None:
    """Return ``gen_ai.provider.name`` for a known host; None for any other."""
    if host.startswith("bedrock-runtime.") and host.endswith(".amazonaws.com"):
        return Provider.AWS_BEDROCK.value
    for known, provider in _HOSTS:
        if host == known or host.endswith((f".{known}", f"-{known}")):
            return provider.value
    return None
