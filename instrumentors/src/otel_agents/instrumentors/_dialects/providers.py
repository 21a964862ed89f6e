"""Maps libraries' names of providers to ``gen_ai.provider.name``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from otel_agents.semconv.values import Provider

__all__ = ["provider_name"]

_NAMES: Final = MappingProxyType(
    {
        "aiohttp_openai": Provider.OPENAI,
        "azure_ai": Provider.AZURE_AI_INFERENCE,
        "azure_text": Provider.AZURE_AI_OPENAI,
        "bedrock": Provider.AWS_BEDROCK,
        "bedrock_converse": Provider.AWS_BEDROCK,
        "codestral": Provider.MISTRAL_AI,
        "cohere_chat": Provider.COHERE,
        "custom_openai": Provider.OPENAI,
        "gemini": Provider.GCP_GEMINI,
        "google": Provider.GCP_GEMINI,
        "mistral": Provider.MISTRAL_AI,
        "moonshot": Provider.MOONSHOT_AI,
        "openai_like": Provider.OPENAI,
        "text-completion-codestral": Provider.MISTRAL_AI,
        "text-completion-openai": Provider.OPENAI,
        "vertex_ai": Provider.GCP_VERTEX_AI,
        "vertex_ai_beta": Provider.GCP_VERTEX_AI,
        "vertexai": Provider.GCP_VERTEX_AI,
        "watsonx": Provider.IBM_WATSONX_AI,
        "watsonx_text": Provider.IBM_WATSONX_AI,
        "xai": Provider.X_AI,
    }
)
_NONE: Final[Mapping[str, Provider]] = MappingProxyType({})


def provider_name(name: str, overrides: Mapping[str, Provider] = _NONE) -> str:
    """Return ``gen_ai.provider.name`` for a library's name of a provider; an unknown one is kept.

    Args:
        name: The library's name.
        overrides: Names that mean something else in this library, such as ``azure``.
    """
    known = overrides.get(name) or _NAMES.get(name)
    return known.value if known is not None else name
