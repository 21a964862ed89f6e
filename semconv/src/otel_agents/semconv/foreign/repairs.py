"""What known libraries emit that differs from the conventions, and what it should be.

Each repair is data: a name that has another one today, a value of another type, a status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Provider

__all__ = ["PROVIDERS", "SPELLINGS", "Repair"]

_CREATION: Final = "gen_ai.usage.cache_creation.input_tokens"

SPELLINGS: Final = MappingProxyType(
    {
        "gen_ai.system": attr.GEN_AI_PROVIDER_NAME,
        "gen_ai.usage.prompt_tokens": attr.GEN_AI_USAGE_INPUT_TOKENS,
        "gen_ai.usage.completion_tokens": attr.GEN_AI_USAGE_OUTPUT_TOKENS,
        _CREATION: attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
        "gen_ai.usage.cache_creation_input_tokens": attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
        "gen_ai.usage.cache_write_input_tokens": attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
        "gen_ai.usage.cache_read_input_tokens": attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
        "gen_ai.usage.reasoning_tokens": attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
        "gen_ai.response.finish_reason": attr.GEN_AI_RESPONSE_FINISH_REASONS,
        "gen_ai.response.stop_reason": attr.GEN_AI_RESPONSE_FINISH_REASONS,
        "gen_ai.openai.request.seed": attr.GEN_AI_REQUEST_SEED,
        "gen_ai.openai.request.service_tier": attr.OPENAI_REQUEST_SERVICE_TIER,
        "gen_ai.openai.response.service_tier": attr.OPENAI_RESPONSE_SERVICE_TIER,
        "gen_ai.openai.response.system_fingerprint": attr.OPENAI_RESPONSE_SYSTEM_FINGERPRINT,
        "gen_ai.openai.system_fingerprint": attr.OPENAI_RESPONSE_SYSTEM_FINGERPRINT,
    }
)
"""Names of earlier conventions, each with its name of today."""

PROVIDERS: Final = MappingProxyType(
    {
        "az.ai.inference": Provider.AZURE_AI_INFERENCE.value,
        "az.ai.openai": Provider.AZURE_AI_OPENAI.value,
        "azure": Provider.AZURE_AI_OPENAI.value,
        "bedrock": Provider.AWS_BEDROCK.value,
        "gemini": Provider.GCP_GEMINI.value,
        "google-gla": Provider.GCP_GEMINI.value,
        "google-vertex": Provider.GCP_VERTEX_AI.value,
        "mistral": Provider.MISTRAL_AI.value,
        "vertex_ai": Provider.GCP_VERTEX_AI.value,
        "xai": Provider.X_AI.value,
    }
)
"""Names of providers that libraries use, each with the one of the conventions."""


@dataclass(frozen=True)
class Repair:
    """What the spans of a library need.

    Example:
        >>> Repair(own={"turns": "gen_ai.conversation.id"}).spellings["turns"]
        'gen_ai.conversation.id'

    Attributes:
        own: Names of the library's own, each with the one of the conventions.
        removed: Attributes that the conventions rule out.
        not_providers: Values of the provider's name that name the library instead.
    """

    own: Mapping[str, str] = field(default_factory=dict[str, str])
    removed: tuple[str, ...] = ()
    not_providers: tuple[str, ...] = ()

    @property
    def spellings(self) -> Mapping[str, str]:
        """`SPELLINGS`, and those of its own."""
        return MappingProxyType({**SPELLINGS, **self.own})
