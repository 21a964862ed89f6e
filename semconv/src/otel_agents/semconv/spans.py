"""Every span type: operations, kinds, name, and its attributes with their requirement levels.

Source: GenAI semconv, "Spans" (section names in the comments) and MCP semconv, "Spans", autumn
2026. A pending rename is an edit of these tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from . import attributes as attr
from .requirements import (
    AFTER_ERROR,
    IF_ASKED,
    IF_KNOWN,
    OPT_IN,
    RECOMMENDED,
    RECOMMENDED_IF_KNOWN,
    REQUIRED,
    WITH_SERVER,
    Requirements,
)
from .values import Operation

Kind = Literal["CLIENT", "SERVER", "INTERNAL"]


@dataclass(frozen=True)
class SpanType:
    """One type of span.

    Attributes:
        type: Its id in the conventions; it is not on the wire.
        operations: The values of ``gen_ai.operation.name`` that it may have.
        kinds: The span kinds that it may have.
        subject: The attribute that follows the operation in the name; None: the operation alone.
        attributes: What it may carry, and how strongly that is wanted.
        sampled: What is set at its start, for samplers to see.
    """

    type: str
    operations: tuple[Operation, ...]
    kinds: tuple[Kind, ...]
    subject: str | None
    attributes: Requirements
    sampled: tuple[str, ...] = ()


_ERROR: Final[Requirements] = {attr.ERROR_TYPE: AFTER_ERROR}
_SERVER: Final[Requirements] = {attr.SERVER_ADDRESS: RECOMMENDED, attr.SERVER_PORT: WITH_SERVER}
_OPERATION: Final[Requirements] = {attr.GEN_AI_OPERATION_NAME: REQUIRED, **_ERROR}
_PROVIDED: Final[Requirements] = {
    **_OPERATION,
    attr.GEN_AI_PROVIDER_NAME: REQUIRED,
    **_SERVER,
}
_CALLER: Final[Requirements] = {
    attr.USER_ID: RECOMMENDED_IF_KNOWN,  # of the core conventions, as the GenAI ones advise
    attr.SESSION_ID: RECOMMENDED_IF_KNOWN,
}
_CONVERSATION: Final[Requirements] = {attr.GEN_AI_CONVERSATION_ID: IF_KNOWN, **_CALLER}
_MESSAGES: Final[Requirements] = {
    attr.GEN_AI_INPUT_MESSAGES: OPT_IN,
    attr.GEN_AI_OUTPUT_MESSAGES: OPT_IN,
}
_CONTENT: Final[Requirements] = {
    **_MESSAGES,
    attr.GEN_AI_SYSTEM_INSTRUCTIONS: OPT_IN,
    attr.GEN_AI_TOOL_DEFINITIONS: OPT_IN,
}
_USAGE: Final[Requirements] = {
    attr.GEN_AI_USAGE_INPUT_TOKENS: RECOMMENDED,
    attr.GEN_AI_USAGE_OUTPUT_TOKENS: RECOMMENDED,
}
_BREAKDOWN: Final[Requirements] = {
    attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: RECOMMENDED_IF_KNOWN,
    attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: RECOMMENDED_IF_KNOWN,
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
_PARAMETERS: Final[Requirements] = {
    attr.GEN_AI_OUTPUT_TYPE: IF_ASKED,
    attr.GEN_AI_REQUEST_CHOICE_COUNT: IF_ASKED,
    attr.GEN_AI_REQUEST_SEED: IF_ASKED,
    attr.GEN_AI_REQUEST_FREQUENCY_PENALTY: RECOMMENDED,
    attr.GEN_AI_REQUEST_MAX_TOKENS: RECOMMENDED,
    attr.GEN_AI_REQUEST_PRESENCE_PENALTY: RECOMMENDED,
    attr.GEN_AI_REQUEST_STOP_SEQUENCES: RECOMMENDED,
    attr.GEN_AI_REQUEST_TEMPERATURE: RECOMMENDED,
    attr.GEN_AI_REQUEST_TOP_P: RECOMMENDED,
}
_STREAM: Final[Requirements] = {attr.OTEL_AGENTS_STREAM_ABANDONED: RECOMMENDED_IF_KNOWN}
_OURS: Final[Requirements] = {
    attr.OTEL_AGENTS_CONTENT_TRUNCATED: RECOMMENDED_IF_KNOWN,
    attr.OTEL_AGENTS_CONTENT_ORIGINAL_BYTES: RECOMMENDED_IF_KNOWN,
    attr.OTEL_AGENTS_CONTENT_INPUT_MESSAGES_REF: RECOMMENDED_IF_KNOWN,
    attr.OTEL_AGENTS_CONTENT_OUTPUT_MESSAGES_REF: RECOMMENDED_IF_KNOWN,
    attr.OTEL_AGENTS_CONTENT_SYSTEM_INSTRUCTIONS_REF: RECOMMENDED_IF_KNOWN,
    attr.OTEL_AGENTS_CONTENT_TOOL_DEFINITIONS_REF: RECOMMENDED_IF_KNOWN,
}
_MODEL_SAMPLED: Final = (
    attr.GEN_AI_OPERATION_NAME,
    attr.GEN_AI_PROVIDER_NAME,
    attr.GEN_AI_REQUEST_MODEL,
    attr.SERVER_ADDRESS,
    attr.SERVER_PORT,
)
_AGENT_SAMPLED: Final = (*_MODEL_SAMPLED, attr.GEN_AI_AGENT_NAME)

# "Inference", with the refinements of OpenAI, Azure, Anthropic and Amazon Bedrock, whose attributes
# are allowed on every inference: a compatible host may send them.
GEN_AI_CLIENT_INFERENCE: Final = SpanType(
    "gen_ai.client.inference",
    (Operation.CHAT, Operation.GENERATE_CONTENT, Operation.TEXT_COMPLETION),
    ("CLIENT", "INTERNAL"),
    attr.GEN_AI_REQUEST_MODEL,
    {
        **_PROVIDED,
        **_CONVERSATION,
        **_PARAMETERS,
        **_USAGE,
        **_BREAKDOWN,
        **_CONTENT,
        **_STREAM,
        **_OURS,
        attr.OTEL_AGENTS_COST: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_REQUEST_MODEL: IF_KNOWN,
        attr.GEN_AI_PROMPT_NAME: IF_KNOWN,
        attr.GEN_AI_PROMPT_VERSION: IF_KNOWN,
        attr.GEN_AI_PROMPT_VARIABLE: OPT_IN,
        attr.GEN_AI_REQUEST_STREAM: IF_ASKED,
        attr.GEN_AI_REQUEST_TOP_K: IF_ASKED,
        attr.GEN_AI_CONVERSATION_COMPACTED: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_REQUEST_REASONING_LEVEL: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_RESPONSE_FINISH_REASONS: RECOMMENDED,
        attr.GEN_AI_RESPONSE_ID: RECOMMENDED,
        attr.GEN_AI_RESPONSE_MODEL: RECOMMENDED,
        attr.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: RECOMMENDED_IF_KNOWN,
        attr.OPENAI_API_TYPE: RECOMMENDED_IF_KNOWN,
        attr.OPENAI_REQUEST_SERVICE_TIER: IF_ASKED,
        attr.OPENAI_RESPONSE_SERVICE_TIER: IF_KNOWN,
        attr.OPENAI_RESPONSE_SYSTEM_FINGERPRINT: RECOMMENDED_IF_KNOWN,
        attr.AZURE_RESOURCE_PROVIDER_NAMESPACE: RECOMMENDED_IF_KNOWN,
        attr.AWS_BEDROCK_GUARDRAIL_ID: IF_KNOWN,
        attr.AWS_BEDROCK_KNOWLEDGE_BASE_ID: RECOMMENDED_IF_KNOWN,
        attr.CLOUD_REGION: RECOMMENDED_IF_KNOWN,
    },
    _MODEL_SAMPLED,
)
# "Embeddings"
GEN_AI_EMBEDDINGS_CLIENT: Final = SpanType(
    "gen_ai.embeddings.client",
    (Operation.EMBEDDINGS,),
    ("CLIENT", "INTERNAL"),
    attr.GEN_AI_REQUEST_MODEL,
    {
        **_PROVIDED,
        **_CALLER,
        attr.GEN_AI_REQUEST_MODEL: IF_KNOWN,
        attr.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_REQUEST_ENCODING_FORMATS: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_RESPONSE_MODEL: RECOMMENDED,
        attr.GEN_AI_USAGE_INPUT_TOKENS: RECOMMENDED,
        attr.OTEL_AGENTS_COST: RECOMMENDED_IF_KNOWN,
    },
    _MODEL_SAMPLED,
)
# "Retrieval"
GEN_AI_RETRIEVAL_CLIENT: Final = SpanType(
    "gen_ai.retrieval.client",
    (Operation.RETRIEVAL,),
    ("CLIENT", "INTERNAL"),
    attr.GEN_AI_DATA_SOURCE_ID,
    {
        **_OPERATION,
        **_CALLER,
        **_OURS,
        attr.GEN_AI_DATA_SOURCE_ID: IF_KNOWN,
        attr.GEN_AI_PROVIDER_NAME: IF_KNOWN,
        attr.GEN_AI_REQUEST_MODEL: IF_KNOWN,
        attr.SERVER_ADDRESS: RECOMMENDED_IF_KNOWN,
        attr.SERVER_PORT: WITH_SERVER,
        attr.GEN_AI_RETRIEVAL_TOP_K: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_RETRIEVAL_DOCUMENTS: OPT_IN,
        attr.GEN_AI_RETRIEVAL_QUERY_TEXT: OPT_IN,
    },
)
# "Fetch response"
GEN_AI_FETCH_RESPONSE_CLIENT: Final = SpanType(
    "gen_ai.fetch_response.client",
    (Operation.FETCH_RESPONSE,),
    ("CLIENT",),
    None,
    {
        **_PROVIDED,
        **_CALLER,
        **_OURS,
        **_STREAM,
        attr.GEN_AI_RESPONSE_ID: REQUIRED,
        attr.GEN_AI_REQUEST_STREAM_CURSOR: IF_ASKED,
        attr.GEN_AI_RESPONSE_FINISH_REASONS: RECOMMENDED,
        attr.GEN_AI_RESPONSE_MODEL: RECOMMENDED,
        attr.GEN_AI_RESPONSE_STATUS: RECOMMENDED,
        attr.OPENAI_API_TYPE: RECOMMENDED_IF_KNOWN,
        attr.OPENAI_RESPONSE_SERVICE_TIER: IF_KNOWN,
        attr.GEN_AI_OUTPUT_MESSAGES: OPT_IN,
        attr.GEN_AI_SYSTEM_INSTRUCTIONS: OPT_IN,
        attr.GEN_AI_TOOL_DEFINITIONS: OPT_IN,
    },
    (
        attr.GEN_AI_OPERATION_NAME,
        attr.GEN_AI_PROVIDER_NAME,
        attr.SERVER_ADDRESS,
        attr.SERVER_PORT,
    ),
)
# "Memory"
GEN_AI_MEMORY_CLIENT: Final = SpanType(
    "gen_ai.memory.client",
    (
        Operation.SEARCH_MEMORY,
        Operation.CREATE_MEMORY,
        Operation.UPDATE_MEMORY,
        Operation.UPSERT_MEMORY,
        Operation.DELETE_MEMORY,
        Operation.CREATE_MEMORY_STORE,
        Operation.DELETE_MEMORY_STORE,
    ),
    ("CLIENT", "INTERNAL"),
    None,
    {
        **_OPERATION,
        **_CALLER,
        **_OURS,
        attr.GEN_AI_MEMORY_RECORD_ID: IF_KNOWN,
        attr.GEN_AI_MEMORY_STORE_ID: IF_KNOWN,
        attr.GEN_AI_PROVIDER_NAME: IF_KNOWN,
        attr.GEN_AI_MEMORY_RECORD_COUNT: RECOMMENDED_IF_KNOWN,
        attr.SERVER_ADDRESS: RECOMMENDED_IF_KNOWN,
        attr.SERVER_PORT: WITH_SERVER,
        attr.GEN_AI_MEMORY_QUERY_TEXT: OPT_IN,
        attr.GEN_AI_MEMORY_RECORDS: OPT_IN,
    },
)
_HOSTED_AGENT: Final[Requirements] = {
    **_PROVIDED,
    attr.GEN_AI_AGENT_DESCRIPTION: IF_KNOWN,
    attr.GEN_AI_AGENT_ID: IF_KNOWN,
    attr.GEN_AI_AGENT_NAME: IF_KNOWN,
    attr.GEN_AI_AGENT_VERSION: IF_KNOWN,
    attr.GEN_AI_SYSTEM_INSTRUCTIONS: OPT_IN,
}
# "Create agent"
GEN_AI_CREATE_AGENT_CLIENT: Final = SpanType(
    "gen_ai.create_agent.client",
    (Operation.CREATE_AGENT,),
    ("CLIENT",),
    attr.GEN_AI_AGENT_NAME,
    {**_HOSTED_AGENT, **_CALLER, **_OURS, attr.GEN_AI_REQUEST_MODEL: IF_KNOWN},
    _AGENT_SAMPLED,
)
_INVOKED: Final[Requirements] = {
    **_CONVERSATION,
    **_PARAMETERS,
    **_USAGE,
    **_CONTENT,
    **_OURS,
    **_STREAM,
    attr.GEN_AI_DATA_SOURCE_ID: IF_KNOWN,
    attr.GEN_AI_REQUEST_MODEL: RECOMMENDED_IF_KNOWN,
    attr.GEN_AI_RESPONSE_FINISH_REASONS: RECOMMENDED,
}
# "Invoke agent", client: in another process
GEN_AI_INVOKE_AGENT_CLIENT: Final = SpanType(
    "gen_ai.invoke_agent.client",
    (Operation.INVOKE_AGENT,),
    ("CLIENT",),
    attr.GEN_AI_AGENT_NAME,
    {
        **_HOSTED_AGENT,
        **_INVOKED,
        **_BREAKDOWN,
        attr.GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID: RECOMMENDED_IF_KNOWN,
    },
    _AGENT_SAMPLED,
)
# "Invoke agent", internal: in this process
GEN_AI_INVOKE_AGENT_INTERNAL: Final = SpanType(
    "gen_ai.invoke_agent.internal",
    (Operation.INVOKE_AGENT,),
    ("INTERNAL",),
    attr.GEN_AI_AGENT_NAME,
    {
        **_OPERATION,
        **_INVOKED,
        attr.OTEL_AGENTS_TURN: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_AGENT_DESCRIPTION: IF_KNOWN,
        attr.GEN_AI_AGENT_NAME: IF_KNOWN,
    },
    (attr.GEN_AI_OPERATION_NAME, attr.GEN_AI_AGENT_NAME),
)
# "Invoke workflow"
GEN_AI_INVOKE_WORKFLOW_INTERNAL: Final = SpanType(
    "gen_ai.invoke_workflow.internal",
    (Operation.INVOKE_WORKFLOW,),
    ("INTERNAL",),
    attr.GEN_AI_WORKFLOW_NAME,
    {
        **_OPERATION,
        **_CONVERSATION,
        **_MESSAGES,
        **_OURS,
        **_STREAM,
        attr.GEN_AI_WORKFLOW_NAME: IF_KNOWN,
    },
)
# "Plan"
GEN_AI_PLAN_INTERNAL: Final = SpanType(
    "gen_ai.plan.internal",
    (Operation.PLAN,),
    ("INTERNAL",),
    attr.GEN_AI_AGENT_NAME,
    {**_OPERATION, **_CONVERSATION, attr.GEN_AI_AGENT_NAME: IF_KNOWN},
    (attr.GEN_AI_OPERATION_NAME, attr.GEN_AI_AGENT_NAME),
)
_TOOL_CONTENT: Final[Requirements] = {
    attr.GEN_AI_TOOL_CALL_ARGUMENTS: OPT_IN,
    attr.GEN_AI_TOOL_CALL_RESULT: OPT_IN,
}
# "Execute tool", with its refinements for skills and commands
GEN_AI_EXECUTE_TOOL_INTERNAL: Final = SpanType(
    "gen_ai.execute_tool.internal",
    (Operation.EXECUTE_TOOL,),
    ("INTERNAL",),
    attr.GEN_AI_TOOL_NAME,
    {
        **_OPERATION,
        **_CONVERSATION,
        **_TOOL_CONTENT,
        **_OURS,
        **_STREAM,
        attr.GEN_AI_TOOL_NAME: REQUIRED,
        attr.GEN_AI_AGENT_NAME: IF_KNOWN,
        attr.GEN_AI_TOOL_CALL_ID: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_TOOL_DESCRIPTION: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_TOOL_TYPE: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_SKILL_NAME: IF_KNOWN,
        attr.GEN_AI_SKILL_RESOURCE_NAME: IF_KNOWN,
        attr.GEN_AI_SKILL_DESCRIPTION: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_SKILL_SOURCE_URI: RECOMMENDED_IF_KNOWN,
        attr.PROCESS_EXECUTABLE_NAME: IF_KNOWN,
        attr.PROCESS_EXECUTABLE_PATH: RECOMMENDED_IF_KNOWN,
        attr.PROCESS_EXIT_CODE: IF_KNOWN,
    },
    (
        attr.GEN_AI_OPERATION_NAME,
        attr.GEN_AI_TOOL_NAME,
        attr.GEN_AI_TOOL_TYPE,
        attr.GEN_AI_AGENT_NAME,
    ),
)
_MCP: Final[Requirements] = {
    **_ERROR,
    **_TOOL_CONTENT,
    **_OURS,
    attr.MCP_METHOD_NAME: REQUIRED,
    attr.GEN_AI_OPERATION_NAME: RECOMMENDED_IF_KNOWN,
    attr.GEN_AI_PROMPT_NAME: IF_KNOWN,
    attr.GEN_AI_PROMPT_VARIABLE: OPT_IN,
    attr.GEN_AI_TOOL_NAME: IF_KNOWN,
    attr.JSONRPC_REQUEST_ID: IF_KNOWN,
    attr.JSONRPC_PROTOCOL_VERSION: RECOMMENDED_IF_KNOWN,
    attr.MCP_RESOURCE_URI: IF_KNOWN,
    attr.MCP_PROTOCOL_VERSION: RECOMMENDED_IF_KNOWN,
    attr.MCP_SESSION_ID: RECOMMENDED_IF_KNOWN,
    attr.RPC_RESPONSE_STATUS_CODE: IF_KNOWN,
    attr.NETWORK_PROTOCOL_NAME: RECOMMENDED_IF_KNOWN,
    attr.NETWORK_PROTOCOL_VERSION: RECOMMENDED_IF_KNOWN,
    attr.NETWORK_TRANSPORT: RECOMMENDED_IF_KNOWN,
}
# MCP, "Client"
MCP_CLIENT: Final = SpanType(
    "mcp.client",
    (Operation.EXECUTE_TOOL,),
    ("CLIENT",),
    None,
    {
        **_MCP,
        attr.SERVER_ADDRESS: RECOMMENDED_IF_KNOWN,
        attr.SERVER_PORT: RECOMMENDED_IF_KNOWN,
    },
)
# MCP, "Server"
MCP_SERVER: Final = SpanType(
    "mcp.server",
    (Operation.EXECUTE_TOOL,),
    ("SERVER",),
    None,
    {
        **_MCP,
        attr.CLIENT_ADDRESS: RECOMMENDED_IF_KNOWN,
        attr.CLIENT_PORT: RECOMMENDED_IF_KNOWN,
    },
)
OTEL_AGENTS_STEP: Final = SpanType(
    "otel_agents.step",
    (),
    ("INTERNAL",),
    None,
    {**_ERROR, **_CONVERSATION, **_OURS, attr.OTEL_AGENTS_TURN: RECOMMENDED_IF_KNOWN},
)
"""Ours, for what the conventions have no span for: without ``gen_ai.operation.name``."""

SPAN_TYPES: Final[Mapping[str, SpanType]] = MappingProxyType(
    {span.type: span for span in tuple(globals().values()) if isinstance(span, SpanType)}
)
"""Every span type by its id."""
