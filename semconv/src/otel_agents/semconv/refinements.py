"""What single providers add to the inference and fetch-response span types.

Source: GenAI semconv, "OpenAI", "Azure AI Inference", "Anthropic", "AWS Bedrock". The attributes
are allowed on every inference, since a compatible host may send them; this table has their levels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from . import attributes as attr
from .requirements import (
    IF_KNOWN,
    IF_REQUESTED,
    RECOMMENDED,
    RECOMMENDED_IF_KNOWN,
    REQUIRED,
    Level,
    Requirement,
    Requirements,
)
from .values import Provider


@dataclass(frozen=True)
class Refinement:
    """One provider's version of a span type.

    Example:
        >>> REFINEMENTS["openai.gen_ai.client.inference"].provider
        <Provider.OPENAI: 'openai'>

    Attributes:
        type: Its id in the conventions.
        refines: The id of the span type that it refines.
        provider: The provider.
        attributes: The requirement levels that it changes.
    """

    type: str
    refines: str
    provider: Provider
    attributes: Requirements


_NOT_443: Final = Requirement(Level.CONDITIONALLY_REQUIRED, "unless it is 443")

REFINEMENTS: Final[Mapping[str, Refinement]] = MappingProxyType(
    {
        refinement.type: refinement
        for refinement in (
            Refinement(
                "openai.gen_ai.client.inference",
                "gen_ai.client.inference",
                Provider.OPENAI,
                {
                    attr.GEN_AI_REQUEST_MODEL: REQUIRED,
                    attr.OPENAI_REQUEST_SERVICE_TIER: IF_REQUESTED,
                    attr.OPENAI_RESPONSE_SERVICE_TIER: IF_KNOWN,
                    attr.OPENAI_RESPONSE_SYSTEM_FINGERPRINT: RECOMMENDED,
                    attr.OPENAI_API_TYPE: RECOMMENDED,
                    attr.GEN_AI_OUTPUT_TYPE: RECOMMENDED,
                    attr.GEN_AI_REQUEST_REASONING_LEVEL: RECOMMENDED,
                    attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: RECOMMENDED,
                    attr.GEN_AI_USAGE_INPUT_TOKENS: RECOMMENDED,
                    attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: RECOMMENDED,
                },
            ),
            Refinement(
                "openai.fetch_response.client",
                "gen_ai.fetch_response.client",
                Provider.OPENAI,
                {
                    attr.OPENAI_RESPONSE_SERVICE_TIER: IF_KNOWN,
                    attr.GEN_AI_RESPONSE_FINISH_REASONS: RECOMMENDED,
                    attr.GEN_AI_RESPONSE_STATUS: RECOMMENDED,
                    attr.OPENAI_API_TYPE: RECOMMENDED,
                },
            ),
            Refinement(
                "azure.ai.gen_ai.client.inference",
                "gen_ai.client.inference",
                Provider.AZURE_AI_INFERENCE,
                {
                    attr.SERVER_PORT: _NOT_443,
                    attr.AZURE_RESOURCE_PROVIDER_NAMESPACE: RECOMMENDED,
                    attr.GEN_AI_OUTPUT_TYPE: RECOMMENDED,
                    attr.GEN_AI_USAGE_INPUT_TOKENS: RECOMMENDED,
                    attr.GEN_AI_USAGE_OUTPUT_TOKENS: RECOMMENDED,
                },
            ),
            Refinement(
                "anthropic.gen_ai.client.inference",
                "gen_ai.client.inference",
                Provider.ANTHROPIC,
                {
                    attr.GEN_AI_REQUEST_REASONING_LEVEL: RECOMMENDED,
                    attr.GEN_AI_REQUEST_TOP_K: RECOMMENDED,
                    attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: RECOMMENDED,
                    attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: RECOMMENDED,
                    attr.GEN_AI_USAGE_INPUT_TOKENS: RECOMMENDED,
                },
            ),
            Refinement(
                "aws.bedrock.gen_ai.client.inference",
                "gen_ai.client.inference",
                Provider.AWS_BEDROCK,
                {
                    attr.AWS_BEDROCK_GUARDRAIL_ID: REQUIRED,
                    attr.AWS_BEDROCK_KNOWLEDGE_BASE_ID: RECOMMENDED_IF_KNOWN,
                    attr.GEN_AI_REQUEST_TOP_K: RECOMMENDED,
                },
            ),
        )
    }
)
"""All refinements by id."""
