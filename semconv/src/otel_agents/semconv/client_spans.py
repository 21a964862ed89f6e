"""Span types of calls of a model or another service.

Source: GenAI semconv, "Spans", autumn 2026; a comment above each names the section.
"""

from __future__ import annotations

from typing import Final

from . import attributes as attr
from .groups import (
    AGENT_SAMPLED,
    BREAKDOWN,
    CALLER,
    CONTENT,
    CONVERSATION,
    HOSTED_AGENT,
    INVOKED,
    MODEL_SAMPLED,
    OPERATION,
    OURS,
    PARAMETERS,
    PROVIDED,
    STREAM,
    USAGE,
)
from .requirements import (
    IF_KNOWN,
    IF_REQUESTED,
    OPT_IN,
    RECOMMENDED,
    RECOMMENDED_IF_KNOWN,
    REQUIRED,
    WITH_SERVER,
)
from .span_type import SpanType
from .values import Operation

# "Inference", with the refinements of OpenAI, Azure, Anthropic and Amazon Bedrock. Their attributes
# are allowed on every inference: a compatible host may send them.
GEN_AI_CLIENT_INFERENCE: Final = SpanType(
    "gen_ai.client.inference",
    (Operation.CHAT, Operation.GENERATE_CONTENT, Operation.TEXT_COMPLETION),
    ("CLIENT", "INTERNAL"),
    attr.GEN_AI_REQUEST_MODEL,
    {
        **PROVIDED,
        **CONVERSATION,
        **PARAMETERS,
        **USAGE,
        **BREAKDOWN,
        **CONTENT,
        **STREAM,
        **OURS,
        attr.OTEL_AGENTS_COST: RECOMMENDED_IF_KNOWN,
        attr.OTEL_AGENTS_COST_SOURCE: RECOMMENDED_IF_KNOWN,
        attr.OTEL_AGENTS_RESPONSE_PENDING: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_REQUEST_MODEL: IF_KNOWN,
        attr.GEN_AI_PROMPT_NAME: IF_KNOWN,
        attr.GEN_AI_PROMPT_VERSION: IF_KNOWN,
        attr.GEN_AI_PROMPT_VARIABLE: OPT_IN,
        attr.GEN_AI_REQUEST_STREAM: IF_REQUESTED,
        attr.GEN_AI_REQUEST_TOP_K: IF_REQUESTED,
        attr.GEN_AI_CONVERSATION_COMPACTED: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_REQUEST_REASONING_LEVEL: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_RESPONSE_FINISH_REASONS: RECOMMENDED,
        attr.GEN_AI_RESPONSE_ID: RECOMMENDED,
        attr.GEN_AI_RESPONSE_MODEL: RECOMMENDED,
        attr.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: RECOMMENDED_IF_KNOWN,
        attr.OPENAI_API_TYPE: RECOMMENDED_IF_KNOWN,
        attr.OPENAI_REQUEST_SERVICE_TIER: IF_REQUESTED,
        attr.OPENAI_RESPONSE_SERVICE_TIER: IF_KNOWN,
        attr.OPENAI_RESPONSE_SYSTEM_FINGERPRINT: RECOMMENDED_IF_KNOWN,
        attr.AZURE_RESOURCE_PROVIDER_NAMESPACE: RECOMMENDED_IF_KNOWN,
        attr.AWS_BEDROCK_GUARDRAIL_ID: IF_KNOWN,
        attr.AWS_BEDROCK_KNOWLEDGE_BASE_ID: RECOMMENDED_IF_KNOWN,
        attr.CLOUD_REGION: RECOMMENDED_IF_KNOWN,
    },
    MODEL_SAMPLED,
)
# "Embeddings"
GEN_AI_EMBEDDINGS_CLIENT: Final = SpanType(
    "gen_ai.embeddings.client",
    (Operation.EMBEDDINGS,),
    ("CLIENT", "INTERNAL"),
    attr.GEN_AI_REQUEST_MODEL,
    {
        **PROVIDED,
        **CALLER,
        **STREAM,  # a decorated function may be a generator
        attr.GEN_AI_REQUEST_MODEL: IF_KNOWN,
        attr.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_REQUEST_ENCODING_FORMATS: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_RESPONSE_MODEL: RECOMMENDED,
        attr.GEN_AI_USAGE_INPUT_TOKENS: RECOMMENDED,
        attr.OTEL_AGENTS_COST: RECOMMENDED_IF_KNOWN,
        attr.OTEL_AGENTS_COST_SOURCE: RECOMMENDED_IF_KNOWN,
    },
    MODEL_SAMPLED,
)
# "Retrieval"
GEN_AI_RETRIEVAL_CLIENT: Final = SpanType(
    "gen_ai.retrieval.client",
    (Operation.RETRIEVAL,),
    ("CLIENT", "INTERNAL"),
    attr.GEN_AI_DATA_SOURCE_ID,
    {
        **OPERATION,
        **CALLER,
        **OURS,
        attr.GEN_AI_DATA_SOURCE_ID: IF_KNOWN,
        attr.GEN_AI_PROVIDER_NAME: IF_KNOWN,
        attr.GEN_AI_REQUEST_MODEL: IF_KNOWN,
        attr.SERVER_ADDRESS: RECOMMENDED_IF_KNOWN,
        attr.SERVER_PORT: WITH_SERVER,
        **STREAM,  # a response that is generated from the documents may be streamed
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
        **PROVIDED,
        **CALLER,
        **OURS,
        **STREAM,
        attr.GEN_AI_RESPONSE_ID: REQUIRED,
        attr.GEN_AI_REQUEST_STREAM_CURSOR: IF_REQUESTED,
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
        **OPERATION,
        **CALLER,
        **OURS,
        **STREAM,  # a decorated function may be a generator
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
# "Create agent"
GEN_AI_CREATE_AGENT_CLIENT: Final = SpanType(
    "gen_ai.create_agent.client",
    (Operation.CREATE_AGENT,),
    ("CLIENT",),
    attr.GEN_AI_AGENT_NAME,
    {**HOSTED_AGENT, **CALLER, **OURS, attr.GEN_AI_REQUEST_MODEL: IF_KNOWN},
    AGENT_SAMPLED,
)
# "Invoke agent", client: in another process
GEN_AI_INVOKE_AGENT_CLIENT: Final = SpanType(
    "gen_ai.invoke_agent.client",
    (Operation.INVOKE_AGENT,),
    ("CLIENT",),
    attr.GEN_AI_AGENT_NAME,
    {
        **HOSTED_AGENT,
        **INVOKED,
        **BREAKDOWN,
        attr.GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID: RECOMMENDED_IF_KNOWN,
    },
    AGENT_SAMPLED,
)
