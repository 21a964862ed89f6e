"""Attributes that several span types share, with their requirement levels.

Source: GenAI semconv, "Spans", whose model has its own groups.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from . import attributes as attr
from .requirements import (
    AFTER_ERROR,
    IF_KNOWN,
    IF_REQUESTED,
    OPT_IN,
    RECOMMENDED,
    RECOMMENDED_IF_KNOWN,
    REQUIRED,
    WITH_SERVER,
    Requirements,
)

ERROR: Final[Requirements] = MappingProxyType({attr.ERROR_TYPE: AFTER_ERROR})
SERVER: Final[Requirements] = MappingProxyType(
    {attr.SERVER_ADDRESS: RECOMMENDED, attr.SERVER_PORT: WITH_SERVER}
)
OPERATION: Final[Requirements] = MappingProxyType({attr.GEN_AI_OPERATION_NAME: REQUIRED, **ERROR})
PROVIDED: Final[Requirements] = MappingProxyType(
    {
        **OPERATION,
        attr.GEN_AI_PROVIDER_NAME: REQUIRED,
        **SERVER,
    }
)
CALLER: Final[Requirements] = MappingProxyType(
    {
        attr.USER_ID: RECOMMENDED_IF_KNOWN,  # from the core conventions, as the GenAI ones advise
        attr.SESSION_ID: RECOMMENDED_IF_KNOWN,
        attr.OTEL_AGENTS_TAG: RECOMMENDED_IF_KNOWN,
    }
)
CONVERSATION: Final[Requirements] = MappingProxyType(
    {attr.GEN_AI_CONVERSATION_ID: IF_KNOWN, **CALLER}
)
CHOSEN: Final[Requirements] = MappingProxyType(
    {
        attr.GEN_AI_AGENT_NAME: OPT_IN,
        attr.GEN_AI_WORKFLOW_NAME: OPT_IN,
        attr.OTEL_AGENTS_TAG: OPT_IN,
        attr.USER_ID: OPT_IN,
    }
)
"""What an application may choose for the metrics of tokens and durations."""
MESSAGES: Final[Requirements] = MappingProxyType(
    {
        attr.GEN_AI_INPUT_MESSAGES: OPT_IN,
        attr.GEN_AI_OUTPUT_MESSAGES: OPT_IN,
    }
)
CONTENT: Final[Requirements] = MappingProxyType(
    {
        **MESSAGES,
        attr.GEN_AI_SYSTEM_INSTRUCTIONS: OPT_IN,
        attr.GEN_AI_TOOL_DEFINITIONS: OPT_IN,
    }
)
USAGE: Final[Requirements] = MappingProxyType(
    {
        attr.GEN_AI_USAGE_INPUT_TOKENS: RECOMMENDED,
        attr.GEN_AI_USAGE_OUTPUT_TOKENS: RECOMMENDED,
    }
)
BREAKDOWN: Final[Requirements] = MappingProxyType(
    {
        attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: RECOMMENDED_IF_KNOWN,
        attr.OTEL_AGENTS_USAGE_CACHE_WRITE_1H_INPUT_TOKENS: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_USAGE_TEXT_INPUT_TOKENS: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_USAGE_TEXT_CACHE_READ_INPUT_TOKENS: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_USAGE_TEXT_OUTPUT_TOKENS: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_USAGE_IMAGE_INPUT_TOKENS: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_USAGE_IMAGE_CACHE_READ_INPUT_TOKENS: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_USAGE_AUDIO_INPUT_TOKENS: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS: RECOMMENDED_IF_KNOWN,
    }
)
PARAMETERS: Final[Requirements] = MappingProxyType(
    {
        attr.GEN_AI_OUTPUT_TYPE: IF_REQUESTED,
        attr.GEN_AI_REQUEST_CHOICE_COUNT: IF_REQUESTED,
        attr.GEN_AI_REQUEST_SEED: IF_REQUESTED,
        attr.GEN_AI_REQUEST_FREQUENCY_PENALTY: RECOMMENDED,
        attr.GEN_AI_REQUEST_MAX_TOKENS: RECOMMENDED,
        attr.GEN_AI_REQUEST_PRESENCE_PENALTY: RECOMMENDED,
        attr.GEN_AI_REQUEST_STOP_SEQUENCES: RECOMMENDED,
        attr.GEN_AI_REQUEST_TEMPERATURE: RECOMMENDED,
        attr.GEN_AI_REQUEST_TOP_P: RECOMMENDED,
    }
)
EVALUATOR: Final[Requirements] = MappingProxyType(
    {
        attr.OTEL_AGENTS_EVALUATION_EVALUATOR_ID: RECOMMENDED_IF_KNOWN,
        attr.OTEL_AGENTS_EVALUATION_EVALUATOR_TYPE: RECOMMENDED_IF_KNOWN,
        attr.OTEL_AGENTS_EVALUATION_EVALUATOR_VERSION: RECOMMENDED_IF_KNOWN,
    }
)
"""Under our names until the conventions have theirs, which are pending: ``gen_ai.evaluation.…``."""
STREAM: Final[Requirements] = MappingProxyType(
    {attr.OTEL_AGENTS_STREAM_ABANDONED: RECOMMENDED_IF_KNOWN}
)
OURS: Final[Requirements] = MappingProxyType(
    {
        attr.OTEL_AGENTS_CONTENT_DROPPED: RECOMMENDED_IF_KNOWN,  # set by a Collector
        attr.OTEL_AGENTS_CONTENT_TRUNCATED: RECOMMENDED_IF_KNOWN,
        attr.OTEL_AGENTS_CONTENT_ORIGINAL_BYTES: RECOMMENDED_IF_KNOWN,
        attr.OTEL_AGENTS_CONTENT_INPUT_MESSAGES_REF: RECOMMENDED_IF_KNOWN,
        attr.OTEL_AGENTS_CONTENT_OUTPUT_MESSAGES_REF: RECOMMENDED_IF_KNOWN,
        attr.OTEL_AGENTS_CONTENT_SYSTEM_INSTRUCTIONS_REF: RECOMMENDED_IF_KNOWN,
        attr.OTEL_AGENTS_CONTENT_TOOL_DEFINITIONS_REF: RECOMMENDED_IF_KNOWN,
        attr.OTEL_AGENTS_METADATA: OPT_IN,
        attr.OTEL_AGENTS_TAGS: OPT_IN,
    }
)
MODEL_SAMPLED: Final = (
    attr.GEN_AI_OPERATION_NAME,
    attr.GEN_AI_PROVIDER_NAME,
    attr.GEN_AI_REQUEST_MODEL,
    attr.SERVER_ADDRESS,
    attr.SERVER_PORT,
)
AGENT_SAMPLED: Final = (*MODEL_SAMPLED, attr.GEN_AI_AGENT_NAME)

HOSTED_AGENT: Final[Requirements] = MappingProxyType(
    {
        **PROVIDED,
        attr.GEN_AI_AGENT_DESCRIPTION: IF_KNOWN,
        attr.GEN_AI_AGENT_ID: IF_KNOWN,
        attr.GEN_AI_AGENT_NAME: IF_KNOWN,
        attr.GEN_AI_AGENT_VERSION: IF_KNOWN,
        attr.GEN_AI_SYSTEM_INSTRUCTIONS: OPT_IN,
    }
)
INVOKED: Final[Requirements] = MappingProxyType(
    {
        **CONVERSATION,
        **PARAMETERS,
        **USAGE,
        **CONTENT,
        **OURS,
        **STREAM,
        attr.GEN_AI_DATA_SOURCE_ID: IF_KNOWN,
        attr.GEN_AI_REQUEST_MODEL: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_RESPONSE_FINISH_REASONS: RECOMMENDED,
    }
)
TOOL_CONTENT: Final[Requirements] = MappingProxyType(
    {
        attr.GEN_AI_TOOL_CALL_ARGUMENTS: OPT_IN,
        attr.GEN_AI_TOOL_CALL_RESULT: OPT_IN,
    }
)
MCP_WIRE: Final[Requirements] = MappingProxyType(
    {
        attr.JSONRPC_REQUEST_ID: IF_KNOWN,
        attr.JSONRPC_PROTOCOL_VERSION: RECOMMENDED_IF_KNOWN,
        attr.MCP_PROTOCOL_VERSION: RECOMMENDED_IF_KNOWN,
        attr.MCP_SESSION_ID: RECOMMENDED_IF_KNOWN,
        attr.RPC_RESPONSE_STATUS_CODE: IF_KNOWN,
        attr.NETWORK_PROTOCOL_NAME: RECOMMENDED_IF_KNOWN,
        attr.NETWORK_PROTOCOL_VERSION: RECOMMENDED_IF_KNOWN,
        attr.NETWORK_TRANSPORT: RECOMMENDED_IF_KNOWN,
    }
)
"""What the Model Context Protocol adds to the span of a request, and to that of its tool."""
