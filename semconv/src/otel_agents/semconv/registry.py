"""The type and the well-known values of every attribute, and the removed names.

Source: GenAI semconv, attribute registry; the core conventions for what it reuses; and our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from . import attributes as attr
from . import values

__all__ = ["CONTENT", "NAMESPACES", "REGISTRY", "REMOVED", "Attribute"]


@dataclass(frozen=True)
class Attribute:
    """One attribute.

    Example:
        >>> REGISTRY["gen_ai.usage.input_tokens"].type
        'int'

    Attributes:
        name: Its name; for a template, the part before the key.
        type: ``string``, ``int``, ``double``, ``boolean``, ``string[]``, ``any`` (structured, a
            JSON string on spans) or ``template[string]``.
        values: The well-known values; others are allowed.
    """

    name: str
    type: str
    values: tuple[str, ...] = ()


_TYPES: Final = MappingProxyType(
    {
        "string": (
            attr.AWS_BEDROCK_GUARDRAIL_ID,
            attr.AWS_BEDROCK_KNOWLEDGE_BASE_ID,
            attr.AZURE_RESOURCE_PROVIDER_NAMESPACE,
            attr.CLIENT_ADDRESS,
            attr.CLOUD_REGION,
            attr.ERROR_TYPE,
            attr.EXCEPTION_MESSAGE,
            attr.EXCEPTION_STACKTRACE,
            attr.EXCEPTION_TYPE,
            attr.GEN_AI_AGENT_DESCRIPTION,
            attr.GEN_AI_AGENT_ID,
            attr.GEN_AI_AGENT_NAME,
            attr.GEN_AI_AGENT_VERSION,
            attr.GEN_AI_CONVERSATION_ID,
            attr.GEN_AI_DATA_SOURCE_ID,
            attr.GEN_AI_EVALUATION_EXPLANATION,
            attr.GEN_AI_EVALUATION_NAME,
            attr.GEN_AI_EVALUATION_SCORE_LABEL,
            attr.GEN_AI_MAIN_AGENT_DESCRIPTION,
            attr.GEN_AI_MAIN_AGENT_ID,
            attr.GEN_AI_MAIN_AGENT_NAME,
            attr.GEN_AI_MEMORY_QUERY_TEXT,
            attr.GEN_AI_MEMORY_RECORD_ID,
            attr.GEN_AI_MEMORY_STORE_ID,
            attr.GEN_AI_PROMPT_NAME,
            attr.GEN_AI_PROMPT_VERSION,
            attr.GEN_AI_REQUEST_MODEL,
            attr.GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID,
            attr.GEN_AI_REQUEST_REASONING_LEVEL,
            attr.GEN_AI_REQUEST_STREAM_CURSOR,
            attr.GEN_AI_RESPONSE_ID,
            attr.GEN_AI_RESPONSE_MODEL,
            attr.GEN_AI_RETRIEVAL_QUERY_TEXT,
            attr.GEN_AI_SKILL_DESCRIPTION,
            attr.GEN_AI_SKILL_NAME,
            attr.GEN_AI_SKILL_RESOURCE_NAME,
            attr.GEN_AI_SKILL_SOURCE_URI,
            attr.GEN_AI_TOOL_CALL_ID,
            attr.GEN_AI_TOOL_DESCRIPTION,
            attr.GEN_AI_TOOL_NAME,
            attr.GEN_AI_TOOL_TYPE,
            attr.GEN_AI_WORKFLOW_NAME,
            attr.JSONRPC_PROTOCOL_VERSION,
            attr.JSONRPC_REQUEST_ID,
            attr.MCP_PROTOCOL_VERSION,
            attr.MCP_RESOURCE_URI,
            attr.MCP_SESSION_ID,
            attr.NETWORK_PROTOCOL_NAME,
            attr.NETWORK_PROTOCOL_VERSION,
            attr.NETWORK_TRANSPORT,
            attr.OPENAI_RESPONSE_SERVICE_TIER,
            attr.OPENAI_RESPONSE_SYSTEM_FINGERPRINT,
            attr.OTEL_AGENTS_CONTENT_INPUT_MESSAGES_REF,
            attr.OTEL_AGENTS_CONTENT_OUTPUT_MESSAGES_REF,
            attr.OTEL_AGENTS_CONTENT_SYSTEM_INSTRUCTIONS_REF,
            attr.OTEL_AGENTS_CONTENT_TOOL_DEFINITIONS_REF,
            attr.OTEL_AGENTS_DOING,
            attr.OTEL_AGENTS_COST_SOURCE,
            attr.OTEL_AGENTS_EVALUATION_EVALUATOR_ID,
            attr.OTEL_AGENTS_EVALUATION_EVALUATOR_TYPE,
            attr.OTEL_AGENTS_EVALUATION_EVALUATOR_VERSION,
            attr.OTEL_AGENTS_HANDOFF_FROM,
            attr.OTEL_AGENTS_HANDOFF_TO,
            attr.OTEL_AGENTS_INTERRUPT_VALUE,
            attr.OTEL_AGENTS_REASON,
            attr.OTEL_AGENTS_SIGNAL,
            attr.OTEL_AGENTS_STEP_OUTCOME,
            attr.OTEL_AGENTS_STEP_TYPE,
            attr.OTEL_AGENTS_TOOL_CALLER,
            attr.PROCESS_EXECUTABLE_NAME,
            attr.PROCESS_EXECUTABLE_PATH,
            attr.RPC_RESPONSE_STATUS_CODE,
            attr.SERVER_ADDRESS,
            attr.SESSION_ID,
            attr.USER_ID,
            attr.GEN_AI_OPERATION_NAME,
            attr.GEN_AI_OUTPUT_TYPE,
            attr.GEN_AI_PROVIDER_NAME,
            attr.GEN_AI_RESPONSE_STATUS,
            attr.GEN_AI_TOKEN_MODALITY,
            attr.GEN_AI_TOKEN_TYPE,
            attr.MCP_METHOD_NAME,
            attr.OPENAI_API_TYPE,
            attr.OPENAI_REQUEST_SERVICE_TIER,
        ),
        "int": (
            attr.CLIENT_PORT,
            attr.GEN_AI_EMBEDDINGS_DIMENSION_COUNT,
            attr.GEN_AI_MEMORY_RECORD_COUNT,
            attr.GEN_AI_REQUEST_CHOICE_COUNT,
            attr.GEN_AI_REQUEST_MAX_TOKENS,
            attr.GEN_AI_REQUEST_SEED,
            attr.GEN_AI_REQUEST_TOP_K,
            attr.GEN_AI_RETRIEVAL_TOP_K,
            attr.GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS,
            attr.GEN_AI_USAGE_AUDIO_INPUT_TOKENS,
            attr.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS,
            attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
            attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
            attr.GEN_AI_USAGE_IMAGE_CACHE_READ_INPUT_TOKENS,
            attr.GEN_AI_USAGE_IMAGE_INPUT_TOKENS,
            attr.GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS,
            attr.GEN_AI_USAGE_INPUT_TOKENS,
            attr.GEN_AI_USAGE_OUTPUT_TOKENS,
            attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
            attr.GEN_AI_USAGE_TEXT_CACHE_READ_INPUT_TOKENS,
            attr.GEN_AI_USAGE_TEXT_INPUT_TOKENS,
            attr.GEN_AI_USAGE_TEXT_OUTPUT_TOKENS,
            attr.OTEL_AGENTS_CONTENT_ORIGINAL_BYTES,
            attr.OTEL_AGENTS_STEP_COUNT,
            attr.OTEL_AGENTS_STEP_NUMBER,
            attr.OTEL_AGENTS_TURN,
            attr.OTEL_AGENTS_USAGE_CACHE_WRITE_1H_INPUT_TOKENS,
            attr.PROCESS_EXIT_CODE,
            attr.SERVER_PORT,
        ),
        "boolean": (
            attr.GEN_AI_CONVERSATION_COMPACTED,
            attr.GEN_AI_REQUEST_STREAM,
            attr.OTEL_AGENTS_RESPONSE_PENDING,
            attr.OTEL_AGENTS_STREAM_ABANDONED,
        ),
        "double": (
            attr.GEN_AI_EVALUATION_SCORE_VALUE,
            attr.GEN_AI_REQUEST_FREQUENCY_PENALTY,
            attr.GEN_AI_REQUEST_PRESENCE_PENALTY,
            attr.GEN_AI_REQUEST_TEMPERATURE,
            attr.GEN_AI_REQUEST_TOP_P,
            attr.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK,
            attr.OTEL_AGENTS_COST,
        ),
        "any": (
            attr.GEN_AI_INPUT_MESSAGES,
            attr.GEN_AI_MEMORY_RECORDS,
            attr.GEN_AI_OUTPUT_MESSAGES,
            attr.GEN_AI_RETRIEVAL_DOCUMENTS,
            attr.GEN_AI_SYSTEM_INSTRUCTIONS,
            attr.GEN_AI_TOOL_CALL_ARGUMENTS,
            attr.GEN_AI_TOOL_CALL_RESULT,
            attr.GEN_AI_TOOL_DEFINITIONS,
        ),
        "template[string]": (
            attr.GEN_AI_PROMPT_VARIABLE,
            attr.OTEL_AGENTS_METADATA,
            attr.OTEL_AGENTS_TAG,
        ),
        "string[]": (
            attr.GEN_AI_REQUEST_ENCODING_FORMATS,
            attr.GEN_AI_REQUEST_STOP_SEQUENCES,
            attr.GEN_AI_RESPONSE_FINISH_REASONS,
            attr.OTEL_AGENTS_CONTENT_DROPPED,
            attr.OTEL_AGENTS_CONTENT_TRUNCATED,
            attr.OTEL_AGENTS_TAGS,
        ),
    }
)

_VALUES: Final[Mapping[str, type[Enum]]] = MappingProxyType(
    {
        attr.GEN_AI_OPERATION_NAME: values.Operation,
        attr.GEN_AI_OUTPUT_TYPE: values.OutputType,
        attr.GEN_AI_PROVIDER_NAME: values.Provider,
        attr.GEN_AI_RESPONSE_STATUS: values.ResponseStatus,
        attr.GEN_AI_TOKEN_MODALITY: values.TokenModality,
        attr.GEN_AI_TOKEN_TYPE: values.TokenType,
        attr.GEN_AI_TOOL_TYPE: values.ToolType,
        attr.MCP_METHOD_NAME: values.McpMethod,
        attr.OPENAI_API_TYPE: values.OpenAIApiType,
        attr.OPENAI_REQUEST_SERVICE_TIER: values.OpenAIServiceTier,
    }
)


def _known(name: str) -> tuple[str, ...]:
    return tuple(str(member.value) for member in _VALUES.get(name, ()))


REGISTRY: Final[Mapping[str, Attribute]] = MappingProxyType(
    {name: Attribute(name, kind, _known(name)) for kind, names in _TYPES.items() for name in names}
)
"""All attributes that may be emitted, by name."""

CONTENT: Final = (
    attr.GEN_AI_INPUT_MESSAGES,
    attr.GEN_AI_OUTPUT_MESSAGES,
    attr.GEN_AI_SYSTEM_INSTRUCTIONS,
    attr.GEN_AI_TOOL_DEFINITIONS,
    attr.GEN_AI_TOOL_CALL_ARGUMENTS,
    attr.GEN_AI_TOOL_CALL_RESULT,
    attr.GEN_AI_RETRIEVAL_QUERY_TEXT,
    attr.GEN_AI_RETRIEVAL_DOCUMENTS,
    attr.GEN_AI_MEMORY_QUERY_TEXT,
    attr.GEN_AI_MEMORY_RECORDS,
)
"""Attributes that are recorded only on request (GenAI semconv, "Capturing content")."""

NAMESPACES: Final = (
    "gen_ai.",
    "mcp.",
    "openai.",
    "aws.bedrock.",
    "azure.",
    "jsonrpc.",
    "otel_agents.",
)
"""Prefixes of names that must be in the registry."""

REMOVED: Final = frozenset(
    {
        "gen_ai.system",
        "gen_ai.prompt",
        "gen_ai.completion",
        "gen_ai.openai.request.response_format",
        "gen_ai.openai.request.seed",
        "gen_ai.openai.request.service_tier",
        "gen_ai.openai.response.service_tier",
        "gen_ai.openai.response.system_fingerprint",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.completion_tokens",
        "gen_ai.usage.prompt_tokens",
    }
)
"""Names of earlier conventions, which must not be emitted."""
